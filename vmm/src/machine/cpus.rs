//! The machine's processors: their KVM vCPUs, threads and reset.

use std::sync::Arc;

use arch::boot::Registers;
use arch::cpu::regs::State;
use arch::cpu::{self, GuestCpu};
use devices::memory::Dispatch;
use devices::trace::CPU_RESET;

use super::Error;
use crate::gate::{Gate, Hold};
use crate::kvm::{self, CpuState, Vm};
use crate::vcpu::{Reports, Thread, Vcpu};

/// One processor.
pub(crate) struct Cpu {
    /// Its thread.
    pub(crate) thread: Thread,
    /// Its state after power-on.
    fresh: Box<CpuState>,
}

/// All processors, behind one gate.
pub(crate) struct Cpus {
    /// The model they are of.
    pub(crate) model: Arc<GuestCpu>,
    /// Stops, starts and reaches them.
    pub(crate) gate: Arc<Gate<Vcpu>>,
    list: Vec<Cpu>,
    /// The MSRs that make up a vCPU's state.
    pub(crate) msrs: Arc<[u32]>,
}

impl Cpus {
    /// Creates `count` processors of `model`, parked in their reset state.
    ///
    /// # Errors
    /// KVM or the system has no more of them.
    pub(crate) fn new(
        vm: &Vm,
        model: Arc<GuestCpu>,
        count: u32,
        dispatch: &Dispatch,
        reports: &Reports,
    ) -> Result<Self, Error> {
        let gate = Gate::new(count as usize);
        let msrs: Arc<[u32]> = vm.msr_indices()?.into();
        let mut cpus = Self { model, gate, list: Vec::new(), msrs };
        for index in 0..count {
            let cpu = cpus.create(vm, index, dispatch, reports)?;
            cpus.list.push(cpu);
        }
        Ok(cpus)
    }

    fn create(
        &self,
        vm: &Vm,
        index: u32,
        dispatch: &Dispatch,
        reports: &Reports,
    ) -> Result<Cpu, Error> {
        let apic_id = self.model.topology().apic_id(index);
        let fd = vm.create_vcpu(apic_id)?;
        let fail = |what: &'static str| move |error| Error::Cpu { index, what, source: error };
        let cpuid = kvm::to_kvm_cpuid(&self.model.cpuid(index)).map_err(fail("CPUID"))?;
        fd.set_cpuid2(&cpuid).map_err(|error| fail("CPUID")(error.into()))?;
        let read = CpuState::read(&fd, &self.msrs, vm.extended_state_size());
        let mut fresh = read.map_err(|error| fail("state")(error.into()))?;
        fresh.set_msrs(&self.model.feature_msrs());
        // The reset value of EDX is the processor's signature.
        fresh.regs.rdx = self.model.signature().into();
        let vcpu =
            Vcpu::new(index as usize, fd, self.gate.clone(), dispatch.clone(), reports.clone());
        let thread = vcpu.spawn().map_err(fail("thread"))?;
        Ok(Cpu { thread, fresh: Box::new(fresh) })
    }

    /// All processors, by number.
    pub(crate) fn list(&self) -> &[Cpu] {
        &self.list
    }

    /// Puts all processors into their reset state; the first one at `entry`, if there is one
    /// (otherwise at the reset vector). The hold proves that none of them runs.
    pub(crate) fn reset(&self, _stopped: &Hold<Vcpu>, entry: Option<&Registers>) {
        self.log_reset();
        for (index, cpu) in self.list.iter().enumerate() {
            let mut state = cpu.fresh.clone();
            if let (0, Some(entry)) = (index, entry) {
                kvm::enter_at(&mut state, entry);
            }
            let written = self.gate.call(index, move |vcpu| state.write(&vcpu.fd));
            match written {
                Some(Ok(refused)) => report_refused(index, &refused),
                Some(Err(error)) => log::error!("reset of CPU {index}: {error}"),
                None => {}
            }
        }
    }

    /// The registers of processor `index`, read by its own thread between two instructions. `None`
    /// if there is no such processor or KVM does not show them.
    pub(crate) fn registers(&self, index: usize) -> Option<State> {
        self.list.get(index)?;
        self.gate.call(index, |vcpu| kvm::registers(&vcpu.fd))?.ok()
    }

    /// `-d cpu_reset`: what the processors were doing when a reset came.
    fn log_reset(&self) {
        if !log::log_enabled!(target: CPU_RESET, log::Level::Debug) {
            return;
        }
        for index in 0..self.list.len() {
            if let Some(state) = self.registers(index) {
                let text = cpu::info_registers(index as u32, &state);
                log::debug!(target: CPU_RESET, "CPU Reset (CPU {index})\n{}", text.trim());
            }
        }
    }

    /// Ends all threads.
    pub(crate) fn stop(&mut self) {
        self.gate.quit();
        self.list.drain(..).for_each(|cpu| cpu.thread.join());
    }
}

impl Drop for Cpus {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An MSR that KVM refuses must not stop the guest: say so once.
fn report_refused(index: usize, refused: &[u32]) {
    static SAID: std::sync::Once = std::sync::Once::new();
    if !refused.is_empty() {
        SAID.call_once(|| log::warn!("KVM refuses MSRs {refused:x?} of CPU {index}: left out"));
    }
}
