//! Guest memory into a file: `memsave` and `pmemsave`.
//!
//! A [`Save`] is put together on the control thread, which looks up the processor's paging
//! registers and takes the memory map as it is, and [run](Save::run) by a worker: opening and
//! writing a path that a user named may take for ever. The guest runs on meanwhile, so what is
//! written is as consistent as what a debugger sees.
//!
//! Bytes go from the mapping to the file by write(2) in large pieces, without a copy between.
//! Registers are not memory: they appear as zeros. So do holes between the memory of a physical
//! range; in a virtual one they are an error.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use arch::paging::{self, PagingRegisters};
use devices::memory::{Map, Piece, Target};
use thiserror::Error;
use vm_memory::{VolatileMemoryError, VolatileSlice, WriteVolatile};

use crate::fd_sets::FdSets;

/// Pages that lie one after another are written together, up to this.
const RUN: u64 = 64 << 20;

/// Why memory was not saved, in QEMU's words where it has some.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("Invalid addr 0x{address:016x}/size {size} specified")]
    Range { address: u64, size: i64 },
    #[error("Could not open '{path}': {}", reason(.source))]
    Open { path: String, source: io::Error },
    #[error("Error writing '{path}': {}", reason(.source))]
    Write { path: String, source: io::Error },
}

impl From<Error> for qapi::Error {
    fn from(error: Error) -> Self {
        Self::generic(error.to_string())
    }
}

/// The host's message, without the number that Rust appends.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// Whose addresses are meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View {
    /// The machine's.
    Physical,
    /// Those of a processor with these registers.
    Virtual(PagingRegisters),
}

/// A range of memory and where it goes.
pub(crate) struct Save {
    map: Arc<Map>,
    view: View,
    address: u64,
    size: u64,
    path: String,
}

impl Save {
    /// `size` bytes from `address` on go into the file at `path`.
    ///
    /// # Errors
    /// The size is negative, the range wraps around, or a physical one goes beyond all memory.
    pub(crate) fn new(
        map: Arc<Map>,
        view: View,
        address: i64,
        size: i64,
        path: String,
    ) -> Result<Self, Error> {
        // Addresses in the upper half arrive as negative numbers.
        let address = address as u64;
        let invalid = Error::Range { address, size };
        let Ok(bytes) = u64::try_from(size) else { return Err(invalid) };
        let Some(past) = bytes.checked_sub(1) else {
            return Ok(Self { map, view, address, size: 0, path });
        };
        let Some(last) = address.checked_add(past) else { return Err(invalid) };
        if matches!(view, View::Physical) && last_memory(&map).is_none_or(|end| last > end) {
            return Err(invalid);
        }
        Ok(Self { map, view, address, size: bytes, path })
    }

    /// Writes the file, which may be a member of `sets`. Blocks as long as the file does.
    ///
    /// # Errors
    /// The file cannot be opened or written; a virtual address leads nowhere.
    pub(crate) fn run(&self, sets: &FdSets) -> Result<(), Error> {
        let file = sets.create(&self.path);
        let mut file = file.map_err(|source| Error::Open { path: self.path.clone(), source })?;
        let mut done = 0;
        while done < self.size {
            let left = self.size - done;
            let (physical, length) = self.run_at(self.address + done, left)?;
            self.write(&mut file, physical, length)?;
            done += length;
        }
        Ok(())
    }

    /// Where the next bytes lie one after another in physical memory, and how many of them.
    fn run_at(&self, address: u64, left: u64) -> Result<(u64, u64), Error> {
        let View::Virtual(registers) = &self.view else { return Ok((address, left)) };
        let (physical, mut length) = self.page(registers, address)?;
        while length < left.min(RUN) {
            match self.page(registers, address + length) {
                Ok((next, more)) if physical.checked_add(length) == Some(next) => length += more,
                // A page that is missing is found again, as the first of its own run.
                _ => break,
            }
        }
        Ok((physical, length.min(left)))
    }

