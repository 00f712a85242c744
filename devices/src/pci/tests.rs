use std::ops::Range;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::bench::Bench;
use super::*;
use crate::chipset::{self, HostBridge, Piix3};
use crate::error::Result;
use crate::memory::{Action, Edit, Region, Target};
use crate::object::{BusKind, Class, Object, PlugContext};
use crate::pci_properties;

/// A device with one window of each kind, and an interrupt that follows its first register.
#[derive(Default)]
struct Toy {
    addr: Address,
    multifunction: bool,
    endpoint: Option<Arc<Endpoint>>,
}

/// Each register reads as its offset; writes are remembered.
#[derive(Default)]
struct Ruler(Mutex<Vec<(u64, u64)>>);

impl Region for Ruler {
    fn read(&self, offset: u64, _size: usize) -> u64 {
        offset
    }
    fn write(&self, offset: u64, _size: usize, value: u64) -> Action {
        self.0.lock().unwrap().push((offset, value));
        Action::None
    }
}

struct Doubled;
impl Effects for Doubled {
    fn written(&self, config: &mut ConfigSpace, touched: Range<usize>) -> Vec<Edit> {
        if touched.contains(&0x50) {
            config.set_u8(0x51, config.u8(0x50).wrapping_mul(2));
        }
        Vec::new()
    }
}

impl Object for Toy {
    fn realize(&mut self, context: &mut PlugContext<'_>) -> Result<()> {
        let identity =
            Identity { vendor: 0x1b36, device: 5, class: 0x00ff, pin: 2, ..Identity::default() };
        let config = ConfigSpace::new(identity).writable(0x50, &[0xff]);
        let endpoint = Endpoint::new(context, "toy", config, Some(Arc::new(Doubled)))?;
        let mut bar = |index, kind, prefetchable, size| {
            let spec = BarSpec { index, kind, prefetchable, size };
            endpoint.add_bar(context, spec, "toy", Target::Io(Arc::new(Ruler::default())))
        };
        bar(0, BarKind::Io, false, 4)?;
        bar(1, BarKind::Memory32, false, 0x1000)?;
        bar(4, BarKind::Memory64, true, 0x2_0000_0000)?;
        endpoint.plug(context, &mut self.addr, self.multifunction)?;
        self.endpoint = Some(endpoint);
        Ok(())
    }
    fn reset(&mut self) {
        self.endpoint.iter().for_each(|endpoint| endpoint.reset());
    }
}

static TOY: Class = Class {
    make: Some(|_| Box::<Toy>::default()),
    user_creatable: true,
    bus: Some(BusKind::Pci),
    properties: pci_properties!(Toy, "toy"),
    ..Class::base("toy", "pci-device")
};

static CLASSES: &[&Class] = &[&TOY];

/// A bus behind a host bridge with interrupt routing, and nothing else.
fn bench() -> Bench {
    let mut bench = Bench::new(CLASSES);
    bench.board(&chipset::I440FX_PCIHOST, "i440fx", &[]);
    bench.board(&chipset::PIIX3, "piix3", &[("addr", "1.0"), ("multifunction", "on")]);
    bench
}

fn toy(bench: &mut Bench, id: &str, addr: &str) -> Arc<Endpoint> {
    let path = bench.device(&TOY, id, &[("addr", addr)]).unwrap();
    let toy: &Toy = bench.tree.find(&path).unwrap().1.object_as().unwrap();
    toy.endpoint.clone().unwrap()
}

const DEVFN: u8 = 3 << 3;

#[test]
fn sizing_gives_the_size_and_the_kind() {
    let mut bench = bench();
    toy(&mut bench, "t", "3");
    let size = |offset| {
        bench.set_config(DEVFN, offset, 4, u32::MAX);
        bench.config(DEVFN, offset, 4)
    };
    assert_eq!((size(0x10), size(0x14), size(0x18)), (0xffff_fffd, 0xffff_f000, 0));
    assert_eq!((size(0x20), size(0x24)), (0x0000_000c, 0xffff_fffe));
}

