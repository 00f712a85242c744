//! Blocks of host memory that a guest sees as RAM or ROM.

use std::sync::Arc;

use vm_memory::mmap::{MmapRegionBuilder, MmapRegionError};
use vm_memory::{FileOffset, MmapRegion, VolatileMemory, VolatileSlice};

use crate::error::{Error, Result};

/// A block of memory with the name it has in memory statistics and saved states (`pc.ram`,
/// `pc.bios`). Clones share the memory.
#[derive(Debug, Clone)]
pub struct RamBlock {
    name: Arc<str>,
    region: Arc<MmapRegion>,
}

impl RamBlock {
    /// Anonymous private zeroed memory of `size` bytes (a multiple of 4 KiB, not 0). Pages are
    /// only taken from the host when they are first touched.
    ///
    /// # Errors
    /// The host refuses the mapping (address space or memory limits).
    pub fn anonymous(name: &str, size: u64) -> Result<Self> {
        Self::private(name, size, false)
    }

    /// As [`Self::anonymous`]; `reserve` has the host count the whole of it against its limits now.
    ///
    /// # Errors
    /// As [`Self::anonymous`].
    pub fn private(name: &str, size: u64, reserve: bool) -> Result<Self> {
        Self::map(name, size, None, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, reserve)
    }

    /// Zeroed memory that other processes can map too: a memory file without a name in the file
    /// system.
    ///
    /// # Errors
    /// As [`Self::anonymous`].
    pub fn shared(name: &str, size: u64, reserve: bool) -> Result<Self> {
        let create = || {
            let file = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?;
            rustix::fs::ftruncate(&file, size)?;
            Ok(std::fs::File::from(file))
        };
        let file = create().map_err(|e: rustix::io::Errno| refused(name, e.into()))?;
        Self::map(name, size, Some(FileOffset::new(file, 0)), libc::MAP_SHARED, reserve)
    }

    fn map(
        name: &str,
        size: u64,
        file: Option<FileOffset>,
        flags: libc::c_int,
        reserve: bool,
    ) -> Result<Self> {
        let bytes =
            usize::try_from(size).map_err(|_| refused(name, rustix::io::Errno::NOMEM.into()))?;
        let mut builder = MmapRegionBuilder::new(bytes)
            .with_mmap_prot(libc::PROT_READ | libc::PROT_WRITE)
            .with_mmap_flags(flags | if reserve { 0 } else { libc::MAP_NORESERVE });
        if let Some(file) = file {
            builder = builder.with_file_offset(file);
        }
        let region = builder.build().map_err(|error| match error {
            MmapRegionError::Mmap(error) => refused(name, error),
            other => Error::message(format!("cannot set up guest memory '{name}': {other}")),
        })?;
        Ok(Self { name: name.into(), region: Arc::new(region) })
    }

    /// Read-only memory holding `bytes`, padded with zeros to whole pages.
    ///
    /// # Errors
    /// As [`Self::anonymous`].
    pub fn rom(name: &str, bytes: &[u8]) -> Result<Self> {
        let block = Self::anonymous(name, (bytes.len() as u64).next_multiple_of(4096).max(4096))?;
        block.slice().subslice(0, bytes.len()).expect("as long").copy_from(bytes);
        Ok(block)
    }

    /// The block's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.region.size() as u64
    }

    /// The mapping itself, for a guest memory view or a KVM memory slot.
    pub fn region(&self) -> &Arc<MmapRegion> {
        &self.region
    }

    /// The whole block.
    pub fn slice(&self) -> VolatileSlice<'_> {
        self.region.as_volatile_slice()
    }

    /// Whether both are the same memory.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.region, &other.region)
    }

    /// The value of `size` (1 to 8) bytes at `offset`, little endian; bytes beyond the block read
    /// as zero.
    pub fn load(&self, offset: u64, size: usize) -> u64 {
        let mut bytes = [0u8; 8];
        let slice = self.slice();
        if let Ok(part) = slice.subslice(offset as usize, size.min(8)) {
            part.copy_to(&mut bytes[..size.min(8)]);
        }
        u64::from_le_bytes(bytes)
    }

    /// Stores the low `size` (1 to 8) bytes of `value` at `offset`; nothing beyond the block.
    pub fn store(&self, offset: u64, size: usize, value: u64) {
        if let Ok(part) = self.slice().subslice(offset as usize, size.min(8)) {
            part.copy_from(&value.to_le_bytes()[..size.min(8)]);
        }
    }
}

/// The host's refusal, without the number that Rust's text of it ends with.
fn refused(name: &str, error: std::io::Error) -> Error {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    Error::message(format!("cannot set up guest memory '{name}': {reason}"))
}
