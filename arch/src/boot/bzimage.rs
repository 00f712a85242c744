//! Compressed Linux kernels (kernel documentation `arch/x86/boot.rst`).
//!
//! The file is a boot sector, the real-mode setup code, and the protected-mode kernel, which is
//! all that is loaded: it is entered at its start in 32-bit mode or 0x200 after it in 64-bit mode,
//! and unpacks itself.

use linux_loader::loader::bootparam::setup_header;
use vm_memory::ByteValued;

use super::{BootError, Image, Kernel, KernelProblem, Load, Protocol, linux, problem};
use crate::e820::Map;
use crate::layout;

/// Where the setup header starts in the file.
const HEADER: u64 = 0x1f1;
/// The header's end is told by the byte at 0x201, counted from 0x202.
const HEADER_LENGTH_BYTE: usize = 0x201 - HEADER as usize;
const HEADER_LENGTH_BASE: usize = 0x202 - HEADER as usize;
const BOOT_FLAG: u16 = 0xaa55;
const SECTOR: u64 = 512;
const LOADED_HIGH: u8 = 1 << 0;
/// `xloadflags`: the kernel has the 64-bit entry.
const KERNEL_64: u16 = 1 << 0;
const ENTRY_64: u64 = 0x200;
const DEFAULT_ADDRESS: u64 = layout::MIB;
/// Protocols that introduced `kernel_alignment`, `pref_address` with `init_size`, `xloadflags`.
const WITH_PREFERRED: u16 = 0x020a;
const WITH_XLOADFLAGS: u16 = 0x020c;

pub(super) fn is_bzimage(image: &Image) -> Result<bool, BootError> {
    let header = read(image)?;
    Ok(header.boot_flag == BOOT_FLAG && header.header == linux::MAGIC)
}

fn read(image: &Image) -> Result<setup_header, BootError> {
    let mut bytes = [0; size_of::<setup_header>()];
    image.read(HEADER, &mut bytes)?;
    // What lies behind the end of an older kernel's header is code, not fields.
    let end = HEADER_LENGTH_BASE + usize::from(bytes[HEADER_LENGTH_BYTE]);
    if let Some(code) = bytes.get_mut(end..) {
        code.fill(0);
    }
    let mut header = setup_header::default();
    header.as_mut_slice().copy_from_slice(&bytes);
    Ok(header)
}

/// Reads the header and decides where in `free` memory the kernel goes.
pub(super) fn parse(image: &Image, free: &Map) -> Result<Kernel, BootError> {
    let header = read(image)?;
    let version = header.version;
    if version < linux::OLDEST {
        return Err(problem(image, KernelProblem::OldProtocol(version)));
    }
    if header.loadflags & LOADED_HIGH == 0 {
        let text = "it is a zImage, which is loaded below 1 MiB";
        return Err(problem(image, KernelProblem::Header(text)));
    }
    let (offset, size) = protected_mode_part(image, &header)?;
    let needed = match version {
        WITH_PREFERRED.. => size.max(header.init_size.into()),
        _ => size,
    };
    let address = place(image, &header, needed, free)?;
    let load = Load { address, offset, file_size: size, memory_size: needed };
    // Above 4 GiB there is no identity map, and no 32-bit entry; `place` stays below.
    let has_64 = version >= WITH_XLOADFLAGS && header.xloadflags & KERNEL_64 != 0;
    let header = linux::Header(header);
    let protocol = match u32::try_from(address) {
        Ok(entry) if !has_64 => Protocol::Linux32 { entry, header },
        _ => Protocol::Linux64 { entry: address + ENTRY_64, header },
    };
    Ok(Kernel { loads: vec![load], protocol })
}

/// Offset and size in the file.
fn protected_mode_part(image: &Image, header: &setup_header) -> Result<(u64, u64), BootError> {
    let sectors = match header.setup_sects {
        0 => 4, // says the protocol
        n => u64::from(n),
    };
    let offset = (sectors + 1) * SECTOR;
    let length = image.length();
    let told = u64::from(header.syssize) * 16;
    // `syssize` is rounded up to paragraphs.
    let end = offset + told.saturating_sub(15).max(ENTRY_64 + 1);
    if length < end {
        let part = "protected-mode kernel";
        let truncated = KernelProblem::Truncated { part, end, length };
        return Err(problem(image, truncated));
    }
    Ok((offset, length - offset))
}

/// Where the kernel likes to be; a relocatable one elsewhere if memory ends there.
fn place(image: &Image, header: &setup_header, needed: u64, free: &Map) -> Result<u64, BootError> {
    let preferred = match header.version {
        WITH_PREFERRED.. => header.pref_address,
        _ => DEFAULT_ADDRESS,
    };
    let fits = |start: u64| {
        let end = start.saturating_add(needed);
        end <= layout::HIGH_RAM_START && free.is_usable(&(start..end))
    };
    if fits(preferred) {
        return Ok(preferred);
    }
    if header.relocatable_kernel == 0 {
        let end = preferred.saturating_add(needed);
        let range = KernelProblem::Range { start: preferred, end };
        return Err(problem(image, range));
    }
    let alignment = u64::from(header.kernel_alignment).max(layout::PAGE);
    let lowest = DEFAULT_ADDRESS.checked_next_multiple_of(alignment);
    lowest.filter(|start| fits(*start)).ok_or_else(|| problem(image, KernelProblem::Room(needed)))
}
