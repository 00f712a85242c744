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

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Arc;

use arch::paging::{self, PagingRegisters};
use devices::memory::{Map, Piece, Target};
use thiserror::Error;
use vm_memory::{VolatileMemoryError, VolatileSlice, WriteVolatile};

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

    /// Writes the file. Blocks as long as the file does.
    ///
    /// # Errors
    /// The file cannot be opened or written; a virtual address leads nowhere.
    pub(crate) fn run(&self) -> Result<(), Error> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&self.path);
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
