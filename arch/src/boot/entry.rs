//! The state in which CPU 0 starts, by boot protocol.

use super::Protocol;
use crate::cpu::regs::{DescriptorTable, Segment};
use crate::layout::{self, Placed};

/// Selectors of the Linux boot protocol, used for all entries.
const CODE: u16 = 0x10;
const DATA: u16 = 0x18;
const GDT_ENTRIES: usize = 4;

const CR0_PE: u64 = 1 << 0;
const CR0_ET: u64 = 1 << 4;
const CR0_PG: u64 = 1 << 31;
const CR4_PAE: u64 = 1 << 5;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;
const RFLAGS_RESERVED: u64 = 1 << 1;

/// How CPU 0 starts. [`Entry::registers`] gives the complete state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// 32-bit protected mode without paging, flat segments: PVH (`ebx` holds the start
    /// information) and Linux' 32-bit protocol (`esi` holds the boot parameters).
    Protected32 {
        /// Instruction pointer.
        eip: u32,
        /// Register EBX.
        ebx: u32,
        /// Register ESI.
        esi: u32,
    },
    /// 64-bit mode with the first 4 GiB mapped one to one: Linux' 64-bit protocol.
    Long64 {
        /// Instruction pointer.
        rip: u64,
        /// Register RSI, the boot parameters.
        rsi: u64,
        /// Page table base.
        cr3: u64,
    },
    /// Real mode: the firmware waking vector after sleep.
    RealMode {
        /// Code segment; its base is 16 times that.
        cs: u16,
        /// Instruction pointer.
        ip: u16,
    },
}

/// The registers of CPU 0 at its entry. All segments are present with privilege level 0. General
/// registers that are not named here are 0, all others have their reset values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registers {
    /// Instruction pointer.
    pub rip: u64,
    /// Flags: interrupts are off.
    pub rflags: u64,
    /// PVH start information.
    pub rbx: u64,
    /// Linux boot parameters.
    pub rsi: u64,
    /// Stack pointer.
    pub rsp: u64,
    /// Control register 0.
    pub cr0: u64,
    /// Page table base.
    pub cr3: u64,
    /// Control register 4.
    pub cr4: u64,
    /// Extended features.
    pub efer: u64,
    /// Code segment.
    pub cs: Segment,
    /// DS, ES, FS, GS and SS.
    pub data: Segment,
    /// Task register: a busy task state segment.
    pub tr: Segment,
    /// Local descriptor table: none.
    pub ldt: Segment,
    /// Global descriptor table.
    pub gdt: DescriptorTable,
    /// Interrupt descriptor table; empty but in real mode.
    pub idt: DescriptorTable,
}

impl Entry {
    pub(super) fn pvh(eip: u32) -> Entry {
        Entry::Protected32 { eip, ebx: layout::PVH_START_INFO as u32, esi: 0 }
    }

    pub(super) fn linux32(eip: u32) -> Entry {
        Entry::Protected32 { eip, ebx: 0, esi: layout::BOOT_PARAMS as u32 }
    }

    pub(super) fn linux64(rip: u64) -> Entry {
        Entry::Long64 { rip, rsi: layout::BOOT_PARAMS, cr3: layout::PAGE_TABLES }
    }

