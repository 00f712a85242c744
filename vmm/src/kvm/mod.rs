//! Everything that speaks to `/dev/kvm`: the virtual machine, its memory slots, its interrupt
//! controllers, and the state of a vCPU.

mod check;
mod extra;
mod irqchip;
mod slots;
mod state;
mod vm;

pub(crate) use check::{Problem, open};
pub(crate) use extra::RunArea;
pub(crate) use irqchip::{IrqChip, KvmLines};
pub(crate) use state::CpuState;
pub(crate) use vm::Vm;
