//! What a type of machine adds to its devices: how the guest starts, and where the buttons are.

use arch::boot::{self, Boot, Entry, Registers};
use devices::chipset::{I440fx, PowerManagement};
use devices::limited;
use devices::object::{Platform, Tree};
use devices::request::WakeupReason;
use devices::trace::GUEST_ERRORS;
use vm_memory::GuestAddressSpace;

/// How the guest starts.
pub(crate) enum Start {
    /// There is nothing to start.
    Nothing,
    /// At the reset vector, in a firmware ROM.
    Firmware,
    /// At a kernel's entry point, with everything a firmware would have done before.
    Kernel {
        /// What is loaded.
        boot: Box<Boot>,
        /// Where the guest writes its waking vector to.
        facs: u64,
    },
}

/// The board.
pub(crate) struct Board {
    /// How it starts the guest.
    pub(crate) start: Start,
    /// The drives to try after the first reset, where `-boot once=` named others for the start.
    pub(crate) order_after_reset: Option<String>,
}

impl Board {
    /// Loads what the guest starts with, after a reset; or, `waking` from S3, only finds where it
    /// goes on. Returns the state of the first CPU, if that is not the reset state.
    pub(crate) fn load(&self, tree: &Tree, platform: &Platform, waking: bool) -> Option<Registers> {
        let Start::Kernel { boot, facs } = &self.start else { return None };
        act_as_firmware(tree);
        let ram = platform.ram.memory();
        if waking {
            let entry = boot::waking_vector(&*ram, *facs);
            if entry.is_none() {
                limited!(GUEST_ERRORS, "the guest left no waking vector: starting it anew");
            }
            return entry.or_else(|| write(boot, &*ram)).map(|entry| entry.registers());
        }
        write(boot, &*ram).map(|entry| entry.registers())
    }

    /// Whether the guest, before it went to sleep, allowed `reason` to wake it.
    pub(crate) fn wakes_on(&self, tree: &Tree, reason: WakeupReason) -> bool {
        tree.objects::<PowerManagement>().first().is_some_and(|(_, pm)| pm.wakes_on(reason))
    }

    /// Tells the guest what has woken it.
    pub(crate) fn wake(&self, tree: &Tree, reason: WakeupReason) {
        if let Some((_, pm)) = tree.objects::<PowerManagement>().first() {
            pm.wake(reason);
        }
    }

    /// Presses the power button. On a machine without one nothing happens.
    pub(crate) fn power_button(&self, tree: &Tree) {
        if let Some((_, pm)) = tree.objects::<PowerManagement>().first() {
            pm.power_button();
        }
    }

    /// Whether a guest can be suspended and woken.
    pub(crate) fn can_wake(&self, tree: &Tree) -> bool {
        tree.objects::<PowerManagement>().first().is_some_and(|(_, pm)| pm.s3_enabled())
    }
}

/// Leaves the chipset as firmware does before it starts a kernel.
fn act_as_firmware(tree: &Tree) {
    for (_, bridge) in tree.objects::<I440fx>() {
        bridge.open_all();
    }
    for (_, pm) in tree.objects::<PowerManagement>() {
        pm.enable();
    }
}

fn write(boot: &Boot, ram: &impl vm_memory::GuestMemory) -> Option<Entry> {
    // RAM is as large as it was when everything got its place in it.
    boot.write(ram).inspect_err(|error| log::error!("{error}")).ok()
}
