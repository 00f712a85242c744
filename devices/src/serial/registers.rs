//! The registers of the PC16550D and the two FIFOs (section numbers are the data sheet's).

use std::collections::VecDeque;

use crate::clock::SECOND;

/// Bytes in each FIFO (8.5).
pub(super) const FIFO: usize = 16;

pub(super) mod ier {
    pub(crate) const RECEIVED: u8 = 1;
    pub(crate) const EMPTY: u8 = 2;
    pub(crate) const LINE: u8 = 4;
    pub(crate) const MODEM: u8 = 8;
}
pub(super) mod iir {
    pub(crate) const NONE: u8 = 1;
    pub(crate) const MODEM: u8 = 0;
    pub(crate) const EMPTY: u8 = 2;
    pub(crate) const RECEIVED: u8 = 4;
    pub(crate) const LINE: u8 = 6;
    pub(crate) const TIMEOUT: u8 = 0xc;
    pub(crate) const FIFOS: u8 = 0xc0;
}
pub(super) mod fcr {
    pub(crate) const ENABLE: u8 = 1;
    pub(crate) const CLEAR_RECEIVER: u8 = 2;
    pub(crate) const CLEAR_TRANSMITTER: u8 = 4;
}
pub(super) mod lcr {
    pub(crate) const STOP: u8 = 4;
    pub(crate) const PARITY: u8 = 8;
    pub(crate) const DLAB: u8 = 0x80;
}
pub(super) mod mcr {
    pub(crate) const DTR: u8 = 1;
    pub(crate) const RTS: u8 = 2;
    pub(crate) const OUT1: u8 = 4;
    pub(crate) const OUT2: u8 = 8;
    pub(crate) const LOOP: u8 = 0x10;
    pub(crate) const WRITABLE: u8 = 0x1f;
}
pub(super) mod lsr {
    pub(crate) const READY: u8 = 1;
    pub(crate) const OVERRUN: u8 = 2;
    pub(crate) const BREAK: u8 = 0x10;
    pub(crate) const HOLDING_EMPTY: u8 = 0x20;
    pub(crate) const IDLE: u8 = 0x40;
    pub(crate) const FIFO_ERROR: u8 = 0x80;
}
pub(super) mod msr {
    pub(crate) const CTS: u8 = 0x10;
    pub(crate) const DSR: u8 = 0x20;
    pub(crate) const RI: u8 = 0x40;
    pub(crate) const DCD: u8 = 0x80;
    pub(crate) const RING_ENDED: u8 = 0x04;
}

/// A character with what was wrong with it.
#[derive(Clone, Copy)]
struct Character {
    byte: u8,
    is_break: bool,
}

/// The registers.
pub(super) struct Registers {
    pub(super) divisor: u16,
    pub(super) ier: u8,
    pub(super) fcr: u8,
    pub(super) lcr: u8,
    pub(super) mcr: u8,
    /// Error bits of the line status that the guest has not read; the other bits are computed.
    pub(super) errors: u8,
    /// Delta bits of the modem status.
    pub(super) deltas: u8,
    pub(super) scratch: u8,
    received: VecDeque<Character>,
    pub(super) sending: VecDeque<u8>,
    /// The transmitter ran empty (or the interrupt was enabled while it was) and the guest has not
    /// been told yet.
    pub(super) empty_pending: bool,
    /// The receiver's FIFO was left alone for four characters' time.
    pub(super) timed_out: bool,
}

impl Registers {
    /// After a master reset (8.1), as firmware leaves a PC's port: OUT2 on, 9600 bits per second.
    pub(super) fn fresh() -> Self {
        Self {
            divisor: 12,
            ier: 0,
            fcr: 0,
            lcr: 0,
            mcr: mcr::OUT2,
            errors: 0,
            deltas: 0,
            scratch: 0,
            received: VecDeque::with_capacity(FIFO),
            sending: VecDeque::with_capacity(FIFO),
            empty_pending: false,
            timed_out: false,
        }
    }

    pub(super) fn fifos_enabled(&self) -> bool {
        self.fcr & fcr::ENABLE != 0
    }

    pub(super) fn loops_back(&self) -> bool {
        self.mcr & mcr::LOOP != 0
    }

    pub(super) fn divisor_visible(&self) -> bool {
        self.lcr & lcr::DLAB != 0
    }

    /// Bytes each FIFO holds now.
    pub(super) fn depth(&self) -> usize {
        if self.fifos_enabled() { FIFO } else { 1 }
    }

    /// Bytes the receiver can take without an overrun.
    pub(super) fn room(&self) -> usize {
        self.depth().saturating_sub(self.received.len())
    }

    /// Bytes that make the received-data interrupt (8.5, bits 6 and 7).
    pub(super) fn trigger(&self) -> usize {
        match (self.fifos_enabled(), self.fcr >> 6) {
            (true, 1) => 4,
            (true, 2) => 8,
            (true, 3) => 14,
            _ => 1,
        }
    }

