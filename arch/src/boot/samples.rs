//! Small kernels for tests.

use linux_loader::elf::{Elf64_Ehdr, Elf64_Phdr, PT_LOAD, PT_NOTE};
use linux_loader::loader::bootparam::setup_header;
use vm_memory::ByteValued;

pub(super) const CODE: u64 = 0x20_0000;
pub(super) const TEXT: &[u8] = b"this is the kernel's code";
/// The code segment is larger in memory by this.
pub(super) const BSS: u64 = 0x1_8000;

pub(super) fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    note.extend((name.len() as u32).to_le_bytes());
    note.extend((content.len() as u32).to_le_bytes());
    note.extend(kind.to_le_bytes());
    for part in [name, content] {
        note.extend(part);
        note.resize(note.len().next_multiple_of(4), 0);
    }
    note
}

/// The PVH note among others.
pub(super) fn pvh_notes(entry: u32) -> Vec<u8> {
    [
        note(b"GNU\0", 3, b"build-id"),
        note(b"Xen\0", 6, b"linux\0"),
        note(b"Xen\0", 18, &entry.to_le_bytes()),
        note(b"Xen\0", 9, b"yes\0"),
    ]
    .concat()
}

/// An ELF file that loads [`TEXT`] at [`CODE`]; `change` may spoil its headers.
pub(super) fn elf(notes: &[u8], change: impl Fn(&mut Elf64_Ehdr, &mut [Elf64_Phdr; 2])) -> Vec<u8> {
    let headers = (size_of::<Elf64_Ehdr>() + 2 * size_of::<Elf64_Phdr>()) as u64;
    let mut file = Elf64_Ehdr {
        e_type: 2,
        e_machine: 62,
        e_version: 1,
        e_entry: CODE + 4,
        e_phoff: size_of::<Elf64_Ehdr>() as u64,
        e_phentsize: size_of::<Elf64_Phdr>() as u16,
        e_phnum: 2,
        ..Elf64_Ehdr::default()
    };
    file.e_ident[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let text = Elf64_Phdr {
        p_type: PT_LOAD,
        p_offset: headers,
        p_vaddr: CODE,
        p_paddr: CODE,
        p_filesz: TEXT.len() as u64,
        p_memsz: TEXT.len() as u64 + BSS,
        ..Elf64_Phdr::default()
    };
    let note = Elf64_Phdr {
        p_type: PT_NOTE,
        p_offset: headers + text.p_filesz,
        p_filesz: notes.len() as u64,
        p_align: 4,
        ..Elf64_Phdr::default()
    };
    let mut segments = [text, note];
    change(&mut file, &mut segments);
    let mut bytes = file.as_slice().to_vec();
    for segment in &segments {
        bytes.extend(segment.as_slice());
    }
    bytes.extend(TEXT);
    bytes.extend(notes);
    bytes
}

/// A bzImage of a current kernel with a protected-mode part of 1 KiB; `change` may alter its
/// header.
pub(super) fn bzimage(change: impl Fn(&mut setup_header)) -> Vec<u8> {
    let mut header = setup_header {
        setup_sects: 1,
        syssize: 64,
        boot_flag: 0xaa55,
        jump: 0x66eb,
        header: 0x5372_6448,
        version: 0x020f,
        loadflags: 1,
        code32_start: 0x10_0000,
        initrd_addr_max: 0x7fff_ffff,
        kernel_alignment: 0x20_0000,
        relocatable_kernel: 1,
        xloadflags: 1,
        cmdline_size: 2047,
        pref_address: 0x100_0000,
        init_size: 0x20_0000,
        ..setup_header::default()
    };
    change(&mut header);
    let mut bytes = vec![0x90; 0x1f1];
    bytes.extend(header.as_slice());
    bytes.resize(1024, 0xcc);
    bytes.extend((0..1024).map(|n| n as u8));
    bytes
}
