//! `info mtree`: what is where in the address spaces.

use std::fmt::Write;
use std::sync::Arc;

use devices::memory::{Access, AddressSpace, Mapping, Range, Target};

/// All mappings of each space by address, the hidden ones too if `disabled`.
pub(super) fn tree(spaces: &[&Arc<AddressSpace>], disabled: bool) -> String {
    let mut text = String::new();
    for space in spaces {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "address-space: {}", space.name());
        let (root, last) = root(space);
        let _ = writeln!(text, "  {:016x}-{last:016x} (prio 0, i/o): {root}", 0);
        let mut mappings = space.mappings();
        mappings.retain(|mapping| mapping.base.is_some() || disabled);
        mappings.sort_by_key(|mapping| (mapping.base, std::cmp::Reverse(mapping.priority)));
        for mapping in &mappings {
            let _ = window(&mut text, mapping);
        }
        text.push('\n');
    }
    text
}

/// What is visible at each address.
pub(super) fn flat(spaces: &[&Arc<AddressSpace>]) -> String {
    let mut text = String::new();
    for (index, space) in spaces.iter().enumerate() {
        let (root, _) = root(space);
        let _ = writeln!(text, "FlatView #{index}\n AS \"{}\", root: {root}", space.name());
        let _ = writeln!(text, " Root memory region: {root}");
        let map = space.map();
        if map.ranges().is_empty() {
            text.push_str("  No rendered FlatView\n");
        }
        for Range { start, last, offset, access, priority, name, target, .. } in map.ranges() {
            let kind = kind(target, *access);
            let _ = write!(text, "  {start:016x}-{last:016x} (prio {priority}, {kind}): {name}");
            let _ = match offset {
                0 => writeln!(text),
                offset => writeln!(text, " @{offset:016x}"),
            };
        }
        text.push('\n');
    }
    text
}

/// The name of everything in a space, and its last address.
fn root(space: &AddressSpace) -> (&'static str, u64) {
    match space.name() {
        "I/O" => ("io", 0xffff),
        _ => ("system", u64::MAX),
    }
}

fn window(out: &mut String, mapping: &Mapping) -> std::fmt::Result {
    let Mapping { name, base, size, priority, access, target, .. } = mapping;
    let (start, hidden) = (base.unwrap_or(0), if base.is_none() { " [disabled]" } else { "" });
    let last = start + (size - 1);
    let kind = kind(target, *access);
    writeln!(out, "    {start:016x}-{last:016x} (prio {priority}, {kind}): {name}{hidden}")
}

fn kind(target: &Target, access: Access) -> &'static str {
    match (target, access) {
        (Target::Ram(_), Access::ReadWrite) => "ram",
        (Target::Ram(_), Access::ReadOnly) => "rom",
        (Target::Io(_), _) => "i/o",
    }
}

#[cfg(test)]
mod tests {
    use devices::memory::RamBlock;

    use super::*;

    #[test]
    fn mappings_and_what_is_seen_of_them() {
        let space = AddressSpace::new("memory", 0);
        let ram = RamBlock::anonymous("ram", 0x4000).unwrap();
        let rom = RamBlock::rom("rom", b"x").unwrap();
        let mapping = |name: &str, block: &RamBlock, base, size| {
            Mapping::new(name, base, size, Target::Ram(block.clone()))
        };
        let over = Mapping {
            access: Access::ReadOnly,
            priority: 1,
            ..mapping("rom", &rom, 0x1000, 0x1000)
        };
        let hidden = Mapping { base: None, ..mapping("late", &rom, 0, 0x1000) };
        let _mapped = [mapping("ram", &ram, 0, 0x4000), over, hidden]
            .map(|mapping| space.add(mapping).unwrap());
        let head = "address-space: memory
  0000000000000000-ffffffffffffffff (prio 0, i/o): system
";
        let shown = "    0000000000000000-0000000000003fff (prio 0, ram): ram
    0000000000001000-0000000000001fff (prio 1, rom): rom
";
        let late = "    0000000000000000-0000000000000fff (prio 0, ram): late [disabled]\n";
        assert_eq!(tree(&[&space], false), format!("{head}{shown}\n"));
        assert_eq!(tree(&[&space], true), format!("{head}{late}{shown}\n"));
        let expected = "FlatView #0
 AS \"memory\", root: system
 Root memory region: system
  0000000000000000-0000000000000fff (prio 0, ram): ram
  0000000000001000-0000000000001fff (prio 1, rom): rom
  0000000000002000-0000000000003fff (prio 0, ram): ram @0000000000002000

";
        assert_eq!(flat(&[&space]), expected);
        assert!(flat(&[&AddressSpace::new("I/O", 0)]).contains("No rendered FlatView"));
    }
}
