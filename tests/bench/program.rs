//! The programs that are compared, and how each starts the same guest.

use std::path::PathBuf;

use harness::{Builder, Vmm};

/// RAM of the guest, in MiB.
pub(crate) const RAM_MIB: u64 = 128;

/// The program, or QEMU with one of its machines.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    path: &'static str,
    arguments: &'static str,
}

/// This program first: the others are compared with it.
pub(crate) fn all() -> [Program; 3] {
    let qemu = "qemu-system-x86_64";
    [
        Program { name: "vmm", path: env!("CARGO_BIN_EXE_vmm"), arguments: "-M pc" },
        Program { name: "microvm", path: qemu, arguments: "-M microvm" },
        Program { name: "pc", path: qemu, arguments: "-M pc" },
    ]
}

impl Program {
    /// Its command line without monitor and serial port.
    pub(crate) fn builder(&self) -> Builder {
        let kernel = concat!(env!("CARGO_MANIFEST_DIR"), "/../resources/guest.elf");
        Builder::new(self.path)
            .args(self.arguments)
            .args("-accel kvm -nodefaults -no-user-config -display none")
            .args(&format!("-m {RAM_MIB} -kernel {kernel}"))
    }

    /// Starts it with a monitor, and the guest up to its line `ready`.
    pub(crate) fn start(&self) -> Vmm {
        let mut vmm = self.builder().with_qmp().with_serial().start();
        vmm.guest().ready();
        vmm
    }

    /// The same with so many monitors; returns their sockets.
    pub(crate) fn start_with_monitors(&self, count: usize) -> (Vmm, Vec<PathBuf>) {
        let mut builder = self.builder().with_serial();
        let dir = builder.dir().to_owned();
        let paths: Vec<_> = (0..count).map(|index| dir.join(format!("qmp{index}"))).collect();
        for path in &paths {
            let argument = format!("unix:{},server=on,wait=off", path.display());
            builder = builder.arg("-qmp").arg(argument);
        }
        let mut vmm = builder.start();
        vmm.guest().ready();
        (vmm, paths)
    }
}
