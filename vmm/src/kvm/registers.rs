//! A vCPU's registers under their architectural names, for whoever looks at a guest.

use arch::cpu::regs::{DebugRegs, DescriptorTable, Fpu, Regs, Segment, Sregs, State};
use arch::paging::PagingRegisters;
use kvm_bindings::{
    KVM_MP_STATE_RUNNABLE, KVM_VCPUEVENT_VALID_SMM, kvm_dtable, kvm_fpu, kvm_regs, kvm_segment,
    kvm_sregs,
};
use kvm_ioctls::{Error, VcpuFd};

/// Reads what `info registers` shows. Called by the vCPU's own thread.
pub(crate) fn registers(fd: &VcpuFd) -> Result<State, Error> {
    let (events, debug) = (fd.get_vcpu_events()?, fd.get_debug_regs()?);
    Ok(State {
        regs: general(&fd.get_regs()?),
        sregs: system(&fd.get_sregs()?),
        fpu: float(&fd.get_fpu()?),
        debug: DebugRegs { addresses: debug.db, dr6: debug.dr6, dr7: debug.dr7 },
        halted: is_halted(fd)?,
        smm: events.flags & KVM_VCPUEVENT_VALID_SMM != 0 && events.smi.smm != 0,
        inhibited: events.interrupt.shadow != 0,
    })
}

/// Whether a vCPU waits: for an interrupt, or for being started.
fn is_halted(fd: &VcpuFd) -> Result<bool, Error> {
    Ok(fd.get_mp_state()?.mp_state != KVM_MP_STATE_RUNNABLE)
}

/// What decides how its addresses are translated.
pub(crate) fn paging(fd: &VcpuFd) -> Result<PagingRegisters, Error> {
    let sregs = fd.get_sregs()?;
    Ok(PagingRegisters { cr0: sregs.cr0, cr3: sregs.cr3, cr4: sregs.cr4, efer: sregs.efer })
}

fn general(r: &kvm_regs) -> Regs {
    Regs {
        rax: r.rax,
        rbx: r.rbx,
        rcx: r.rcx,
        rdx: r.rdx,
        rsi: r.rsi,
        rdi: r.rdi,
        rsp: r.rsp,
        rbp: r.rbp,
        r8: r.r8,
        r9: r.r9,
        r10: r.r10,
        r11: r.r11,
        r12: r.r12,
        r13: r.r13,
        r14: r.r14,
        r15: r.r15,
        rip: r.rip,
        rflags: r.rflags,
    }
}

fn system(s: &kvm_sregs) -> Sregs {
    Sregs {
        cs: segment(&s.cs),
        ds: segment(&s.ds),
        es: segment(&s.es),
        fs: segment(&s.fs),
        gs: segment(&s.gs),
        ss: segment(&s.ss),
        tr: segment(&s.tr),
        ldt: segment(&s.ldt),
        gdt: table(&s.gdt),
        idt: table(&s.idt),
        cr0: s.cr0,
        cr2: s.cr2,
        cr3: s.cr3,
        cr4: s.cr4,
        cr8: s.cr8,
        efer: s.efer,
        apic_base: s.apic_base,
    }
}

fn segment(s: &kvm_segment) -> Segment {
    Segment {
        base: s.base,
        limit: s.limit,
        selector: s.selector,
        kind: s.type_,
        code_or_data: s.s != 0,
        dpl: s.dpl,
        present: s.present != 0,
        available: s.avl != 0,
        long: s.l != 0,
        big: s.db != 0,
        granular: s.g != 0,
        unusable: s.unusable != 0,
    }
}

fn table(t: &kvm_dtable) -> DescriptorTable {
    DescriptorTable { base: t.base, limit: t.limit }
}

fn float(f: &kvm_fpu) -> Fpu {
    Fpu { st: f.fpr, control: f.fcw, status: f.fsw, tags: f.ftwx, xmm: f.xmm, mxcsr: f.mxcsr }
}
