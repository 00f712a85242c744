//! Configuration space: 256 bytes, and what may be written to each (PCI 3.0 section 6).

use std::ops::Range;

/// Offsets and bits of the registers that every function has.
pub mod register {
    /// Command, 16 bits.
    pub const COMMAND: u8 = 0x04;
    /// Status, 16 bits.
    pub const STATUS: u8 = 0x06;
    /// Header type, 8 bits.
    pub const HEADER_TYPE: u8 = 0x0e;
    /// The first of six base address registers of 32 bits.
    pub const BAR0: u8 = 0x10;
    /// Offset of the first capability, 8 bits.
    pub const CAPABILITIES: u8 = 0x34;
    /// Interrupt line, 8 bits.
    pub const INTERRUPT_LINE: u8 = 0x3c;
    /// Interrupt pin, 8 bits.
    pub const INTERRUPT_PIN: u8 = 0x3d;
    /// The first register of the device itself.
    pub const DEVICE: u8 = 0x40;

    /// Command: the function answers to I/O ports.
    pub const COMMAND_IO: u16 = 1 << 0;
    /// Command: the function answers to memory addresses.
    pub const COMMAND_MEMORY: u16 = 1 << 1;
    /// Command: the interrupt pin is never asserted.
    pub const COMMAND_INTX_DISABLE: u16 = 1 << 10;
    /// The bits of the command register that exist: decoders, bus master, SERR#, INTx disable.
    pub const COMMAND_BITS: u16 = 0x0507;
    /// Status: the function asks for its interrupt, enabled or not.
    pub const STATUS_INTERRUPT: u16 = 1 << 3;
    /// Status: there is a list of capabilities.
    pub const STATUS_CAPABILITIES: u16 = 1 << 4;
    /// The bits of the status register that writing 1 clears: errors seen on the bus.
    pub const STATUS_CLEARABLE: u16 = 0xf900;
    /// Header type: there may be functions other than 0.
    pub const MULTIFUNCTION: u8 = 0x80;
}

use register as reg;

/// What a function says about itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity {
    /// Vendor.
    pub vendor: u16,
    /// Device.
    pub device: u16,
    /// Revision.
    pub revision: u8,
    /// Base class and sub-class.
    pub class: u16,
    /// Programming interface below the class.
    pub interface: u8,
    /// Subsystem vendor and subsystem.
    pub subsystem: (u16, u16),
    /// Interrupt pin: 0 none, 1 to 4 INTA# to INTD#.
    pub pin: u8,
}

impl Identity {
    /// The subsystem of every function that emulates a chip of another maker.
    pub const QEMU: (u16, u16) = (0x1af4, 0x1100);
}

const SIZE: usize = 256;

/// The registers of a function: values, and which bits a write sets or clears. All other bits are
/// read-only.
#[derive(Debug, Clone)]
pub struct ConfigSpace {
    value: [u8; SIZE],
    writable: [u8; SIZE],
    clearable: [u8; SIZE],
    /// Where the next capability goes.
    free: usize,
    /// The register that points to the next capability.
    link: usize,
}

impl ConfigSpace {
    /// The header of a function without base addresses and capabilities.
    pub fn new(identity: Identity) -> Self {
        let mut config = Self {
            value: [0; SIZE],
            writable: [0; SIZE],
            clearable: [0; SIZE],
            free: reg::DEVICE.into(),
            link: reg::CAPABILITIES.into(),
        };
        config.set_u16(0x00, identity.vendor);
        config.set_u16(0x02, identity.device);
        config.set_u8(0x08, identity.revision);
        config.set_u8(0x09, identity.interface);
        config.set_u16(0x0a, identity.class);
        config.set_u16(0x2c, identity.subsystem.0);
        config.set_u16(0x2e, identity.subsystem.1);
        config.set_u8(reg::INTERRUPT_PIN, identity.pin);
        config
            .writable(reg::COMMAND, &reg::COMMAND_BITS.to_le_bytes())
            .clearable(reg::STATUS, &reg::STATUS_CLEARABLE.to_le_bytes())
            .writable(0x0c, &[0xff])
            .writable(reg::INTERRUPT_LINE, &[0xff])
    }

