//! From overlapping mappings to a flat map, and from two flat maps to what changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::layout::Layout;
use super::{Map, Mapping, MappingId, Range, Target};

/// Computes the flat map: at every address the visible mapping of the highest priority.
///
/// A sweep over the mappings' ends with the set of windows open at the moment, so that its cost is
/// n log n.
pub(super) fn flatten(layout: &Layout) -> Map {
    let mut starts: Vec<(u64, &MappingId, &Mapping)> = Vec::new();
    let mut cuts = BTreeSet::new();
    for (id, mapping) in &layout.mappings {
        if let (Some(base), Some(last)) = (mapping.base, mapping.last()) {
            starts.push((base, id, mapping));
            cuts.insert(base);
            if let Some(next) = last.checked_add(1) {
                cuts.insert(next);
            }
        }
    }
    starts.sort_by_key(|(base, id, _)| (*base, **id));
    let cuts: Vec<u64> = cuts.into_iter().collect();
    let mut ranges = Vec::new();
    let mut open: BTreeSet<(i32, MappingId)> = BTreeSet::new();
    let mut waiting = starts.into_iter().peekable();
    for (index, &start) in cuts.iter().enumerate() {
        while let Some((_, id, mapping)) = waiting.next_if(|(base, ..)| *base == start) {
            open.insert((mapping.priority, *id));
        }
        open.retain(|(_, id)| layout.mappings[id].last() >= Some(start));
        let last = cuts.get(index + 1).map_or(u64::MAX, |next| next - 1);
        if let Some((_, id)) = open.last() {
            append(&mut ranges, piece(*id, &layout.mappings[id], start, last));
        }
    }
    Map { ranges }
}

fn piece(id: MappingId, mapping: &Mapping, start: u64, last: u64) -> Range {
    Range {
        mapping: id,
        start,
        last,
        offset: mapping.offset + (start - mapping.base.expect("visible")),
        access: mapping.access,
        priority: mapping.priority,
        name: Arc::from(mapping.name.as_str()),
        target: mapping.target.clone(),
    }
}

/// Adds a piece, as a continuation of the one before it where it is one. Pieces of different
/// mappings stay apart even where the memory is contiguous: opening a small window must not take a
/// large one next to it out of the guest's sight for a moment.
fn append(ranges: &mut Vec<Range>, next: Range) {
    if let Some(previous) = ranges.last_mut()
        && previous.last.checked_add(1) == Some(next.start)
        && previous.mapping == next.mapping
    {
        previous.last = next.last;
        return;
    }
    ranges.push(next);
}

/// The RAM ranges that are only in `old` and those that are only in `new`.
pub(super) fn ram_difference<'a>(old: &'a Map, new: &'a Map) -> (Vec<&'a Range>, Vec<&'a Range>) {
    let only = |this: &'a Map, other: &'a Map| {
        let differs = |range: &&Range| {
            matches!(range.target, Target::Ram(_))
                && !other.find(range.start).is_some_and(|twin| twin.same(range))
        };
        this.ranges.iter().filter(differs).collect()
    };
    (only(old, new), only(new, old))
}
