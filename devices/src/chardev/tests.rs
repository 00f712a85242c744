//! Character devices against real sockets, terminals, pipes and files.

mod events;
mod files;
mod leaks;
mod mux;
mod rig;
mod sockets;
mod terminals;
