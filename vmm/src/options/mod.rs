//! The command line: QEMU's options, as far as this program honours them.
//!
//! Two tables say what there is: the options (`table`) and the parameters of their arguments (`groups`). Parsing them has
//! no effect but reading the files of `-readconfig`, and yields plain data ([`Options`]). Nothing is ignored: what cannot
//! be honoured is refused by name, in QEMU's words where it has the same situation. Reference: the manual page
//! qemu-system(1) of version 7.2, and what that version prints.
//!
//! No threads and no locks.

mod accel;
mod boot;
mod chardev;
mod device;
mod error;
mod group;
mod groups;
mod help;
mod host;
mod keyval;
mod legacy;
mod machine;
mod memory;
mod monitor;
mod parser;
mod readconfig;
mod rtc;
mod run_control;
mod smp;
mod table;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use error::{Error, Location};
pub use group::{CommandLineOption, Parameter, ParameterKind, command_line_options};
pub use help::HelpRequest;
pub use machine::{MACHINES, MachineInfo, MachineType};
pub use monitor::DefaultSerial;
pub use parser::Sources;
pub use types::*;

use std::ffi::OsString;

/// Parses the arguments of the program, without its name, and checks what can be checked without looking at the host.
///
/// # Errors
///
/// The first thing that is wrong, as a message for standard error. The exit status is 1.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    sources: &Sources<'_>,
) -> Result<Options, Error> {
    parser::Parser::new(sources).run(arguments)
}

impl Options {
    /// Whether the line leaves it to the program what to boot, so that it is the built-in guest.
    pub fn boots_builtin_guest(&self) -> bool {
        self.machine.kind == MachineType::Pc
            && self.kernel.is_none()
            && self.bios.is_none()
            && !self.boot.given
    }
}
