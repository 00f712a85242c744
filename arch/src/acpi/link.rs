//! Interrupt links of the PIIX3 and the routing table (ACPI 6.3, sections 6.2.13 and 6.2.12).
//!
//! The PIIX3 routes its four PIRQ inputs by the configuration registers 0x60 to 0x63 of function
//! 1.0: bit 7 disconnects, the low bits are the ISA interrupt. Pin `p` of the device in slot `s`
//! is wired to input `(s + p - 1) mod 4`. The power management function in slot 1 interrupts as
//! SCI, whatever the registers say.

use acpi_tables::Aml;
use acpi_tables::aml::{
    And, Arg, CreateDWordField, Device, EISAName, Field, FieldAccessType, FieldEntry,
    FieldLockRule, FieldUpdateRule, If, LessThan, Method, Name, OpRegion, OpRegionSpace, Or,
    PackageBuilder, Path, ResourceTemplate, Return, Scope, Store, Zero,
};

use super::SCI;
use super::resource::{Encoded, LINK_IRQ_OFFSET, LinkIrqs};

const CHOICES: [u8; 3] = [5, 10, 11];
const NAMES: [&str; 4] = ["LNKA", "LNKB", "LNKC", "LNKD"];
const REGISTERS: [[u8; 4]; 4] = [*b"PRQ0", *b"PRQ1", *b"PRQ2", *b"PRQ3"];
const REGISTER_PATHS: [&str; 4] = [
    "\\_SB_.PCI0.ISA_.PRQ0",
    "\\_SB_.PCI0.ISA_.PRQ1",
    "\\_SB_.PCI0.ISA_.PRQ2",
    "\\_SB_.PCI0.ISA_.PRQ3",
];
const DISCONNECTED: u8 = 0x80;
const PRESENT: u8 = 0x0b;
const PRESENT_DISABLED: u8 = 0x09;
const SLOTS: u32 = 32;

/// The routing registers, for the ISA bridge's device object.
pub(super) fn registers() -> Encoded {
    let region = OpRegion::new("PIRQ".into(), OpRegionSpace::PCIConfig, &0x60u8, &4u8);
    let field = Field::new(
        "PIRQ".into(),
        FieldAccessType::Byte,
        FieldLockRule::NoLock,
        FieldUpdateRule::Preserve,
        REGISTERS.map(|name| FieldEntry::Named(name, 8)).to_vec(),
    );
    let mut bytes = Encoded::new(&region);
    field.to_aml_bytes(&mut bytes.0);
    bytes
}

/// The link devices, in the system bus' scope.
pub(super) fn links() -> Encoded {
    let mut links: Vec<Encoded> = (0..4).map(link).collect();
    links.push(sci_link());
    let links = links.iter().map(|l| l as &dyn Aml).collect();
    Encoded::new(&Scope::new("\\_SB_".into(), links))
}

fn link(n: usize) -> Encoded {
    let uid = n as u8;
    let register = Path::new(REGISTER_PATHS[n]);
    let current = Path::new("IRQN");
    let resources = Path::new("BUF0");
    let possible = ResourceTemplate::new(vec![&LinkIrqs(&CHOICES)]);
    let none = ResourceTemplate::new(vec![&LinkIrqs(&[0])]);
    Encoded::new(&Device::new(
        NAMES[n].into(),
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0C0F")),
            &Name::new("_UID".into(), &uid),
            &Name::new("_PRS".into(), &possible),
            &Method::new(
                "_STA".into(),
                0,
                false,
                vec![
                    &If::new(
                        &And::new(&Zero {}, &register, &DISCONNECTED),
                        vec![&Return::new(&PRESENT_DISABLED)],
                    ),
                    &Return::new(&PRESENT),
                ],
            ),
            &Method::new(
                "_DIS".into(),
                0,
                false,
                vec![&Or::new(&register, &register, &DISCONNECTED)],
            ),
            &Method::new(
                "_CRS".into(),
                0,
                true,
                vec![
                    &Name::new("BUF0".into(), &none),
                    &CreateDWordField::new(&current, &resources, &LINK_IRQ_OFFSET),
                    &If::new(
                        &LessThan::new(&register, &DISCONNECTED),
                        vec![&Store::new(&current, &register)],
                    ),
                    &Return::new(&resources),
                ],
            ),
            &Method::new(
                "_SRS".into(),
                1,
                true,
                vec![
                    &CreateDWordField::new(&current, &Arg(0), &LINK_IRQ_OFFSET),
                    &Store::new(&register, &current),
                ],
            ),
        ],
    ))
}

/// The link that is fixed to the SCI.
fn sci_link() -> Encoded {
    let sci = ResourceTemplate::new(vec![&LinkIrqs(&[SCI])]);
    Encoded::new(&Device::new(
        "LNKS".into(),
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0C0F")),
            &Name::new("_UID".into(), &4u8),
            &Name::new("_STA".into(), &PRESENT),
            &Name::new("_PRS".into(), &sci),
            &Name::new("_CRS".into(), &sci),
            &Method::new("_DIS".into(), 0, false, vec![]),
            &Method::new("_SRS".into(), 1, false, vec![]),
        ],
    ))
}

/// The routing table of bus 0.
pub(super) fn routing() -> Encoded {
    let mut table = PackageBuilder::new();
    for slot in 0..SLOTS {
        for pin in 0..4 {
            let mut entry = PackageBuilder::new();
            entry.add_element(&(slot << 16 | 0xffff));
            entry.add_element(&(pin as u8));
            entry.add_element(&Path::new(wired_to(slot, pin)));
            entry.add_element(&0u8);
            table.add_element(&entry);
        }
    }
    Encoded::new(&Name::new("_PRT".into(), &table))
}

/// The link that pin `pin` (0 for INTA#) of the device in `slot` is wired to.
fn wired_to(slot: u32, pin: u32) -> &'static str {
    match (slot, pin) {
        (1, 0) => "LNKS",
        _ => NAMES[((slot + pin + 3) % 4) as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the host bridge of QEMU's `pc` machine wires them.
    #[test]
    fn pins_rotate_with_the_slot() {
        let slot = |n| [0, 1, 2, 3].map(|pin| wired_to(n, pin));
        assert_eq!(slot(0), ["LNKD", "LNKA", "LNKB", "LNKC"]);
        assert_eq!(slot(1), ["LNKS", "LNKB", "LNKC", "LNKD"]);
        assert_eq!(slot(2), ["LNKB", "LNKC", "LNKD", "LNKA"]);
        assert_eq!(slot(5), ["LNKA", "LNKB", "LNKC", "LNKD"]);
    }
}