#[test]
fn windows_are_where_the_registers_say_while_they_are_decoded() {
    let mut bench = bench();
    toy(&mut bench, "t", "3");
    bench.set_config(DEVFN, 0x10, 4, 0xc000);
    bench.set_config(DEVFN, 0x14, 4, 0xfebf_1000);
    assert_eq!((bench.inp(0xc002, 1), bench.load(0xfebf_1007)), (0xff, 0xff));
    bench.set_config(DEVFN, 4, 2, 1);
    assert_eq!((bench.inp(0xc002, 1), bench.load(0xfebf_1007)), (2, 0xff));
    bench.set_config(DEVFN, 4, 2, 2);
    assert_eq!((bench.inp(0xc002, 1), bench.load(0xfebf_1007)), (0xff, 7));
    bench.set_config(DEVFN, 0x16, 2, 0xfec0);
    assert_eq!((bench.load(0xfebf_1007), bench.load(0xfec0_1007)), (0xff, 7));
    // As a guest that asks for the size without turning the decoder off.
    bench.set_config(DEVFN, 0x14, 4, u32::MAX);
    assert_eq!((bench.load(0xffff_f001), bench.load(0xfec0_1007)), (0xff, 0xff));
    bench.set_config(DEVFN, 0x14, 4, 0);
    assert_eq!(bench.load(1), 0xff);
    bench.set_config(DEVFN, 0x20, 4, 0);
    bench.set_config(DEVFN, 0x24, 4, 0x12);
    assert_eq!(bench.load(0x12_0000_0005), 5);
    bench.set_config(DEVFN, 0x24, 4, u32::MAX);
    assert_eq!(bench.load(0xffff_fffe_0000_0001), 0xff);
    bench.tree.reset();
    assert_eq!(bench.load(0x12_0000_0005), 0xff);
    assert_eq!(bench.config(DEVFN, 0x24, 4), 0);
    assert_eq!(bench.config(DEVFN, 0x20, 4), 0xc);
}

#[test]
fn own_registers_have_effects_and_only_those_named_are_touched() {
    let mut bench = bench();
    let endpoint = toy(&mut bench, "t", "3");
    bench.set_config(DEVFN, 0x50, 1, 0x21);
    assert_eq!(bench.config(DEVFN, 0x50, 2), 0x4221);
    bench.set_config(DEVFN, 0x51, 1, 0x99);
    assert_eq!(bench.config(DEVFN, 0x50, 2), 0x4221);
    endpoint.program(0x4f, &[1, 2]);
    assert_eq!(bench.config(DEVFN, 0x4c, 4), 0);
    assert_eq!(bench.config(DEVFN, 0x50, 2), 0x0402);
}

#[test]
fn pins_rotate_with_the_slot_and_follow_their_route() {
    let mut bench = bench();
    for (offset, irq) in [(0x60, 10), (0x61, 11), (0x62, 5), (0x63, 5)] {
        bench.set_config(8, offset, 1, irq);
    }
    // INTB# of slot 3 leads to PIRQD, that of slot 4 to PIRQA, and that of slot 7 to PIRQD again.
    let [three, four, seven] =
        [("a", "3"), ("b", "4"), ("c", "7")].map(|(id, addr)| toy(&mut bench, id, addr));
    three.set_intx(true);
    assert!(bench.line(5) && !bench.line(10));
    four.set_intx(true);
    assert!(bench.line(10));
    seven.set_intx(true);
    three.set_intx(false);
    assert!(bench.line(5));
    bench.set_config(8, 0x63, 1, 9);
    assert!(bench.line(9) && !bench.line(5));
    bench.set_config(8, 0x63, 1, 0x80);
    assert!(!bench.line(9));
    bench.set_config(8, 0x63, 1, 9);
    seven.set_intx(false);
    assert!(!bench.line(9) && bench.line(10));
    bench.tree.reset();
    assert!(!bench.line(10));
}

#[test]
fn a_disabled_pin_is_low_but_its_status_shows() {
    let mut bench = bench();
    let endpoint = toy(&mut bench, "t", "3");
    bench.set_config(8, 0x63, 1, 11);
    endpoint.set_intx(true);
    assert_eq!((bench.line(11), bench.config(DEVFN, 6, 2) & 8), (true, 8));
    bench.set_config(DEVFN, 4, 2, 0x400);
    assert_eq!((bench.line(11), bench.config(DEVFN, 6, 2) & 8), (false, 8));
    bench.set_config(DEVFN, 4, 2, 0);
    assert!(bench.line(11));
    drop(endpoint);
    drop(bench.tree.remove("/machine/peripheral/t").unwrap());
    assert!(!bench.line(11));
    assert_eq!(bench.config(DEVFN, 0, 4), u32::MAX);
}

