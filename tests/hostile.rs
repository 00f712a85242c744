//! Bad input while a guest runs, and files and sizes beyond reason: what is wrong is said, and guest and process come to
//! no harm.

#[path = "hostile/commands.rs"]
mod commands;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/guest.rs"]
mod guest;
#[path = "hostile/machine.rs"]
mod machine;
#[path = "hostile/wire.rs"]
mod wire;
