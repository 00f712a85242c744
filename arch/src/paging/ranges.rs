//! All mappings of an address space, as `info mem` shows them.

use super::{Access, Meaning, Mode, PagingRegisters, PhysicalRead, canonical};

/// Consecutive linear addresses that are mapped with the same rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedRange {
    /// First linear address.
    pub start: u64,
    /// Last linear address (the end would not fit for the last page of 64 bits).
    pub last: u64,
    /// Reachable from privilege level 3.
    pub user: bool,
    /// Writable.
    pub write: bool,
}

impl MappedRange {
    /// Bytes of the range.
    pub fn size(&self) -> u64 {
        self.last - self.start + 1
    }
}

/// Tables a walk reads before it gives up: 256 MiB of them.
const MAX_TABLES: u32 = 1 << 16;

/// Walks the tables in address order and merges what belongs together. Whether pages are
/// executable does not separate them.
///
/// Tables that refer to themselves can map any number of pages; [`Mappings::gave_up`] tells whether
/// the walk ended early for that.
#[derive(Debug)]
pub struct Mappings<'a, R> {
    memory: &'a R,
    mode: Mode,
    /// The path to where the walk is, from the top.
    path: Vec<Table>,
    /// What the next page may belong to.
    pending: Option<MappedRange>,
    tables_left: u32,
    gave_up: bool,
}

#[derive(Debug)]
struct Table {
    bytes: Vec<u8>,
    level: u8,
    /// Linear address of the first entry.
    base: u64,
    next: u64,
    access: Access,
}

impl<'a, R: PhysicalRead> Mappings<'a, R> {
    /// Starts at the first address. Without paging there is nothing to list.
    pub fn new(memory: &'a R, registers: &PagingRegisters) -> Mappings<'a, R> {
        let mode = registers.mode();
        let mut mappings = Mappings {
            memory,
            mode,
            path: Vec::new(),
            pending: None,
            tables_left: MAX_TABLES,
            gave_up: false,
        };
        if mode != Mode::Off {
            mappings.enter(registers.root(), mode.levels(), 0, Access::ALL);
        }
        mappings
    }

    /// Whether more tables exist than were read. Meaningful after the last range.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Reads a table and continues in it. One outside of memory maps nothing.
    fn enter(&mut self, address: u64, level: u8, base: u64, access: Access) {
        if self.tables_left == 0 {
            self.gave_up = true;
            self.path.clear();
            return;
        }
        self.tables_left -= 1;
        let size = self.mode.entries(level) * self.mode.entry_size();
        let mut bytes = vec![0; size as usize];
        if self.memory.read(address, &mut bytes) {
            self.path.push(Table { bytes, level, base, next: 0, access });
        }
    }

    /// The next page or hole ahead: `None` at the end of all tables.
    fn step(&mut self) -> Option<Option<MappedRange>> {
        let mode = self.mode;
        let table = self.path.last_mut()?;
        if table.next == mode.entries(table.level) {
            self.path.pop();
            return Some(None);
        }
        let size = mode.entry_size() as usize;
        let mut entry = [0; 8];
        let at = table.next as usize * size;
        entry[..size].copy_from_slice(&table.bytes[at..at + size]);
        let start = table.base + (table.next << mode.shift(table.level));
        table.next += 1;
        let level = table.level;
        match mode.interpret(level, u64::from_le_bytes(entry), table.access) {
            Meaning::NotPresent => Some(None),
            Meaning::Table { address, access } => {
                self.enter(address, level - 1, start, access);
                Some(None)
            }
            Meaning::Page { access, .. } => {
                let start = match mode {
                    Mode::Level4 => canonical(start, 48),
                    Mode::Level5 => canonical(start, 57),
                    _ => start,
                };
                Some(Some(MappedRange {
                    start,
                    last: start + ((1 << mode.shift(level)) - 1),
                    user: access.user,
                    write: access.write,
                }))
            }
        }
    }
}

impl<R: PhysicalRead> Iterator for Mappings<'_, R> {
    type Item = MappedRange;

    fn next(&mut self) -> Option<MappedRange> {
        while let Some(step) = self.step() {
            let Some(page) = step else { continue };
            match &mut self.pending {
                Some(range) if range.joins(&page) => range.last = page.last,
                pending => {
                    if let Some(range) = pending.replace(page) {
                        return Some(range);
                    }
                }
            }
        }
        self.pending.take()
    }
}

impl MappedRange {
    fn joins(&self, next: &MappedRange) -> bool {
        self.last.wrapping_add(1) == next.start
            && (self.user, self.write) == (next.user, next.write)
    }
}
