//! What the loader passed: PVH `hvm_start_info` or Linux `boot_params`, copied out of low memory at start.

use crate::entry::{START_PVH, image_end, image_start};
use crate::hardware::{read8, read32, read64};
use crate::paging;
use crate::single::Single;

const MAX_REGIONS: usize = 64;
const MAX_COMMAND_LINE: usize = 2048;
/// E820 type of usable memory.
const RAM: u32 = 1;

/// One entry of the memory map; `kind` is the E820 type.
#[derive(Clone, Copy)]
pub struct Region {
    pub start: u64,
    pub length: u64,
    pub kind: u32,
}

/// What the loader passed.
pub struct Boot {
    pub pvh: bool,
    pub rsdp: u64,
    regions: [Region; MAX_REGIONS],
    region_count: usize,
    command_line: [u8; MAX_COMMAND_LINE],
    command_line_length: usize,
}

static BOOT: Single<Boot> = Single::new(Boot {
    pvh: false,
    rsdp: 0,
    regions: [Region { start: 0, length: 0, kind: 0 }; MAX_REGIONS],
    region_count: 0,
    command_line: [0; MAX_COMMAND_LINE],
    command_line_length: 0,
});

/// What `learn` found.
pub fn get() -> &'static Boot {
    BOOT.get()
}

/// Copies everything out of the structure at `address`.
pub fn learn(address: u64, why: u32) {
    let boot = BOOT.get();
    boot.pvh = why == START_PVH;
    if !paging::ensure(address, 4096) {
        return;
    }
    if boot.pvh { boot.learn_pvh(address) } else { boot.learn_linux(address) }
}

/// True when `address` lies in usable memory.
pub fn is_ram(address: u64) -> bool {
    get()
        .regions()
        .iter()
        .any(|r| r.kind == RAM && address >= r.start && address - r.start < r.length)
}

/// Usable memory in bytes.
pub fn ram_bytes() -> u64 {
    get().regions().iter().filter(|r| r.kind == RAM).map(|r| r.length).sum()
}

/// The memory behind the image, up to the end of its region: start (2 MiB aligned) and end.
pub fn free_range() -> (u64, u64) {
    let start = image_end.address().next_multiple_of(2 << 20);
    let end = get()
        .regions()
        .iter()
        .find(|r| r.kind == RAM && start >= r.start && start - r.start < r.length)
        .map_or(start, |r| r.start + r.length);
    (start, end)
}

/// True when the range touches this program's own image.
pub fn touches_image(address: u64, length: u64) -> bool {
    address < image_end.address() && address.saturating_add(length) > image_start.address()
}

impl Boot {
    /// The memory map as passed.
    pub fn regions(&self) -> &[Region] {
        &self.regions[..self.region_count]
    }

    /// The kernel command line, at most 2048 bytes, ASCII.
    pub fn command_line(&self) -> &str {
        core::str::from_utf8(&self.command_line[..self.command_line_length]).unwrap_or("")
    }

    fn learn_pvh(&mut self, info: u64) {
        self.rsdp = read64(info + 32);
        self.copy_command_line(read64(info + 24));
        if read32(info + 4) >= 1 {
            let table = read64(info + 40);
            for i in 0..u64::from(read32(info + 48)).min(MAX_REGIONS as u64) {
                self.add(table + i * 24);
            }
        }
    }

    fn learn_linux(&mut self, params: u64) {
        self.rsdp = read64(params + 0x70);
        self.copy_command_line(
            u64::from(read32(params + 0x228)) | u64::from(read32(params + 0xc8)) << 32,
        );
        for i in 0..u64::from(read8(params + 0x1e8)).min(MAX_REGIONS as u64) {
            self.add(params + 0x2d0 + i * 20);
        }
    }

    fn add(&mut self, entry: u64) {
        self.regions[self.region_count] =
            Region { start: read64(entry), length: read64(entry + 8), kind: read32(entry + 16) };
        self.region_count += 1;
    }

    fn copy_command_line(&mut self, address: u64) {
        if address == 0 || !paging::ensure(address, MAX_COMMAND_LINE as u64) {
            return;
        }
        let mut length = 0;
        while length < MAX_COMMAND_LINE {
            let byte = read8(address + length as u64);
            if byte == 0 {
                break;
            }
            self.command_line[length] = if byte.is_ascii() { byte } else { b'?' };
            length += 1;
        }
        self.command_line_length = length;
    }
}
