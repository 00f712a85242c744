//! Guest page tables: from linear to physical addresses.
//!
//! 32-bit (with 4 MiB pages and their 40-bit addresses), PAE, 4-level and 5-level paging as in the
//! Intel SDM volume 3A, chapter 4. The tables are the guest's and may hold anything: a walk reads
//! one entry per level, and the iterator over all mappings ([`Mappings`]) reads a bounded number of
//! tables. Reserved bits are not checked, accessed and dirty bits not set: this looks, it does not
//! run.

mod ranges;

use vm_memory::{Bytes, GuestAddress, GuestMemory};

pub use ranges::{MappedRange, Mappings};

const CR0_PG: u64 = 1 << 31;
const CR4_PSE: u64 = 1 << 4;
const CR4_PAE: u64 = 1 << 5;
const CR4_LA57: u64 = 1 << 12;
const EFER_LMA: u64 = 1 << 10;
const EFER_NXE: u64 = 1 << 11;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
/// Bits 12 to 51: addresses in 64-bit entries.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The registers that decide how addresses are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PagingRegisters {
    /// Control register 0.
    pub cr0: u64,
    /// Control register 3, the page table base.
    pub cr3: u64,
    /// Control register 4.
    pub cr4: u64,
    /// The EFER register.
    pub efer: u64,
}

/// The shape of the page tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Paging is off: linear addresses are physical.
    Off,
    /// Two levels of 32-bit entries; `large` when 4 MiB pages are enabled.
    Bits32 {
        /// CR4.PSE.
        large: bool,
    },
    /// Three levels for 32-bit addresses.
    Pae,
    /// Four levels for 48-bit addresses.
    Level4,
    /// Five levels for 57-bit addresses.
    Level5,
}

impl PagingRegisters {
    /// The mode the registers select.
    pub fn mode(&self) -> Mode {
        if self.cr0 & CR0_PG == 0 {
            Mode::Off
        } else if self.cr4 & CR4_PAE == 0 {
            Mode::Bits32 { large: self.cr4 & CR4_PSE != 0 }
        } else if self.efer & EFER_LMA == 0 {
            Mode::Pae
        } else if self.cr4 & CR4_LA57 == 0 {
            Mode::Level4
        } else {
            Mode::Level5
        }
    }

    /// Physical address of the top table.
    fn root(&self) -> u64 {
        match self.mode() {
            Mode::Off => 0,
            Mode::Bits32 { .. } => self.cr3 & 0xffff_f000,
            Mode::Pae => self.cr3 & 0xffff_ffe0,
            Mode::Level4 | Mode::Level5 => self.cr3 & ADDRESS,
        }
    }
}

impl Mode {
    /// Number of tables a walk reads; level 1 is the last one.
    fn levels(self) -> u8 {
        match self {
            Mode::Off => 0,
            Mode::Bits32 { .. } => 2,
            Mode::Pae => 3,
            Mode::Level4 => 4,
            Mode::Level5 => 5,
        }
    }

    /// Bytes of an entry.
    fn entry_size(self) -> u64 {
        match self {
            Mode::Bits32 { .. } => 4,
            _ => 8,
        }
    }

    /// Entries of a table at `level`.
    fn entries(self, level: u8) -> u64 {
        match (self, level) {
            (Mode::Bits32 { .. }, _) => 1024,
            (Mode::Pae, 3) => 4,
            _ => 512,
        }
    }

    /// Lowest linear address bit that an entry at `level` does not fix: the size of what it maps.
    fn shift(self, level: u8) -> u32 {
        match self {
            Mode::Bits32 { .. } => 12 + 10 * (u32::from(level) - 1),
            _ => 12 + 9 * (u32::from(level) - 1),
        }
    }

    /// What an entry at `level` means, given the rights its table was reached with.
    fn interpret(self, level: u8, entry: u64, so_far: Access) -> Meaning {
        if entry & PRESENT == 0 {
            return Meaning::NotPresent;
        }
        // The top level of PAE has no rights: these bits are reserved there.
        let access = match (self, level) {
            (Mode::Pae, 3) => so_far,
            _ => so_far.and(entry),
        };
        let large = match (self, level) {
            (_, 1) => true,
            (Mode::Bits32 { large }, 2) => large && entry & LARGE != 0,
            (_, 2) => entry & LARGE != 0,
            (Mode::Level4 | Mode::Level5, 3) => entry & LARGE != 0,
            _ => false,
        };
        let size = 1 << self.shift(level);
        let address = match (self, level, large) {
            // Bits 13 to 20 of a 4 MiB page are bits 32 to 39 of its address.
            (Mode::Bits32 { .. }, 2, true) => (entry & 0xffc0_0000) | (entry >> 13 & 0xff) << 32,
            (Mode::Bits32 { .. }, ..) => entry & 0xffff_f000,
            (_, _, true) => entry & ADDRESS & !(size - 1),
            _ => entry & ADDRESS,
        };
        match large {
            true => Meaning::Page { address, access },
            false => Meaning::Table { address, access },
        }
    }
}

