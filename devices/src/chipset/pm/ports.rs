//! The ports of the power management registers. Where no register is, all bits read as 1.

use std::sync::Arc;

use super::registers::{PmRegisters, Register};
use crate::memory::{Action, Region};

/// How many ports configuration register 0x40 places.
pub(super) const SIZE: u64 = 64;
const TIMER: u64 = 8;

/// Status, enable and control of the fixed events, and the timer.
pub(super) struct PmPorts(pub(super) Arc<PmRegisters>);

/// Status and enable of the general-purpose events.
pub(super) struct GpePorts(pub(super) Arc<PmRegisters>);

/// The APM control and status ports.
pub(super) struct ApmPorts(pub(super) Arc<PmRegisters>);

fn fixed(offset: u64) -> Option<Register> {
    match offset {
        0 => Some(Register::Status),
        2 => Some(Register::Enable),
        4 => Some(Register::Control),
        _ => None,
    }
}

fn general(offset: u64) -> Option<Register> {
    match offset {
        0 => Some(Register::GpeStatus),
        2 => Some(Register::GpeEnable),
        _ => None,
    }
}

/// Reads an aligned access to a block of 16-bit registers.
fn read(pm: &PmRegisters, block: fn(u64) -> Option<Register>, offset: u64, size: usize) -> u64 {
    let word = |at: u64| u64::from(block(at).map_or(0xffff, |register| pm.read(register)));
    match size {
        1 => word(offset & !1) >> (8 * (offset & 1)) & 0xff,
        2 => word(offset),
        _ => word(offset) | word(offset + 2) << 16,
    }
}

/// Writes an aligned access to a block of 16-bit registers.
fn write(
    pm: &PmRegisters,
    block: fn(u64) -> Option<Register>,
    offset: u64,
    size: usize,
    value: u64,
) -> Action {
    let mut request = None;
    let mut word = |at: u64, mask: u16, value: u16| {
        if let Some(register) = block(at) {
            request = pm.write(register, mask, value).or(request.take());
        }
    };
    match (size, offset & 1) {
        (1, 0) => word(offset, 0xff, value as u16),
        (1, _) => word(offset - 1, 0xff00, (value as u16) << 8),
        (2, _) => word(offset, 0xffff, value as u16),
        _ => {
            word(offset, 0xffff, value as u16);
            word(offset + 2, 0xffff, (value >> 16) as u16);
        }
    }
    request.map_or(Action::None, Action::Request)
}

impl Region for PmPorts {
    fn read(&self, offset: u64, size: usize) -> u64 {
        if (TIMER..TIMER + 4).contains(&offset) {
            return u64::from(self.0.timer()) >> (8 * (offset - TIMER));
        }
        read(&self.0, fixed, offset, size)
    }

    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        write(&self.0, fixed, offset, size, value)
    }
}

impl Region for GpePorts {
    fn read(&self, offset: u64, size: usize) -> u64 {
        read(&self.0, general, offset, size)
    }

    fn write(&self, offset: u64, size: usize, value: u64) -> Action {
        write(&self.0, general, offset, size, value)
    }
}

impl Region for ApmPorts {
    fn read(&self, offset: u64, _size: usize) -> u64 {
        self.0.apm(offset as usize).into()
    }

    fn write(&self, offset: u64, _size: usize, value: u64) -> Action {
        self.0.set_apm(offset as usize, value as u8);
        Action::None
    }

    fn max_width(&self) -> usize {
        1
    }
}
