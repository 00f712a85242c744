//! How far the host's local time is ahead of UTC.
#![allow(unsafe_code)] // localtime_r(3); the time zone's rules are in the C library.

use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC on the host.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs() as i64)
}

/// Seconds that local time is ahead of UTC now.
pub(crate) fn offset() -> i64 {
    let now: libc::time_t = now();
    let mut local = MaybeUninit::uninit();
    // SAFETY: both pointers are valid; the result is either `local`, filled in, or null.
    let filled = unsafe { !libc::localtime_r(&now, local.as_mut_ptr()).is_null() };
    // SAFETY: just filled in.
    if filled { unsafe { local.assume_init() }.tm_gmtoff } else { 0 }
}
