use std::io::Write;

use linux_loader::loader::bootparam::boot_params;
use linux_loader::loader::elf::start_info::{
    hvm_memmap_table_entry, hvm_modlist_entry, hvm_start_info,
};
use proptest::prelude::*;
use vm_memory::{ByteValued, GuestMemoryMmap};

use super::samples::{BSS, CODE, TEXT, bzimage, elf, note, pvh_notes};
use super::*;
use crate::layout::{GIB, MIB};

const RAM: u64 = 64 * MIB;

fn config(kernel: Vec<u8>) -> BootConfig {
    BootConfig {
        kernel: Image::from_bytes(kernel, "vmlinuz"),
        initrd: Some(Image::from_bytes(vec![0xab; 5000], "initrd.gz")),
        command_line: "console=ttyS0".into(),
        ram: RAM,
        tables: vec![Placed { address: layout::RSDP, bytes: b"RSD PTR ".to_vec() }],
        rsdp: Some(layout::RSDP),
    }
}

fn memory(ram: u64) -> GuestMemoryMmap<()> {
    let ranges: Vec<_> =
        layout::ram_ranges(ram).into_iter().map(|(start, size)| (start, size as usize)).collect();
    GuestMemoryMmap::from_ranges(&ranges).unwrap()
}

fn read<T: ByteValued>(memory: &GuestMemoryMmap<()>, address: u64) -> T {
    memory.read_obj(GuestAddress(address)).unwrap()
}

fn bytes(memory: &GuestMemoryMmap<()>, address: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    memory.read_slice(&mut bytes, GuestAddress(address)).unwrap();
    bytes
}

fn refusal(config: BootConfig) -> String {
    Boot::new(config).unwrap_err().to_string()
}

#[test]
fn pvh_kernel_gets_its_start_information() {
    let boot = Boot::new(config(elf(&pvh_notes(CODE as u32 + 8), |_, _| ()))).unwrap();
    let memory = memory(RAM);
    let entry = boot.write(&memory).unwrap();
    let expected = Entry::Protected32 { eip: CODE as u32 + 8, ebx: 0x6000, esi: 0 };
    assert_eq!(entry, expected);
    assert_eq!(bytes(&memory, CODE, TEXT.len()), TEXT);

    let info: hvm_start_info = read(&memory, 0x6000);
    assert_eq!((info.magic, info.version), (0x336e_c578, 1));
    assert_eq!((info.rsdp_paddr, info.nr_modules), (layout::RSDP, 1));
    assert_eq!(bytes(&memory, info.cmdline_paddr, 14), b"console=ttyS0\0");
    let module: hvm_modlist_entry = read(&memory, info.modlist_paddr);
    assert_eq!(module.size, 5000);
    assert_eq!(module.paddr, 0x3fd_e000);
    assert_eq!(bytes(&memory, module.paddr, 5000), vec![0xab; 5000]);
    let entries: Vec<hvm_memmap_table_entry> = (0..u64::from(info.memmap_entries))
        .map(|n| read(&memory, info.memmap_paddr + 24 * n))
        .collect();
    assert_eq!(entries, Map::pc(RAM, &[]).to_pvh());
    assert_eq!(bytes(&memory, layout::RSDP, 8), b"RSD PTR ");
}

#[test]
fn elf_without_note_gets_the_zero_page() {
    let boot = Boot::new(config(elf(&note(b"Xen\0", 6, b"x"), |_, _| ()))).unwrap();
    let memory = memory(RAM);
    let entry = boot.write(&memory).unwrap();
    let expected = Entry::Long64 { rip: CODE + 4, rsi: 0x7000, cr3: 0x9000 };
    assert_eq!(entry, expected);
    let page: boot_params = read(&memory, 0x7000);
    assert_eq!({ page.hdr.header }, 0x5372_6448);
    assert_eq!({ page.hdr.boot_flag }, 0xaa55);
    assert_eq!({ page.acpi_rsdp_addr }, layout::RSDP);
    assert_eq!({ page.hdr.ramdisk_size }, 5000);
    let initrd = u64::from(page.hdr.ramdisk_image);
    assert_eq!(bytes(&memory, initrd, 5000), vec![0xab; 5000]);
    let count = usize::from(page.e820_entries);
    assert_eq!({ page.e820_table }[..count], Map::pc(RAM, &[]).to_boot_params());

    // What the processor does with the page tables and the descriptor table.
    let registers = entry.registers();
    let paging = crate::paging::PagingRegisters {
        cr0: registers.cr0,
        cr3: registers.cr3,
        cr4: registers.cr4,
        efer: registers.efer,
    };
    for address in [0, 0x7000, CODE, 0x8000_0000, 0xffff_ffff] {
        let read = crate::paging::GuestRead(&memory);
        let found = crate::paging::translate(&read, &paging, address).unwrap();
        assert_eq!((found.physical, found.access.write), (address, true));
    }
    let gdt = |n: u64| read::<u64>(&memory, registers.gdt.base + 8 * n);
    assert_eq!((gdt(0), gdt(2)), (0, 0x00af_9b00_0000_ffff));
    assert_eq!(gdt(3), 0x00cf_9300_0000_ffff);
    assert_eq!(registers.gdt.limit, 31);
}

