use std::sync::Mutex;

use super::*;
use crate::memory::{RamBlock, Region};

/// Records what reaches it; reads give the offset and size.
struct Probe(usize, Mutex<Vec<(u64, usize, u64)>>);

impl Probe {
    fn new(width: usize) -> Arc<Self> {
        Arc::new(Self(width, Mutex::default()))
    }
}

impl Region for Probe {
    fn read(&self, offset: u64, size: usize) -> u64 {
        offset << 4 | size as u64
    }
    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        self.1.lock().unwrap().push((offset, size, value));
        Action::None
    }
    fn max_width(&self) -> usize {
        self.0
    }
}

fn read(space: &AddressSpace, address: u64, size: usize) -> u64 {
    let mut bytes = [0; 8];
    space.read(address, &mut bytes[..size]);
    u64::from_le_bytes(bytes)
}

#[test]
fn unassigned_addresses_read_what_the_space_says() {
    let ports = AddressSpace::new("I/O", u64::MAX);
    assert_eq!(read(&ports, 0x80, 2), 0xffff);
    assert_eq!(read(&AddressSpace::new("memory", 0), u64::MAX, 4), 0);
}

#[test]
fn wide_and_unaligned_accesses_are_split() {
    let ports = AddressSpace::new("I/O", u64::MAX);
    let probe = Probe::new(2);
    let _map = ports.add(Mapping::new("p", 0x100, 4, Target::Io(probe.clone()))).unwrap();
    ports.write(0x100, &[1, 2, 3, 4], drop);
    ports.write(0x101, &[5, 6], drop);
    ports.write(0x103, &[7, 8], drop); // the second byte falls off the end
    let seen = probe.1.lock().unwrap().clone();
    assert_eq!(seen, [(0, 2, 0x201), (2, 2, 0x403), (1, 1, 5), (2, 1, 6), (3, 1, 7)]);
    assert_eq!(read(&ports, 0x103, 2), 0xff31);
}

#[test]
fn the_higher_priority_shows_and_gives_way_when_hidden() {
    let space = AddressSpace::new("memory", 0);
    let low = RamBlock::rom("low", &[0x11; 8192]).unwrap();
    let _ram = space.add(Mapping::new("low", 0, 8192, Target::Ram(low))).unwrap();
    let over = Mapping { priority: 1, ..Mapping::new("p", 0x800, 4, Target::Io(Probe::new(4))) };
    let over = space.add(over).unwrap();
    assert_eq!(read(&space, 0x7ff, 2), 0x0111);
    assert_eq!(space.map().ranges().len(), 3);
    space.edit(&[Edit::Move(over.id(), None)]);
    assert_eq!(read(&space, 0x800, 4), 0x1111_1111);
    assert_eq!(space.map().ranges().len(), 1);
    space.edit(&[Edit::Move(over.id(), Some(0x100))]);
    assert_eq!(read(&space, 0x100, 4), 4);
    drop(over);
    assert_eq!(read(&space, 0x100, 4), 0x1111_1111);
}

#[test]
fn read_only_memory_ignores_writes() {
    let space = AddressSpace::new("memory", 0);
    let block = RamBlock::rom("rom", b"rom!").unwrap();
    let map = Mapping::new("rom", 0x1000, 4096, Target::Ram(block));
    let rom = space.add(Mapping { access: Access::ReadOnly, ..map }).unwrap();
    space.write(0x1000, b"x", drop);
    assert_eq!(read(&space, 0x1000, 4), u64::from(u32::from_le_bytes(*b"rom!")));
    space.edit(&[Edit::Access(rom.id(), Access::ReadWrite)]);
    space.write(0x1000, b"x", drop);
    assert_eq!(read(&space, 0x1000, 1), u64::from(b'x'));
}

#[test]
fn a_base_too_high_to_fit_hides_the_window() {
    let space = AddressSpace::new("memory", 0);
    let map = space.add(Mapping::new("p", 0, 0x1000, Target::Io(Probe::new(4)))).unwrap();
    space.edit(&[Edit::Move(map.id(), Some(u64::MAX - 5))]);
    assert!(space.map().ranges().is_empty());
    space.edit(&[Edit::Move(map.id(), Some(u64::MAX - 0xfff))]);
    assert_eq!(read(&space, u64::MAX - 0xfff, 4), 4);
    assert!(space.add(Mapping::new("p", u64::MAX, 2, Target::Io(Probe::new(4)))).is_err());
}

struct Slots(Mutex<Vec<String>>, bool);

impl Listener for Slots {
    fn ram_changed(&self, removed: &[&Range], added: &[&Range]) -> std::result::Result<(), String> {
        let mut log = self.0.lock().unwrap();
        log.extend(removed.iter().map(|r| format!("-{:x}..{:x}", r.start, r.last)));
        log.extend(added.iter().map(|r| format!("+{:x}..{:x}@{:x}", r.start, r.last, r.offset)));
        if self.1 { Err("no more slots".into()) } else { Ok(()) }
    }
}

#[test]
fn the_listener_sees_only_what_changed() {
    let space = AddressSpace::new("memory", 0);
    let slots = Arc::new(Slots(Mutex::default(), false));
    space.set_listener(slots.clone());
    let ram = RamBlock::anonymous("ram", 0x4000).unwrap();
    let _a = space.add(Mapping::new("ram", 0, 0x4000, Target::Ram(ram.clone()))).unwrap();
    let _b = space.add(Mapping::new("high", 0x10000, 0x1000, Target::Ram(ram))).unwrap();
    let hole =
        Mapping { priority: 1, ..Mapping::new("p", 0x1000, 0x1000, Target::Io(Probe::new(4))) };
    drop(space.add(hole).unwrap());
    let expected = [
        "+0..3fff@0",
        "+10000..10fff@0",
        "-0..3fff",
        "+0..fff@0",
        "+2000..3fff@2000",
        "-0..fff",
        "-2000..3fff",
        "+0..3fff@0",
    ];
    assert_eq!(*slots.0.lock().unwrap(), expected);
}

#[test]
fn a_refused_mapping_is_an_error_and_leaves_nothing() {
    let space = AddressSpace::new("memory", 0);
    space.set_listener(Arc::new(Slots(Mutex::default(), true)));
    let ram = RamBlock::anonymous("ram", 0x1000).unwrap();
    let error = space.add(Mapping::new("ram", 0, 0x1000, Target::Ram(ram))).err().unwrap();
    assert_eq!(error.to_string(), "no more slots");
    assert!(space.map().ranges().is_empty() && space.mappings().is_empty());
}