#[test]
fn places_are_refused_in_words() {
    let mut bench = bench();
    let mut refuse = |id: &str, set: &[(&str, &str)]| {
        bench.device(&TOY, id, set).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refuse("a", &[("addr", "5")]), "");
    assert_eq!(
        refuse("b", &[("addr", "5.0")]),
        "PCI: slot 5 function 0 not available for toy, in use by toy,id=a"
    );
    assert_eq!(
        refuse("b", &[("addr", "1.0")]),
        "PCI: slot 1 function 0 not available for toy, in use by PIIX3,id=(null)"
    );
    assert_eq!(
        refuse("b", &[("addr", "5.1")]),
        "PCI: single function device can't be populated in function 5.1"
    );
    assert_eq!(refuse("b", &[("addr", "1f.1")]), "");
    assert_eq!(
        refuse("c", &[("addr", "1f.0")]),
        "PCI: 1f.0 indicates single function, but 1f.1 is already populated."
    );
    assert_eq!(refuse("c", &[("addr", "1f.0"), ("multifunction", "on")]), "");
    assert_eq!(refuse("d", &[("addr", "zz")]), "Property 'toy.addr' doesn't take value 'zz'");
    for number in 0..29 {
        assert_eq!(refuse(&format!("n{number}"), &[]), "");
    }
    let full = "PCI: no slot/function available for toy, all in use or reserved";
    assert_eq!(refuse("last", &[]), full);
    assert_eq!(bench.tree.get("n0", "addr").unwrap(), qapi::Value::Int(0));
    assert_eq!(bench.config(0xf8, 0x0e, 1), 0x80);
}

#[test]
fn bus_info_tells_what_the_registers_say() {
    let mut bench = bench();
    toy(&mut bench, "t", "3");
    bench.set_config(DEVFN, 0x10, 4, 0xc000);
    bench.set_config(DEVFN, 4, 2, 1);
    bench.set_config(DEVFN, 0x3c, 1, 11);
    let info = bus_info(&bench.bus(), 0);
    let bar = |bar, kind, address, size, prefetch| BarInfo { bar, kind, address, size, prefetch };
    assert_eq!(
        info.functions[1],
        FunctionInfo {
            bus: 0,
            slot: 3,
            function: 0,
            class: 0xff,
            description: None,
            vendor: 0x1b36,
            device: 5,
            subsystem: Some((0, 0)),
            irq: Some(11),
            pin: 2,
            id: "t".into(),
            bars: vec![
                bar(0, BarKind::Io, Some(0xc000), 4, false),
                bar(1, BarKind::Memory32, None, 0x1000, false),
                bar(4, BarKind::Memory64, None, 0x2_0000_0000, true),
            ],
        }
    );
    let bridge = &info.functions[0];
    assert_eq!((bridge.slot, bridge.irq, bridge.description), (1, None, Some("ISA bridge")));
    assert_eq!((bridge.vendor, bridge.device), (0x8086, 0x7000));
    assert_eq!(bridge.subsystem, Some((0x1af4, 0x1100)));
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = bench();
    assert_eq!(bench.fail_everywhere(&TOY, &[]), 4);
}

#[test]
fn without_a_bridge_there_is_no_bus() {
    let mut bench = Bench::new(CLASSES);
    let error = bench.device(&TOY, "t", &[]).unwrap_err().to_string();
    assert_eq!(error, "No 'PCI' bus found for device 'toy'");
    bench.board(&chipset::I440FX_PCIHOST, "i440fx", &[]);
    toy(&mut bench, "t", "3").set_intx(true);
    assert!(
        bench.tree.objects::<Piix3>().is_empty()
            && bench.object::<HostBridge>().bus().function(DEVFN).is_some()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_access_to_configuration_space_panics(
        accesses in prop::collection::vec((0u8..5, any::<u8>(), 0u8..3, any::<u32>()), 1..200),
    ) {
        let mut bench = bench();
        toy(&mut bench, "t", "3");
        for (slot, offset, width, value) in accesses {
            let (size, devfn) = (1usize << width, slot << 3);
            let offset = offset & !(size as u8 - 1);
            bench.set_config(devfn, offset, size, value);
            bench.config(devfn, offset, size);
        }
        bench.tree.reset();
        prop_assert_eq!(bench.config(DEVFN, 0x10, 4), 1);
        prop_assert_eq!(bench.config(DEVFN, 4, 2), 0);
    }
}
