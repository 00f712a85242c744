//! The whole state of a vCPU, as KVM gives and takes it.
#![allow(unsafe_code)] // KVM's extended state has the size that KVM says.

use std::sync::Arc;

use kvm_bindings::{
    Msrs, Xsave, kvm_debugregs, kvm_fpu, kvm_lapic_state, kvm_mp_state, kvm_msr_entry, kvm_regs,
    kvm_sregs, kvm_vcpu_events, kvm_xcrs, kvm_xsave,
};
use kvm_ioctls::{Error, VcpuFd};

/// The time stamp counter; a reset leaves it running, or the vCPUs would lose their synchrony.
const IA32_TSC: u32 = 0x10;

/// A vCPU's state between two instructions.
///
/// Taken from a new vCPU it is the architecture's reset state (Intel SDM volume 3, table 10-1), and
/// writing it back resets the vCPU.
#[derive(Clone)]
pub(crate) struct CpuState {
    pub(crate) regs: kvm_regs,
    pub(crate) sregs: kvm_sregs,
    pub(crate) mp_state: kvm_mp_state,
    extended: Extended,
    xcrs: Option<kvm_xcrs>,
    debug: kvm_debugregs,
    events: kvm_vcpu_events,
    lapic: kvm_lapic_state,
    msrs: Vec<(u32, u64)>,
}

impl CpuState {
    /// Reads everything. MSRs of `indices` that KVM lists but does not give are left out. The extended
    /// state has `extended` bytes, as [`Vm::extended_state_size`](super::Vm::extended_state_size) says.
    pub(crate) fn read(fd: &VcpuFd, indices: &[u32], extended: usize) -> Result<Self, Error> {
        Ok(Self {
            regs: fd.get_regs()?,
            sregs: fd.get_sregs()?,
            mp_state: fd.get_mp_state()?,
            extended: Extended::read(fd, extended)?,
            xcrs: fd.get_xcrs().ok(),
            debug: fd.get_debug_regs()?,
            events: fd.get_vcpu_events()?,
            lapic: fd.get_lapic()?,
            msrs: read_msrs(fd, indices),
        })
    }

    /// Writes everything. Returns the MSRs that KVM refused; all others are set.
    pub(crate) fn write(&self, fd: &VcpuFd) -> Result<Vec<u32>, Error> {
        fd.set_regs(&self.regs)?;
        fd.set_sregs(&self.sregs)?;
        if let Some(xcrs) = &self.xcrs {
            fd.set_xcrs(xcrs)?;
        }
        self.extended.write(fd)?;
        fd.set_debug_regs(&self.debug)?;
        fd.set_lapic(&self.lapic)?;
        let refused = write_msrs(fd, &self.msrs);
        fd.set_vcpu_events(&self.events)?;
        fd.set_mp_state(self.mp_state)?;
        Ok(refused)
    }

    /// Adds or replaces MSR values.
    pub(crate) fn set_msrs(&mut self, values: &[(u32, u64)]) {
        self.msrs.retain(|(index, _)| values.iter().all(|(new, _)| new != index));
        self.msrs.extend_from_slice(values);
    }
}

/// The registers of the x87 FPU, of SSE, AVX and whatever came after them.
#[derive(Clone)]
enum Extended {
    /// Everything, in the layout of the XSAVE instruction and the size that KVM said.
    Sized(Xsave),
    /// Everything, from a KVM that knows 4096 bytes only (Linux before 5.17).
    Fixed(Arc<kvm_xsave>),
    /// The host has no XSAVE, so the guest has nothing beyond SSE.
    Legacy(Box<kvm_fpu>),
}

impl Extended {
    fn read(fd: &VcpuFd, size: usize) -> Result<Self, Error> {
        let more = size.saturating_sub(size_of::<kvm_xsave>()).div_ceil(size_of::<u32>());
        if size > 0
            && let Ok(mut xsave) = Xsave::new(more)
        {
            // SAFETY: it has room for the size that KVM said.
            unsafe { fd.get_xsave2(&mut xsave)? };
            return Ok(Self::Sized(xsave));
        }
        match fd.get_xsave() {
            Ok(xsave) => Ok(Self::Fixed(Arc::new(xsave))),
            Err(_) => Ok(Self::Legacy(Box::new(fd.get_fpu()?))),
        }
    }