#[test]
fn virtual_entry_points_are_translated() {
    let kernel = elf(&[], |file, segments| {
        segments[0].p_vaddr = 0xffff_ffff_8100_0000;
        file.e_entry = 0xffff_ffff_8100_0010;
    });
    let entry = Boot::new(config(kernel)).unwrap().entry();
    assert!(matches!(entry, Entry::Long64 { rip, .. } if rip == CODE + 0x10));
}

#[test]
fn writing_again_repairs_what_the_guest_did() {
    let boot = Boot::new(config(elf(&pvh_notes(CODE as u32), |_, _| ()))).unwrap();
    let memory = memory(RAM);
    boot.write(&memory).unwrap();
    let before = bytes(&memory, 0, 4 * MIB as usize);
    // In the boot data, a table, the kernel's code and its zeros.
    for (address, size) in
        [(0x500, 16), (0x6000, 16), (layout::RSDP, 8), (CODE, 0x1000), (CODE + BSS, 16)]
    {
        let damage = vec![0xee; size];
        memory.write_slice(&damage, GuestAddress(address)).unwrap();
    }
    let behind = CODE + TEXT.len() as u64 + BSS;
    memory.write_obj(7u8, GuestAddress(behind)).unwrap();
    boot.write(&memory).unwrap();
    assert_eq!(read::<u8>(&memory, behind), 7);
    memory.write_obj(0u8, GuestAddress(behind)).unwrap();
    let after = bytes(&memory, 0, 4 * MIB as usize);
    let difference = (0..before.len()).find(|n| before[*n] != after[*n]);
    assert_eq!(difference, None);
}

#[test]
fn bzimage_goes_where_it_likes() {
    let memory = memory(RAM);
    let boot = Boot::new(config(bzimage(|_| ()))).unwrap();
    let entry = boot.write(&memory).unwrap();
    assert!(matches!(entry, Entry::Long64 { rip: 0x100_0200, rsi: 0x7000, .. }));
    assert_eq!(bytes(&memory, 0x100_0000, 4), [0, 1, 2, 3]);
    let page: boot_params = read(&memory, 0x7000);
    assert_eq!({ page.hdr.init_size }, 0x20_0000);
    assert_eq!(page.hdr.type_of_loader, 0xff);
    assert_eq!({ page.hdr.cmd_line_ptr }, 0x2_0000);
}

#[test]
fn bzimage_moves_when_memory_is_short() {
    let mut small = config(bzimage(|_| ()));
    small.ram = 16 * MIB;
    let entry = Boot::new(small).unwrap().entry();
    assert!(matches!(entry, Entry::Long64 { rip: 0x20_0200, .. }));
    let mut fixed = config(bzimage(|h| h.relocatable_kernel = 0));
    fixed.ram = 16 * MIB;
    let text = refusal(fixed);
    assert!(text.contains("'vmlinuz'") && text.contains("0x1000000..0x1200000"), "{text}");
    let huge = config(bzimage(|h| h.init_size = u32::MAX));
    assert!(refusal(huge).contains("4294967295 bytes"));
}

