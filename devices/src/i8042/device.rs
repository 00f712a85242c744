//! `i8042`: the keyboard controller at its ports.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::sync::Arc;

use super::controller::Controller;
use crate::error::Result;
use crate::interrupt::IrqLine;
use crate::memory::{Action, Region};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::property;
use crate::request::Request;
use crate::trace;
use crate::trace::points;

const DATA: u64 = 0x60;
const COMMAND: u64 = 0x64;

pub(super) static CLASS: Class = Class {
    description: "keyboard controller without keyboard and mouse",
    make: Some(|_| Box::<I8042>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(I8042, "kbd-irq", keyboard_irq: u8, "ISA interrupt of the keyboard"),
        property!(I8042, "mouse-irq", mouse_irq: u8, "ISA interrupt of the mouse"),
    ],
    ..Class::base("i8042", "isa-device")
};

/// The device.
pub struct I8042 {
    keyboard_irq: u8,
    mouse_irq: u8,
    shared: Option<Arc<Shared>>,
}

impl Default for I8042 {
    fn default() -> Self {
        Self { keyboard_irq: 1, mouse_irq: 12, shared: None }
    }
}

impl Object for I8042 {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let shared = Arc::new(Shared {
            controller: Mutex::new(Rank::Device, Controller::fresh()),
            keyboard: context.irq(self.keyboard_irq.into())?,
            mouse: context.irq(self.mouse_irq.into())?,
        });
        context.map_ports("i8042-data", DATA, 1, Arc::new(DataPort(shared.clone())))?;
        context.map_ports("i8042-cmd", COMMAND, 1, Arc::new(CommandPort(shared.clone())))?;
        self.shared = Some(shared);
        Ok(())
    }

    fn reset(&mut self) {
        if let Some(shared) = &self.shared {
            let mut controller = shared.lock();
            *controller = Controller::fresh();
            shared.settle(&controller);
        }
    }
}

/// The registers with their interrupt lines.
struct Shared {
    controller: Mutex<Controller>,
    keyboard: IrqLine,
    mouse: IrqLine,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Controller> {
        self.controller.lock()
    }

    fn settle(&self, controller: &Controller) {
        let (keyboard, mouse) = controller.interrupts();
        self.keyboard.set(keyboard);
        self.mouse.set(mouse);
    }

    fn change<R>(&self, change: impl FnOnce(&mut Controller) -> R) -> R {
        let mut controller = self.lock();
        let result = change(&mut controller);
        self.settle(&controller);
        result
    }
}

fn action(request: Option<Request>) -> Action {
    request.map_or(Action::None, Action::Request)
}

struct DataPort(Arc<Shared>);

impl Region for DataPort {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        let value = self.0.change(Controller::read_data);
        trace!(points::PCKBD_READ_DATA, "{value:#04x}");
        value.into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        trace!(points::PCKBD_WRITE_DATA, "{value:#04x}");
        action(self.0.change(|controller| controller.write_data(value as u8)))
    }

    fn max_width(&self) -> usize {
        1
    }
}

struct CommandPort(Arc<Shared>);

impl Region for CommandPort {
    fn read(&self, _offset: u64, _size: usize) -> u64 {
        let value = self.0.lock().status();
        trace!(points::PCKBD_READ_STATUS, "{value:#04x}");
        value.into()
    }

    fn write(&self, _offset: u64, _size: usize, value: u64) -> Action {
        trace!(points::PCKBD_WRITE_COMMAND, "{value:#04x}");
        action(self.0.change(|controller| controller.command(value as u8)))
    }

    fn max_width(&self) -> usize {
        1
    }
}
