//! The machine: the object tree, the run state, the processors, and the board that holds them
//! together. Owned by value by the control thread.

mod board;
mod build;
mod cpu_object;
mod cpus;
mod lifecycle;
mod machine_object;
mod pc;

use devices::memory::Mapped;
use devices::object::{Platform, Tree};
use thiserror::Error;

pub(crate) use board::Board;
pub(crate) use build::{Environment, registry};
pub(crate) use cpu_object::{CpuObject, to_qapi};
pub(crate) use cpus::Cpus;
pub(crate) use lifecycle::Outcome;

use crate::kvm::{Problem, Vm};
use crate::options::{self, Actions};
use crate::run_state::RunState;

/// Everything the guest is made of.
///
/// The fields are in the order in which they must go: threads first, then what they use.
pub(crate) struct Machine {
    /// The processors; none on the machine `none`.
    pub(crate) cpus: Option<Cpus>,
    /// Every object.
    pub(crate) tree: Tree,
    /// The surroundings of all devices.
    pub(crate) platform: Platform,
    /// What the type of machine adds: how it starts, where its buttons are.
    pub(crate) board: Board,
    /// Firmware ROMs.
    pub(crate) roms: Vec<Mapped>,
    /// KVM's side.
    pub(crate) vm: Option<Vm>,
    /// Whether it runs, and if not, why.
    pub(crate) run_state: RunState,
    /// What happens when the guest resets, powers off or crashes.
    pub(crate) actions: Actions,
}

/// Why a machine cannot be made.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Kvm(#[from] Problem),
    #[error("CPU {index}: KVM refuses its {what}: {source}")]
    Cpu { index: u32, what: &'static str, source: std::io::Error },
    #[error(transparent)]
    Model(#[from] arch::cpu::Error),
    #[error(transparent)]
    Device(#[from] devices::error::Error),
    #[error(transparent)]
    Boot(#[from] arch::boot::BootError),
    #[error(transparent)]
    Firmware(#[from] arch::boot::FirmwareError),
    #[error("firmware tables: {0}")]
    Tables(String),
    /// A mistake on the command line, with where it was made.
    #[error(transparent)]
    Option(#[from] options::Error),
}
