//! Loops whose cost is reported in TSC cycles: accesses that leave the guest, copying and filling memory.

use super::Outcome;
use crate::entry::{ring0_inb_loop, ring0_read_loop, ring0_spin_loop};
use crate::hardware::{inb, read32, tsc};
use crate::prompt::Answer;
use crate::text::{Refusal, Words};
use crate::{boot, paging, put, ring0, time};

/// COM1's scratch register: every machine has it and reading it does nothing.
const QUIET_PORT: u64 = 0x3ff;
/// In the PCI hole, where by default nothing is mapped.
const QUIET_ADDRESS: u64 = 0xfd00_0000;

fn timed(answer: &mut Answer, count: u64, work: impl FnOnce()) {
    let start = tsc();
    work();
    let cycles = tsc() - start;
    put!(
        answer,
        "n={count} cycles={cycles} each={} tsc_hz={}",
        cycles / count.max(1),
        time::tsc_hz()
    );
}

/// N and the port.
fn port_arguments(words: &mut Words) -> Result<(u64, u16), Refusal> {
    let (count, port) = (words.number()?, words.number_or(QUIET_PORT)?);
    words.end()?;
    Ok((count.max(1), u16::try_from(port).map_err(|_| "number too large")?))
}

/// N and the address, mapped.
fn memory_arguments(words: &mut Words) -> Result<(u64, u64), Refusal> {
    let (count, address) = (words.number()?, words.number_or(QUIET_ADDRESS)?);
    words.end()?;
    if paging::ensure(address, 4) {
        Ok((count.max(1), address))
    } else {
        Err("address not mappable")
    }
}

pub(super) fn port_loop(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (count, port) = port_arguments(words)?;
    timed(answer, count, || (0..count).for_each(|_| _ = inb(port)));
    Ok(())
}

pub(super) fn memory_loop(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (count, address) = memory_arguments(words)?;
    timed(answer, count, || (0..count).for_each(|_| _ = read32(address)));
    Ok(())
}

pub(super) fn ring0_port_loop(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (count, port) = port_arguments(words)?;
    timed(answer, count, || _ = ring0::call(&ring0_inb_loop, u64::from(port), count));
    Ok(())
}

pub(super) fn ring0_memory_loop(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (count, address) = memory_arguments(words)?;
    timed(answer, count, || _ = ring0::call(&ring0_read_loop, address, count));
    Ok(())
}

pub(super) fn ring0_spin(words: &mut Words, answer: &mut Answer) -> Outcome {
    let count = words.number()?.max(1);
    words.end()?;
    timed(answer, count, || _ = ring0::call(&ring0_spin_loop, 0, count));
    Ok(())
}

/// LEN and N, and `areas` areas of LEN bytes in the free memory behind the image.
fn areas(words: &mut Words, areas: u64) -> Result<(u64, u64, u64), Refusal> {
    let (length, count) = (words.number()?, words.number()?.max(1));
    words.end()?;
    let (free, end) = boot::free_range();
    match length.checked_mul(areas) {
        Some(total) if length != 0 && total <= end - free && paging::ensure(free, total) => {
            Ok((free, length, count))
        }
        _ => Err("not that much free memory"),
    }
}

fn throughput(answer: &mut Answer, length: u64, count: u64, mut once: impl FnMut()) {
    let start = tsc();
    (0..count).for_each(|_| once());
    let cycles = (tsc() - start).max(1);
    let bytes = u128::from(length) * u128::from(count);
    let rate = (bytes * u128::from(time::tsc_hz()) / u128::from(cycles)) >> 20;
    put!(answer, "bytes={bytes} cycles={cycles} mib_s={rate}");
}

pub(super) fn copy(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (from, length, count) = areas(words, 2)?;
    // SAFETY: both areas lie in free memory, one behind the other.
    throughput(answer, length, count, || unsafe {
        core::ptr::copy_nonoverlapping(
            from as *const u8,
            (from + length) as *mut u8,
            length as usize,
        );
    });
    Ok(())
}

pub(super) fn fill(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (at, length, count) = areas(words, 1)?;
    // SAFETY: free memory.
    throughput(answer, length, count, || unsafe {
        core::ptr::write_bytes(at as *mut u8, 0x5a, length as usize)
    });
    Ok(())
}
