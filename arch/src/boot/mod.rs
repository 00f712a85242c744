//! Starting a guest without firmware: kernels, initial RAM disks, and the registers they start with.
//!
//! Kernels are recognised by their content. An ELF64 image with the PVH note is entered by the PVH
//! protocol (Xen's `docs/misc/pvh.pandoc`), without it by Linux' 64-bit protocol; a bzImage is
//! entered by Linux' 64-bit or 32-bit protocol (kernel documentation `arch/x86/boot.rst`).
//!
//! A [`Boot`] is computed once, with every check, and can then be written to guest memory any
//! number of times: a reset of the machine loads kernel, initial RAM disk and tables again. What
//! files have to give is kept in memory for that, so that a reset waits for no disk and finds what the
//! start has found.

mod bzimage;
mod elf;
mod entry;
mod firmware;
mod image;
mod linux;
mod pvh;
mod wake;

use std::borrow::Cow;
use std::ops::Range;

use vm_memory::{Bytes, GuestAddress, GuestMemory, GuestMemoryError, Permissions};

use crate::e820::Map;
use crate::layout::{self, Placed};

pub use entry::{Entry, Registers};
pub use firmware::{Firmware, FirmwareError};
pub use image::{Image, ImageError};
pub use wake::waking_vector;

/// What to boot, in which machine.
#[derive(Debug)]
pub struct BootConfig {
    /// The kernel.
    pub kernel: Image,
    /// The initial RAM disk; an empty file counts as none.
    pub initrd: Option<Image>,
    /// The kernel's command line.
    pub command_line: String,
    /// Bytes of RAM of the machine.
    pub ram: u64,
    /// Tables to write with the kernel (ACPI, SMBIOS). They must lie in ranges that
    /// [`Map::pc`] does not call usable.
    pub tables: Vec<Placed>,
    /// Where among the tables the ACPI root pointer is.
    pub rsdp: Option<u64>,
}

/// Why a kernel cannot be booted. The messages are complete: they name the file and the problem.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The kernel is no good.
    #[error("could not load kernel '{name}': {problem}")]
    Kernel {
        /// The kernel file.
        name: String,
        /// What is wrong with it.
        problem: KernelProblem,
    },
    /// The initial RAM disk is too large.
    #[error("initrd '{name}' has {size} bytes and does not fit into memory below {limit:#x}")]
    InitrdRoom {
        /// The file.
        name: String,
        /// Its size.
        size: u64,
        /// The end of the memory it may use.
        limit: u64,
    },
    /// The command line is too long.
    #[error("the command line has {length} bytes, kernel '{name}' accepts {limit}")]
    CommandLineLength {
        /// The kernel file.
        name: String,
        /// Bytes of the command line.
        length: usize,
        /// Bytes the kernel accepts.
        limit: usize,
    },
    /// The command line contains its own end.
    #[error("the kernel command line contains a NUL character")]
    CommandLineNul,
    /// The machine is too small.
    #[error("booting a kernel takes at least 2 MiB of memory, the machine has {0} bytes")]
    SmallMachine(u64),
    /// A file cannot be opened or read.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The machine's memory is not what the configuration said.
    #[error("could not write {size} bytes to guest memory at {address:#x}: {error}")]
    Memory {
        /// Guest physical address.
        address: u64,
        /// How much was to be written.
        size: u64,
        /// The memory's answer.
        error: GuestMemoryError,
    },
}

/// What is wrong with a kernel file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelProblem {
    /// No known format.
    #[error("it is neither an ELF64 nor a bzImage kernel")]
    Unrecognized,
    /// Something lies beyond the file's end.
    #[error("its {part} ends at byte {end}, the file has {length}")]
    Truncated {
        /// What.
        part: &'static str,
        /// Where it ends.
        end: u64,
        /// Bytes of the file.
        length: u64,
    },
    /// A header says something that cannot be.
    #[error("{0}")]
    Header(&'static str),
    /// A bzImage older than Linux 2.6.22.
    #[error("its boot protocol is {}.{:02}, 2.06 is the oldest supported", .0 >> 8, .0 & 0xff)]
    OldProtocol(u16),
    /// A part would be loaded outside usable memory.
    #[error("its memory range {start:#x}..{end:#x} is not free RAM of this machine")]
    Range {
        /// First address.
        start: u64,
        /// First address after it.
        end: u64,
    },
    /// The entry point is not in a loaded segment.
    #[error("its entry point {0:#x} lies outside of its segments")]
    Entry(u64),
    /// There is no place for a relocatable kernel.
    #[error("it needs {0} bytes of memory in one piece")]
    Room(u64),
}

