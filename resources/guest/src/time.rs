//! TSC and LAPIC timer frequencies, measured when first needed: against the PIT (10 ms), else by what
//! KVM's paravirtual clock states.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use crate::apic;
use crate::hardware::{inb, outb, pause, tsc};
use crate::interrupts::{self, GUARD, TIMER};
use crate::ring0;

const PIT_HZ: u64 = 1_193_182;
const PIT_COUNT: u64 = 11_932;
/// MSR_KVM_SYSTEM_TIME_NEW.
const KVM_SYSTEM_TIME: u32 = 0x4b56_4d01;
/// Assumed when there is neither a PIT nor KVM.
const FALLBACK_HZ: u64 = 1_000_000_000;

static TSC_HZ: AtomicU64 = AtomicU64::new(0);
static LAPIC_HZ: AtomicU64 = AtomicU64::new(0);
/// Frequency of the running `tick`, 0 when stopped.
static TICK_HZ: AtomicU64 = AtomicU64::new(0);

/// Counts TSC and LAPIC timer cycles until `over`, given the TSC cycles so far, says so.
fn count_cycles(over: impl Fn(u64) -> bool) -> (u64, u64) {
    apic::start_silent_timer();
    let (start, lapic_start) = (tsc(), apic::timer_current());
    while !over(tsc() - start) {
        pause();
    }
    let cycles = tsc() - start;
    let lapic = u64::from(lapic_start.saturating_sub(apic::timer_current()));
    apic::stop_timer();
    (cycles.max(1), lapic.max(1))
}

/// The PIT's channel 0, which counts down from 65536 again and again.
fn pit_counter() -> u16 {
    outb(0x43, 0x00);
    u16::from(inb(0x40)) | u16::from(inb(0x40)) << 8
}

fn measure() {
    outb(0x43, 0x34);
    outb(0x40, 0);
    outb(0x40, 0);
    let first = pit_counter();
    let passed = || u64::from(first.wrapping_sub(pit_counter()));
    // Where there is no PIT, all bits read as set for ever.
    let (tsc_hz, cycles, lapic) = if first != 0xffff || passed() != 0 {
        let (begin, start) = (passed(), tsc());
        let (cycles, lapic) =
            count_cycles(|cycles| passed().saturating_sub(begin) >= PIT_COUNT || cycles >> 34 != 0);
        let (end, all_cycles) = (passed(), tsc() - start);
        (all_cycles * PIT_HZ / end.saturating_sub(begin).max(1), cycles, lapic)
    } else {
        let hz = kvm_clock_hz().unwrap_or(FALLBACK_HZ);
        let (cycles, lapic) = count_cycles(|cycles| cycles > hz / 100);
        (hz, cycles, lapic)
    };
    let lapic_hz = (u128::from(lapic) * u128::from(tsc_hz) / u128::from(cycles)) as u64;
    TSC_HZ.store(tsc_hz, Relaxed);
    LAPIC_HZ.store(lapic_hz, Relaxed);
}

/// The structure that KVM fills for its paravirtual clock: version, pad, TSC, time, multiplier, shift, flags.
#[repr(C, align(64))]
struct KvmClock([AtomicU32; 8]);

static KVM_CLOCK: KvmClock = KvmClock([const { AtomicU32::new(0) }; 8]);

/// The TSC frequency as KVM states it in its paravirtual clock (which is switched off again).
fn kvm_clock_hz() -> Option<u64> {
    let [_, b, c, d] = ring0::cpuid(0x4000_0000, 0);
    let signature = [b, c, d].map(u32::to_le_bytes);
    if signature.as_flattened() != b"KVMKVMKVM\0\0\0"
        || ring0::cpuid(0x4000_0001, 0)[0] & 1 << 3 == 0
    {
        return None;
    }
    ring0::wrmsr(KVM_SYSTEM_TIME, (&raw const KVM_CLOCK) as u64 | 1).ok()?;
    let (multiplier, shift) = (KVM_CLOCK.0[6].load(SeqCst), KVM_CLOCK.0[7].load(SeqCst) as i8);
    ring0::wrmsr(KVM_SYSTEM_TIME, 0).ok()?;
    // Nanoseconds are (cycles << shift) * multiplier >> 32.
    let hz = (1_000_000_000u128 << 32) / u128::from(multiplier.max(1));
    let hz = if shift < 0 { hz << -shift } else { hz >> shift };
    (multiplier != 0).then_some(hz as u64)
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

/// Stops the periodic `tick` interrupt.
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
