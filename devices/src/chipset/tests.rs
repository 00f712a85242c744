//! The chipset as a guest meets it, through ports and memory.

use proptest::prelude::*;

use super::*;
use crate::clock::SECOND;
use crate::memory::{Access, Mapping, RamBlock, Target};
use crate::pci::bench::Bench;
use crate::pci::bus_info;
use crate::request::{Request, WakeupReason};

const MIB: u64 = 1 << 20;
const PM: u8 = 1 << 3 | 3;

/// The chipset of a board, with 4 MiB of RAM of which 3 are below the PCI hole.
fn bench() -> Bench {
    let mut bench = Bench::new(&[]);
    bench.board(&I440FX_PCIHOST, "i440fx", &[]);
    bench.board(&I440FX, "memory", &[("addr", "0")]);
    bench.board(&PIIX3, "bridge", &[("addr", "1"), ("multifunction", "on")]);
    bench.board(&PIIX4_PM, "pm", &[("addr", "1.3")]);
    bench.board(&PORT92, "port92", &[]);
    bench
}

fn with_ram() -> (Bench, RamBlock) {
    let bench = bench();
    let ram = RamBlock::anonymous("pc.ram", 4 * MIB).unwrap();
    bench.object::<I440fx>().connect_ram(&ram, 3 * MIB).unwrap();
    (bench, ram)
}

/// Adds a ROM whose bytes are their segment's number, at 0xC0000 to 0xFFFFF.
fn add_rom(bench: &Bench) -> crate::memory::Mapped {
    let bytes: Vec<u8> = (0u32..0x4_0000).map(|at| (at >> 14) as u8).collect();
    let target = Target::Ram(RamBlock::rom("rom", &bytes).unwrap());
    let rom = Mapping::new("rom", 0xc_0000, 0x4_0000, target);
    let rom = Mapping { access: Access::ReadOnly, priority: 1, ..rom };
    bench.platform.memory.add(rom).unwrap()
}

fn pm_bench() -> Bench {
    let bench = bench();
    bench.object::<PowerManagement>().enable();
    bench
}

fn pm(bench: &Bench) -> &PmRegisters {
    bench.object::<PowerManagement>().registers().unwrap()
}

#[test]
fn the_bus_is_that_of_the_pc_machine() {
    let bench = bench();
    let info = bus_info(&bench.bus(), 0);
    let list: Vec<_> = info
        .functions
        .iter()
        .map(|f| (f.slot, f.function, f.device, f.class, f.description.unwrap(), f.irq))
        .collect();
    assert_eq!(
        list,
        [
            (0, 0, 0x1237, 0x0600, "Host bridge", None),
            (1, 0, 0x7000, 0x0601, "ISA bridge", None),
            (1, 3, 0x7113, 0x0680, "Bridge", Some(0)),
        ]
    );
    assert_eq!((bench.config(0, 8, 1), bench.config(PM, 8, 1)), (2, 3));
    assert_eq!((bench.config(8, 0x0e, 1), bench.config(PM, 0x0e, 1)), (0x80, 0));
    assert_eq!(bench.config(PM, 0x2c, 4), 0x1100_1af4);
}

#[test]
fn the_configuration_ports_are_those_of_mechanism_1() {
    let bench = bench();
    bench.out(0xcf8, 4, 0x8000_0800);
    // Not a doubleword: not for the address register.
    for (port, size) in [(0xcf8, 1), (0xcf8, 2), (0xcfa, 2), (0xcfb, 1)] {
        bench.out(port, size, 0);
        assert_eq!(bench.inp(port, size), u32::MAX >> (32 - 8 * size as u32));
    }
    assert_eq!((bench.inp(0xcf8, 4), bench.inp(0xcfc, 4)), (0x8000_0800, 0x7000_8086));
    assert_eq!((bench.inp(0xcfd, 1), bench.inp(0xcfe, 2)), (0x80, 0x7000));
    bench.out(0xcf8, 4, 0x8000_0803);
    assert_eq!((bench.inp(0xcf8, 4), bench.inp(0xcfc, 4)), (0x8000_0803, 0x7000_8086));
    for absent in [0x0000_0800, 0x8000_2000, 0x8001_0800] {
        bench.out(0xcf8, 4, absent);
        bench.out(0xcfc, 4, 0);
        assert_eq!((bench.inp(0xcfc, 4), bench.inp(0xcff, 1)), (u32::MAX, 0xff));
    }
}

