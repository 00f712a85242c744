//! TSC and LAPIC timer frequencies, measured when first needed against the PIT (channel 2, 10 ms).

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::apic;
use crate::hardware::{inb, outb, pause, tsc};
use crate::interrupts::{self, GUARD, TIMER};
use crate::ring0;

const PIT_HZ: u64 = 1_193_182;
const PIT_COUNT: u64 = 11_932;
/// Assumed when there is no PIT.
const FALLBACK_HZ: u64 = 1_000_000_000;

static TSC_HZ: AtomicU64 = AtomicU64::new(0);
static LAPIC_HZ: AtomicU64 = AtomicU64::new(0);
/// Frequency of the running `tick`, 0 when stopped.
static TICK_HZ: AtomicU64 = AtomicU64::new(0);

fn measure() {
    outb(0x61, inb(0x61) & !3 | 1);
    outb(0x43, 0xb0);
    outb(0x42, PIT_COUNT as u8);
    apic::start_silent_timer();
    outb(0x42, (PIT_COUNT >> 8) as u8);
    let (start, lapic_start) = (tsc(), apic::timer_current());
    while inb(0x61) & 0x20 == 0 && tsc() - start < 1 << 30 {
        pause();
    }
    let (cycles, lapic) =
        (tsc() - start, u64::from(lapic_start.saturating_sub(apic::timer_current())));
    apic::stop_timer();
    if cycles < 1 << 30 && cycles > 1 << 16 && lapic != 0 {
        TSC_HZ.store(cycles * PIT_HZ / PIT_COUNT, Relaxed);
        LAPIC_HZ.store(lapic * PIT_HZ / PIT_COUNT, Relaxed);
    } else {
        TSC_HZ.store(FALLBACK_HZ, Relaxed);
        LAPIC_HZ.store(lapic.max(1) * FALLBACK_HZ / cycles.max(1), Relaxed);
    }
}

/// TSC frequency.
pub fn tsc_hz() -> u64 {
    if TSC_HZ.load(Relaxed) == 0 {
        let tick = TICK_HZ.load(Relaxed);
        measure();
        if tick != 0 {
            start_tick(tick);
        }
    }
    TSC_HZ.load(Relaxed)
}

/// Bus frequency of the LAPIC timer.
pub fn lapic_hz() -> u64 {
    tsc_hz();
    LAPIC_HZ.load(Relaxed).max(1)
}

/// TSC cycles in `ms`.
pub fn cycles(ms: u64) -> u64 {
    tsc_hz() / 1000 * ms
}

/// Milliseconds in `cycles`.
pub fn ms(cycles: u64) -> u64 {
    cycles / (tsc_hz() / 1000).max(1)
}

fn period(hz: u64) -> u32 {
    u32::try_from(lapic_hz() / hz.max(1)).unwrap_or(u32::MAX).max(1)
}

/// Starts the periodic `tick` interrupt.
pub fn start_tick(hz: u64) {
    let period = period(hz);
    TICK_HZ.store(hz, Relaxed);
    apic::start_timer(TIMER, period, true);
}

pub fn stop_tick() {
    TICK_HZ.store(0, Relaxed);
    apic::stop_timer();
}

/// Sleeps in `hlt` until `done` says so or `limit_ms` are over; false then. A slow LAPIC timer bounds each sleep.
pub fn sleep_until(limit_ms: u64, mut done: impl FnMut() -> bool) -> bool {
    let deadline = tsc().saturating_add(cycles(limit_ms));
    let own_timer = TICK_HZ.load(Relaxed) == 0;
    loop {
        let seen = interrupts::seen();
        if done() {
            break;
        }
        let now = tsc();
        if now >= deadline {
            return false;
        }
        if own_timer {
            let left = u128::from(deadline - now) * u128::from(lapic_hz()) / u128::from(tsc_hz());
            apic::start_timer(GUARD, u32::try_from(left).unwrap_or(u32::MAX).max(1), false);
        }
        ring0::wait(interrupts::event_word(), seen);
    }
    if own_timer {
        apic::stop_timer();
    }
    true
}
