//! `isa-serial`: a UART at a COM port's place, in front of a character device.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::property;

use super::Uart;

/// I/O port and interrupt of COM1 to COM4.
const PORTS: [(u32, u32); 4] = [(0x3f8, 4), (0x2f8, 3), (0x3e8, 4), (0x2e8, 3)];
/// The value of `index`, `iobase` and `irq` that leaves the choice to us.
const UNSET: u32 = u32::MAX;

pub(super) static CLASS: Class = Class {
    description: "a 16550A serial port",
    make: Some(|_| Box::<IsaSerial>::default()),
    user_creatable: true,
    bus: Some(BusKind::Isa),
    properties: &[
        property!(IsaSerial, "index", index: u32, "number of the port, 0 for COM1"),
        property!(IsaSerial, "iobase", iobase: u32, "first of eight I/O ports"),
        property!(IsaSerial, "irq", irq: u32, "ISA interrupt"),
        property!(IsaSerial, "chardev", chardev: Option<String>, "ID of a chardev to use as a backend"),
        property!(IsaSerial, "baudbase", baudbase: u32, "bits per second with a divisor of 1"),
        property!(IsaSerial, "wakeup", wakeup: bool, "whether input wakes a suspended machine"),
    ],
    ..Class::base("isa-serial", "isa-device")
};

/// The device.
pub struct IsaSerial {
    index: u32,
    iobase: u32,
    irq: u32,
    chardev: Option<String>,
    baudbase: u32,
    wakeup: bool,
    uart: Option<Arc<Uart>>,
}

impl Default for IsaSerial {
    fn default() -> Self {
        Self {
            index: UNSET,
            iobase: UNSET,
            irq: UNSET,
            chardev: None,
            baudbase: 115_200,
            wakeup: false,
            uart: None,
        }
    }
}

impl IsaSerial {
    /// Number of the port (0 for COM1), first I/O port, and interrupt.
    pub fn place(&self) -> (u32, u32, u32) {
        (self.index, self.iobase, self.irq)
    }

    /// Fills in what the user left open.
    fn choose_place(&mut self, context: &PlugContext<'_>) -> Result<()> {
        if self.index == UNSET {
            let others = context.tree.objects::<Self>();
            let taken = |index: &u32| others.iter().any(|(_, other)| other.index == *index);
            self.index = (0..).find(|index| !taken(index)).expect("endless");
        }
        let Some(&(port, irq)) = PORTS.get(self.index as usize) else {
            return Err(Error::message(format!(
                "Max. supported number of ISA serial ports is {}.",
                PORTS.len()
            )));
        };
        if self.iobase == UNSET {
            self.iobase = port;
        }
        if self.irq == UNSET {
            self.irq = irq;
        }
        if self.baudbase == 0 {
            return Err(Error::message("Parameter 'baudbase' expects a value other than 0"));
        }
        Ok(())
    }
}

impl Object for IsaSerial {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        self.choose_place(context)?;
        let line = context.irq(self.irq)?;
        let uart = Uart::new(line, context.platform, self.baudbase, self.wakeup);
        if let Some(label) = &self.chardev {
            let attachment = context.chardev(label, uart.clone())?;
            uart.connect(attachment);
            // The attachment keeps the UART, and the UART the attachment.
            context.keep(Connected(uart.clone()));
        }
        context.map_ports("serial", self.iobase.into(), 8, uart.clone())?;
        self.uart = Some(uart);
        Ok(())
    }

    fn reset(&mut self) {
        if let Some(uart) = &self.uart {
            uart.reset();
        }
    }
}

/// Breaks the circle between UART and character device when the port goes.
struct Connected(Arc<Uart>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}