#[test]
fn older_bzimages() {
    let no_64 = Boot::new(config(bzimage(|h| h.xloadflags = 0))).unwrap();
    let expected = Entry::Protected32 { eip: 0x100_0000, ebx: 0, esi: 0x7000 };
    assert_eq!(no_64.entry(), expected);
    // Protocol 2.06: no preferred address, whatever lies there in the file.
    let old = Boot::new(config(bzimage(|h| h.version = 0x206))).unwrap();
    assert!(matches!(old.entry(), Entry::Protected32 { eip: 0x10_0000, .. }));
    let text = refusal(config(bzimage(|h| h.version = 0x205)));
    assert!(text.contains("2.05"), "{text}");
    let text = refusal(config(bzimage(|h| h.loadflags = 0)));
    assert!(text.contains("zImage"), "{text}");
}

#[test]
fn initrd_stays_within_the_kernels_limit() {
    let place = |limit, ram| {
        let mut config = config(bzimage(|h| h.initrd_addr_max = limit));
        config.ram = ram;
        Boot::new(config).map(|boot| boot.parts[1].range.start)
    };
    assert_eq!(place(0x37ff_ffff, GIB).unwrap(), 0x37ff_e000);
    assert_eq!(place(u32::MAX, 8 * GIB).unwrap(), 0xbffd_e000);
    // The kernel itself is in the way.
    assert_eq!(place(0x110_0000, GIB).unwrap(), 0xff_e000);
    let text = place(0x1000, GIB).unwrap_err().to_string();
    assert!(text.contains("'initrd.gz'") && text.contains("5000"), "{text}");
    let empty =
        BootConfig { initrd: Some(Image::from_bytes(vec![], "empty")), ..config(bzimage(|_| ())) };
    assert_eq!(Boot::new(empty).unwrap().parts.len(), 1, "the kernel only");
}

#[test]
fn command_lines_have_limits() {
    let with = |kernel: Vec<u8>, command_line: String| {
        Boot::new(BootConfig { command_line, ..config(kernel) })
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    let x = |n| "x".repeat(n);
    with(bzimage(|h| h.cmdline_size = 255), x(255)).unwrap();
    let text = with(bzimage(|h| h.cmdline_size = 255), x(256)).unwrap_err();
    assert!(text.contains("256") && text.contains("255"), "{text}");
    with(elf(&[], |_, _| ()), x(2047)).unwrap();
    assert!(with(elf(&[], |_, _| ()), x(2048)).is_err());
    let pvh = || elf(&pvh_notes(CODE as u32), |_, _| ());
    with(pvh(), x(65535)).unwrap();
    assert!(with(pvh(), x(65536)).is_err());
    assert!(with(pvh(), "a\0b".into()).is_err());
}

#[test]
fn unusable_kernels_are_named() {
    let text = refusal(config(b"#!/bin/sh\n".to_vec()));
    assert!(text.contains("'vmlinuz'") && text.contains("neither"), "{text}");
    let spoiled = |change: &dyn Fn(&mut linux_loader::elf::Elf64_Ehdr)| {
        refusal(config(elf(&[], |file, _| change(file))))
    };
    assert!(spoiled(&|f| f.e_machine = 183).contains("not for x86-64"));
    assert!(spoiled(&|f| f.e_type = 1).contains("not an executable"));
    assert!(spoiled(&|f| f.e_phnum = 0).contains("program headers"));
    assert!(spoiled(&|f| f.e_phoff = u64::MAX).contains("program header table ends"));
    assert!(spoiled(&|f| f.e_entry = 5).contains("entry point 0x5"));
    let moved = |address| {
        refusal(config(elf(&[], |_, s| {
            s[0].p_paddr = address;
        })))
    };
    // Video memory, the boot data, the ACPI area, behind all memory, around the end of 64 bits.
    for address in [0xa_0000, 0x6000, RAM - 4096, 5 * GIB, u64::MAX - 3] {
        assert!(moved(address).contains("is not free RAM"), "{address:#x}");
    }
    let text = refusal(config(elf(&pvh_notes(0x1234), |_, _| ())));
    assert!(text.contains("entry point 0x1234"), "{text}");
    let text = refusal(config(elf(&[], |_, s| s[0].p_memsz = 3)));
    assert!(text.contains("larger in the file"), "{text}");
    let small = BootConfig { ram: MIB, ..config(bzimage(|_| ())) };
    assert!(refusal(small).contains("2 MiB"));
}

#[test]
fn strange_notes_do_not_confuse() {
    let boots_64 = |notes: &[u8]| {
        let entry = Boot::new(config(elf(notes, |_, _| ()))).unwrap().entry();
        matches!(entry, Entry::Long64 { .. })
    };
    assert!(boots_64(&note(b"Foo\0", 18, &[0; 4])));
    assert!(boots_64(&note(b"Xen\0", 18, &[1, 2])));
    assert!(boots_64(&[0xff; 64]));
    assert!(boots_64(&[0; 7]));
    let eight = CODE.to_le_bytes();
    assert!(!boots_64(&note(b"Xen\0", 18, &eight)));
    assert!(boots_64(&note(b"Xen\0", 18, &u64::MAX.to_le_bytes())));
}

#[test]
fn every_truncation_is_an_error() {
    for kernel in [elf(&pvh_notes(CODE as u32), |_, _| ()), bzimage(|_| ())] {
        let name = if kernel[0] == 0x7f { "elf" } else { "bzimage" };
        Boot::new(config(kernel.clone())).unwrap();
        for length in 0..kernel.len() {
            // A note that is cut off is part of a segment that is.
            let result = Boot::new(config(kernel[..length].to_vec()));
            // A bzImage may lack the padding of its last paragraph.
            let padding = name == "bzimage" && length + 15 >= kernel.len();
            assert_eq!(result.is_ok(), padding, "{name} of {length} bytes");
        }
    }
}

#[test]
fn files_are_read_once() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&elf(&pvh_notes(CODE as u32), |_, _| ())).unwrap();
    let boot =
        Boot::new(BootConfig { kernel: Image::open(file.path()).unwrap(), ..config(vec![]) })
            .unwrap();
    let memory = memory(RAM);
    file.as_file().set_len(190).unwrap();
    for _ in 0..2 {
        boot.write(&memory).unwrap();
        assert_eq!(bytes(&memory, CODE, TEXT.len()), TEXT);
        assert_eq!(read::<u8>(&memory, CODE + TEXT.len() as u64), 0);
        memory.write_slice(&[9; 100], GuestAddress(CODE)).unwrap();
    }
}