/// A part of a file and the memory it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Load {
    /// First guest physical address.
    address: u64,
    /// First byte in the file.
    offset: u64,
    /// Bytes in the file.
    file_size: u64,
    /// Bytes in memory, at least those in the file; the rest is zeros.
    memory_size: u64,
}

impl Load {
    fn range(&self) -> Range<u64> {
        self.address..self.address + self.memory_size
    }
}

/// A part of a file, read, and the memory it fills.
#[derive(Debug)]
struct Part {
    bytes: Cow<'static, [u8]>,
    range: Range<u64>,
}

impl Part {
    fn read(image: &Image, load: &Load) -> Result<Part, ImageError> {
        Ok(Part { bytes: image.part(load.offset, load.file_size)?, range: load.range() })
    }

    fn write<M: GuestMemory + ?Sized>(&self, memory: &M) -> Result<(), BootError> {
        let Range { start, end } = self.range;
        let failed = |error| memory_error(start, end - start, error);
        if !memory.check_range(GuestAddress(start), (end - start) as usize, Permissions::Write) {
            return Err(failed(GuestMemoryError::InvalidGuestAddress(GuestAddress(start))));
        }
        memory.write_slice(&self.bytes, GuestAddress(start)).map_err(failed)?;
        clear(memory, start + self.bytes.len() as u64..end).map_err(failed)
    }
}

/// How a kernel is entered, and where.
#[derive(Debug, Clone, PartialEq)]
enum Protocol {
    Pvh { entry: u32 },
    Linux64 { entry: u64, header: linux::Header },
    Linux32 { entry: u32, header: linux::Header },
}

/// A kernel that was checked and has its place in memory.
#[derive(Debug)]
struct Kernel {
    loads: Vec<Load>,
    protocol: Protocol,
}

impl Kernel {
    fn parse(image: &Image, free: &Map) -> Result<Kernel, BootError> {
        if elf::is_elf(image)? {
            elf::parse(image, free)
        } else if bzimage::is_bzimage(image)? {
            bzimage::parse(image, free)
        } else {
            Err(problem(image, KernelProblem::Unrecognized))
        }
    }

    /// The longest command line, without its NUL.
    fn command_line_limit(&self) -> usize {
        let room = layout::COMMAND_LINE_SIZE as usize - 1;
        match &self.protocol {
            Protocol::Pvh { .. } => room,
            Protocol::Linux64 { header, .. } | Protocol::Linux32 { header, .. } => {
                room.min(header.command_line_limit())
            }
        }
    }

    /// The end of the memory that the initial RAM disk may use.
    fn initrd_limit(&self) -> u64 {
        let limit = match &self.protocol {
            Protocol::Pvh { .. } => u64::MAX,
            Protocol::Linux64 { header, .. } | Protocol::Linux32 { header, .. } => {
                header.initrd_limit()
            }
        };
        limit.min(layout::HIGH_RAM_START)
    }
}

fn problem(image: &Image, problem: KernelProblem) -> BootError {
    BootError::Kernel { name: image.name().to_owned(), problem }
}

/// A kernel with everything it needs, ready to be written to guest memory.
#[derive(Debug)]
pub struct Boot {
    /// Kernel and initial RAM disk. They do not overlap: together they are no larger than RAM.
    parts: Vec<Part>,
    data: Vec<Placed>,
    entry: Entry,
}

