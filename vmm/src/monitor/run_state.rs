//! Handlers of `run-state.json`.

use qapi::handlers::RunState;
use qapi::{Empty, Error, SetActionArgs, StatusInfo};

use super::Monitor;
use crate::options::{PanicAction, RebootAction, ShutdownAction};

impl RunState for Monitor<'_> {
    fn query_status(&mut self) -> Result<StatusInfo, Error> {
        let state = self.control.machine.run_state;
        Ok(StatusInfo { running: state.is_running(), singlestep: false, status: state.into() })
    }

    fn set_action(&mut self, args: SetActionArgs) -> Result<Empty, Error> {
        let actions = &mut self.control.machine.actions;
        if let Some(reboot) = args.reboot {
            actions.reboot = RebootAction::from(reboot);
        }
        if let Some(shutdown) = args.shutdown {
            actions.shutdown = ShutdownAction::from(shutdown);
        }
        if let Some(panic) = args.panic {
            actions.panic = PanicAction::from(panic);
        }
        Ok(())
    }
}

impl From<crate::run_state::RunState> for qapi::RunState {
    fn from(state: crate::run_state::RunState) -> Self {
        use crate::run_state::RunState;
        match state {
            // To clients the machine has just not been started.
            RunState::Preconfig | RunState::Prelaunch => Self::Prelaunch,
            RunState::Running => Self::Running,
            RunState::Paused => Self::Paused,
            RunState::Suspended => Self::Suspended,
            RunState::Shutdown => Self::Shutdown,
            RunState::GuestPanicked => Self::GuestPanicked,
            RunState::InternalError => Self::InternalError,
        }
    }
}

impl From<qapi::RebootAction> for RebootAction {
    fn from(action: qapi::RebootAction) -> Self {
        match action {
            qapi::RebootAction::Reset => Self::Reset,
            qapi::RebootAction::Shutdown => Self::Shutdown,
        }
    }
}

impl From<qapi::ShutdownAction> for ShutdownAction {
    fn from(action: qapi::ShutdownAction) -> Self {
        match action {
            qapi::ShutdownAction::Poweroff => Self::Poweroff,
            qapi::ShutdownAction::Pause => Self::Pause,
        }
    }
}

impl From<qapi::PanicAction> for PanicAction {
    fn from(action: qapi::PanicAction) -> Self {
        match action {
            qapi::PanicAction::Pause => Self::Pause,
            qapi::PanicAction::Shutdown => Self::Shutdown,
            qapi::PanicAction::ExitFailure => Self::ExitFailure,
            qapi::PanicAction::None => Self::None,
        }
    }
}
