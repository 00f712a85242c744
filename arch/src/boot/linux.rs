//! Linux' boot parameters (kernel documentation `arch/x86/zero-page.rst` and `boot.rst`).

use std::ops::Range;

use linux_loader::loader::bootparam::{boot_params, setup_header};
use vm_memory::ByteValued;

use crate::e820::Map;
use crate::layout::{self, Placed};

/// "HdrS".
pub(super) const MAGIC: u32 = 0x5372_6448;
/// Protocol 2.06 introduced `cmdline_size`.
pub(super) const OLDEST: u16 = 0x0206;
/// A boot loader without a number of its own.
const UNDEFINED_LOADER: u8 = 0xff;
const LOADED_HIGH: u8 = 1 << 0;
/// Linux' COMMAND_LINE_SIZE on x86 less the NUL, for kernels that do not tell.
const COMMAND_LINE_LIMIT: u32 = 2047;

/// The setup header of a bzImage, or one made up for an ELF kernel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header(pub(super) setup_header);

impl Header {
    /// What an uncompressed kernel does not bring along.
    pub(super) fn for_elf() -> Header {
        Header(setup_header {
            boot_flag: 0xaa55,
            header: MAGIC,
            version: OLDEST,
            loadflags: LOADED_HIGH,
            kernel_alignment: 0x100_0000,
            initrd_addr_max: u32::MAX,
            cmdline_size: COMMAND_LINE_LIMIT,
            ..setup_header::default()
        })
    }

    pub(super) fn command_line_limit(&self) -> usize {
        self.0.cmdline_size as usize
    }

    /// The first address after what an initial RAM disk may use.
    pub(super) fn initrd_limit(&self) -> u64 {
        u64::from(self.0.initrd_addr_max) + 1
    }

    /// The zero page.
    pub(super) fn boot_params(
        &self,
        map: &Map,
        initrd: Option<Range<u64>>,
        rsdp: Option<u64>,
    ) -> Placed {
        let mut params = boot_params {
            hdr: self.0,
            acpi_rsdp_addr: rsdp.unwrap_or(0),
            ..boot_params::default()
        };
        params.hdr.type_of_loader = UNDEFINED_LOADER;
        params.hdr.cmd_line_ptr = layout::COMMAND_LINE as u32;
        if let Some(initrd) = initrd {
            // Placed below 4 GiB.
            params.hdr.ramdisk_image = initrd.start as u32;
            params.hdr.ramdisk_size = (initrd.end - initrd.start) as u32;
        }
        // A machine's own map has a handful of entries, the page has room for 128.
        let mut table = params.e820_table;
        for (slot, entry) in table.iter_mut().zip(map.to_boot_params()) {
            *slot = entry;
            params.e820_entries += 1;
        }
        params.e820_table = table;
        Placed { address: layout::BOOT_PARAMS, bytes: params.as_slice().to_vec() }
    }
}
