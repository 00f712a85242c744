//! The run-state machine: what happens when the machine is started, stopped, reset, suspended,
//! woken or ended, whoever asks. The states are drawn in [`crate::run_state`].

use devices::request::{Request, WakeupReason};
use devices::trace;
use qapi::{
    Event, GuestCrashloadedEvent, GuestPanicAction, GuestPanickedEvent, ResetEvent, ShutdownCause,
    ShutdownEvent,
};

use super::Machine;
use crate::logging::points::RUNSTATE_SET;
use crate::options::{PanicAction, RebootAction, ShutdownAction};
use crate::run_state::RunState;

/// Whether the process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    GoOn,
    /// The process ends with this status.
    Exit(i32),
}

impl Machine {
    /// Lets the guest run, from any state that does not need a reset first.
    ///
    /// # Errors
    /// The state does not allow it; the text is that of the `cont` command.
    pub(crate) fn start(&mut self) -> Result<(), qapi::Error> {
        if self.run_state.needs_reset() {
            return Err(qapi::Error::generic("Resetting the Virtual Machine is required"));
        }
        if matches!(self.run_state, RunState::Running | RunState::Suspended) {
            return Ok(());
        }
        self.set_run_state(RunState::Running);
        self.platform.events.emit(Event::Resume);
        self.platform.virtual_clock.start();
        if let Some(vm) = &mut self.vm {
            vm.start_clock();
        }
        self.open_gate();
        Ok(())
    }

    /// Stops the guest, if it runs, for the reason that `state` gives. A machine that stands already
    /// keeps its state, unless the reason is graver than a pause.
    pub(crate) fn stop(&mut self, state: RunState) {
        if self.run_state.is_running() {
            self.close_gate();
            self.stop_clocks();
            self.set_run_state(state);
            self.platform.events.emit(Event::Stop);
        } else if state != RunState::Paused {
            self.end_sleep();
            self.set_run_state(state);
        }
    }

    /// A machine that slept and will not wake stands still for good.
    fn end_sleep(&mut self) {
        if self.run_state == RunState::Suspended {
            self.stop_clocks();
        }
    }

    /// The guest's time stands still. It goes on while a machine sleeps, for the alarm that wakes it.
    fn stop_clocks(&mut self) {
        self.platform.virtual_clock.stop();
        if let Some(vm) = &mut self.vm {
            vm.stop_clock();
        }
    }

    /// Resets the machine; it runs on if it ran.
    pub(crate) fn reset(&mut self, cause: ShutdownCause) -> Outcome {
        if self.actions.reboot == RebootAction::Shutdown {
            return self.shutdown(cause);
        }
        if let Some(order) = self.board.order_after_reset.take() {
            self.set_boot_order(&order);
        }
        self.reset_parts(false);
        let event = ResetEvent { guest: is_guest(cause), reason: cause };
        self.platform.events.emit(Event::Reset(event));
        match self.run_state {
            RunState::Running => self.open_gate(),
            RunState::Preconfig => {}
            _ => {
                self.end_sleep();
                self.set_run_state(RunState::Prelaunch);
            }
        }
        Outcome::GoOn
    }

    /// Ends the machine as the shutdown action says; what the host's user does always ends it.
    pub(crate) fn shutdown(&mut self, cause: ShutdownCause) -> Outcome {
        let event = ShutdownEvent { guest: is_guest(cause), reason: cause };
        self.platform.events.emit(Event::Shutdown(event));
        let by_host = matches!(cause, ShutdownCause::HostQmpQuit | ShutdownCause::HostSignal);
        if !by_host && self.actions.shutdown == ShutdownAction::Pause {
            self.stop(RunState::Shutdown);
            return Outcome::GoOn;
        }
        Outcome::Exit(0)
    }

