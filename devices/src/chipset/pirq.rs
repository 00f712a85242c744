//! The PCI interrupt router of the PIIX3 (datasheet 290550, section 2.2.10): four inputs PIRQA#
//! to PIRQD#, each led to one of the ISA interrupts or to none.
//!
//! One lock orders changes of inputs and routes; it is held while interrupt lines are driven.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::ops::Range;

use crate::interrupt::{Interrupts, IrqLine};
use crate::memory::Edit;
use crate::pci::{ConfigSpace, Effects, IntxRouter};

/// The first of the four route registers.
pub(super) const PIRQRC: u8 = 0x60;
const INPUTS: u8 = 4;
/// The value of a route that leads nowhere.
pub(super) const DISABLED: u8 = 0x80;

pub(super) struct PirqRouter {
    interrupts: Interrupts,
    inputs: Mutex<[Input; INPUTS as usize]>,
}

struct Input {
    /// How many pins hold it asserted.
    holders: u32,
    route: u8,
    line: Option<IrqLine>,
}

impl PirqRouter {
    pub(super) fn new(interrupts: Interrupts) -> Self {
        let input = || Input { holders: 0, route: DISABLED, line: None };
        Self { interrupts, inputs: Mutex::new(Rank::Chip, std::array::from_fn(|_| input())) }
    }

    fn lock(&self) -> MutexGuard<'_, [Input; INPUTS as usize]> {
        self.inputs.lock()
    }
}

impl IntxRouter for PirqRouter {
    fn set(&self, devfn: u8, pin: u8, high: bool) {
        // The board rotates the pins of neighbouring slots; slot 1 has its INTA# on PIRQA#.
        let number = (devfn >> 3).wrapping_add(3).wrapping_add(pin) & 3;
        let input = &mut self.lock()[usize::from(number)];
        let change = if high { input.holders.checked_add(1) } else { input.holders.checked_sub(1) };
        input.holders = change.unwrap_or(input.holders);
        if let Some(line) = &input.line {
            line.set(input.holders > 0);
        }
    }
}

impl Effects for PirqRouter {
    fn written(&self, config: &mut ConfigSpace, touched: Range<usize>) -> Vec<Edit> {
        if touched.start >= (PIRQRC + INPUTS).into() || touched.end <= PIRQRC.into() {
            return Vec::new();
        }
        for (offset, input) in (PIRQRC..).zip(self.lock().iter_mut()) {
            let route = config.u8(offset);
            if std::mem::replace(&mut input.route, route) == route {
                continue;
            }
            // The old line goes low before the new one rises.
            input.line = None;
            input.line = (route < 16).then(|| self.interrupts.source(route.into())).flatten();
            if let Some(line) = &input.line {
                line.set(input.holders > 0);
            }
        }
        Vec::new()
    }
}
