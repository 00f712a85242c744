//! What is booted, and how: kernels, initial RAM disks, command lines, firmware, boot order.

use std::path::Path;

use harness::{Vmm, kvm_or_skip, skip, wait_for};
use serde_json::json;

use crate::guest::{builder, firmware_file, firmware_item, image, linux_image, ready, start};

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn kernel_and_append() {
    if !kvm_or_skip("options::kernel") {
        return;
    }
    for (note, protocol) in [(true, "pvh"), (false, "linux")] {
        let builder = builder();
        let kernel = if note { image(builder.dir()) } else { linux_image(builder.dir()) };
        let command_line = "first=1 do=\"echo one;echo two\" -- echo three";
        let mut vmm = ready(
            builder.arg("-kernel").arg(kernel).arg("-append").arg(command_line).args("-m 64"),
        );
        for answer in ["ok echo one", "ok echo two", "ok echo three"] {
            assert_eq!(vmm.guest().answer(), answer);
        }
        let info = vmm.guest().ask("info");
        assert!(info.contains(protocol), "{info}");
        assert!(info.contains(&command_line[..20]), "{info}");
        assert!(!vmm.stderr().contains("built-in"), "{}", vmm.stderr());
        // Memory map and tables reach it both ways.
        assert_eq!(vmm.guest().ask_number("cpus", "count"), 1);
        assert!(vmm.guest().ask("memmap").contains("0x100000-0x3"));
        vmm.qmp().ok("system_reset", json!({}));
        vmm.guest().ready();
        assert_eq!(vmm.guest().answer(), "ok echo one");
    }
}

#[test]
fn without_a_kernel_the_built_in_guest_says_so() {
    if !kvm_or_skip("options::built_in") {
        return;
    }
    let mut vmm = start("");
    assert_eq!(vmm.guest().ask_value("info", "cmdline"), "\"\"");
    assert!(vmm.stderr().contains("built-in guest"), "{}", vmm.stderr());
}

/// Where in the guest's RAM the bytes are.
fn find(vmm: &mut Vmm, size: u64, bytes: &[u8]) -> Option<usize> {
    let path = vmm.dir().join("ram");
    let arguments = json!({"val": 0, "size": size, "filename": path.to_str()});
    vmm.qmp().ok("pmemsave", arguments);
    let ram = std::fs::read(&path).expect("read");
    ram.windows(bytes.len()).position(|window| window == bytes)
}

