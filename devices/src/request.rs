//! Run-state requests: what a register write or a timer asks of the whole machine.
//!
//! A device never stops or resets the machine. It returns (from a register write) or posts (from a
//! timer) a [`Request`]; control handles it before any queued command. The vCPU whose access
//! caused it waits at the gate before its next instruction.

use std::sync::Arc;

/// Something that control must do with the machine's run state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Reset the machine, as the guest asked (keyboard controller, port 92, 0xCF9, ACPI).
    Reset,
    /// Power off, as the guest asked (ACPI S5).
    Shutdown,
    /// Suspend to RAM (ACPI S3).
    Suspend,
    /// Suspend to disk (ACPI S4): an event, then as power-off.
    SuspendDisk,
    /// Leave S3 if the machine is in it; the payload names the wake-up source.
    Wakeup(WakeupReason),
    /// The guest's kernel reported that it has crashed.
    Panicked,
    /// The guest's kernel reported that it crashed and loaded a crash kernel.
    CrashLoaded,
    /// Leave the process with this status (isa-debug-exit).
    Exit(i32),
}

/// What woke a suspended machine; it decides which PM status bit the guest then finds set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeupReason {
    /// The real-time clock's alarm.
    Rtc,
    /// The power-management timer.
    PmTimer,
    /// `system_wakeup` or another host action.
    Other,
}

/// Where timers and back ends post requests; callable from any thread, never blocks.
#[derive(Clone)]
pub struct RequestSink(Arc<dyn Fn(Request) + Send + Sync>);

impl RequestSink {
    /// A sink that hands each request to `post`, which must not block.
    pub fn new(post: impl Fn(Request) + Send + Sync + 'static) -> Self {
        Self(Arc::new(post))
    }

    /// Posts one request.
    pub fn post(&self, request: Request) {
        (self.0)(request);
    }
}

/// Where devices report events to the monitor's clients; callable from any thread, never blocks.
#[derive(Clone)]
pub struct EventSink(Arc<dyn Fn(qapi::Event) + Send + Sync>);

impl EventSink {
    /// A sink that hands each event to `emit`, which must not block.
    pub fn new(emit: impl Fn(qapi::Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(emit))
    }

    /// Reports one event.
    pub fn emit(&self, event: qapi::Event) {
        (self.0)(event);
    }
}
