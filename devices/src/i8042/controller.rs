//! The controller's registers.

use crate::limited;
use crate::request::Request;
use crate::trace::UNIMPLEMENTED;

/// Status register, port 0x64.
mod status {
    pub(super) const OUTPUT_FULL: u8 = 0x01;
    pub(super) const SYSTEM: u8 = 0x04;
    pub(super) const COMMAND: u8 = 0x08;
    pub(super) const UNLOCKED: u8 = 0x10;
    pub(super) const FROM_MOUSE: u8 = 0x20;
    pub(super) const TIMEOUT: u8 = 0x40;
}
/// The command byte.
mod mode {
    pub(super) const KEYBOARD_INTERRUPT: u8 = 0x01;
    pub(super) const MOUSE_INTERRUPT: u8 = 0x02;
    pub(super) const SYSTEM: u8 = 0x04;
    pub(super) const KEYBOARD_OFF: u8 = 0x10;
    pub(super) const MOUSE_OFF: u8 = 0x20;
}
/// The output port.
mod outputs {
    /// Low resets the machine.
    pub(super) const RUN: u8 = 0x01;
    pub(super) const A20: u8 = 0x02;
    pub(super) const KEYBOARD_FULL: u8 = 0x10;
    pub(super) const MOUSE_FULL: u8 = 0x20;
}
/// Commands written to port 0x64.
mod command {
    pub(super) const READ_MODE: u8 = 0x20;
    pub(super) const WRITE_MODE: u8 = 0x60;
    pub(super) const MOUSE_OFF: u8 = 0xa7;
    pub(super) const MOUSE_ON: u8 = 0xa8;
    pub(super) const TEST_MOUSE: u8 = 0xa9;
    pub(super) const SELF_TEST: u8 = 0xaa;
    pub(super) const TEST_KEYBOARD: u8 = 0xab;
    pub(super) const KEYBOARD_OFF: u8 = 0xad;
    pub(super) const KEYBOARD_ON: u8 = 0xae;
    pub(super) const READ_INPUTS: u8 = 0xc0;
    pub(super) const READ_OUTPUTS: u8 = 0xd0;
    pub(super) const WRITE_OUTPUTS: u8 = 0xd1;
    pub(super) const KEYBOARD_ECHO: u8 = 0xd2;
    pub(super) const MOUSE_ECHO: u8 = 0xd3;
    pub(super) const TO_MOUSE: u8 = 0xd4;
    pub(super) const A20_OFF: u8 = 0xdd;
    pub(super) const A20_ON: u8 = 0xdf;
    /// From here on the low four bits name output lines: 0 pulses one low.
    pub(super) const PULSE: u8 = 0xf0;
}

/// Self test passed.
const PASSED: u8 = 0x55;
/// Input port: the keyboard is not locked.
const INPUTS: u8 = 0x80;
/// What the controller answers for a device that does not: "resend", with the time-out bit.
const NO_ANSWER: u8 = 0xfe;

/// Who a byte in the output buffer is from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Keyboard,
    Mouse,
}

/// The registers. Everything is done at once, so the input buffer is never full.
pub(super) struct Controller {
    mode: u8,
    outputs: u8,
    system: bool,
    /// The last write was to the command port.
    last_was_command: bool,
    /// The command that waits for its data byte.
    awaits_data: Option<u8>,
    data: u8,
    full: Option<Origin>,
    timeout: bool,
}

impl Controller {
    pub(super) fn fresh() -> Self {
        Self {
            mode: mode::KEYBOARD_INTERRUPT | mode::MOUSE_INTERRUPT,
            outputs: 0xcf,
            system: false,
            last_was_command: true,
            awaits_data: None,
            data: 0,
            full: None,
            timeout: false,
        }
    }

    /// The level of the keyboard's and of the mouse's interrupt.
    pub(super) fn interrupts(&self) -> (bool, bool) {
        (
            self.full == Some(Origin::Keyboard) && self.mode & mode::KEYBOARD_INTERRUPT != 0,
            self.full == Some(Origin::Mouse) && self.mode & mode::MOUSE_INTERRUPT != 0,
        )
    }

