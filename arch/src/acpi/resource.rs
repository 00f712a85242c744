//! AML pieces the `acpi_tables` crate has no type for (ACPI 6.3, sections 6.4.2.1 and 6.4.3.6).

use acpi_tables::{Aml, AmlSink};

/// AML that is already encoded.
pub(super) struct Encoded(pub(super) Vec<u8>);

impl Encoded {
    pub(super) fn new(aml: &dyn Aml) -> Encoded {
        let mut bytes = Vec::new();
        aml.to_aml_bytes(&mut bytes);
        Encoded(bytes)
    }
}

impl Aml for Encoded {
    fn to_aml_bytes(&self, sink: &mut dyn AmlSink) {
        sink.vec(&self.0);
    }
}

/// An ISA interrupt (0 to 15) of the usual kind: edge triggered, active high, not shared.
pub(super) struct IsaIrq(pub(super) u8);

impl Aml for IsaIrq {
    fn to_aml_bytes(&self, sink: &mut dyn AmlSink) {
        let mask = 1u16 << (self.0 & 15);
        sink.byte(0x22);
        sink.word(mask);
    }
}

/// A choice of interrupts for a PCI link: level triggered, active high, shared, consumed.
pub(super) struct LinkIrqs<'a>(pub(super) &'a [u8]);

/// Where the first interrupt number lies in a resource buffer that starts with [`LinkIrqs`].
pub(super) const LINK_IRQ_OFFSET: u8 = 5;

impl Aml for LinkIrqs<'_> {
    fn to_aml_bytes(&self, sink: &mut dyn AmlSink) {
        sink.byte(0x89);
        sink.word(2 + 4 * self.0.len() as u16);
        sink.byte(0x09);
        sink.byte(self.0.len() as u8);
        for irq in self.0 {
            sink.dword((*irq).into());
        }
    }
}
