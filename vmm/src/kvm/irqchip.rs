//! KVM's own interrupt controllers and timer: two PICs, the I/O APIC, the PIT (KVM API 4.24 to
//! 4.32, 4.71 to 4.73). The local APICs are part of each vCPU's state.

use std::sync::Arc;

use devices::interrupt::InterruptSink;
use kvm_bindings::{
    KVM_IRQCHIP_IOAPIC, KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_PIT_SPEAKER_DUMMY,
    kvm_irqchip, kvm_pit_config, kvm_pit_state2,
};
use kvm_ioctls::VmFd;

use super::Problem;

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

/// The controllers, with the state they had when they were made, which is that after a reset.
pub(crate) struct IrqChip {
    vm: Arc<VmFd>,
    fresh: Vec<kvm_irqchip>,
    fresh_pit: kvm_pit_state2,
}

impl IrqChip {
    /// Creates them; must come before any vCPU.
    pub(crate) fn new(vm: Arc<VmFd>) -> Result<Self, Problem> {
        vm.create_irq_chip().map_err(Problem::refused("create its interrupt controllers"))?;
        let config = kvm_pit_config { flags: KVM_PIT_SPEAKER_DUMMY, ..Default::default() };
        vm.create_pit2(config).map_err(Problem::refused("create its timer"))?;
        let read = |chip_id| {
            let mut chip = kvm_irqchip { chip_id, ..Default::default() };
            vm.get_irqchip(&mut chip).map(|()| chip)
        };
        let chips = [KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC];
        let fresh = chips
            .map(read)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(Problem::refused("show its interrupt controllers"))?;
        let fresh_pit = vm.get_pit2().map_err(Problem::refused("show its timer"))?;
        Ok(Self { vm, fresh, fresh_pit })
    }

    /// Back to the state after power-on.
    pub(crate) fn reset(&self) {
        for chip in &self.fresh {
            if let Err(error) = self.vm.set_irqchip(chip) {
                log::error!("reset of interrupt controller {}: {error}", chip.chip_id);
            }
        }
        if let Err(error) = self.vm.set_pit2(&self.fresh_pit) {
            log::error!("reset of the timer: {error}");
        }
    }
}