    fn write(&self, fd: &VcpuFd) -> Result<(), Error> {
        match self {
            // SAFETY: it has the size that KVM said; nothing enlarges a machine's state later.
            Self::Sized(xsave) => unsafe { fd.set_xsave2(xsave) },
            // SAFETY: this KVM knows no larger state.
            Self::Fixed(xsave) => unsafe { fd.set_xsave(xsave) },
            Self::Legacy(fpu) => fd.set_fpu(fpu),
        }
    }
}

fn entry((index, data): (u32, u64)) -> kvm_msr_entry {
    kvm_msr_entry { index, data, ..Default::default() }
}

/// KVM stops at the first MSR it does not give, and says how many it gave: go on behind it.
fn read_msrs(fd: &VcpuFd, indices: &[u32]) -> Vec<(u32, u64)> {
    let mut left: Vec<u32> = indices.iter().copied().filter(|index| *index != IA32_TSC).collect();
    let mut values = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let entries: Vec<_> = left.iter().map(|index| entry((*index, 0))).collect();
        let Ok(mut msrs) = Msrs::from_entries(&entries) else { break };
        let count = fd.get_msrs(&mut msrs).unwrap_or(0).min(left.len());
        values.extend(msrs.as_slice()[..count].iter().map(|msr| (msr.index, msr.data)));
        left.drain(..(count + 1).min(left.len()));
    }
    values
}

/// As [`read_msrs`]; returns those that were refused.
fn write_msrs(fd: &VcpuFd, values: &[(u32, u64)]) -> Vec<u32> {
    let (mut left, mut refused) = (values, Vec::new());
    while !left.is_empty() {
        let entries: Vec<_> = left.iter().copied().map(entry).collect();
        let Ok(msrs) = Msrs::from_entries(&entries) else { break };
        let count = fd.set_msrs(&msrs).unwrap_or(0).min(left.len());
        refused.extend(left.get(count).map(|(index, _)| *index));
        left = &left[(count + 1).min(left.len())..];
    }
    refused
}

#[cfg(test)]
mod tests {
    use kvm_ioctls::Kvm;

    use super::super::Vm;
    use super::*;

    /// In the layout of XSAVE: the header's bitmap of parts, and the upper halves of YMM0 to YMM15.
    const PARTS: usize = 512 / 4;
    const UPPER: std::ops::Range<usize> = 576 / 4..(576 + 256) / 4;

    #[test]
    fn a_reset_clears_the_upper_halves_of_vector_registers() {
        let Ok(kvm) = Kvm::new() else { return eprintln!("skipped: no /dev/kvm") };
        let vm = Vm::new(kvm).unwrap();
        let cpuid = vm.supported_cpuid().unwrap();
        let leaf = cpuid.as_slice().iter().find(|entry| entry.function == 1).unwrap();
        if leaf.ecx & 1 << 28 == 0 {
            return eprintln!("skipped: no AVX");
        }
        let fd = vm.create_vcpu(0).unwrap();
        fd.set_cpuid2(&cpuid).unwrap();
        let fresh = CpuState::read(&fd, &[], vm.extended_state_size()).unwrap();

        let mut dirty = fd.get_xsave().unwrap();
        dirty.region[PARTS] |= 0b110;
        dirty.region[UPPER].fill(0x5a5a_5a5a);
        // SAFETY: no part of the state beyond 4096 bytes is switched on.
        unsafe { fd.set_xsave(&dirty).unwrap() };
        assert_eq!(fd.get_xsave().unwrap().region[UPPER], [0x5a5a_5a5a; 64]);

        fresh.write(&fd).unwrap();
        let reset = fd.get_xsave().unwrap();
        let there = reset.region[PARTS] & 0b100 != 0;
        assert!(!there || reset.region[UPPER] == [0; 64], "upper halves survive");
    }
}
