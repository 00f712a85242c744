//! ELF64 kernels (System V ABI, chapter 4 and 5, and the Xen note of the PVH protocol).

use linux_loader::elf::{Elf64_Ehdr, Elf64_Nhdr, Elf64_Phdr, PT_LOAD, PT_NOTE};
use vm_memory::ByteValued;

use super::{BootError, Image, Kernel, KernelProblem, Load, Protocol, linux, problem};
use crate::e820::Map;

const MAGIC: [u8; 4] = *b"\x7fELF";
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
const X86_64: u16 = 62;
/// Real kernels have about ten.
const MAX_HEADERS: u16 = 256;
/// Real note segments have some hundred bytes.
const MAX_NOTES: u64 = 1 << 20;
/// `XEN_ELFNOTE_PHYS32_ENTRY`.
const PHYS32_ENTRY: u32 = 18;

pub(super) fn is_elf(image: &Image) -> Result<bool, BootError> {
    let mut magic = [0; 4];
    image.read(0, &mut magic)?;
    Ok(magic == MAGIC)
}

/// Reads the headers; `free` is the memory the kernel may use.
pub(super) fn parse(image: &Image, free: &Map) -> Result<Kernel, BootError> {
    let headers = headers(image)?;
    let mut loads = Vec::new();
    let mut pvh = None;
    for h in &headers.segments {
        if h.p_type == PT_LOAD && h.p_memsz > 0 {
            loads.push(segment(image, h, free)?);
        } else if h.p_type == PT_NOTE && pvh.is_none() {
            pvh = pvh_entry(&notes(image, h)?, h.p_align);
        }
    }
    if loads.is_empty() {
        return Err(problem(image, KernelProblem::Header("it loads nothing")));
    }
    let protocol = match pvh {
        Some(entry) if is_loaded(&loads, entry.into()) => Protocol::Pvh { entry },
        Some(entry) => return Err(problem(image, KernelProblem::Entry(entry.into()))),
        None => Protocol::Linux64 {
            entry: physical_entry(image, &headers, &loads)?,
            header: linux::Header::for_elf(),
        },
    };
    Ok(Kernel { loads, protocol })
}

struct Headers {
    file: Elf64_Ehdr,
    segments: Vec<Elf64_Phdr>,
}

fn headers(image: &Image) -> Result<Headers, BootError> {
    let bad = |text| Err(problem(image, KernelProblem::Header(text)));
    let mut file = Elf64_Ehdr::default();
    inside(image, "ELF header", 0, size_of::<Elf64_Ehdr>() as u64)?;
    image.read(0, file.as_mut_slice())?;
    if file.e_ident[4] != CLASS_64 || file.e_ident[5] != LITTLE_ENDIAN || file.e_machine != X86_64 {
        return bad("it is an ELF file, but not for x86-64");
    }
    if file.e_type != EXECUTABLE && file.e_type != SHARED {
        return bad("it is an ELF file, but not an executable");
    }
    if usize::from(file.e_phentsize) != size_of::<Elf64_Phdr>() {
        return bad("its program headers have a wrong size");
    }
    if file.e_phnum == 0 || file.e_phnum > MAX_HEADERS {
        return bad("it has no program headers, or more than 256");
    }
    let mut segments = vec![Elf64_Phdr::default(); file.e_phnum.into()];
    let size = size_of::<Elf64_Phdr>() as u64;
    inside(image, "program header table", file.e_phoff, size * segments.len() as u64)?;
    for (n, segment) in (0..).zip(&mut segments) {
        image.read(file.e_phoff + n * size, segment.as_mut_slice())?;
    }
    Ok(Headers { file, segments })
}

/// Checks that a part lies in the file.
fn inside(image: &Image, part: &'static str, offset: u64, size: u64) -> Result<(), BootError> {
    let (end, length) = (offset.saturating_add(size), image.length());
    if end > length {
        let truncated = KernelProblem::Truncated { part, end, length };
        return Err(problem(image, truncated));
    }
    Ok(())
}

fn segment(image: &Image, h: &Elf64_Phdr, free: &Map) -> Result<Load, BootError> {
    inside(image, "segment", h.p_offset, h.p_filesz)?;
    if h.p_filesz > h.p_memsz {
        let text = "a segment is larger in the file than in memory";
        return Err(problem(image, KernelProblem::Header(text)));
    }
    let start = h.p_paddr;
    let end = start.checked_add(h.p_memsz);
    if !end.is_some_and(|end| free.is_usable(&(start..end))) {
        let end = end.unwrap_or(u64::MAX);
        return Err(problem(image, KernelProblem::Range { start, end }));
    }
    Ok(Load { address: start, offset: h.p_offset, file_size: h.p_filesz, memory_size: h.p_memsz })
}

fn is_loaded(loads: &[Load], address: u64) -> bool {
    loads.iter().any(|l| l.range().contains(&address))
}

/// The entry point of Linux is a physical address already; that of others may be virtual.
fn physical_entry(image: &Image, headers: &Headers, loads: &[Load]) -> Result<u64, BootError> {
    let entry = headers.file.e_entry;
    if is_loaded(loads, entry) {
        return Ok(entry);
    }
    headers
        .segments
        .iter()
        .filter(|h| h.p_type == PT_LOAD)
        .find_map(|h| {
            let offset = entry.checked_sub(h.p_vaddr)?;
            (offset < h.p_memsz).then(|| h.p_paddr + offset)
        })
        .ok_or_else(|| problem(image, KernelProblem::Entry(entry)))
}

fn notes(image: &Image, h: &Elf64_Phdr) -> Result<Vec<u8>, BootError> {
    inside(image, "note segment", h.p_offset, h.p_filesz)?;
    if h.p_filesz > MAX_NOTES {
        let text = "its note segment is larger than 1 MiB";
        return Err(problem(image, KernelProblem::Header(text)));
    }
    let mut notes = vec![0; h.p_filesz as usize];
    image.read(h.p_offset, &mut notes)?;
    Ok(notes)
}

/// The 32-bit entry point that Xen's note names. Notes that are cut off end the search.
fn pvh_entry(notes: &[u8], alignment: u64) -> Option<u32> {
    // Notes are padded to 4 bytes, in segments with an alignment of 8 to 8.
    let align = if alignment == 8 { 8 } else { 4 };
    let mut at = 0;
    loop {
        let mut header = Elf64_Nhdr::default();
        let name = at + size_of::<Elf64_Nhdr>();
        header.as_mut_slice().copy_from_slice(notes.get(at..name)?);
        let name_end = name.checked_add(header.n_namesz as usize)?;
        let content = name_end.checked_next_multiple_of(align)?;
        let content_end = content.checked_add(header.n_descsz as usize)?;
        let is_xen = notes.get(name..name_end)? == b"Xen\0";
        if is_xen && header.n_type == PHYS32_ENTRY {
            // Four bytes, or eight with an address that fits into four.
            let content = notes.get(content..content_end)?;
            let entry = content.first_chunk::<4>()?;
            let high_zero = content[4..].iter().all(|b| *b == 0);
            return high_zero.then(|| u32::from_le_bytes(*entry));
        }
        at = content_end.checked_next_multiple_of(align)?;
    }
}