#[test]
fn reset_ports_ask_for_a_reset() {
    let mut bench = bench();
    bench.out(0xcf8, 4, 0x8000_0800);
    assert_eq!((bench.out(0xcf9, 1, 0xfb), bench.inp(0xcf9, 1)), (None, 2));
    assert_eq!(bench.inp(0xcf8, 4), 0x8000_0800);
    assert_eq!(bench.out(0xcf9, 1, 6), Some(Request::Reset));
    assert_eq!((bench.out(0x92, 1, 2), bench.inp(0x92, 1)), (None, 2));
    assert_eq!(bench.out(0x92, 1, 3), Some(Request::Reset));
    assert_eq!(bench.out(0x92, 1, 3), None);
    bench.tree.reset();
    assert_eq!((bench.inp(0xcf9, 1), bench.inp(0x92, 1), bench.inp(0xcf8, 4)), (0, 0, 0));
}

#[test]
fn ram_lies_below_and_above_the_hole() {
    let (bench, ram) = with_ram();
    for (address, offset) in
        [(0, 0), (0x9_ffff, 0x9_ffff), (MIB, MIB), (3 * MIB - 1, 3 * MIB - 1), (1 << 32, 3 * MIB)]
    {
        bench.store(address, 0x5a);
        assert_eq!((ram.load(offset, 1), bench.load(address)), (0x5a, 0x5a), "{address:x}");
    }
    for address in [0xa_0000, 0xf_ffff, 3 * MIB, (1 << 32) + MIB] {
        bench.store(address, 0x5a);
        assert_eq!(bench.load(address), 0xff, "{address:x}");
    }
    assert!(bench.object::<I440fx>().connect_ram(&ram, MIB).is_err());
    assert_eq!(bench.load(1 << 32), 0x5a);
}

#[test]
fn each_segment_has_its_own_mode() {
    let (bench, ram) = with_ram();
    let _rom = add_rom(&bench);
    for segment in 0u64..13 {
        let (address, register, shift) = match segment {
            12 => (0xf_1234, 0x59, 4),
            _ => (0xc_1234 + segment * 0x4000, 0x5a + segment as u8 / 2, segment % 2 * 4),
        };
        let rom = ((address - 0xc_0000) >> 14) as u8;
        ram.store(address, 1, 0x80);
        // Mode, what is read before and after a write of 0x81, what RAM holds then.
        for (mode, before, after, stored) in
            [(0, rom, rom, 0x80), (1, 0x80, 0x80, 0x80), (2, rom, rom, 0x81), (3, 0x81, 0x82, 0x82)]
        {
            bench.set_config(0, register, 1, mode << shift);
            assert_eq!(bench.load(address), before, "{segment} {mode}");
            bench.store(address, if mode == 3 { 0x82 } else { 0x81 });
            assert_eq!(bench.load(address), after, "{segment} {mode}");
            assert_eq!(ram.load(address, 1), stored, "{segment} {mode}");
        }
        let next = (address | 0x3fff) + 1;
        assert!(next >= MIB || bench.load(next) != 0x82);
        bench.set_config(0, register, 1, 0);
    }
}

#[test]
fn a_rom_is_copied_onto_itself() {
    let (bench, ram) = with_ram();
    let _rom = add_rom(&bench);
    bench.set_config(0, 0x59, 1, 0x20);
    let mut bytes = [0; 8];
    bench.cpu.read_memory(0xf_fffc, &mut bytes[..4]);
    assert_eq!(bytes[..4], [0xf; 4]);
    bench.cpu.read_memory(0xf_3ffd, &mut bytes);
    assert_eq!(bytes, [0xc, 0xc, 0xc, 0xd, 0xd, 0xd, 0xd, 0xd]);
    bench.cpu.write_memory(0xf_3ffd, &bytes);
    assert_eq!(ram.load(0xf_3ffd, 8), 0x0d0d_0d0d_0d0c_0c0c);
}

