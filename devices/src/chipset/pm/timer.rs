//! The power management timer (ACPI 6 section 4.8.3.3): a free-running 24-bit counter. Its status
//! bit is set whenever bit 23 changes.

use crate::clock::SECOND;

/// Counts per second.
const FREQUENCY: u64 = 3_579_545;
/// Counts between two changes of bit 23.
const HALF: u64 = 1 << 23;
const MASK: u64 = (1 << 24) - 1;

/// Counts since the clock was at 0.
pub(super) fn ticks(nanoseconds: u64) -> u64 {
    (u128::from(nanoseconds) * u128::from(FREQUENCY) / u128::from(SECOND)) as u64
}

/// The first nanosecond with this count.
pub(super) fn nanoseconds(ticks: u64) -> u64 {
    let time = (u128::from(ticks) * u128::from(SECOND)).div_ceil(u128::from(FREQUENCY));
    u64::try_from(time).unwrap_or(u64::MAX)
}

/// The count at which bit 23 changes next after `ticks`.
pub(super) fn next_change(ticks: u64) -> u64 {
    (ticks / HALF + 1) * HALF
}

/// What the register shows.
pub(super) fn shown(ticks: u64) -> u32 {
    (ticks & MASK) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_3_579545_mhz() {
        assert_eq!((ticks(0), ticks(SECOND), ticks(279)), (0, FREQUENCY, 0));
        assert_eq!((ticks(280), ticks(10 * SECOND)), (1, 10 * FREQUENCY));
        assert_eq!(shown(ticks(5 * SECOND)), (5 * FREQUENCY - (1 << 24)) as u32);
        for count in [1, 2, HALF, 3 * HALF, 1 << 40] {
            let at = nanoseconds(count);
            assert_eq!((ticks(at), ticks(at - 1)), (count, count - 1));
        }
    }

    #[test]
    fn bit_23_changes_every_half_period() {
        assert_eq!(
            (next_change(0), next_change(HALF - 1), next_change(HALF)),
            (HALF, HALF, 2 * HALF)
        );
    }
}