    /// The same with `bytes` from `offset` on.
    #[must_use]
    pub fn preset(mut self, offset: u8, bytes: &[u8]) -> Self {
        self.value[usize::from(offset)..][..bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The same with the bits of `masks` from `offset` on, and no others, set by a write.
    #[must_use]
    pub fn writable(mut self, offset: u8, masks: &[u8]) -> Self {
        self.set_writable(offset, masks);
        self
    }

    /// The same with the bits of `masks` from `offset` on cleared by writing 1 to them.
    #[must_use]
    pub fn clearable(mut self, offset: u8, masks: &[u8]) -> Self {
        self.clearable[usize::from(offset)..][..masks.len()].copy_from_slice(masks);
        self
    }

    /// The same with all registers of the device itself keeping whatever is written.
    #[must_use]
    pub fn scratch(mut self) -> Self {
        self.writable[usize::from(reg::DEVICE)..].fill(0xff);
        self
    }

    /// Changes which bits from `offset` on are set by a write.
    pub fn set_writable(&mut self, offset: u8, masks: &[u8]) {
        self.writable[usize::from(offset)..][..masks.len()].copy_from_slice(masks);
    }

    /// Adds a capability with this id and read-only `body` at the end of the list; make bits of
    /// it writable afterwards. Returns its offset, or `None` if it does not fit any more.
    pub fn add_capability(&mut self, id: u8, body: &[u8]) -> Option<u8> {
        let at = self.free;
        let end = (at + 2 + body.len()).next_multiple_of(4);
        if end > SIZE {
            return None;
        }
        let offset = u8::try_from(at).ok()?;
        self.value[at] = id;
        self.value[at + 2..][..body.len()].copy_from_slice(body);
        self.writable[at..end].fill(0);
        self.value[self.link] = offset;
        (self.free, self.link) = (end, at + 1);
        self.set_u16(reg::STATUS, self.u16(reg::STATUS) | reg::STATUS_CAPABILITIES);
        Some(offset)
    }

    /// Reads `size` (1, 2 or 4) bytes as the guest does; beyond the end there are zeros.
    pub fn read(&self, offset: u8, size: usize) -> u32 {
        let mut bytes = [0; 4];
        for (byte, value) in bytes.iter_mut().zip(&self.value[Self::span(offset, size)]) {
            *byte = *value;
        }
        u32::from_le_bytes(bytes)
    }

    /// Writes `size` (1, 2 or 4) bytes as the guest does. Returns the registers that were named.
    pub fn write(&mut self, offset: u8, size: usize, value: u32) -> Range<usize> {
        let span = Self::span(offset, size);
        for (at, byte) in span.clone().zip(value.to_le_bytes()) {
            let (set, clear) = (self.writable[at], self.clearable[at] & byte);
            self.value[at] = self.value[at] & !set & !clear | byte & set;
        }
        span
    }

    /// One byte.
    pub fn u8(&self, offset: u8) -> u8 {
        self.value[usize::from(offset)]
    }

    /// Two bytes; `offset` is even.
    pub fn u16(&self, offset: u8) -> u16 {
        self.read(offset, 2) as u16
    }

    /// Four bytes; `offset` is a multiple of four.
    pub fn u32(&self, offset: u8) -> u32 {
        self.read(offset, 4)
    }

    /// Sets one byte, writable or not.
    pub fn set_u8(&mut self, offset: u8, value: u8) {
        self.value[usize::from(offset)] = value;
    }

    /// Sets two bytes, writable or not; `offset` is even.
    pub fn set_u16(&mut self, offset: u8, value: u16) {
        self.value[usize::from(offset)..][..2].copy_from_slice(&value.to_le_bytes());
    }

    /// Sets four bytes, writable or not; `offset` is a multiple of four.
    pub fn set_u32(&mut self, offset: u8, value: u32) {
        self.value[usize::from(offset)..][..4].copy_from_slice(&value.to_le_bytes());
    }

    fn span(offset: u8, size: usize) -> Range<usize> {
        let start = usize::from(offset);
        start..(start + size.min(4)).min(SIZE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> ConfigSpace {
        let class =
            Identity { vendor: 0x8086, device: 0x1237, class: 0x0600, ..Identity::default() };
        ConfigSpace::new(Identity { pin: 1, ..class })
    }

    #[test]
    fn identity_is_read_only() {
        let mut config = config();
        for offset in (0..=252).step_by(4) {
            config.write(offset, 4, u32::MAX);
        }
        assert_eq!((config.u32(0), config.u32(8)), (0x1237_8086, 0x0600_0000));
        assert_eq!(config.u32(4), u32::from(reg::COMMAND_BITS));
        assert_eq!((config.u32(0x3c), config.u8(0x0c)), (0x01ff, 0xff));
        assert_eq!(config.u32(0x40), 0);
    }

    #[test]
    fn writing_one_clears_status_bits_and_zero_does_not() {
        let mut config = config().preset(reg::STATUS, &[0x80, 0xf9]);
        config.write(reg::STATUS, 2, 0);
        assert_eq!(config.u16(reg::STATUS), 0xf980);
        config.write(reg::STATUS + 1, 1, 0x41);
        assert_eq!(config.u16(reg::STATUS), 0xb880);
    }

    #[test]
    fn capabilities_are_linked_until_there_is_no_room() {
        let mut config = config();
        let first = config.add_capability(5, &[1, 2, 3]).unwrap();
        let second = config.add_capability(9, &[7; 10]).unwrap();
        assert_eq!((first, second, config.u8(reg::CAPABILITIES)), (0x40, 0x48, 0x40));
        assert_eq!((config.u32(0x40), config.u8(0x44)), (0x0201_4805, 3));
        assert_eq!((config.u16(0x48), config.u16(0x52)), (9, 0x0707));
        assert_eq!(config.u16(reg::STATUS), reg::STATUS_CAPABILITIES);
        assert_eq!(config.add_capability(9, &[0; 200]), None);
        assert_eq!(config.u8(0x49), 0);
    }

    proptest! {
        #[test]
        fn no_write_leaves_the_masks(writes in prop::collection::vec((0u8.., 0usize..9, any::<u32>()), 0..50)) {
            let fresh = config();
            let mut config = fresh.clone();
            for (offset, size, value) in writes {
                config.write(offset, size, value);
                config.read(offset, size);
            }
            for at in 0..SIZE {
                let fixed = !(fresh.writable[at] | fresh.clearable[at]);
                prop_assert_eq!(config.value[at] & fixed, fresh.value[at] & fixed);
            }
        }
    }
}