#[test]
fn open_all_makes_ram_of_every_segment_and_reset_shows_the_rom_again() {
    let (mut bench, ram) = with_ram();
    let _rom = add_rom(&bench);
    bench.object::<I440fx>().open_all();
    assert_eq!((bench.load(0xc_0000), bench.load(0xf_ffff)), (0, 0));
    let map = bench.platform.memory.snapshot();
    let mut next = 0xc_0000;
    for range in map.ranges().iter().filter(|range| range.start >= 0xc_0000) {
        assert_eq!((range.start, range.offset), (next, next), "RAM without a gap");
        assert_eq!(range.access, Access::ReadWrite);
        next = range.last + 1;
        if next == 3 * MIB {
            break;
        }
    }
    assert_eq!(next, 3 * MIB);
    bench.store(0xf_ffff, 7);
    assert_eq!(ram.load(0xf_ffff, 1), 7);
    bench.tree.reset();
    assert_eq!((bench.load(0xf_ffff), bench.config(0, 0x59, 1)), (0x0f, 0));
    assert_eq!(bench.load(0), 0);
}

#[test]
fn smram_opens_until_it_is_locked() {
    let (mut bench, ram) = with_ram();
    ram.store(0xa_0000, 1, 0x77);
    bench.set_config(0, 0x72, 1, 0x42);
    assert_eq!(bench.load(0xa_0000), 0x77);
    bench.set_config(0, 0x72, 1, 0x52);
    assert_eq!((bench.load(0xa_0000), bench.config(0, 0x72, 1)), (0xff, 0x12));
    bench.set_config(0, 0x72, 1, 0x48);
    assert_eq!((bench.load(0xa_0000), bench.config(0, 0x72, 1)), (0xff, 0x1a));
    bench.tree.reset();
    bench.set_config(0, 0x72, 1, 0x42);
    assert_eq!(bench.load(0xa_0000), 0x77);
}

#[test]
fn pm_ports_are_where_they_are_placed() {
    let mut bench = bench();
    assert_eq!(bench.inp(0x604, 2), 0xffff);
    bench.set_config(PM, 0x40, 4, 0x6c1);
    assert_eq!(bench.inp(0x6c4, 2), 0xffff);
    bench.set_config(PM, 0x80, 1, 1);
    assert_eq!((bench.inp(0x6c4, 2), bench.inp(0x6c6, 2)), (0, 0xffff));
    bench.set_config(PM, 0x40, 4, 0x601);
    assert_eq!((bench.inp(0x604, 2), bench.inp(0x6c4, 2)), (0, 0xffff));
    assert_eq!(bench.config(PM, 0x5b, 1) & 2, 2);
    bench.tree.reset();
    assert_eq!((bench.inp(0x604, 2), bench.config(PM, 0x40, 4)), (0xffff, 1));
    bench.object::<PowerManagement>().enable();
    assert_eq!((bench.inp(0x604, 2), bench.config(PM, 0x40, 4)), (0, 0x601));
}

#[test]
fn the_power_button_interrupts_while_enabled() {
    let bench = pm_bench();
    bench.object::<PowerManagement>().power_button();
    assert_eq!((bench.inp(0x600, 2), bench.line(9)), (0x100, false));
    bench.out(0x602, 2, 0x100);
    assert!(bench.line(9));
    bench.out(0x600, 2, 0x400);
    assert!(bench.line(9));
    bench.out(0x601, 1, 1);
    assert_eq!((bench.inp(0x600, 2), bench.line(9)), (0, false));
    bench.out(0x600, 4, 0xffff_ffff);
    assert_eq!((bench.inp(0x600, 4), bench.inp(0x603, 1)), (0x0521_0000, 5));
}

#[test]
fn sleep_types_are_requests() {
    let bench = pm_bench();
    assert_eq!(bench.out(0x604, 2, 0x2001), Some(Request::Shutdown));
    assert_eq!(bench.out(0x604, 2, 0x2401), Some(Request::Suspend));
    assert_eq!(bench.out(0x604, 2, 0x2801), Some(Request::SuspendDisk));
    assert_eq!(bench.out(0x604, 2, 0x2c01), None);
    assert_eq!((bench.inp(0x604, 2), bench.inp(0x605, 1)), (0x0c01, 0x0c));
    assert_eq!(bench.out(0x604, 2, 0x0401), None);
    assert_eq!(bench.out(0x605, 1, 0x24), Some(Request::Suspend));
    assert_eq!(bench.inp(0x604, 2), 0x0401);
}