enum Meaning {
    NotPresent,
    Page { address: u64, access: Access },
    Table { address: u64, access: Access },
}

/// What may be done with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Reachable from privilege level 3.
    pub user: bool,
    /// Writable.
    pub write: bool,
    /// Executable.
    pub execute: bool,
}

impl Access {
    const ALL: Access = Access { user: true, write: true, execute: true };

    fn and(self, entry: u64) -> Access {
        Access {
            user: self.user && entry & USER != 0,
            write: self.write && entry & WRITABLE != 0,
            execute: self.execute && entry & NO_EXECUTE == 0,
        }
    }
}

/// Where a linear address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    /// The physical address.
    pub physical: u64,
    /// Bytes of the page: 4 KiB, 2 MiB, 4 MiB or 1 GiB; 4 GiB when paging is off.
    pub page_size: u64,
    /// What the tables allow. Without NXE every page is executable.
    pub access: Access,
}

/// Why a linear address leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// The address has bits set that no table covers.
    #[error("address {0:#x} is not canonical")]
    NotCanonical(u64),
    /// An entry is not present.
    #[error("address {address:#x} is not mapped (level {level})")]
    NotPresent {
        /// The linear address.
        address: u64,
        /// Level of the entry, 1 is the last.
        level: u8,
    },
    /// A table lies outside of memory.
    #[error("the page table at {table:#x} for address {address:#x} is not in memory")]
    Memory {
        /// The linear address.
        address: u64,
        /// Physical address of the entry.
        table: u64,
    },
}

/// Reads physical memory: fills the buffer from the address on, or returns `false`.
pub trait PhysicalRead {
    /// Reads `buffer.len()` bytes.
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool;
}

/// Any function of that shape is one.
impl<F: Fn(u64, &mut [u8]) -> bool> PhysicalRead for F {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self(address, buffer)
    }
}

/// Reads guest memory.
#[derive(Debug)]
pub struct GuestRead<'a, M: ?Sized>(pub &'a M);

impl<M: GuestMemory + ?Sized> PhysicalRead for GuestRead<'_, M> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.0.read_slice(buffer, GuestAddress(address)).is_ok()
    }
}

/// Translates a linear address.
///
/// # Errors
///
/// When the address is not mapped, or the tables lead outside of memory.
pub fn translate(
    memory: &impl PhysicalRead,
    registers: &PagingRegisters,
    address: u64,
) -> Result<Translation, WalkError> {
    let mode = registers.mode();
    let address = linear(mode, address)?;
    if mode == Mode::Off {
        return Ok(Translation { physical: address, page_size: 1 << 32, access: Access::ALL });
    }
    let (mut table, mut access) = (registers.root(), Access::ALL);
    for level in (1..=mode.levels()).rev() {
        let index = address >> mode.shift(level) & (mode.entries(level) - 1);
        let entry_address = table + index * mode.entry_size();
        let mut entry = [0; 8];
        if !memory.read(entry_address, &mut entry[..mode.entry_size() as usize]) {
            return Err(WalkError::Memory { address, table: entry_address });
        }
        match mode.interpret(level, u64::from_le_bytes(entry), access) {
            Meaning::NotPresent => return Err(WalkError::NotPresent { address, level }),
            Meaning::Table { address: next, access: rights } => (table, access) = (next, rights),
            Meaning::Page { address: page, mut access } => {
                access.execute |= registers.efer & EFER_NXE == 0;
                let page_size = 1 << mode.shift(level);
                return Ok(Translation {
                    physical: page | (address & (page_size - 1)),
                    page_size,
                    access,
                });
            }
        }
    }
    // Level 1 is always a page.
    Err(WalkError::NotPresent { address, level: 1 })
}

/// The address as the mode sees it: 32 bits, or canonical.
fn linear(mode: Mode, address: u64) -> Result<u64, WalkError> {
    let bits = match mode {
        Mode::Off | Mode::Bits32 { .. } | Mode::Pae => return Ok(address & 0xffff_ffff),
        Mode::Level4 => 48,
        Mode::Level5 => 57,
    };
    if canonical(address, bits) != address {
        return Err(WalkError::NotCanonical(address));
    }
    Ok(address)
}

/// Extends the sign of the low `bits` bits.
fn canonical(address: u64, bits: u32) -> u64 {
    let unused = 64 - bits;
    ((address << unused) as i64 >> unused) as u64
}

#[cfg(test)]
mod tests;
