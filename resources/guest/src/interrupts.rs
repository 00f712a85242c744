//! IDT and the counters that the interrupt stubs of ring0.s keep.

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::entry::{idt, stubs};

/// LAPIC timer of `tick`.
pub const TIMER: usize = 0xe0;
/// LAPIC timer that only ends a wait.
pub const GUARD: usize = 0xe1;
/// Wakes an application processor.
pub const WAKE: usize = 0xf0;
/// The local APIC's spurious vector.
pub const SPURIOUS: usize = 0xff;

unsafe extern "C" {
    safe static events: AtomicU64;
    safe static nmi_count: AtomicU64;
    safe static last_vector: AtomicU32;
    safe static ioapic_base: AtomicU64;
    safe static vector_counts: [AtomicU64; 256];
    safe static level_registers: [AtomicU8; 256];
}

/// Vector of a GSI (below 64).
pub fn gsi_vector(gsi: u32) -> usize {
    0x30 + gsi as usize
}

/// Changes with every interrupt and NMI on any CPU.
pub fn event_word() -> &'static AtomicU64 {
    &events
}

/// Its value now.
pub fn seen() -> u64 {
    events.load(Relaxed)
}

/// Interrupts with `vector` so far, on all CPUs.
pub fn count(vector: usize) -> u64 {
    vector_counts[vector].load(Relaxed)
}

/// Where the counts are, one u64 a vector.
pub fn counts_address() -> u64 {
    vector_counts.as_ptr() as u64
}

/// NMIs so far, on all CPUs.
pub fn nmis() -> u64 {
    nmi_count.load(Relaxed)
}

/// Vector of the last interrupt.
pub fn last() -> u32 {
    last_vector.load(Relaxed)
}

/// Tells the stub which IOAPIC register masks `vector` when it fires (0: edge triggered, leave it alone).
pub fn set_level_register(vector: usize, register: u8) {
    level_registers[vector].store(register, Relaxed);
}

/// Tells the stub where the IOAPIC is.
pub fn set_ioapic(base: u64) {
    ioapic_base.store(base, Relaxed);
}

/// Fills the IDT: interrupt gates to the 256 stubs; only `int3` may be used from ring 3.
pub fn fill_idt() {
    let table = idt.address() as *mut u64;
    for vector in 0..256u64 {
        let stub = stubs.address() + vector * 16;
        let kind: u64 = if vector == 3 { 0xee00 } else { 0x8e00 };
        let low = (stub & 0xffff) | 0x10 << 16 | kind << 32 | (stub >> 16 & 0xffff) << 48;
        // SAFETY: the table has 256 gates of two words; entry.s reserves it.
        unsafe {
            table.add(vector as usize * 2).write(low);
            table.add(vector as usize * 2 + 1).write(stub >> 32);
        }
    }
}
