//! KVM's own interrupt controllers and timer: two PICs, the I/O APIC, the PIT (KVM API 4.24 to
//! 4.32, 4.71 to 4.73), as objects of the tree. The local APICs are part of each vCPU's state.

use std::sync::Arc;

use devices::error::{Error, Result};
use devices::interrupt::InterruptSink;
use devices::object::{BusKind, Class, Object, PlugContext, Property, downcast, downcast_mut};
use kvm_bindings::{
    KVM_IRQCHIP_IOAPIC, KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, kvm_irqchip, kvm_pit_state2,
};
use kvm_ioctls::VmFd;
use qapi::Value;

static PIC: Class = Class { bus: Some(BusKind::System), ..Class::owned("kvm-i8259", "device") };
static IOAPIC: Class = Class { bus: Some(BusKind::System), ..Class::owned("kvm-ioapic", "device") };
static PIT: Class = Class {
    bus: Some(BusKind::System),
    properties: &[Property {
        name: "lost_tick_policy",
        kind: "LostTickPolicy",
        description: "",
        default: |_| Some("delay".into()),
        get: Some(|object, _| Ok(downcast::<Timer>(object).lost_ticks.as_str().into())),
        set: Some(|object, name, value| {
            downcast_mut::<Timer>(object).lost_ticks = LostTicks::from_value(name, &value)?;
            Ok(())
        }),
        live: false,
    }],
    ..Class::owned("kvm-pit", "device")
};

/// The classes of this file. Their objects exist once for each machine and are not made by name.
pub(crate) static CLASSES: &[&Class] = &[&PIC, &IOAPIC, &PIT];

/// The input pins of the in-kernel controllers.
pub(crate) struct KvmLines(pub(crate) Arc<VmFd>);

impl InterruptSink for KvmLines {
    fn set(&self, gsi: u32, high: bool) {
        // Only a pin that does not exist is refused, and `Interrupts` has no more than there are.
        if let Err(error) = self.0.set_irq_line(gsi, high) {
            log::error!("interrupt line {gsi}: {error}");
        }
    }
}

/// The controllers of a machine that has not run yet, with their classes.
///
/// # Errors
/// KVM does not show their state.
pub(crate) fn controllers(vm: &Arc<VmFd>) -> Result<Vec<(&'static Class, Box<dyn Object>)>> {
    let chips = |ids: &[u32]| -> Result<Box<dyn Object>> {
        let fresh = ids.iter().map(|id| read(vm, *id)).collect::<Result<_>>()?;
        Ok(Box::new(Chips { vm: vm.clone(), fresh }))
    };
    let pit = vm.get_pit2().map_err(|error| Error::io("KVM's timer", error_of(error)))?;
    Ok(vec![
        (&PIC, chips(&[KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE])?),
        (&IOAPIC, chips(&[KVM_IRQCHIP_IOAPIC])?),
        (&PIT, Box::new(Timer { vm: vm.clone(), fresh: pit, lost_ticks: LostTicks::Delay })),
    ])
}

fn read(vm: &VmFd, chip_id: u32) -> Result<kvm_irqchip> {
    let mut chip = kvm_irqchip { chip_id, ..Default::default() };
    vm.get_irqchip(&mut chip)
        .map_err(|error| Error::io("KVM's interrupt controllers", error_of(error)))?;
    Ok(chip)
}

fn error_of(error: kvm_ioctls::Error) -> std::io::Error {
    std::io::Error::from_raw_os_error(error.errno())
}

/// One or two interrupt controllers, with the state they have after power-on.
struct Chips {
    vm: Arc<VmFd>,
    fresh: Vec<kvm_irqchip>,
}

impl Object for Chips {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        Ok(())
    }

    fn reset(&mut self) {
        for chip in &self.fresh {
            if let Err(error) = self.vm.set_irqchip(chip) {
                log::error!("reset of interrupt controller {}: {error}", chip.chip_id);
            }
        }
    }
}

/// What becomes of ticks that came while the guest did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LostTicks {
    /// They are dropped.
    Discard,
    /// They come later, one after the other.
    Delay,
    /// They come faster. KVM's timer cannot do that.
    Slew,
}

impl LostTicks {
    fn as_str(self) -> &'static str {
        match self {
            Self::Discard => "discard",
            Self::Delay => "delay",
            Self::Slew => "slew",
        }
    }

    fn from_value(name: &str, value: &Value) -> Result<Self> {
        let text = value.as_str().unwrap_or_default();
        let known = [Self::Discard, Self::Delay, Self::Slew];
        known.into_iter().find(|policy| policy.as_str() == text).ok_or_else(|| {
            Error::message(format!("Parameter '{name}' does not accept value '{text}'"))
        })
    }
}

/// The timer, likewise.
struct Timer {
    vm: Arc<VmFd>,
    fresh: kvm_pit_state2,
    lost_ticks: LostTicks,
}

impl Object for Timer {
    fn realize(&mut self, _context: &mut PlugContext<'_>) -> Result<()> {
        match self.lost_ticks {
            // As KVM begins.
            LostTicks::Delay => Ok(()),
            LostTicks::Discard => super::extra::discard_lost_ticks(&self.vm)
                .map_err(|error| Error::io("KVM's timer does not discard lost ticks", error)),
            LostTicks::Slew => Err(Error::message("Lost tick policy not supported.")),
        }
    }

    fn reset(&mut self) {
        if let Err(error) = self.vm.set_pit2(&self.fresh) {
            log::error!("reset of the timer: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_one_of_three_words() {
        for policy in [LostTicks::Discard, LostTicks::Delay, LostTicks::Slew] {
            assert_eq!(LostTicks::from_value("x", &policy.as_str().into()).unwrap(), policy);
        }
        let error = LostTicks::from_value("x", &"merge".into()).unwrap_err().to_string();
        assert_eq!(error, "Parameter 'x' does not accept value 'merge'");
    }
}