    /// The registers this means.
    pub fn registers(&self) -> Registers {
        let gdt = DescriptorTable { base: layout::GDT, limit: (8 * GDT_ENTRIES - 1) as u16 };
        let flat = Registers {
            rflags: RFLAGS_RESERVED,
            data: flat_data(),
            tr: system(0xb, 0x67),
            ldt: system(0x2, 0),
            gdt,
            ..Registers::default()
        };
        match *self {
            Entry::Protected32 { eip, ebx, esi } => Registers {
                rip: eip.into(),
                rbx: ebx.into(),
                rsi: esi.into(),
                cr0: CR0_PE | CR0_ET,
                cs: flat_code(false),
                ..flat
            },
            Entry::Long64 { rip, rsi, cr3 } => Registers {
                rip,
                rsi,
                rsp: layout::BOOT_STACK + layout::BOOT_STACK_SIZE,
                cr0: CR0_PE | CR0_ET | CR0_PG,
                cr3,
                cr4: CR4_PAE,
                efer: EFER_LME | EFER_LMA,
                cs: flat_code(true),
                ..flat
            },
            Entry::RealMode { cs, ip } => Registers {
                rip: ip.into(),
                rflags: RFLAGS_RESERVED,
                cr0: CR0_ET,
                cs: real(cs, 0xb),
                data: real(0, 0x3),
                tr: system(0xb, 0xffff),
                ldt: system(0x2, 0xffff),
                gdt: DescriptorTable { base: 0, limit: 0xffff },
                idt: DescriptorTable { base: 0, limit: 0xffff },
                ..Registers::default()
            },
        }
    }
}

/// Execute, read, accessed.
fn flat_code(long: bool) -> Segment {
    Segment {
        selector: CODE,
        base: 0,
        limit: u32::MAX,
        kind: 0xb,
        code_or_data: true,
        big: !long,
        long,
        granular: true,
        present: true,
        ..Segment::default()
    }
}

/// Read, write, accessed.
fn flat_data() -> Segment {
    Segment { selector: DATA, kind: 0x3, big: true, long: false, ..flat_code(false) }
}

fn real(selector: u16, kind: u8) -> Segment {
    Segment {
        selector,
        base: u64::from(selector) << 4,
        limit: 0xffff,
        kind,
        code_or_data: true,
        present: true,
        ..Segment::default()
    }
}

fn system(kind: u8, limit: u32) -> Segment {
    Segment { kind, limit, present: true, ..Segment::default() }
}

/// A segment's descriptor as it stands in a descriptor table.
fn descriptor(segment: &Segment) -> u64 {
    let limit = u64::from(segment.limit >> if segment.granular { 12 } else { 0 });
    (limit & 0xffff)
        | (segment.base & 0xff_ffff) << 16
        | u64::from(segment.kind) << 40
        | u64::from(segment.code_or_data) << 44
        | u64::from(segment.present) << 47
        | (limit >> 16 & 0xf) << 48
        | u64::from(segment.long) << 53
        | u64::from(segment.big) << 54
        | u64::from(segment.granular) << 55
        | (segment.base >> 24 & 0xff) << 56
}

/// The descriptor table that the segments of an entry are loaded from.
pub(super) fn gdt(protocol: &Protocol) -> Placed {
    let long = matches!(protocol, Protocol::Linux64 { .. });
    let mut table = [0; GDT_ENTRIES];
    table[usize::from(CODE / 8)] = descriptor(&flat_code(long));
    table[usize::from(DATA / 8)] = descriptor(&flat_data());
    Placed { address: layout::GDT, bytes: table.into_iter().flat_map(u64::to_le_bytes).collect() }
}

/// Page tables that map the first 4 GiB one to one with pages of 2 MiB.
pub(super) fn page_tables() -> Placed {
    const PRESENT_WRITABLE: u64 = 0x3;
    const LARGE: u64 = 1 << 7;
    const ENTRIES: usize = 512;
    const DIRECTORIES: u64 = 4;
    let table = |n: u64| layout::PAGE_TABLES + n * layout::PAGE;
    let mut words = vec![0; (2 + DIRECTORIES as usize) * ENTRIES];
    words[0] = table(1) | PRESENT_WRITABLE;
    for n in 0..DIRECTORIES {
        words[ENTRIES + n as usize] = table(2 + n) | PRESENT_WRITABLE;
    }
    for (page, entry) in (0..).zip(&mut words[2 * ENTRIES..]) {
        *entry = page << 21 | LARGE | PRESENT_WRITABLE;
    }
    Placed {
        address: layout::PAGE_TABLES,
        bytes: words.into_iter().flat_map(u64::to_le_bytes).collect(),
    }
}
