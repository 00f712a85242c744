//! The UART: the PC16550D (National Semiconductor, June 1995; section numbers are that document's)
//! between the bus, an interrupt line, a clock and a character device.
//!
//! Bytes to the character device leave at once, as far as it takes them; while it does not, they
//! wait in the transmitter's FIFO and the line status says so, so a guest that polls or waits for
//! the interrupt loses nothing. The divisor only times the receiver's FIFO time-out. A break that
//! the guest sends stays on the wire: no character device carries one.
//!
//! One lock guards the registers. It is taken by vCPU threads (register accesses), the loop of the
//! character device (input, room for output) and the clock (time-out). The character device is
//! written with it held: its own lock comes after this one.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::{Arc, Weak};

use super::registers::{Registers, iir};
use crate::chardev::{Attachment, CharEvent, Frontend};
use crate::clock::Timer;
use crate::interrupt::IrqLine;
use crate::memory::{Action, Region};
use crate::object::Platform;
use crate::request::{Request, RequestSink, WakeupReason};
use crate::trace;
use crate::trace::points::{SERIAL_READ, SERIAL_WRITE};

/// A UART with its interrupt line and, once connected, a character device.
pub struct Uart {
    state: Mutex<State>,
    line: IrqLine,
    timer: Timer,
    baudbase: u32,
    /// Where input wakes a suspended machine.
    wakeup: Option<RequestSink>,
    output: Mutex<Option<Arc<Attachment>>>,
}

struct State {
    registers: Registers,
    /// When the receiver's FIFO has waited long enough, by the timer's clock.
    timeout_at: Option<u64>,
}

impl Uart {
    /// A UART in its reset state; `baudbase` is its bit rate with a divisor of 1. With `wakeup`
    /// any input wakes a suspended machine.
    pub fn new(line: IrqLine, platform: &Platform, baudbase: u32, wakeup: bool) -> Arc<Self> {
        Arc::new_cyclic(|own: &Weak<Self>| {
            let own = own.clone();
            let expired = move || {
                if let Some(uart) = own.upgrade() {
                    uart.time_out();
                }
            };
            Self {
                state: Mutex::new(
                    Rank::Device,
                    State { registers: Registers::fresh(), timeout_at: None },
                ),
                line,
                timer: platform.virtual_clock.timer(expired),
                baudbase,
                wakeup: wakeup.then(|| platform.requests.clone()),
                output: Mutex::new(Rank::Attachment, Default::default()),
            }
        })
    }

    /// Connects the line to a character device.
    pub fn connect(&self, attachment: Attachment) {
        *self.output.lock() = Some(Arc::new(attachment));
    }

    /// Lets go of the character device.
    pub fn disconnect(&self) {
        *self.output.lock() = None;
    }

    /// Back to the state after power-on.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.registers = Registers::fresh();
        self.settle(&mut state);
        drop(state);
        self.accept_input();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn output(&self) -> Option<Arc<Attachment>> {
        self.output.lock().clone()
    }

    /// Drives the interrupt line and the time-out by what the registers say.
    fn settle(&self, state: &mut State) {
        if !state.registers.awaits_timeout() {
            if state.timeout_at.take().is_some() {
                self.timer.cancel();
            }
        } else if state.timeout_at.is_none() {
            let delay = state.registers.timeout(self.baudbase);
            let deadline = self.timer.clock().now().saturating_add(delay);
            state.timeout_at = Some(deadline);
            self.timer.set(deadline);
        }
        self.line.set(state.registers.pending() != iir::NONE);
    }

    /// As [`Self::settle`] after the receiver's FIFO was touched: its time-out begins anew.
    fn settle_received(&self, state: &mut State) {
        state.timeout_at = None;
        if !state.registers.awaits_timeout() {
            self.timer.cancel();
        }
        self.settle(state);
    }

    fn accept_input(&self) {
        if let Some(output) = self.output() {
            output.accept_input();
        }
    }

    fn time_out(&self) {
        let mut state = self.lock();
        // The timer may have been set anew while this call was on its way.
        if state.timeout_at.is_some_and(|at| at <= self.timer.clock().now()) {
            state.registers.timed_out = true;
            self.settle(&mut state);
        }
    }