    /// Where one address leads, and how many bytes of its page follow.
    fn page(&self, registers: &PagingRegisters, address: u64) -> Result<(u64, u64), Error> {
        let read = |address: u64, buffer: &mut [u8]| self.map.read_memory(address, buffer);
        let found = paging::translate(&read, registers, address).map_err(|_| self.invalid())?;
        Ok((found.physical, found.page_size - (found.physical & (found.page_size - 1))))
    }

    fn write(&self, file: &mut File, physical: u64, length: u64) -> Result<(), Error> {
        let mut done = 0;
        while done < length {
            let piece = self.map.piece(physical + done, length - done);
            let written = match piece {
                Piece::Memory(slice) => write_memory(file, &slice).map(|()| slice.len() as u64),
                Piece::Nothing(_) if matches!(self.view, View::Virtual(_)) => {
                    return Err(self.invalid());
                }
                Piece::Registers(bytes) | Piece::Nothing(bytes) => {
                    write_zeros(file, bytes).map(|()| bytes)
                }
            };
            done += written.map_err(|source| Error::Write { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    fn invalid(&self) -> Error {
        Error::Range { address: self.address, size: self.size as i64 }
    }
}

/// The last physical address at which there is RAM or ROM.
fn last_memory(map: &Map) -> Option<u64> {
    let memory = |target: &Target| matches!(target, Target::Ram(_));
    map.ranges().iter().rev().find(|range| memory(&range.target)).map(|range| range.last)
}

fn write_memory(file: &mut File, slice: &VolatileSlice<'_>) -> io::Result<()> {
    file.write_all_volatile(slice).map_err(|error| match error {
        VolatileMemoryError::IOError(error) => error,
        other => io::Error::other(other),
    })
}

fn write_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let length = left.min(ZEROS.len() as u64);
        file.write_all(&ZEROS[..length as usize])?;
        left -= length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use devices::memory::{AddressSpace, Mapped, Mapping, RamBlock, Region};
    use tempfile::TempDir;

    use super::*;

    const PAGE: u64 = 0x1000;
    const RAM: u64 = 0x8000;
    const DEVICE: u64 = 0x9000;
    const ROM: u64 = 0xa000;

    struct Device;
    impl Region for Device {
        fn read(&self, _offset: u64, _size: usize) -> u64 {
            panic!("registers are not read")
        }
        fn write(&self, _offset: u64, _size: usize, _value: u64) -> devices::memory::Action {
            devices::memory::Action::None
        }
    }

    /// RAM, a page of nothing, a page of registers, a page of ROM, and nothing.
    struct Rig {
        space: Arc<AddressSpace>,
        ram: RamBlock,
        dir: TempDir,
        _mapped: [Mapped; 3],
    }

    impl Rig {
        fn new() -> Self {
            let space = AddressSpace::new("memory", 0);
            let ram = RamBlock::anonymous("ram", RAM).unwrap();
            let rom = RamBlock::rom("rom", &[0x77; PAGE as usize]).unwrap();
            for offset in (0..RAM).step_by(8) {
                ram.store(offset, 8, offset | 1 << 40);
            }
            let mapped = [
                Mapping::new("ram", 0, RAM, Target::Ram(ram.clone())),
                Mapping::new("device", DEVICE, PAGE, Target::Io(Arc::new(Device))),
                Mapping::new("rom", ROM, PAGE, Target::Ram(rom)),
            ]
            .map(|mapping| space.add(mapping).unwrap());
            Self { space, ram, dir: TempDir::new().unwrap(), _mapped: mapped }
        }

        fn save(&self, view: View, address: i64, size: i64) -> Result<Vec<u8>, String> {
            let path = self.dir.path().join("memory");
            let text = path.to_str().unwrap().to_owned();
            Save::new(self.space.snapshot(), view, address, size, text)
                .and_then(|save| save.run(&FdSets::new()))
                .map_err(|error| error.to_string())?;
            Ok(std::fs::read(path).unwrap())
        }

        /// Four-level tables in the first pages of RAM; linear page `n` leads to `pages[n]`.
        fn paging(&self, pages: &[u64]) -> View {
            for table in 0..3 {
                self.ram.store(table * PAGE, 8, ((table + 1) * PAGE) | 3);
            }
            for (index, page) in pages.iter().enumerate() {
                self.ram.store(3 * PAGE + index as u64 * 8, 8, page | 3);
            }
            self.ram.store(3 * PAGE + pages.len() as u64 * 8, 8, 0);
            View::Virtual(PagingRegisters { cr0: 1 << 31, cr3: 0, cr4: 1 << 5, efer: 1 << 10 })
        }
    }

    fn refused(address: u64, size: i64) -> Result<Vec<u8>, String> {
        Err(format!("Invalid addr 0x{address:016x}/size {size} specified"))
    }

    #[test]
    fn physical_memory_is_saved_with_zeros_where_there_is_none() {
        let rig = Rig::new();
        let bytes = rig.save(View::Physical, 0x7ffc, 0x3004).unwrap();
        assert_eq!(bytes.len(), 0x3004);
        assert_eq!(bytes[..4], [0, 1, 0, 0], "the upper half of a word");
        assert!(bytes[4..0x2004].iter().all(|byte| *byte == 0));
        assert!(bytes[0x2004..].iter().all(|byte| *byte == 0x77));
        assert_eq!(rig.save(View::Physical, 0, 0).unwrap(), []);
        let all = rig.save(View::Physical, 0, RAM as i64).unwrap();
        assert_eq!(all[0x7f0..0x7f8], (0x7f0 | 1u64 << 40).to_le_bytes());
    }

    #[test]
    fn a_physical_range_beyond_all_memory_is_refused_untouched() {
        let rig = Rig::new();
        for (address, size) in [(0xaff8, 9), (0xb000, 1), (-1, 16), (0, -1), (0, i64::MAX)] {
            let answer = rig.save(View::Physical, address, size);
            assert_eq!(answer, refused(address as u64, size), "{address:#x}");
        }
        assert!(!rig.dir.path().join("memory").exists());
        let nothing = AddressSpace::new("memory", 0).snapshot();
        assert!(Save::new(nothing, View::Physical, 0, 1, String::new()).is_err());
    }

    #[test]
    fn virtual_pages_are_saved_in_their_order() {
        let rig = Rig::new();
        let view = rig.paging(&[0x6000, 0x7000, 0x5000, ROM, DEVICE]);
        let bytes = rig.save(view, 0xff8, 0x3010).unwrap();
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(word(0), 0x6ff8 | 1 << 40);
        assert_eq!(word(8), 0x7000 | 1 << 40);
        assert_eq!(word(0x1008), 0x5000 | 1 << 40);
        assert_eq!(word(0x2008), 0x7777_7777_7777_7777);
        assert_eq!((word(0x3008 - 8), word(0x3008)), (0x7777_7777_7777_7777, 0));
    }

    #[test]
    fn a_virtual_address_that_leads_nowhere_is_refused() {
        let rig = Rig::new();
        let view = rig.paging(&[0x6000, 0x8000]);
        for (address, size) in [(0xff8, 9), (0x2000, 1), (1 << 46, 8), (0, -5), (-8, 16)] {
            let answer = rig.save(view, address, size);
            assert_eq!(answer, refused(address as u64, size), "{address:#x}");
        }
        let flat = View::Virtual(PagingRegisters::default());
        assert_eq!(rig.save(flat, 0x7ff8, 16), refused(0x7ff8, 16));
        assert_eq!(rig.save(flat, 0x7ff8, 8).unwrap(), (0x7ff8 | 1u64 << 40).to_le_bytes());
    }

    #[test]
    fn files_that_cannot_be_opened_or_written_are_named() {
        let rig = Rig::new();
        let save = |path: &str| {
            let save = Save::new(rig.space.snapshot(), View::Physical, 0, 16, path.into());
            save.unwrap().run(&FdSets::new()).unwrap_err().to_string()
        };
        assert_eq!(save("/x/y"), "Could not open '/x/y': No such file or directory");
        assert_eq!(save("/tmp"), "Could not open '/tmp': Is a directory");
        assert_eq!(save(""), "Could not open '': No such file or directory");
        assert_eq!(save("/dev/full"), "Error writing '/dev/full': No space left on device");
    }
}
