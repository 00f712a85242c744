//! The program: command line, machine, control thread, vCPU threads, and the monitor's commands.
//!
//! See ARCHITECTURE.md for the map. Only [`main`] and the option parser are public: the first for
//! the binary, the second for its fuzz target.

mod base64;
mod chardevs;
mod control;
mod daemon;
mod fd_sets;
mod gate;
mod help;
mod inbox;
mod kvm;
mod local_time;
mod logging;
mod machine;
mod memory_save;
mod monitor;
mod monitors;
pub mod options;
mod pidfile;
mod run_state;
mod signals;
mod startup;
mod vcpu;

pub use startup::main;