#[test]
fn overlapping_segments_are_refused() {
    let text = refusal(config(elf(&[], |_, segments| {
        segments[1] = segments[0];
    })));
    assert!(text.contains("its segments overlap"), "{text}");
}

#[test]
fn only_regular_files_are_opened() {
    let open = |path: &str| Image::open(path.as_ref()).unwrap_err().to_string();
    assert!(open("/").contains("not a regular file"));
    assert!(open("/dev/zero").contains("not a regular file"));
    assert!(open("/nowhere/kernel").contains("could not open '/nowhere/kernel'"));
}

#[test]
fn smaller_memory_than_told_is_an_error() {
    let boot = Boot::new(config(bzimage(|_| ()))).unwrap();
    let text = boot.write(&memory(2 * MIB)).unwrap_err().to_string();
    assert!(text.contains("guest memory at 0x1000000"), "{text}");
}

#[test]
fn waking_vector_is_a_real_mode_address() {
    let memory = memory(2 * MIB);
    let wake = |vector: u32| {
        memory.write_obj(vector, GuestAddress(0x1000 + 12)).unwrap();
        waking_vector(&memory, 0x1000)
    };
    assert_eq!(wake(0), None);
    assert_eq!(wake(0x10_0000), None);
    let entry = wake(0x9_a123).unwrap();
    assert_eq!(entry, Entry::RealMode { cs: 0x9a12, ip: 3 });
    let registers = entry.registers();
    assert_eq!((registers.cs.base, registers.rip), (0x9_a120, 3));
    assert_eq!(registers.cr0 & 1, 0);
    assert_eq!(waking_vector(&memory, 2 * MIB - 12), None);
    assert_eq!(waking_vector(&memory, u64::MAX), None);
}

proptest! {
    /// Whatever the bytes are, the answer is a boot that fits its memory, or an error.
    #[test]
    fn damaged_kernels_do_no_harm(
        which in 0..2usize,
        changes in prop::collection::vec((0..0x280usize, any::<u8>()), 1..12),
    ) {
        let mut kernel = [elf(&pvh_notes(CODE as u32), |_, _| ()), bzimage(|_| ())][which].clone();
        for (at, byte) in changes {
            let length = kernel.len();
            kernel[at % length] = byte;
        }
        if let Ok(boot) = Boot::new(config(kernel)) {
            boot.write(&memory(RAM)).unwrap();
        }
    }
}
