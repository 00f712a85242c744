//! A virtual machine of KVM's.

use std::sync::Arc;

use kvm_bindings::{CpuId, KVM_PIT_SPEAKER_DUMMY, kvm_clock_data, kvm_pit_config};
use kvm_ioctls::{Cap, Kvm, VcpuFd, VmFd};

use super::slots::Slots;
use super::{KvmLines, Problem};

/// Where KVM may keep its three pages for real mode on older Intel processors: below the firmware,
/// in an area that the memory map marks as reserved.
const TSS_ADDRESS: usize = 0xfeff_d000;
/// And its identity-mapped page table for the same.
const IDENTITY_MAP_ADDRESS: u64 = 0xfeff_c000;
/// The largest number of CPUID entries the kernel gives (KVM_MAX_CPUID_ENTRIES).
const MAX_CPUID: usize = kvm_bindings::KVM_MAX_CPUID_ENTRIES;

/// The machine's kernel side: memory slots, interrupt controllers, and what vCPUs are made from.
pub(crate) struct Vm {
    kvm: Kvm,
    fd: Arc<VmFd>,
    /// What the guest's paravirtual clock showed when it was stopped, in nanoseconds.
    stopped_clock: Option<u64>,
}

impl Vm {
    /// Creates a virtual machine with interrupt controllers and no memory.
    pub(crate) fn new(kvm: Kvm) -> Result<Self, Problem> {
        let fd = Arc::new(kvm.create_vm().map_err(Problem::refused("create a machine"))?);
        fd.set_identity_map_address(IDENTITY_MAP_ADDRESS)
            .map_err(Problem::refused("place its identity map"))?;
        fd.set_tss_address(TSS_ADDRESS).map_err(Problem::refused("place its task state"))?;
        // Before any vCPU, which gets its local APIC with them.
        fd.create_irq_chip().map_err(Problem::refused("create its interrupt controllers"))?;
        let config = kvm_pit_config { flags: KVM_PIT_SPEAKER_DUMMY, ..Default::default() };
        fd.create_pit2(config).map_err(Problem::refused("create its timer"))?;
        Ok(Self { kvm, fd, stopped_clock: None })
    }

    /// What keeps KVM's memory slots in step with a map.
    pub(crate) fn slots(&self) -> Slots {
        Slots::new(self.fd.clone())
    }

    /// The input pins of the interrupt controllers.
    pub(crate) fn lines(&self) -> KvmLines {
        KvmLines(self.fd.clone())
    }

    /// The machine's own descriptor.
    pub(crate) fn fd(&self) -> &Arc<VmFd> {
        &self.fd
    }

    /// Notes what the guest's paravirtual clock shows; no vCPU runs.
    pub(crate) fn stop_clock(&mut self) {
        match self.fd.get_clock() {
            Ok(data) => self.stopped_clock = Some(data.clock),
            Err(error) => log::warn!("the guest's clock goes on while it is stopped: {error}"),
        }
    }

    /// Lets the guest's paravirtual clock go on from where it was stopped, if it was.
    pub(crate) fn start_clock(&mut self) {
        let Some(clock) = self.stopped_clock.take() else { return };
        let data = kvm_clock_data { clock, ..Default::default() };
        if let Err(error) = self.fd.set_clock(&data) {
            log::warn!("the guest's clock went on while it was stopped: {error}");
        }
    }

    /// How many vCPUs KVM allows.
    pub(crate) fn max_cpus(&self) -> usize {
        self.kvm.get_max_vcpus()
    }

    /// The CPUID leaves KVM can give to a guest.
    pub(crate) fn supported_cpuid(&self) -> Result<CpuId, Problem> {
        self.kvm.get_supported_cpuid(MAX_CPUID).map_err(Problem::refused("show its CPUID"))
    }

    /// The MSRs that belong to a vCPU's state.
    pub(crate) fn msr_indices(&self) -> Result<Vec<u32>, Problem> {
        let list = self.kvm.get_msr_index_list().map_err(Problem::refused("list its MSRs"))?;
        Ok(list.as_slice().to_vec())
    }

    /// The MSRs that describe features, with KVM's values.
    pub(crate) fn feature_msrs(&self) -> Vec<(u32, u64)> {
        let Ok(list) = self.kvm.get_msr_feature_index_list() else { return Vec::new() };
        let read = |index: &u32| {
            let entry = kvm_bindings::kvm_msr_entry { index: *index, ..Default::default() };
            let mut msrs = kvm_bindings::Msrs::from_entries(&[entry]).ok()?;
            let count = self.kvm.get_msrs(&mut msrs).ok()?;
            (count == 1).then(|| (*index, msrs.as_slice()[0].data))
        };
        list.as_slice().iter().filter_map(read).collect()
    }

    /// Bytes of a vCPU's extended state (KVM_CAP_XSAVE2); 0 if KVM does not say.
    pub(crate) fn extended_state_size(&self) -> usize {
        usize::try_from(self.fd.check_extension_int(Cap::Xsave2)).unwrap_or(0)
    }

    /// Whether KVM has an optional capability.
    pub(crate) fn has(&self, capability: Cap) -> bool {
        self.kvm.check_extension(capability)
    }

    /// Creates the vCPU with this local APIC id.
    pub(crate) fn create_vcpu(&self, apic_id: u32) -> Result<VcpuFd, Problem> {
        self.fd.create_vcpu(apic_id.into()).map_err(Problem::refused("create a vCPU"))
    }
}