    pub(super) fn status(&self) -> u8 {
        let bit = |set, bit| if set { bit } else { 0 };
        status::UNLOCKED
            | bit(self.full.is_some(), status::OUTPUT_FULL)
            | bit(self.full == Some(Origin::Mouse), status::FROM_MOUSE)
            | bit(self.system, status::SYSTEM)
            | bit(self.last_was_command, status::COMMAND)
            | bit(self.timeout, status::TIMEOUT)
    }

    pub(super) fn read_data(&mut self) -> u8 {
        self.full = None;
        self.timeout = false;
        self.data
    }

    /// A byte written to port 0x64.
    pub(super) fn command(&mut self, value: u8) -> Option<Request> {
        self.last_was_command = true;
        self.awaits_data = None;
        match value {
            command::READ_MODE => self.answer(self.mode),
            command::MOUSE_OFF => self.mode |= mode::MOUSE_OFF,
            command::MOUSE_ON => self.mode &= !mode::MOUSE_OFF,
            command::KEYBOARD_OFF => self.mode |= mode::KEYBOARD_OFF,
            command::KEYBOARD_ON => self.mode &= !mode::KEYBOARD_OFF,
            command::TEST_MOUSE | command::TEST_KEYBOARD => self.answer(0),
            command::SELF_TEST => {
                self.system = true;
                self.answer(PASSED);
            }
            command::READ_INPUTS => self.answer(INPUTS),
            command::READ_OUTPUTS => self.answer(self.output_port()),
            command::A20_OFF => self.outputs &= !outputs::A20,
            command::A20_ON => self.outputs |= outputs::A20,
            command::WRITE_MODE
            | command::WRITE_OUTPUTS
            | command::KEYBOARD_ECHO
            | command::MOUSE_ECHO
            | command::TO_MOUSE => self.awaits_data = Some(value),
            command::PULSE.. if value & outputs::RUN == 0 => return Some(Request::Reset),
            // The other outputs that it pulses lead nowhere.
            command::PULSE.. => {}
            // The rest is diagnostics of the controller's own memory.
            _ => limited!(UNIMPLEMENTED, "i8042: unsupported command {value:#04x}"),
        }
        None
    }

    /// A byte written to port 0x60.
    pub(super) fn write_data(&mut self, value: u8) -> Option<Request> {
        self.last_was_command = false;
        match self.awaits_data.take() {
            Some(command::WRITE_MODE) => {
                self.mode = value;
                self.system = value & mode::SYSTEM != 0;
            }
            Some(command::WRITE_OUTPUTS) => {
                self.outputs = value;
                if value & outputs::RUN == 0 {
                    return Some(Request::Reset);
                }
            }
            Some(command::KEYBOARD_ECHO) => self.put(value, Origin::Keyboard),
            Some(command::MOUSE_ECHO) => self.put(value, Origin::Mouse),
            Some(_) => self.not_there(Origin::Mouse),
            None => {
                // Speaking to the keyboard switches its interface on.
                self.mode &= !mode::KEYBOARD_OFF;
                self.not_there(Origin::Keyboard);
            }
        }
        None
    }

    fn output_port(&self) -> u8 {
        let full = match self.full {
            Some(Origin::Keyboard) => outputs::KEYBOARD_FULL,
            Some(Origin::Mouse) => outputs::MOUSE_FULL,
            None => 0,
        };
        self.outputs & !(outputs::KEYBOARD_FULL | outputs::MOUSE_FULL) | full
    }

    /// The controller's own answers come the keyboard's way.
    fn answer(&mut self, value: u8) {
        self.put(value, Origin::Keyboard);
    }

    fn not_there(&mut self, device: Origin) {
        self.put(NO_ANSWER, device);
        self.timeout = true;
    }

    fn put(&mut self, value: u8, from: Origin) {
        self.data = value;
        self.full = Some(from);
        self.timeout = false;
    }
}
