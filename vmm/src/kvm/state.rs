//! The whole state of a vCPU, as KVM gives and takes it.

use kvm_bindings::{
    Msrs, kvm_debugregs, kvm_fpu, kvm_lapic_state, kvm_mp_state, kvm_msr_entry, kvm_regs,
    kvm_sregs, kvm_vcpu_events, kvm_xcrs,
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
    fpu: kvm_fpu,
    xcrs: Option<kvm_xcrs>,
    debug: kvm_debugregs,
    events: kvm_vcpu_events,
    lapic: kvm_lapic_state,
    msrs: Vec<(u32, u64)>,
}

impl CpuState {
    /// Reads everything. MSRs of `indices` that KVM lists but does not give are left out.
    pub(crate) fn read(fd: &VcpuFd, indices: &[u32]) -> Result<Self, Error> {
        Ok(Self {
            regs: fd.get_regs()?,
            sregs: fd.get_sregs()?,
            mp_state: fd.get_mp_state()?,
            fpu: fd.get_fpu()?,
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
        fd.set_fpu(&self.fpu)?;
        if let Some(xcrs) = &self.xcrs {
            fd.set_xcrs(xcrs)?;
        }
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
