//! Between the architecture's plain values and KVM's structures.

use std::collections::BTreeMap;
use std::io;

use arch::boot::Registers;
use arch::cpu::regs::{DescriptorTable, Segment};
use arch::cpu::{CpuidEntry, HostCpu, Identity};
use kvm_bindings::{CpuId, kvm_cpuid_entry2, kvm_dtable, kvm_regs, kvm_segment};
use kvm_ioctls::Cap;

use super::{CpuState, Problem, Vm};

/// What this host's KVM can give to a guest's CPUs.
pub(crate) fn host_cpu(vm: &Vm) -> Result<HostCpu, Problem> {
    let supported = vm.supported_cpuid()?;
    Ok(HostCpu {
        supported: supported.as_slice().iter().map(from_kvm).collect(),
        feature_msrs: BTreeMap::from_iter(vm.feature_msrs()),
        identity: Identity::of_this_processor(),
        tsc_deadline: vm.has(Cap::TscDeadlineTimer),
        kernel_irqchip: true,
        tsc_khz: 0,
    })
}

fn from_kvm(entry: &kvm_cpuid_entry2) -> CpuidEntry {
    CpuidEntry {
        function: entry.function,
        index: entry.index,
        flags: entry.flags,
        eax: entry.eax,
        ebx: entry.ebx,
        ecx: entry.ecx,
        edx: entry.edx,
    }
}

/// A CPUID table for `KVM_SET_CPUID2`.
///
/// # Errors
/// There are more entries than KVM takes.
pub(crate) fn to_kvm_cpuid(entries: &[CpuidEntry]) -> io::Result<CpuId> {
    let convert = |entry: &CpuidEntry| kvm_cpuid_entry2 {
        function: entry.function,
        index: entry.index,
        flags: entry.flags,
        eax: entry.eax,
        ebx: entry.ebx,
        ecx: entry.ecx,
        edx: entry.edx,
        ..Default::default()
    };
    let entries: Vec<_> = entries.iter().map(convert).collect();
    CpuId::from_entries(&entries).map_err(|error| io::Error::other(format!("{error:?}")))
}

/// Puts a CPU that is otherwise in its reset state at an entry point, able to run at once.
pub(crate) fn enter_at(state: &mut CpuState, entry: &Registers) {
    state.regs = kvm_regs {
        rip: entry.rip,
        rflags: entry.rflags,
        rbx: entry.rbx,
        rsi: entry.rsi,
        rsp: entry.rsp,
        ..Default::default()
    };
    let sregs = &mut state.sregs;
    (sregs.cr0, sregs.cr3, sregs.cr4, sregs.efer) = (entry.cr0, entry.cr3, entry.cr4, entry.efer);
    sregs.cs = segment(&entry.cs);
    for register in [&mut sregs.ds, &mut sregs.es, &mut sregs.fs, &mut sregs.gs, &mut sregs.ss] {
        *register = segment(&entry.data);
    }
    (sregs.tr, sregs.ldt) = (segment(&entry.tr), segment(&entry.ldt));
    (sregs.gdt, sregs.idt) = (table(&entry.gdt), table(&entry.idt));
}

fn segment(segment: &Segment) -> kvm_segment {
    kvm_segment {
        base: segment.base,
        limit: segment.limit,
        selector: segment.selector,
        type_: segment.kind,
        present: segment.present.into(),
        dpl: segment.dpl,
        db: segment.big.into(),
        s: segment.code_or_data.into(),
        l: segment.long.into(),
        g: segment.granular.into(),
        avl: segment.available.into(),
        unusable: segment.unusable.into(),
        padding: 0,
    }
}

fn table(table: &DescriptorTable) -> kvm_dtable {
    kvm_dtable { base: table.base, limit: table.limit, padding: [0; 3] }
}