    /// Whether the FIFO's time-out runs: bytes wait, but too few for an interrupt (8.5).
    pub(super) fn awaits_timeout(&self) -> bool {
        !self.timed_out && !self.received.is_empty() && self.received.len() < self.trigger()
    }

    pub(super) fn line_status(&self) -> u8 {
        let ready = if self.received.is_empty() { 0 } else { lsr::READY };
        let room = if self.sending.is_empty() { lsr::HOLDING_EMPTY | lsr::IDLE } else { 0 };
        let broken = self.errors & lsr::BREAK != 0 || self.received.iter().any(|c| c.is_break);
        let marked = if self.fifos_enabled() && broken { lsr::FIFO_ERROR } else { 0 };
        self.errors | ready | room | marked
    }

    /// The inputs from the modem, or in loop-back mode the outputs fed back (8.7).
    pub(super) fn modem_lines(&self) -> u8 {
        if !self.loops_back() {
            return msr::CTS | msr::DSR | msr::DCD;
        }
        let fed = |output, input| if self.mcr & output != 0 { input } else { 0 };
        fed(mcr::RTS, msr::CTS)
            | fed(mcr::DTR, msr::DSR)
            | fed(mcr::OUT1, msr::RI)
            | fed(mcr::OUT2, msr::DCD)
    }

    pub(super) fn set_modem_control(&mut self, value: u8) {
        let before = self.modem_lines();
        self.mcr = value & mcr::WRITABLE;
        let after = self.modem_lines();
        self.deltas |= ((before ^ after) >> 4) & !msr::RING_ENDED;
        if before & !after & msr::RI != 0 {
            self.deltas |= msr::RING_ENDED;
        }
    }

    /// The pending interrupt of the highest priority (8.6, table IV).
    pub(super) fn pending(&self) -> u8 {
        let enabled = |bit| self.ier & bit != 0;
        if enabled(ier::LINE) && self.errors != 0 {
            iir::LINE
        } else if enabled(ier::RECEIVED) && self.received.len() >= self.trigger() {
            iir::RECEIVED
        } else if enabled(ier::RECEIVED) && self.timed_out && !self.received.is_empty() {
            iir::TIMEOUT
        } else if enabled(ier::EMPTY) && self.empty_pending {
            iir::EMPTY
        } else if enabled(ier::MODEM) && self.deltas != 0 {
            iir::MODEM
        } else {
            iir::NONE
        }
    }

    /// Four times the time of one character, in nanoseconds (8.5), at `baudbase` bits per second
    /// with a divisor of 1.
    pub(super) fn timeout(&self, baudbase: u32) -> u64 {
        let set = |bit| u64::from(self.lcr & bit != 0);
        let bits = 1 + 5 + u64::from(self.lcr & 3) + set(lcr::PARITY) + 1 + set(lcr::STOP);
        4 * bits * u64::from(self.divisor.max(1)) * SECOND / u64::from(baudbase.max(1))
    }

    /// A character from the line. Without room it is lost (FIFO) or takes the place of the one
    /// before it (8.4, overrun).
    pub(super) fn push(&mut self, byte: u8, is_break: bool) {
        if self.room() == 0 {
            self.errors |= lsr::OVERRUN;
            if self.fifos_enabled() {
                return;
            }
            self.received.clear();
        }
        self.received.push_back(Character { byte, is_break });
        self.reveal();
    }

    /// Takes the oldest character; 0 if there is none.
    pub(super) fn pop(&mut self) -> u8 {
        let character = self.received.pop_front();
        self.reveal();
        character.map_or(0, |character| character.byte)
    }

    /// A break shows in the line status when its character is the next to be read (8.4).
    fn reveal(&mut self) {
        if let Some(next) = self.received.front_mut()
            && std::mem::take(&mut next.is_break)
        {
            self.errors |= lsr::BREAK;
        }
    }

    pub(super) fn set_fifo_control(&mut self, value: u8) {
        // The other bits are not programmed while bit 0 is 0 (8.5).
        let value = if value & fcr::ENABLE == 0 { 0 } else { value };
        let switched = (self.fcr ^ value) & fcr::ENABLE != 0;
        if switched || value & fcr::CLEAR_RECEIVER != 0 {
            self.received.clear();
            self.timed_out = false;
        }
        if switched || value & fcr::CLEAR_TRANSMITTER != 0 {
            self.sending.clear();
            self.empty_pending = true;
        }
        self.fcr = value & !(fcr::CLEAR_RECEIVER | fcr::CLEAR_TRANSMITTER);
    }

    pub(super) fn set_interrupt_enable(&mut self, value: u8) {
        let enables = value & !self.ier & ier::EMPTY != 0;
        self.ier = value & 0xf;
        if enables && self.sending.is_empty() {
            self.empty_pending = true;
        }
    }

    pub(super) fn read_interrupt_identification(&mut self) -> u8 {
        let pending = self.pending();
        if pending == iir::EMPTY {
            self.empty_pending = false;
        }
        pending | if self.fifos_enabled() { iir::FIFOS } else { 0 }
    }
}
