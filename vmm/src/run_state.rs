//! The machine's run state: whether it runs, and if not, why.
//!
//! ```text
//!              cont                 guest S3                  wake-up
//! prelaunch ─────────► running ───────────────► suspended ───────────► running
//!     ▲                │  ▲ │
//!     │ reset      stop│  │ │ power-off, panic, KVM gives up
//!     │ while          ▼  │ ▼
//!     └────────────  paused  shutdown · guest-panicked · internal-error
//!       not running      cont ▲ (only after a reset)
//! ```

/// The run state, with QEMU's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    /// `-preconfig`: the machine is not made yet.
    Preconfig,
    /// Made, or reset while it did not run; not started since.
    Prelaunch,
    /// vCPUs run.
    Running,
    /// Stopped by the monitor.
    Paused,
    /// In S3; only a wake-up or a reset leads on.
    Suspended,
    /// The guest powered off and the process stays (`-no-shutdown`).
    Shutdown,
    /// The guest's kernel crashed and the action is to pause.
    GuestPanicked,
    /// KVM cannot run the guest any further.
    InternalError,
}

impl RunState {
    /// Whether vCPUs run.
    pub(crate) fn is_running(self) -> bool {
        self == Self::Running
    }

    /// Whether only a reset makes the machine fit to run again.
    pub(crate) fn needs_reset(self) -> bool {
        matches!(self, Self::Shutdown | Self::InternalError)
    }
}
