use vm_memory::{Bytes, GuestAddress, GuestAddressSpace, GuestMemoryAtomic};

use super::*;
use crate::bench::{Dice, IsaBench};
use crate::memory::{RamBlock, RamRegion, RamView};

const RAM: u64 = 0x10_0000;
const DESCRIPTOR: u64 = 0x1000;

const READ: u32 = 2;
const SKIP: u32 = 4;
const SELECT: u32 = 8;
const WRITE: u32 = 16;

/// The device on a machine with 1 MiB of RAM filled with 0xee, and a hole of a page at 0x80000.
fn firmware(set: &[(&str, &str)]) -> IsaBench {
    let mut bench = IsaBench::new();
    let block = RamBlock::anonymous("ram", RAM).unwrap();
    let parts = [(0, 0x8_0000), (0x8_1000, RAM - 0x8_1000)];
    let parts = parts.map(|(at, size)| RamRegion::new(at, block.clone(), at, size).unwrap());
    let view = RamView::from_regions(parts.into()).unwrap();
    view.write_slice(&vec![0xee; 0x8_0000], GuestAddress(0)).unwrap();
    bench.platform.ram = GuestMemoryAtomic::new(view);
    let class = bench.class("fw_cfg_io");
    bench.board(class, "fw_cfg", set);
    bench
}

impl IsaBench {
    fn item(&self, key: u16, length: usize) -> Vec<u8> {
        assert_eq!(self.out(0x510, 2, key.into()), None);
        (0..length).map(|_| self.inb(0x511)).collect()
    }

    /// Starts an operation; returns the control word that it leaves.
    fn dma(&self, control: u32, length: u32, address: u64) -> u32 {
        let mut bytes = [control.to_be_bytes(), length.to_be_bytes()].concat();
        bytes.extend(address.to_be_bytes());
        self.platform.ram.memory().write_slice(&bytes, GuestAddress(DESCRIPTOR)).unwrap();
        self.start(DESCRIPTOR);
        u32::from_be_bytes(self.memory(DESCRIPTOR))
    }

    fn start(&self, descriptor: u64) {
        assert_eq!(self.out(0x514, 4, ((descriptor >> 32) as u32).to_be()), None);
        assert_eq!(self.out(0x518, 4, (descriptor as u32).to_be()), None);
    }

    fn memory<const N: usize>(&self, address: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.platform.ram.memory().read_slice(&mut bytes, GuestAddress(address)).unwrap();
        bytes
    }
}

#[test]
fn it_says_who_it_is() {
    let bench = firmware(&[]);
    let fresh: Vec<u8> = (0..6).map(|_| bench.inb(0x511)).collect();
    assert_eq!(fresh, *b"QEMU\0\0", "the signature is selected at first");
    assert_eq!(bench.item(key::ID, 5), [3, 0, 0, 0, 0]);
    assert_eq!((bench.inp(0x514, 4), bench.inp(0x518, 4)), (0x554d_4551, 0x4746_4320));
    assert_eq!(
        (bench.inp(0x514, 1), bench.inp(0x516, 2), bench.inp(0x51b, 1)),
        (0x51, 0x554d, 0x47)
    );
    let without = firmware(&[("dma_enabled", "off")]);
    assert_eq!((without.item(key::ID, 1), without.inp(0x514, 4)), (vec![1], u32::MAX));
}

#[test]
fn only_single_bytes_are_read_and_only_words_select() {
    let bench = firmware(&[]);
    bench.item(key::SIGNATURE, 0);
    assert_eq!((bench.inb(0x510), bench.inp(0x510, 2), bench.inb(0x511)), (b'Q', 0, b'E'));
    bench.outb(0x510, 1);
    bench.outb(0x511, 1);
    assert_eq!(bench.inb(0x511), b'M', "a byte selects and writes nothing");
}

#[test]
fn items_are_what_the_board_says() {
    let bench = firmware(&[]);
    let device = bench.object::<FwCfg>();
    device.add_item(key::NB_CPUS, vec![2, 0]);
    device.add_item(key::NB_CPUS, vec![3, 0]);
    device.add_item(key::ARCH_LOCAL | 3, b"map".to_vec());
    assert_eq!(bench.item(key::NB_CPUS, 3), [3, 0, 0]);
    assert_eq!(bench.item(key::NB_CPUS | 0x4000, 2), [3, 0], "the write flag is ignored");
    assert_eq!(bench.item(key::ARCH_LOCAL | 3, 3), *b"map");
    for key in [3, 0x7000, 0xffff, key::FIRST_FILE] {
        assert_eq!(bench.item(key, 4), [0; 4], "{key:#x}");
    }
}

