//! `-m`: the guest's RAM.

use super::error::{Error, Location};
use super::groups::MEMORY;
use super::keyval::Pairs;
use super::parser::Parser;
use super::types::MemoryOptions;

/// RAM comes in multiples of this.
const GRANULARITY: u64 = 8 << 10;
/// The most memory devices a machine can have.
const MAX_SLOTS: u64 = 256;

pub(super) fn apply(
    parser: &mut Parser<'_>,
    mut pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    for pair in pairs.pairs.iter_mut().filter(|pair| pair.key == "size") {
        // A bare number is in MiB here, and here alone.
        if let Some(value) = &mut pair.value
            && value.ends_with(|last: char| last.is_ascii_digit())
        {
            value.push('M');
        }
    }
    let dict = MEMORY.read(&pairs, location, &mut parser.options.warnings)?;
    parser.memory.add(dict, location);
    Ok(())
}

pub(super) fn finish(parser: &mut Parser<'_>) -> Result<(), Error> {
    let given = &parser.memory;
    let location = &given.location;
    let wanted = given.unsigned("size").filter(|size| *size > 0);
    let size = wanted
        .unwrap_or(MemoryOptions::default().size)
        .checked_next_multiple_of(GRANULARITY)
        .ok_or_else(|| location.error("ram size too large"))?;
    let slots = given.unsigned("slots");
    let max_size = match given.unsigned("maxmem") {
        Some(max) if max < size => {
            return Err(location.error(format!(
                "invalid value of maxmem: maximum memory size ({max:#x}) must be at least the initial memory size ({size:#x})"
            )));
        }
        Some(max) if max == size && slots.is_some_and(|slots| slots > 0) => {
            return Err(location.error(format!(
                "invalid value of maxmem: memory slots were specified but maximum memory size ({max:#x}) is equal to the initial memory size ({size:#x})"
            )));
        }
        Some(max) => max,
        None if slots.is_some() => return Err(location.error("slots specified but no max-size")),
        None => size,
    };
    let slots = slots.unwrap_or(0);
    if slots > MAX_SLOTS {
        return Err(location.error(format!("unsupported amount of memory slots: {slots}")));
    }
    parser.options.memory = MemoryOptions { size, size_given: wanted.is_some(), slots, max_size };
    Ok(())
}