#[test]
fn properties_choose_the_sleep_states() {
    let mut bench = Bench::new(&[]);
    bench.board(&I440FX_PCIHOST, "i440fx", &[]);
    let set = [("addr", "1.3"), ("s4_val", "5"), ("disable_s3", "1")];
    bench.board(&PIIX4_PM, "pm", &set);
    let power = bench.object::<PowerManagement>();
    power.enable();
    assert_eq!((power.s3_enabled(), power.s4_enabled(), power.s4_type()), (false, true, 5));
    assert_eq!(bench.out(0x604, 2, 0x3400), Some(Request::SuspendDisk));
    assert_eq!(bench.out(0x604, 2, 0x2800), None);
    let mut second = Bench::new(&[]);
    second.board(&I440FX_PCIHOST, "i440fx", &[]);
    second.board(&PIIX4_PM, "pm", &[("disable_s4", "1")]);
    let power = second.object::<PowerManagement>();
    assert_eq!((power.s3_enabled(), power.s4_enabled(), power.s4_type()), (true, false, 2));
}

#[test]
fn a_guest_finds_why_it_woke() {
    let mut bench = pm_bench();
    for (reason, status) in [
        (WakeupReason::Rtc, 0x8400),
        (WakeupReason::PmTimer, 0x8001),
        (WakeupReason::Other, 0x8100),
    ] {
        bench.tree.reset();
        bench.object::<PowerManagement>().enable();
        let power = bench.object::<PowerManagement>();
        assert_eq!(power.wakes_on(reason), reason == WakeupReason::Other);
        bench.out(0x602, 2, 0x401);
        assert!(pm(&bench).wakes_on(reason));
        bench.out(0x602, 2, 0);
        bench.object::<PowerManagement>().wake(reason);
        assert_eq!((bench.inp(0x600, 2), bench.line(9)), (status, false));
    }
}

#[test]
fn the_clock_s_alarm_counts_only_while_enabled() {
    let bench = pm_bench();
    pm(&bench).rtc_alarm();
    assert_eq!(bench.inp(0x600, 2), 0);
    bench.out(0x602, 2, 0x400);
    pm(&bench).rtc_alarm();
    assert_eq!((bench.inp(0x600, 2), bench.line(9)), (0x400, true));
}

#[test]
fn general_purpose_events_share_the_interrupt() {
    let mut bench = pm_bench();
    pm(&bench).gpe_raise(1);
    pm(&bench).gpe_raise(9);
    pm(&bench).gpe_raise(16);
    assert_eq!((bench.inp(0xafe0, 4), bench.line(9)), (0x0202, false));
    bench.out(0xafe3, 1, 2);
    assert!(bench.line(9));
    bench.out(0xafe0, 2, 0x0002);
    assert_eq!((bench.inp(0xafe0, 4), bench.line(9)), (0x0200_0200, true));
    bench.out(0xafe1, 1, 2);
    assert!(!bench.line(9));
    pm(&bench).gpe_raise(9);
    bench.tree.reset();
    assert_eq!((bench.inp(0xafe0, 4), bench.line(9)), (0, false));
}

#[test]
fn the_apm_port_switches_to_acpi_and_back() {
    let bench = pm_bench();
    bench.out(0xb2, 2, 0x5af1);
    assert_eq!((bench.inp(0x604, 2), bench.inp(0xb2, 2)), (1, 0x5af1));
    bench.out(0xb2, 1, 0x12);
    assert_eq!(bench.inp(0x604, 2), 1);
    bench.out(0xb2, 1, 0xf0);
    assert_eq!((bench.inp(0x604, 2), bench.inp(0xb3, 1)), (0, 0x5a));
}