#[test]
fn an_initial_ram_disk_is_in_memory_page_aligned_and_whole() {
    if !kvm_or_skip("options::initrd") {
        return;
    }
    for note in [true, false] {
        let builder = builder();
        let kernel = if note { image(builder.dir()) } else { linux_image(builder.dir()) };
        let disk = builder.dir().join("initrd");
        // Nothing else in memory looks like this.
        let content: Vec<u8> =
            (0..30_001_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
        std::fs::write(&disk, &content).expect("write");
        let mut vmm =
            ready(builder.arg("-kernel").arg(kernel).arg("-initrd").arg(&disk).args("-m 32"));
        let found = find(&mut vmm, 32 << 20, &content).expect("the initial RAM disk");
        assert_eq!(found % 4096, 0);
        // Where it is, is said in the boot protocol's structure.
        let address = (found as u32).to_le_bytes();
        let size = (content.len() as u32).to_le_bytes();
        if note {
            let entry = [&address[..], &[0; 4], &size, &[0; 4]].concat();
            assert!(find(&mut vmm, 16 << 20, &entry).is_some(), "a module of PVH");
        } else {
            let fields = [address, size].concat();
            assert!(find(&mut vmm, 16 << 20, &fields).is_some(), "boot_params");
        }
    }
}

#[test]
fn a_firmware_image_runs_from_the_reset_vector() {
    if !kvm_or_skip("options::bios") {
        return;
    }
    let builder = builder();
    let (firmware, said) = (builder.dir().join("rom"), builder.dir().join("said"));
    let mut rom = vec![0xf4; 64 << 10];
    // mov dx, 0x402; mov al, 'B'; out dx, al; hlt
    rom[0xfff0..0xfff7].copy_from_slice(&[0xba, 0x02, 0x04, 0xb0, b'B', 0xee, 0xf4]);
    std::fs::write(&firmware, rom).expect("write");
    let mut vmm = builder
        .arg("-bios")
        .arg(&firmware)
        .arg("-chardev")
        .arg(format!("file,id=d,path={}", said.display()))
        .args("-device isa-debugcon,iobase=0x402,chardev=d -display none")
        .with_qmp()
        .start();
    wait_for("the firmware's letter", || (text(&said) == "B").then_some(()));
    assert!(!vmm.stderr().contains("built-in"), "{}", vmm.stderr());
    vmm.qmp().ok("system_reset", json!({}));
    wait_for("its second letter", || (text(&said) == "BB").then_some(()));
}

#[test]
fn seabios_looks_for_something_to_boot() {
    if !kvm_or_skip("options::seabios") {
        return;
    }
    let firmware = Path::new("/usr/share/seabios/bios-256k.bin");
    if !firmware.exists() {
        return skip("options::seabios", "package seabios is not installed");
    }
    let builder = builder();
    let said = builder.dir().join("said");
    let vmm = builder
        .arg("-bios")
        .arg(firmware)
        .arg("-chardev")
        .arg(format!("file,id=d,path={}", said.display()))
        .args("-device isa-debugcon,iobase=0x402,chardev=d -display none -m 128")
        .start();
    wait_for("SeaBIOS's last words", || text(&said).contains("No bootable device").then_some(()));
    let said = text(&said);
    assert!(said.contains("addr 0x0000000000000000 len 0x0000000008000000 [RAM]"), "{said}");
    assert!(said.contains("Found 1 cpu(s) max supported 1 cpu(s)"), "{said}");
    drop(vmm);
}

#[test]
fn the_debug_console_is_at_its_port() {
    if !kvm_or_skip("options::debugcon") {
        return;
    }
    let builder = builder();
    let said = builder.dir().join("said");
    let mut vmm = ready(builder.arg("-debugcon").arg(format!("file:{}", said.display())));
    vmm.guest().ask("debugcon hello there");
    wait_for("its text", || (text(&said) == "hello there\n").then_some(()));
    let mut vmm = start("");
    assert_eq!(vmm.guest().fails("debugcon x"), "debugcon no debug console");
}

/// The boot order as the firmware finds it in the CMOS.
fn order(vmm: &mut Vmm) -> (u64, u64) {
    let first = vmm.guest().ask_number("rtc read 0x3d", "value");
    (first, vmm.guest().ask_number("rtc read 0x38", "value"))
}

#[test]
fn boot_order_menu_and_timeouts_are_told_to_the_firmware() {
    if !kvm_or_skip("options::boot") {
        return;
    }
    let start = |options: &str| {
        let builder = builder();
        let kernel = image(builder.dir());
        ready(builder.arg("-kernel").arg(kernel).args(options))
    };
    assert_eq!(order(&mut start("")).0, 0x12, "disk, then floppy");
    let mut vmm = start("-boot nd");
    assert_eq!(order(&mut vmm), (0x34, 0x01 & order(&mut vmm).1));
    let mut vmm = start("-boot order=c,once=n");
    assert_eq!(order(&mut vmm).0, 0x04, "the network once");
    vmm.qmp().ok("system_reset", json!({}));
    vmm.guest().ready();
    assert_eq!(order(&mut vmm).0, 0x02, "then the disk");
    let mut vmm = start("-boot menu=on,splash-time=1500,reboot-timeout=5000,strict=on");
    assert_eq!(firmware_item(vmm.guest(), 0x0e, 2), [1, 0]);
    assert_eq!(firmware_file(vmm.guest(), "etc/boot-menu-wait").expect("a file"), [0xdc, 0x05]);
    assert_eq!(
        firmware_file(vmm.guest(), "etc/boot-fail-wait").expect("a file"),
        5000_u32.to_le_bytes()
    );
    let strict = firmware_file(vmm.guest(), "bootorder").expect("a file");
    assert!(String::from_utf8_lossy(&strict).contains("HALT"), "{strict:?}");
    assert_eq!(firmware_item(self::start("").guest(), 0x0e, 2), [0, 0]);
}
