//! The PVH start information (Xen's `public/arch-x86/hvm/start_info.h`, version 1).

use std::ops::Range;

use linux_loader::loader::elf::start_info::{
    hvm_memmap_table_entry, hvm_modlist_entry, hvm_start_info,
};
use vm_memory::ByteValued;

use crate::e820::Map;
use crate::layout::{self, Placed};

const MAGIC: u32 = 0x336e_c578;
const VERSION: u32 = 1;
const MODULES: u64 = 0x40;
const MEMORY_MAP: u64 = 0x80;

/// Start information, module list and memory map in one piece.
pub(super) fn start_info(map: &Map, initrd: Option<Range<u64>>, rsdp: Option<u64>) -> Placed {
    let base = layout::PVH_START_INFO;
    let mut entries = map.to_pvh();
    let room = (layout::PVH_START_INFO_SIZE - MEMORY_MAP) as usize;
    // A machine's own map has a handful of entries, the page has room for 165.
    entries.truncate(room / size_of::<hvm_memmap_table_entry>());
    let info = hvm_start_info {
        magic: MAGIC,
        version: VERSION,
        nr_modules: initrd.is_some().into(),
        modlist_paddr: if initrd.is_some() { base + MODULES } else { 0 },
        cmdline_paddr: layout::COMMAND_LINE,
        rsdp_paddr: rsdp.unwrap_or(0),
        memmap_paddr: base + MEMORY_MAP,
        memmap_entries: entries.len() as u32,
        ..hvm_start_info::default()
    };
    let mut bytes = info.as_slice().to_vec();
    bytes.resize(MODULES as usize, 0);
    if let Some(initrd) = initrd {
        let module = hvm_modlist_entry {
            paddr: initrd.start,
            size: initrd.end - initrd.start,
            ..hvm_modlist_entry::default()
        };
        bytes.extend(module.as_slice());
    }
    bytes.resize(MEMORY_MAP as usize, 0);
    for entry in &entries {
        bytes.extend(entry.as_slice());
    }
    Placed { address: base, bytes }
}