#[test]
fn files_are_listed_by_name_and_read_by_key() {
    let bench = firmware(&[]);
    assert_eq!(bench.item(key::FILE_DIRECTORY, 4), [0; 4]);
    let device = bench.object::<FwCfg>();
    for (name, bytes) in [("etc/e820", "map"), ("opt/z", "last"), ("bootorder", "")] {
        device.add_file(name, bytes.into()).unwrap();
    }
    let directory = bench.item(key::FILE_DIRECTORY, 4 + 3 * 64);
    assert_eq!(directory[..4], [0, 0, 0, 3]);
    let entries: Vec<_> = directory[4..]
        .chunks(64)
        .map(|entry| {
            let name = String::from_utf8(entry[8..].to_vec()).unwrap();
            (entry[..8].to_vec(), name.trim_end_matches('\0').to_owned())
        })
        .collect();
    let expected = [
        (vec![0, 0, 0, 0, 0, 0x20, 0, 0], "bootorder".to_owned()),
        (vec![0, 0, 0, 3, 0, 0x21, 0, 0], "etc/e820".to_owned()),
        (vec![0, 0, 0, 4, 0, 0x22, 0, 0], "opt/z".to_owned()),
    ];
    assert_eq!(entries, expected);
    assert_eq!(bench.item(0x22, 5), *b"last\0");
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let bench = firmware(&[("x-file-slots", "16")]);
    let device = bench.object::<FwCfg>();
    let refusal = |name: &str| device.add_file(name, Vec::new()).unwrap_err().to_string();
    device.add_file(&"n".repeat(55), Vec::new()).unwrap();
    assert_eq!(refusal(&"n".repeat(55)), format!("duplicate fw_cfg file name: {}", "n".repeat(55)));
    assert!(refusal(&"n".repeat(56)).ends_with("must have 1 to 55 bytes"));
    assert!(refusal("").ends_with("must have 1 to 55 bytes"));
    (1..16).for_each(|n| device.add_file(&format!("f{n}"), Vec::new()).unwrap());
    assert_eq!(refusal("g"), "there are no fw_cfg file slots left for 'g'");
    let mut bench = IsaBench::new();
    let class = bench.class("fw_cfg_io");
    for slots in ["15", "0x4000"] {
        let properties = [("x-file-slots", slots)].into_iter().collect();
        let plan = crate::object::Plan::board(class, Some("x"), properties);
        let platform = bench.platform.clone();
        let error = bench.tree.create(plan, &platform).unwrap_err().to_string();
        assert_eq!(error, "\"file_slots\" must be between 0x10 and 0x3fe0");
    }
}

#[test]
fn dma_reads_skips_and_selects() {
    let bench = firmware(&[]);
    bench.object::<FwCfg>().add_item(key::UUID, (1..=16).collect());
    let select = u32::from(key::UUID) << 16 | SELECT;
    assert_eq!(bench.dma(select | READ, 4, 0x2000), 0);
    assert_eq!(bench.memory(0x2000), [1, 2, 3, 4, 0xee]);
    assert_eq!(bench.dma(SKIP, 3, 0), 0);
    assert_eq!(bench.dma(READ, 2, 0x2000), 0);
    assert_eq!(bench.memory(0x2000), [8, 9, 3]);
    assert_eq!(bench.inb(0x511), 10, "both interfaces share the place in the item");
    assert_eq!(bench.dma(READ, 9, 0x3000), 0);
    let expected = [11, 12, 13, 14, 15, 16, 0, 0, 0, 0xee];
    assert_eq!(bench.memory(0x3000), expected, "zeros follow the end");
    assert_eq!(bench.dma(select, 77, u64::MAX), 0);
    assert_eq!(bench.inb(0x511), 1);
    assert_eq!(bench.dma(0x7000_000a, 4, 0x4000), 0);
    assert_eq!(bench.memory(0x4000), [0, 0, 0, 0, 0xee], "no such item");
}

