//! Machines with the test guest, and what it tells about them.

use std::path::{Path, PathBuf};

use harness::{Builder, Guest, Vmm};

static ELF: &[u8] = include_bytes!("../../resources/guest.elf");

pub(crate) fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm"))
}

/// A machine with a monitor, whose guest is ready.
pub(crate) fn start(options: &str) -> Vmm {
    ready(builder().args(options))
}

/// The same from a command line that has begun.
pub(crate) fn ready(builder: Builder) -> Vmm {
    let mut vmm = builder.with_qmp().with_serial().start();
    vmm.guest().ready();
    vmm
}

/// The guest's image as a file, so that it can be named.
pub(crate) fn image(dir: &Path) -> PathBuf {
    let path = dir.join("guest.elf");
    std::fs::write(&path, ELF).expect("write");
    path
}

/// The same without the PVH note: it is booted as Linux is.
pub(crate) fn linux_image(dir: &Path) -> PathBuf {
    let path = dir.join("linux.elf");
    let mut image = ELF.to_vec();
    // The type of the third program header becomes PT_NULL.
    assert_eq!(image[176..180], [4, 0, 0, 0], "PT_NOTE");
    image[176..180].fill(0);
    std::fs::write(&path, image).expect("write");
    path
}

/// `length` bytes of an item of the firmware's configuration (docs/specs/fw_cfg of QEMU).
pub(crate) fn firmware_item(guest: &mut Guest, key: u16, length: usize) -> Vec<u8> {
    guest.ask(&format!("outw 0x510 {key}"));
    (0..length).map(|_| guest.ask_number("inb 0x511", "value") as u8).collect()
}

/// A file of the firmware's configuration, found by its name in the directory.
pub(crate) fn firmware_file(guest: &mut Guest, name: &str) -> Option<Vec<u8>> {
    let number =
        |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let count = number(&firmware_item(guest, 0x19, 4));
    let directory = firmware_item(guest, 0x19, 4 + 64 * count);
    let entry = directory[4..].chunks(64).find(|entry| {
        let end = entry[8..].iter().position(|byte| *byte == 0).expect("an end");
        &entry[8..8 + end] == name.as_bytes()
    })?;
    Some(firmware_item(guest, number(&entry[4..6]) as u16, number(&entry[..4])))
}
