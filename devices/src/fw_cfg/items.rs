//! The items with the selector.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::trace;
use crate::trace::points::FW_CFG_SELECT;

/// Selector keys of the items that a board fills in. Numbers are little endian.
pub mod key {
    /// `QEMU`; present from the start.
    pub const SIGNATURE: u16 = 0x00;
    /// Which interfaces there are (32 bits); present from the start.
    pub const ID: u16 = 0x01;
    /// The machine's UUID, 16 bytes.
    pub const UUID: u16 = 0x02;
    /// Bytes of RAM (64 bits).
    pub const RAM_SIZE: u16 = 0x03;
    /// Whether there is no display (16 bits).
    pub const NOGRAPHIC: u16 = 0x04;
    /// CPUs at start (16 bits).
    pub const NB_CPUS: u16 = 0x05;
    /// The first boot device's letter (16 bits).
    pub const BOOT_DEVICE: u16 = 0x0c;
    /// Whether firmware shows a boot menu (16 bits).
    pub const BOOT_MENU: u16 = 0x0e;
    /// CPUs at most (16 bits).
    pub const MAX_CPUS: u16 = 0x0f;
    /// The directory of files; made here.
    pub const FILE_DIRECTORY: u16 = 0x19;
    /// The first file; all following keys up to the number of slots are files too.
    pub const FIRST_FILE: u16 = 0x20;
    /// Set in the keys of items that only this architecture has.
    pub const ARCH_LOCAL: u16 = 0x8000;
    /// Ignored: asked for writing, which no item allows.
    pub(super) const WRITE_CHANNEL: u16 = 0x4000;
}

/// Bytes of a name in the directory, its closing zero included.
const NAME: usize = 56;

/// Items, files, and which byte of which item comes next.
pub(super) struct Items {
    items: BTreeMap<u16, Arc<[u8]>>,
    /// Sorted by name; the position decides the key.
    files: Vec<(String, Arc<[u8]>)>,
    slots: u16,
    selected: u16,
    offset: usize,
    /// The high half of the next DMA descriptor's address.
    pub(super) dma_high: u32,
}

impl Items {
    /// Only what every such device has; `slots` files fit.
    pub(super) fn new(slots: u16, dma: bool) -> Self {
        let id: u32 = if dma { 3 } else { 1 };
        let mut items = Self {
            items: BTreeMap::new(),
            files: Vec::new(),
            slots,
            selected: key::SIGNATURE,
            offset: 0,
            dma_high: 0,
        };
        items.add_item(key::SIGNATURE, b"QEMU".to_vec());
        items.add_item(key::ID, id.to_le_bytes().to_vec());
        items.write_directory();
        items
    }

    pub(super) fn reset(&mut self) {
        self.select(key::SIGNATURE);
        self.dma_high = 0;
    }

    pub(super) fn add_item(&mut self, key: u16, bytes: Vec<u8>) {
        self.items.insert(key, bytes.into());
    }

    pub(super) fn add_file(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        if name.is_empty() || name.len() >= NAME || name.contains('\0') {
            return Err(Error::message(format!(
                "fw_cfg file name '{name}' must have 1 to {} bytes",
                NAME - 1
            )));
        }
        if u32::try_from(bytes.len()).is_err() {
            return Err(Error::message(format!("fw_cfg file '{name}' is too large")));
        }
        if self.files.len() >= usize::from(self.slots) {
            return Err(Error::message(format!(
                "there are no fw_cfg file slots left for '{name}'"
            )));
        }
        let place = self.files.partition_point(|(other, _)| other.as_str() < name);
        if self.files.get(place).is_some_and(|(other, _)| other == name) {
            return Err(Error::message(format!("duplicate fw_cfg file name: {name}")));
        }
        self.files.insert(place, (name.into(), bytes.into()));
        self.write_directory();
        Ok(())
    }

    /// The directory: the number of files, then size, key and name of each, big endian.
    fn write_directory(&mut self) {
        let mut directory = (self.files.len() as u32).to_be_bytes().to_vec();
        for (key, (name, bytes)) in (key::FIRST_FILE..).zip(&self.files) {
            directory.extend((bytes.len() as u32).to_be_bytes());
            directory.extend(key.to_be_bytes());
            directory.extend([0; 2]);
            let mut field = [0; NAME];
            field[..name.len()].copy_from_slice(name.as_bytes());
            directory.extend(field);
        }
        self.add_item(key::FILE_DIRECTORY, directory);
    }

    pub(super) fn select(&mut self, key: u16) {
        self.selected = key & !key::WRITE_CHANNEL;
        self.offset = 0;
        trace!(FW_CFG_SELECT, "key {key:#06x}, found: {}", self.bytes().is_some());
    }

    fn bytes(&self) -> Option<&Arc<[u8]>> {
        let file = |key: u16| self.files.get(usize::from(key.checked_sub(key::FIRST_FILE)?));
        match file(self.selected) {
            Some((_, bytes)) => Some(bytes),
            None => self.items.get(&self.selected),
        }
    }

    /// The next byte of the selected item; 0 after its end and where there is none.
    pub(super) fn read_byte(&mut self) -> u8 {
        let byte = self.bytes().and_then(|bytes| bytes.get(self.offset).copied());
        self.offset += usize::from(byte.is_some());
        byte.unwrap_or(0)
    }

    /// What is left of the selected item: all of it, and where to begin. Moves on by `length`.
    pub(super) fn take(&mut self, length: usize) -> (Arc<[u8]>, usize) {
        let bytes = self.bytes().cloned().unwrap_or_default();
        let start = self.offset;
        self.offset = start.saturating_add(length).min(bytes.len());
        (bytes, start)
    }
}
