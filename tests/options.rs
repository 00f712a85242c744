//! Options: each changes what the guest, a query or the host sees, and refuses by name what it cannot do.

#[path = "options/boot.rs"]
mod boot;
#[path = "options/devices.rs"]
mod devices;
#[path = "options/guest.rs"]
mod guest;
#[path = "options/help.rs"]
mod help;
#[path = "options/host.rs"]
mod host;
#[path = "options/machine.rs"]
mod machine;
#[path = "options/refused.rs"]
mod refused;
#[path = "options/running.rs"]
mod running;
