//! The memory pattern: the 64-bit little-endian word at address `a` is `splitmix64(seed ^ a)`.

use crate::hardware::{read64, write64};

/// One output of SplitMix64 for the state `x`.
pub fn splitmix64(x: u64) -> u64 {
    let z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Fills the range; both numbers are multiples of 8.
pub fn write(address: u64, length: u64, seed: u64) {
    for at in (address..address + length).step_by(8) {
        write64(at, splitmix64(seed ^ at));
    }
}

/// The first word that differs: address, expected, found.
pub fn verify(address: u64, length: u64, seed: u64) -> Option<(u64, u64, u64)> {
    (address..address + length)
        .step_by(8)
        .map(|at| (at, splitmix64(seed ^ at), read64(at)))
        .find(|(_, expected, found)| expected != found)
}

/// FNV-1a over 64-bit little-endian words.
pub fn checksum(address: u64, length: u64) -> u64 {
    (address..address + length)
        .step_by(8)
        .fold(0xcbf2_9ce4_8422_2325, |hash, at| (hash ^ read64(at)).wrapping_mul(0x0100_0000_01b3))
}
