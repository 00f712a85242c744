//! State that only the boot processor's ring 3 touches.

use core::cell::UnsafeCell;

/// A static that is not shared: application processors and ring 0 must not use it.
pub struct Single<T>(UnsafeCell<T>);

// SAFETY: used by the boot processor's ring 3 only, which is one thread; interrupt stubs do not touch it.
unsafe impl<T> Sync for Single<T> {}

impl<T> Single<T> {
    /// A single with this value.
    pub const fn new(value: T) -> Self {
        Single(UnsafeCell::new(value))
    }

    /// The value. Callers do not keep the reference across a call that may ask for it again.
    #[allow(clippy::mut_from_ref)]
    pub fn get(&self) -> &mut T {
        // SAFETY: see above.
        unsafe { &mut *self.0.get() }
    }
}
