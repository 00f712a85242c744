//! What `kvm-ioctls` does not offer: the parts of the shared run area that another thread or a
//! string instruction needs, and what becomes of the timer's lost ticks.
#![allow(unsafe_code)] // The run area is memory shared with the kernel; one call of its own.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

use kvm_bindings::{KVMIO, kvm_reinject_control, kvm_run};
use kvm_ioctls::{VcpuFd, VmFd};
use vmm_sys_util::ioctl::ioctl_with_ref;
use vmm_sys_util::ioctl_io_nr;

ioctl_io_nr!(KVM_REINJECT_CONTROL, KVMIO, 0x71);

/// Ticks of KVM's timer that the guest was not there to take are not made up for (KVM API,
/// KVM_REINJECT_CONTROL).
///
/// # Errors
/// The machine has no timer of KVM's.
pub(crate) fn discard_lost_ticks(vm: &VmFd) -> std::io::Result<()> {
    let control = kvm_reinject_control { pit_reinject: 0, ..Default::default() };
    // SAFETY: the kernel reads the structure, which is of the type that this call takes.
    match unsafe { ioctl_with_ref(vm, KVM_REINJECT_CONTROL(), &control) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// The area that a vCPU shares with the kernel (`struct kvm_run`, KVM API section 5).
///
/// It is mapped as long as the `VcpuFd` it came from exists. The vCPU's thread owns both and takes
/// its own copy out of the gate before it drops the descriptor.
#[derive(Clone, Copy)]
pub(crate) struct RunArea(NonNull<kvm_run>);

// SAFETY: the methods only make single-byte accesses, atomically where threads may race.
unsafe impl Send for RunArea {}

impl RunArea {
    /// The run area of `fd`.
    pub(crate) fn new(fd: &mut VcpuFd) -> Self {
        Self(NonNull::from(fd.get_kvm_run()))
    }

    /// Makes the vCPU's next (or current, with a signal) KVM_RUN return without running the guest.
    pub(crate) fn set_immediate_exit(&self, on: bool) {
        // SAFETY: the area is mapped (see the type); the byte is accessed by atomics only on our
        // side and read as a single byte by the kernel.
        let byte = unsafe { AtomicU8::from_ptr(&raw mut (*self.0.as_ptr()).immediate_exit) };
        byte.store(u8::from(on), Ordering::SeqCst);
    }

    /// After a port exit: the bytes of one access (1, 2 or 4). A string instruction's exit carries
    /// several.
    pub(crate) fn port_width(&self) -> usize {
        // SAFETY: the area is mapped, only this thread runs the vCPU, and after KVM_EXIT_IO the
        // kernel has filled in the `io` member of the union.
        let width = unsafe { (*self.0.as_ptr()).__bindgen_anon_1.io.size };
        usize::from(width).max(1)
    }

    /// After an internal error: the suberror and its data words.
    pub(crate) fn internal_error(&self) -> (u32, Vec<u64>) {
        // SAFETY: as above, for KVM_EXIT_INTERNAL_ERROR and its `internal` member.
        let internal = unsafe { (*self.0.as_ptr()).__bindgen_anon_1.internal };
        let count = (internal.ndata as usize).min(internal.data.len());
        (internal.suberror, internal.data[..count].to_vec())
    }
}