impl Boot {
    /// Reads and checks the files and decides where everything goes.
    ///
    /// # Errors
    ///
    /// Every mistake in the files, the command line or their sizes.
    pub fn new(config: BootConfig) -> Result<Boot, BootError> {
        if config.ram < layout::MIN_DIRECT_BOOT {
            return Err(BootError::SmallMachine(config.ram));
        }
        let map = Map::pc(config.ram, &[]);
        let mut free = map.clone();
        free.remove(0..layout::COMMAND_LINE + layout::COMMAND_LINE_SIZE);
        let kernel = Kernel::parse(&config.kernel, &free)?;
        let limit = kernel.command_line_limit();
        let command_line = command_line(&config, limit)?;
        let mut parts = Vec::new();
        for load in &kernel.loads {
            let range = load.range();
            if !range.is_empty() && !free.is_usable(&range) {
                return Err(problem(&config.kernel, KernelProblem::Header("its segments overlap")));
            }
            free.remove(range);
            parts.push(Part::read(&config.kernel, load)?);
        }
        let initrd = match config.initrd {
            Some(image) if image.length() > 0 => {
                Some(place_initrd(image, &free, kernel.initrd_limit())?)
            }
            _ => None,
        };

        let module = initrd.as_ref().map(|(_, load)| load.range());
        if let Some((image, load)) = &initrd {
            parts.push(Part::read(image, load)?);
        }
        let mut data = config.tables;
        data.push(command_line);
        data.push(entry::gdt(&kernel.protocol));
        let entry = match &kernel.protocol {
            Protocol::Pvh { entry } => {
                data.push(pvh::start_info(&map, module, config.rsdp));
                Entry::pvh(*entry)
            }
            Protocol::Linux64 { entry, header } => {
                data.push(header.boot_params(&map, module, config.rsdp));
                data.push(entry::page_tables());
                Entry::linux64(*entry)
            }
            Protocol::Linux32 { entry, header } => {
                data.push(header.boot_params(&map, module, config.rsdp));
                Entry::linux32(*entry)
            }
        };
        Ok(Boot { parts, data, entry })
    }

    /// How CPU 0 starts.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// Puts kernel, initial RAM disk, boot data and tables into guest memory and returns how CPU 0
    /// starts. What the guest changed there before is overwritten; other memory stays as it is.
    ///
    /// # Errors
    ///
    /// When the memory is smaller than the configuration said.
    pub fn write<M: GuestMemory + ?Sized>(&self, memory: &M) -> Result<Entry, BootError> {
        for part in &self.parts {
            part.write(memory)?;
        }
        for placed in &self.data {
            let write = memory.write_slice(&placed.bytes, GuestAddress(placed.address));
            write.map_err(|e| memory_error(placed.address, placed.bytes.len() as u64, e))?;
        }
        Ok(self.entry)
    }
}

fn command_line(config: &BootConfig, limit: usize) -> Result<Placed, BootError> {
    let length = config.command_line.len();
    if length > limit {
        return Err(BootError::CommandLineLength {
            name: config.kernel.name().to_owned(),
            length,
            limit,
        });
    }
    let mut bytes = config.command_line.clone().into_bytes();
    if bytes.contains(&0) {
        return Err(BootError::CommandLineNul);
    }
    bytes.push(0);
    Ok(Placed { address: layout::COMMAND_LINE, bytes })
}

/// As high as the kernel allows below 4 GiB, away from the kernel itself.
fn place_initrd(image: Image, free: &Map, limit: u64) -> Result<(Image, Load), BootError> {
    let size = image.length();
    let Some(address) = free.highest(size, limit) else {
        let name = image.name().to_owned();
        return Err(BootError::InitrdRoom { name, size, limit });
    };
    let load = Load { address, offset: 0, file_size: size, memory_size: size };
    Ok((image, load))
}

fn memory_error(address: u64, size: u64, error: GuestMemoryError) -> BootError {
    BootError::Memory { address, size, error }
}

/// Fills `range` with zeros. Memory that is zero already is only read, so that pages of fresh RAM
/// are not allocated by it.
fn clear<M: GuestMemory + ?Sized>(memory: &M, range: Range<u64>) -> Result<(), GuestMemoryError> {
    let mut old = vec![0; 64 << 10];
    let zeros = vec![0; old.len()];
    let mut at = range.start;
    while at < range.end {
        let n = (range.end - at).min(old.len() as u64) as usize;
        memory.read_slice(&mut old[..n], GuestAddress(at))?;
        if old[..n] != zeros[..n] {
            memory.write_slice(&zeros[..n], GuestAddress(at))?;
        }
        at += n as u64;
    }
    Ok(())
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