    /// Does what a device asks for.
    pub(crate) fn handle(&mut self, request: Request) -> Outcome {
        match request {
            Request::Reset => self.reset(ShutdownCause::GuestReset),
            Request::Shutdown => self.shutdown(ShutdownCause::GuestShutdown),
            Request::Suspend => self.suspend(),
            Request::SuspendDisk => {
                self.platform.events.emit(Event::SuspendDisk);
                self.shutdown(ShutdownCause::GuestShutdown)
            }
            Request::Wakeup(reason) => {
                // A timer that fires while the machine is awake, or that the guest did not name as a
                // wake-up source, wakes nobody.
                if self.board.wakes_on(&self.tree, reason) {
                    let _ = self.wake_up(reason);
                }
                Outcome::GoOn
            }
            Request::Panicked => self.panicked(),
            Request::CrashLoaded => {
                let event = GuestCrashloadedEvent { action: GuestPanicAction::Run };
                self.platform.events.emit(Event::GuestCrashloaded(event));
                Outcome::GoOn
            }
            Request::Exit(status) => Outcome::Exit(status),
        }
    }

    /// KVM cannot run the guest any further: it stays as it is for whoever looks.
    pub(crate) fn internal_error(&mut self) {
        self.stop(RunState::InternalError);
    }

    fn suspend(&mut self) -> Outcome {
        if self.run_state.is_running() {
            self.close_gate();
            self.set_run_state(RunState::Suspended);
            self.platform.events.emit(Event::Suspend);
        }
        Outcome::GoOn
    }

    /// Wakes a suspended machine: devices and CPUs start again, RAM is as it was, and the guest goes
    /// on at its waking vector.
    ///
    /// # Errors
    /// The machine is not suspended.
    pub(crate) fn wake_up(&mut self, reason: WakeupReason) -> Result<(), qapi::Error> {
        if self.run_state != RunState::Suspended {
            let text = "Unable to wake up: guest is not in suspended state";
            return Err(qapi::Error::generic(text));
        }
        self.reset_parts(true);
        self.board.wake(&self.tree, reason);
        self.platform.events.emit(Event::Wakeup);
        self.set_run_state(RunState::Running);
        self.open_gate();
        Ok(())
    }

    fn panicked(&mut self) -> Outcome {
        use GuestPanicAction as Told;
        let stays = self.actions.shutdown == ShutdownAction::Pause;
        let told = match self.actions.panic {
            PanicAction::None => Told::Run,
            PanicAction::Pause => Told::Pause,
            PanicAction::Shutdown if stays => Told::Pause,
            PanicAction::Shutdown | PanicAction::ExitFailure => Told::Poweroff,
        };
        self.platform.events.emit(Event::GuestPanicked(GuestPanickedEvent { action: told }));
        if told == Told::Run {
            return Outcome::GoOn;
        }
        self.stop(RunState::GuestPanicked);
        if told == Told::Pause {
            return Outcome::GoOn;
        }
        match self.shutdown(ShutdownCause::GuestPanic) {
            Outcome::Exit(_) if self.actions.panic == PanicAction::ExitFailure => Outcome::Exit(1),
            outcome => outcome,
        }
    }

    /// Resets devices, interrupt controllers and CPUs, and loads what starts the guest. The CPUs
    /// are held meanwhile, whatever the run state is.
    pub(super) fn reset_parts(&mut self, waking: bool) {
        let Some(cpus) = &self.cpus else { return self.tree.reset() };
        let hold = cpus.gate.hold();
        self.tree.reset();
        let entry = self.board.load(&self.tree, &self.platform, waking);
        cpus.reset(&hold, entry.as_ref());
    }

    /// The one place where the run state changes.
    pub(super) fn set_run_state(&mut self, state: RunState) {
        let name = |state| qapi::RunState::from(state);
        let (old, new) = (self.run_state, state);
        trace!(RUNSTATE_SET, "current_run_state {} new_state {}", name(old), name(new));
        self.run_state = state;
    }

    fn open_gate(&self) {
        if let Some(cpus) = &self.cpus {
            cpus.gate.open();
        }
    }

    fn close_gate(&self) {
        if let Some(cpus) = &self.cpus {
            cpus.gate.close();
        }
    }
}

fn is_guest(cause: ShutdownCause) -> bool {
    matches!(
        cause,
        ShutdownCause::GuestReset | ShutdownCause::GuestShutdown | ShutdownCause::GuestPanic
    )
}