    /// Sends what waits, as far as the other end takes it.
    fn drain(&self, registers: &mut Registers) {
        let before = registers.sending.len();
        if before == 0 {
            return;
        }
        match self.output() {
            Some(output) => {
                let taken = output.write(registers.sending.make_contiguous());
                registers.sending.drain(..taken.min(before));
            }
            None => registers.sending.clear(),
        }
        registers.empty_pending |= registers.sending.is_empty();
    }

    fn read_data(&self, state: &mut State) -> u8 {
        state.registers.timed_out = false;
        let byte = state.registers.pop();
        self.settle_received(state);
        byte
    }

    fn write_data(&self, state: &mut State, byte: u8) {
        // The interrupt goes away before the next one comes: controllers wait for an edge.
        state.registers.empty_pending = false;
        self.settle(state);
        let registers = &mut state.registers;
        if registers.loops_back() {
            registers.push(byte, false);
            registers.empty_pending = true;
            self.settle_received(state);
            return;
        }
        if registers.sending.len() >= registers.depth() {
            // The guest did not look at the line status: it overwrites its last byte.
            registers.sending.pop_back();
        }
        registers.sending.push_back(byte);
        self.drain(registers);
        self.settle(state);
    }
}

impl Region for Uart {
    fn read(&self, offset: u64, _size: usize) -> u64 {
        let mut state = self.lock();
        let registers = &mut state.registers;
        let dlab = registers.divisor_visible();
        let value = match offset {
            0 if dlab => registers.divisor as u8,
            1 if dlab => (registers.divisor >> 8) as u8,
            0 => {
                let byte = self.read_data(&mut state);
                drop(state);
                trace!(SERIAL_READ, "read addr {offset:#04x} val {byte:#04x}");
                self.accept_input();
                return byte.into();
            }
            1 => registers.ier,
            2 => registers.read_interrupt_identification(),
            3 => registers.lcr,
            4 => registers.mcr,
            5 => {
                let status = registers.line_status();
                registers.errors = 0;
                status
            }
            6 => registers.modem_lines() | std::mem::take(&mut registers.deltas),
            _ => registers.scratch,
        };
        self.settle(&mut state);
        trace!(SERIAL_READ, "read addr {offset:#04x} val {value:#04x}");
        value.into()
    }

    fn write(&self, offset: u64, _size: usize, value: u64) -> Action {
        let value = value as u8;
        trace!(SERIAL_WRITE, "write addr {offset:#04x} val {value:#04x}");
        let mut state = self.lock();
        let registers = &mut state.registers;
        let dlab = registers.divisor_visible();
        // FIFO and modem control may make room for input.
        let makes_room = matches!(offset, 2 | 4);
        match offset {
            0 if dlab => registers.divisor = registers.divisor & 0xff00 | u16::from(value),
            1 if dlab => registers.divisor = registers.divisor & 0xff | u16::from(value) << 8,
            0 => {
                self.write_data(&mut state, value);
                return Action::None;
            }
            1 => registers.set_interrupt_enable(value),
            2 => registers.set_fifo_control(value),
            3 => registers.lcr = value,
            4 => registers.set_modem_control(value),
            7 => registers.scratch = value,
            _ => {} // Line and modem status: written in factory tests only (8.4, 8.8).
        }
        self.settle(&mut state);
        drop(state);
        if makes_room {
            self.accept_input();
        }
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}

impl Frontend for Uart {
    fn can_receive(&self) -> usize {
        let state = self.lock();
        if state.registers.loops_back() { 0 } else { state.registers.room() }
    }

    fn receive(&self, data: &[u8]) {
        if let Some(requests) = &self.wakeup {
            requests.post(Request::Wakeup(WakeupReason::Other));
        }
        let mut state = self.lock();
        data.iter().for_each(|byte| state.registers.push(*byte, false));
        self.settle_received(&mut state);
    }

    fn event(&self, event: CharEvent) {
        let mut state = self.lock();
        if event == CharEvent::Break && !state.registers.loops_back() {
            // A break is a character of zeros with the break bit (8.4).
            state.registers.push(0, true);
            self.settle_received(&mut state);
        }
    }

    fn writable(&self) {
        let mut state = self.lock();
        self.drain(&mut state.registers);
        self.settle(&mut state);
    }
}
