//! Mutexes with a rank. A thread takes them in ascending order only, which a debug build checks at
//! every lock; ARCHITECTURE.md has the table.

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

/// Where a lock stands in the order: a thread that holds one may only take those further down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The registers of a device, or the configuration space of a PCI function.
    Device,
    /// What a function's configuration registers drive: interrupt router, power management.
    Chip,
    /// Which function is where on a PCI bus.
    Bus,
    /// The layout of an address space.
    Layout,
    /// The accelerator's memory slots.
    Slots,
    /// An interrupt line.
    Line,
    /// A device's hold on its character device.
    Attachment,
    /// A character device or multiplexer; a multiplexer's port is taken before it, and what it
    /// shares after it.
    Character,
    /// A timer.
    Timer,
    /// The pending timers of a clock.
    Clock,
    /// What an event loop's source wants watched.
    Watch,
    /// An event loop's queue and table.
    Loop,
    /// The descriptor sets.
    Descriptors,
}

impl Rank {
    /// Whether locks of this rank may be taken one below the other.
    #[cfg(debug_assertions)]
    fn nests(self) -> bool {
        self == Self::Character
    }
}

/// A mutex that knows its rank. A panic of its holder has ended the process, so that there is no
/// poisoning to look at.
#[derive(Debug)]
pub struct Mutex<T> {
    #[cfg(debug_assertions)]
    rank: Rank,
    inner: std::sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A mutex of rank `rank` around `value`.
    pub fn new(rank: Rank, value: T) -> Self {
        #[cfg(not(debug_assertions))]
        let _ = rank;
        Self {
            #[cfg(debug_assertions)]
            rank,
            inner: std::sync::Mutex::new(value),
        }
    }

    /// Waits for the lock.
    ///
    /// # Panics
    /// In a debug build, if the thread holds a lock that comes after this one.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        #[cfg(debug_assertions)]
        held::push(self.rank);
        MutexGuard {
            inner: self.inner.lock().unwrap_or_else(PoisonError::into_inner),
            #[cfg(debug_assertions)]
            rank: self.rank,
        }
    }
}

/// The right to a mutex's value.
pub struct MutexGuard<'a, T> {
    inner: std::sync::MutexGuard<'a, T>,
    #[cfg(debug_assertions)]
    rank: Rank,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

#[cfg(debug_assertions)]
impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        held::pop(self.rank);
    }
}

/// In a debug build, panics if the thread holds any ranked lock. To be called before a thread waits
/// for another one.
pub fn assert_none_held() {
    #[cfg(debug_assertions)]
    held::assert_none();
}

/// The ranks that a thread holds.
#[cfg(debug_assertions)]
mod held {
    use std::cell::RefCell;

    use super::Rank;

    thread_local! {
        static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn push(rank: Rank) {
        HELD.with_borrow_mut(|held| {
            if let Some(last) = held.iter().max() {
                let fine = *last < rank || (*last == rank && rank.nests());
                assert!(fine, "lock {rank:?} taken while {last:?} is held");
            }
            held.push(rank);
        });
    }

    pub(super) fn pop(rank: Rank) {
        // A thread that ends drops its locals in any order.
        let _ = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            if let Some(at) = held.iter().rposition(|other| *other == rank) {
                held.remove(at);
            }
        });
    }

    pub(super) fn assert_none() {
        HELD.with_borrow(|held| assert!(held.is_empty(), "waiting while {held:?} is held"));
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_downwards() {
        let (device, line) = (Mutex::new(Rank::Device, 1), Mutex::new(Rank::Line, 2));
        let guard = device.lock();
        assert_eq!(*guard + *line.lock(), 3);
        drop(guard);
        assert_none_held();
    }

    #[test]
    #[should_panic(expected = "lock Device taken while Line is held")]
    fn upwards_is_a_mistake() {
        let (device, line) = (Mutex::new(Rank::Device, ()), Mutex::new(Rank::Line, ()));
        let _line = line.lock();
        let _device = device.lock();
    }

    #[test]
    #[should_panic(expected = "waiting while [Clock] is held")]
    fn waiting_with_a_lock_is_a_mistake() {
        let clock = Mutex::new(Rank::Clock, ());
        let _clock = clock.lock();
        assert_none_held();
    }
}
