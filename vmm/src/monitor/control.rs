//! Handlers of `control.json`.

use qapi::handlers::Control;
use qapi::{
    Empty, Encode, Error, QmpCommandInfo, QmpEventInfo, Reply, ShutdownCause, Value, VersionInfo,
    VersionTriple,
};

use super::Monitor;

/// The version that clients see: the protocol is that of QEMU 7.2.
fn version_info() -> VersionInfo {
    VersionInfo {
        qemu: VersionTriple { major: 7, minor: 2, micro: 0 },
        package: concat!("vmm ", env!("CARGO_PKG_VERSION")).into(),
    }
}

/// The version member of the greeting.
pub(crate) fn version() -> Value {
    version_info().encode()
}

impl Control for Monitor<'_> {
    fn query_version(&mut self) -> Result<VersionInfo, Error> {
        Ok(version_info())
    }

    fn query_commands(&mut self) -> Result<Vec<QmpCommandInfo>, Error> {
        let info = |command: &qapi::CommandInfo| QmpCommandInfo { name: command.name.into() };
        Ok(qapi::COMMANDS.iter().map(info).collect())
    }

    fn query_events(&mut self) -> Result<Vec<QmpEventInfo>, Error> {
        let info = |event: &qapi::EventInfo| QmpEventInfo { name: event.name.into() };
        Ok(qapi::EVENTS.iter().map(info).collect())
    }

    fn quit(&mut self, reply: Reply<Empty>) {
        let outcome = self.control.machine.shutdown(ShutdownCause::HostQmpQuit);
        reply.send(Ok(()));
        self.control.finish(outcome);
    }
}
