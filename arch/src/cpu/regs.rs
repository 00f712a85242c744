//! The architectural register state as plain values, and what it is after reset (SDM volume 3,
//! "Processor state after reset", table 9-1 there or 10-1 in later editions).

/// General registers, instruction pointer and flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registers' own names")]
pub struct Regs {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rsp: u64,
    pub rbp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
}

/// A segment register with its hidden part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Linear address of the first byte.
    pub base: u64,
    /// Last valid offset, in bytes.
    pub limit: u32,
    /// The visible selector.
    pub selector: u16,
    /// The four type bits of the descriptor.
    pub kind: u8,
    /// Code or data; otherwise a system segment.
    pub code_or_data: bool,
    /// Descriptor privilege level, 0 to 3.
    pub dpl: u8,
    /// Present.
    pub present: bool,
    /// Available to software.
    pub available: bool,
    /// 64-bit code.
    pub long: bool,
    /// 32-bit default operation size, or big stack.
    pub big: bool,
    /// The descriptor's limit counted pages.
    pub granular: bool,
    /// Loaded with a null selector.
    pub unusable: bool,
}

/// GDTR or IDTR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescriptorTable {
    /// Linear address.
    pub base: u64,
    /// Last valid offset, in bytes.
    pub limit: u16,
}

/// Segment, control and system registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registers' own names")]
pub struct Sregs {
    pub cs: Segment,
    pub ds: Segment,
    pub es: Segment,
    pub fs: Segment,
    pub gs: Segment,
    pub ss: Segment,
    pub tr: Segment,
    pub ldt: Segment,
    pub gdt: DescriptorTable,
    pub idt: DescriptorTable,
    pub cr0: u64,
    pub cr2: u64,
    pub cr3: u64,
    pub cr4: u64,
    pub cr8: u64,
    pub efer: u64,
    pub apic_base: u64,
}

/// x87 and SSE state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fpu {
    /// The register stack from its top, 10 bytes used of each.
    pub st: [[u8; 16]; 8],
    /// Control word.
    pub control: u16,
    /// Status word; bits 11 to 13 are the top of the stack.
    pub status: u16,
    /// Abridged tag word: one bit per physical register, set if it is not empty.
    pub tags: u8,
    /// SSE registers, least significant byte first.
    pub xmm: [[u8; 16]; 16],
    /// SSE control and status.
    pub mxcsr: u32,
}

/// Debug registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugRegs {
    /// DR0 to DR3.
    pub addresses: [u64; 4],
    /// DR6.
    pub dr6: u64,
    /// DR7.
    pub dr7: u64,
}

/// Everything `info registers` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// General registers.
    pub regs: Regs,
    /// Segment and control registers.
    pub sregs: Sregs,
    /// x87 and SSE.
    pub fpu: Fpu,
    /// Debug registers.
    pub debug: DebugRegs,
    /// Stopped in `hlt`.
    pub halted: bool,
    /// In system management mode.
    pub smm: bool,
    /// Interrupts are held back for one instruction (after `sti` or a load of SS).
    pub inhibited: bool,
}

/// CR0.PE.
pub const CR0_PE: u64 = 1;
/// EFER.LMA: long mode is active.
pub const EFER_LMA: u64 = 1 << 10;
/// RFLAGS.VM: virtual-8086 mode.
pub const RFLAGS_VM: u64 = 1 << 17;
/// Where the local APIC's registers are after reset.
pub const APIC_BASE: u64 = 0xfee0_0000;
const APIC_ENABLED: u64 = 1 << 11;
const APIC_BOOT_PROCESSOR: u64 = 1 << 8;

impl Segment {
    /// A segment of real mode: 64 KiB at 16 times the selector.
    pub fn real_mode(selector: u16, kind: u8) -> Segment {
        Segment {
            base: u64::from(selector) << 4,
            limit: 0xffff,
            selector,
            kind,
            code_or_data: true,
            present: true,
            ..Segment::default()
        }
    }

    /// The attributes where a descriptor's upper half has them, limit bits excluded.
    pub fn attributes(&self) -> u32 {
        if self.unusable {
            return 0;
        }
        u32::from(self.kind & 0xf) << 8
            | u32::from(self.code_or_data) << 12
            | u32::from(self.dpl & 3) << 13
            | u32::from(self.present) << 15
            | u32::from(self.available) << 20
            | u32::from(self.long) << 21
            | u32::from(self.big) << 22
            | u32::from(self.granular) << 23
    }
}

impl Default for Fpu {
    /// As FNINIT and reset of MXCSR leave it, which is what hypervisors start with.
    fn default() -> Fpu {
        Fpu {
            st: [[0; 16]; 8],
            control: 0x37f,
            status: 0,
            tags: 0,
            xmm: [[0; 16]; 16],
            mxcsr: 0x1f80,
        }
    }
}

impl State {
    /// The state after reset: EDX holds the signature (CPUID leaf 1 EAX), execution starts at
    /// 0xfffffff0, and the first processor's APIC base says that it is the first.
    pub fn reset(signature: u32, boot_processor: bool) -> State {
        let data = Segment::real_mode(0, 3);
        let system = |kind| Segment { limit: 0xffff, kind, present: true, ..Segment::default() };
        let table = DescriptorTable { base: 0, limit: 0xffff };
        let first = if boot_processor { APIC_BOOT_PROCESSOR } else { 0 };
        State {
            regs: Regs { rdx: signature.into(), rip: 0xfff0, rflags: 2, ..Regs::default() },
            sregs: Sregs {
                cs: Segment { base: 0xffff_0000, ..Segment::real_mode(0xf000, 0xb) },
                ds: data,
                es: data,
                fs: data,
                gs: data,
                ss: data,
                tr: system(0xb),
                ldt: system(2),
                gdt: table,
                idt: table,
                cr0: 0x6000_0010,
                apic_base: APIC_BASE | APIC_ENABLED | first,
                ..Sregs::default()
            },
            fpu: Fpu::default(),
            debug: DebugRegs { addresses: [0; 4], dr6: 0xffff_0ff0, dr7: 0x400 },
            halted: false,
            smm: false,
            inhibited: false,
        }
    }

    /// Whether the processor executes 64-bit code.
    pub fn is_64_bit(&self) -> bool {
        self.sregs.efer & EFER_LMA != 0 && self.sregs.cs.long
    }
}