#[test]
fn the_timer_counts_with_the_virtual_clock() {
    let bench = pm_bench();
    let clock = &bench.platform.virtual_clock;
    clock.advance(SECOND);
    assert_eq!(bench.inp(0x608, 4), 3_579_545);
    assert_eq!((bench.inp(0x609, 1), bench.inp(0x60a, 2)), (0x9e, 0x36));
    bench.out(0x608, 4, 0);
    assert_eq!(bench.inp(0x608, 4), 3_579_545);
    assert_eq!(bench.inp(0x600, 2), 0);
    // Bit 23 changes after 2.3435 seconds, and again after as many.
    clock.advance(SECOND + SECOND / 2);
    assert_eq!((bench.inp(0x600, 2), bench.line(9)), (1, false));
    bench.out(0x600, 2, 1);
    assert_eq!(bench.inp(0x600, 2), 0);
    bench.out(0x602, 2, 1);
    assert!(!bench.line(9) && bench.posted().is_empty());
    clock.advance(3 * SECOND);
    assert!(bench.line(9));
    assert_eq!(bench.posted(), [Request::Wakeup(WakeupReason::PmTimer)]);
    bench.out(0x600, 2, 1);
    assert!(!bench.line(9));
    bench.out(0x602, 2, 0);
    clock.advance(10 * SECOND);
    assert!(!bench.line(9) && bench.posted().is_empty());
    assert_eq!(clock.next_deadline(), None);
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    let mut bench = Bench::new(&[]);
    assert_eq!(bench.fail_everywhere(&I440FX_PCIHOST, &[]), 2);
    bench.board(&I440FX_PCIHOST, "i440fx", &[]);
    assert_eq!(bench.fail_everywhere(&I440FX, &[]), 1);
    assert_eq!(bench.fail_everywhere(&PIIX3, &[]), 2);
    bench.out(0xcf9, 1, 2);
    assert_eq!(bench.inp(0xcf9, 1), 0xff);
    bench.board(&PIIX3, "bridge", &[("addr", "1"), ("multifunction", "on")]);
    assert_eq!(bench.fail_everywhere(&PIIX4_PM, &[]), 5);
    assert_eq!(bench.fail_everywhere(&PORT92, &[]), 1);
}

#[test]
fn an_unplugged_memory_controller_takes_its_ram_along() {
    let (mut bench, _ram) = with_ram();
    drop(bench.tree.remove("/machine/memory").unwrap());
    assert!(bench.platform.memory.mappings().is_empty());
}

/// Every port of the chipset, and configuration space behind the window.
const PORTS: &[u16] = &[0x92, 0xb2, 0xb3, 0x600, 0x604, 0x608, 0x60c, 0x63c, 0xafe0, 0xcf8, 0xcfc];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_access_is_survived_and_reset_is_fresh(
        accesses in prop::collection::vec((0..PORTS.len(), 0u16..4, 0usize..3, any::<u32>()), 1..150),
        registers in prop::collection::vec((0usize..3, any::<u8>(), any::<u8>()), 1..100),
        nanoseconds in 0..u64::MAX / 2,
    ) {
        let (mut bench, _ram) = with_ram();
        let state = |bench: &Bench| {
            let config = [0, 8, PM].map(|devfn| {
                (0..=252).step_by(4).map(|at| bench.config(devfn, at, 4)).collect::<Vec<_>>()
            });
            bench.object::<PowerManagement>().enable();
            let ports = [0x92, 0xb2, 0xb3, 0x600, 0x602, 0x604, 0xafe0, 0xafe2, 0xcf9];
            (config, ports.map(|port| bench.inp(port, 1)), bench.line(9))
        };
        let fresh = state(&bench);
        for (function, offset, value) in registers {
            bench.set_config([0, 8, PM][function], offset, 1, value.into());
        }
        for (port, offset, width, value) in accesses {
            let (port, size) = (PORTS[port] + offset, 1usize << width);
            let _ = bench.out(port, size, value);
            bench.inp(port, size);
            prop_assert_eq!(bench.config(0, 0, 4), 0x1237_8086);
        }
        bench.platform.virtual_clock.advance(nanoseconds % (100 * SECOND));
        bench.load(0xf_0000);
        bench.tree.reset();
        prop_assert!(fresh == state(&bench));
    }
}
