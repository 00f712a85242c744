//! A vCPU and its thread.
//!
//! The thread owns the KVM vCPU; everything that is done to it is done here, between two runs of
//! the guest. An exit is answered from the published map without any lock but the device's own.
//! What an access asks of the machine as a whole goes to control, and the vCPU waits at the gate,
//! detained, until control has handled it.
#![allow(unsafe_code)] // Signals: one handler that does nothing, one directed kill.

use std::io;
use std::os::raw::{c_int, c_void};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use devices::memory::Dispatch;
use devices::request::Request;
use kvm_ioctls::{VcpuExit, VcpuFd};
use vmm_sys_util::signal::{SIGRTMIN, register_signal_handler};

use crate::gate::{Detention, Gate, Kick, Turn};
use crate::kvm::RunArea;

/// What a vCPU tells control; it is detained until the message is dropped.
pub(crate) struct Report {
    pub(crate) cpu: usize,
    pub(crate) what: Event,
    pub(crate) detention: Detention<Vcpu>,
}

/// Why the guest cannot simply go on.
#[derive(Debug)]
pub(crate) enum Event {
    /// A device asks for a change of the run state.
    Request(Request),
    /// Three faults in a row: a real processor shuts down, and boards reset.
    TripleFault,
    /// KVM cannot execute the guest any further; the text says what it said.
    InternalError(String),
}

/// Where reports go; never blocks.
pub(crate) type Reports = Arc<dyn Fn(Report) + Send + Sync>;

/// What a vCPU thread owns.
pub(crate) struct Vcpu {
    /// Its number, from 0.
    pub(crate) index: usize,
    /// The KVM vCPU.
    pub(crate) fd: VcpuFd,
    area: RunArea,
    gate: Arc<Gate<Vcpu>>,
    dispatch: Dispatch,
    reports: Reports,
}

/// A running vCPU thread.
pub(crate) struct Thread {
    /// The kernel's thread id.
    pub(crate) tid: i32,
    join: JoinHandle<()>,
}

impl Thread {
    /// Waits for the end of the thread, which [`Gate::quit`] brings about.
    pub(crate) fn join(self) {
        // A panic in a thread aborts the process before anyone could join it.
        let _ = self.join.join();
    }
}

impl Vcpu {
    /// A vCPU that will run when the gate opens.
    pub(crate) fn new(
        index: usize,
        mut fd: VcpuFd,
        gate: Arc<Gate<Vcpu>>,
        dispatch: Dispatch,
        reports: Reports,
    ) -> Self {
        let area = RunArea::new(&mut fd);
        Self { index, fd, area, gate, dispatch, reports }
    }

    /// Starts its thread. When this returns it can be kicked, and is waited for by holds.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn spawn(self) -> io::Result<Thread> {
        register_signal_handler(SIGRTMIN(), on_kick)
            .map_err(|error| io::Error::from_raw_os_error(error.errno()))?;
        let (started, starting) = mpsc::sync_channel(1);
        let name = format!("CPU {}/KVM", self.index);
        let join = thread::Builder::new().name(name).spawn(move || {
            self.gate.join(self.index, Box::new(Signal::to_this_thread(self.area)));
            let _ = started.send(rustix::thread::gettid().as_raw_nonzero().get());
            self.run();
        })?;
        let tid = starting.recv().map_err(io::Error::other)?;
        Ok(Thread { tid, join })
    }

    fn run(mut self) {
        loop {
            self.area.set_immediate_exit(false);
            if !self.gate.wants(self.index) {
                self.enter();
                continue;
            }
            self.finish_access();
            match self.gate.pass(self.index) {
                Turn::Run => {}
                Turn::Job(job) => job(&mut self),
                Turn::Quit => {
                    // The kicks stop before the run area goes away with the descriptor.
                    self.gate.leave(self.index);
                    break;
                }
            }
        }
    }

    /// KVM completes the instruction of an I/O exit at the next KVM_RUN: let it, without running
    /// the guest, so that what others read or replace is the state between two instructions. The
    /// instruction may have more to access, to be answered like the first.
    fn finish_access(&mut self) {
        self.area.set_immediate_exit(true);
        while self.enter() {}
        self.area.set_immediate_exit(false);
    }

    /// Runs the guest until its next exit, and answers it. Whether that was an access, which KVM
    /// has still to complete.
    fn enter(&mut self) -> bool {
        let mut access = false;
        let event = match self.fd.run() {
            Ok(VcpuExit::IoOut(port, data)) => {
                access = true;
                let width = self.area.port_width();
                // All parts of a string instruction reach the port; the first request counts.
                let parts = data.chunks(width);
                let write = |first: Option<_>, part| {
                    let request = self.dispatch.write_port(port, part);
                    first.or(request)
                };
                parts.fold(None, write).map(Event::Request)
            }
            Ok(VcpuExit::IoIn(port, data)) => {
                access = true;
                let width = self.area.port_width();
                data.chunks_mut(width).for_each(|part| self.dispatch.read_port(port, part));
                None
            }
            Ok(VcpuExit::MmioWrite(address, data)) => {
                access = true;
                self.dispatch.write_memory(address, data).map(Event::Request)
            }
            Ok(VcpuExit::MmioRead(address, data)) => {
                access = true;
                self.dispatch.read_memory(address, data);
                None
            }
            Ok(VcpuExit::Shutdown) => Some(Event::TripleFault),
            Ok(VcpuExit::InternalError) => {
                let (suberror, data) = self.area.internal_error();
                Some(Event::InternalError(format!("suberror {suberror}, data {data:x?}")))
            }
            Ok(VcpuExit::FailEntry(reason, _)) => {
                Some(Event::InternalError(format!("entry failed, hardware reason {reason:#x}")))
            }
            Ok(VcpuExit::SystemEvent(kvm_bindings::KVM_SYSTEM_EVENT_SHUTDOWN, _)) => {
                Some(Event::Request(Request::Shutdown))
            }
            Ok(VcpuExit::SystemEvent(kvm_bindings::KVM_SYSTEM_EVENT_RESET, _)) => {
                Some(Event::Request(Request::Reset))
            }
            Ok(VcpuExit::Intr | VcpuExit::Hlt | VcpuExit::IrqWindowOpen | VcpuExit::SetTpr) => None,
            Ok(exit) => Some(Event::InternalError(format!("unexpected exit {exit:?}"))),
            Err(error) => match io::Error::from_raw_os_error(error.errno()) {
                // EAGAIN: a vCPU that waits for its start-up IPI was woken.
                e if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                    None
                }
                e => Some(Event::InternalError(format!("KVM_RUN: {e}"))),
            },
        };
        if let Some(what) = event {
            let detention = self.gate.detain(self.index);
            (self.reports)(Report { cpu: self.index, what, detention });
        }
        access
    }
}

extern "C" fn on_kick(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {}

/// Interrupts KVM_RUN of one thread.
struct Signal {
    thread: libc::pthread_t,
    area: RunArea,
}

impl Signal {
    fn to_this_thread(area: RunArea) -> Self {
        // SAFETY: always succeeds.
        Self { thread: unsafe { libc::pthread_self() }, area }
    }
}

impl Kick for Signal {
    fn kick(&self) {
        // In this order: a run that begins now returns at once, one that has begun is interrupted.
        self.area.set_immediate_exit(true);
        // SAFETY: the gate calls this with its lock held and only until the thread leaves, so the
        // thread exists; the signal has a handler.
        unsafe { libc::pthread_kill(self.thread, SIGRTMIN()) };
    }
}