#[test]
fn nothing_can_be_written() {
    let bench = firmware(&[]);
    assert_eq!(bench.dma(SELECT | WRITE, 4, 0x2000), 1);
    assert_eq!(bench.dma(SELECT | WRITE, 0, 0x2000), 0);
    assert_eq!(bench.item(key::SIGNATURE, 4), *b"QEMU");
}

#[test]
fn hostile_descriptors_are_refused_in_bounded_work() {
    let bench = firmware(&[]);
    bench.object::<FwCfg>().add_file("big", vec![7; 0x3000]).unwrap();
    let big = 0x20 << 16 | SELECT | READ;
    for (length, address) in [
        (4, RAM),
        (4, RAM - 3),
        (4, u64::MAX),
        (4, 0x8_0000),
        (0x3000, 0x7_f000),
        (u32::MAX, 0x2000),
        (u32::MAX, 0),
        (0x3001, RAM - 0x3000),
    ] {
        assert_eq!(bench.dma(big, length, address), 1, "{length:#x} at {address:#x}");
    }
    assert_eq!(bench.dma(big, 0, u64::MAX), 0, "nothing is asked of that address");
    assert_eq!(bench.dma(SKIP, u32::MAX, 0), 0);
    assert_eq!(bench.dma(SKIP, u32::MAX, 0), 0);
    assert_eq!(bench.inb(0x511), 0, "the end is the end");
    // Descriptors that are not there, or only partly.
    let before: [u8; 16] = bench.memory(RAM - 16);
    for at in [RAM, RAM - 8, u64::MAX, u64::MAX - 7, 0x8_0000, 0x7_fff8] {
        bench.start(at);
    }
    assert_eq!(bench.memory::<8>(RAM - 16), before[..8]);
    assert_eq!(bench.memory(RAM - 8), [0, 0, 0, 1], "what of it can be written tells the error");
    // One that overwrites itself.
    assert_eq!(bench.dma(big, 0x10, DESCRIPTOR), 0);
    assert_eq!(bench.memory(DESCRIPTOR), [0, 0, 0, 0, 7, 7, 7, 7]);
}

#[test]
fn random_descriptors_touch_nothing_but_ram() {
    let bench = firmware(&[]);
    bench.object::<FwCfg>().add_file("f", vec![7; 100]).unwrap();
    let mut dice = Dice::new(3);
    for _ in 0..2000 {
        let control = dice.roll() as u32 & 0x003f_001f;
        let length = (dice.roll() >> (dice.roll() % 64)) as u32;
        let address = dice.roll() >> (dice.roll() % 64);
        let control = bench.dma(control, length, address);
        // The operation may have overwritten its descriptor's other words, not the outcome.
        assert!(control <= 1);
    }
}

#[test]
fn only_a_whole_low_half_starts_an_operation() {
    let bench = firmware(&[]);
    assert_eq!(bench.dma(READ, 0, 0), 0);
    let ram = bench.platform.ram.memory();
    ram.write_slice(&(SELECT | READ).to_be_bytes(), GuestAddress(DESCRIPTOR)).unwrap();
    for (port, size) in [(0x518, 1), (0x51b, 1), (0x51a, 2), (0x514, 2)] {
        bench.out(port, size, 0x10_0000);
    }
    assert_eq!(bench.memory(DESCRIPTOR), (SELECT | READ).to_be_bytes());
    bench.out(0x518, 4, (DESCRIPTOR as u32).to_be());
    assert_eq!(bench.memory(DESCRIPTOR), [0; 4]);
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = IsaBench::new();
    let class = bench.class("fw_cfg_io");
    assert_eq!(bench.fail_everywhere(class, &[]), 2);
    assert_eq!(
        bench.refusal("fw_cfg", &[]),
        "Parameter 'driver' expects a non-abstract device type"
    );
}

#[test]
fn no_access_breaks_anything_and_reset_makes_all_fresh() {
    let mut bench = firmware(&[]);
    bench.assert_reset_is_fresh(&[(0x510, 12)], |bench| {
        let high_is_zero = bench.dma(READ, 0, 0) == 0;
        let next: Vec<u8> = (0..6).map(|_| bench.inb(0x511)).collect();
        (next, high_is_zero)
    });
}
