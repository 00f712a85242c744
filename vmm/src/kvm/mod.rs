//! Everything that speaks to `/dev/kvm`: the virtual machine, its memory slots, its interrupt
//! controllers, and the state of a vCPU.

mod check;
mod convert;
mod extra;
pub(crate) mod irqchip;
mod registers;
mod slots;
mod state;
pub(crate) mod stats;
mod vm;

pub(crate) use check::{Problem, open};
pub(crate) use convert::{enter_at, host_cpu, to_kvm_cpuid};
pub(crate) use extra::RunArea;
pub(crate) use irqchip::KvmLines;
pub(crate) use registers::{paging, registers};
pub(crate) use state::CpuState;
pub(crate) use vm::Vm;
