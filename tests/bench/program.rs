//! The programs that are compared, and how each starts the same guest.

use harness::{Builder, Qmp, Vmm};

/// RAM of the guest, in MiB.
pub(crate) const RAM_MIB: u64 = 128;

/// How many monitors a program that runs beside the others has.
const MONITORS: usize = 8;

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
}

/// A program whose guest is ready.
pub(crate) struct Running<'a> {
    pub(crate) program: &'a Program,
    pub(crate) vmm: Vmm,
    pub(crate) clients: Vec<Qmp>,
}

impl Running<'_> {
    pub(crate) fn start(program: &Program) -> Running<'_> {
        let mut builder = program.builder().with_serial();
        let dir = builder.dir().to_owned();
        let paths: Vec<_> = (0..MONITORS).map(|index| dir.join(format!("qmp{index}"))).collect();
        for path in &paths {
            let argument = format!("unix:{},server=on,wait=off", path.display());
            builder = builder.arg("-qmp").arg(argument);
        }
        let mut vmm = builder.start();
        vmm.guest().ready();
        let connect = |path| {
            let mut qmp = Qmp::connect(path).expect("the monitor listens");
            qmp.negotiate();
            qmp
        };
        let clients = paths.iter().map(|path| connect(path)).collect();
        Running { program, vmm, clients }
    }
}

/// Has the programs do something in turns, and returns the middle of each one's results.
pub(crate) fn in_turns(
    running: &mut [Running<'_>],
    turns: usize,
    mut measure: impl FnMut(&mut Running<'_>) -> f64,
) -> Vec<f64> {
    let mut results = vec![Vec::new(); running.len()];
    for _ in 0..turns {
        for (running, results) in running.iter_mut().zip(&mut results) {
            results.push(measure(running));
        }
    }
    results.iter_mut().map(|results| crate::table::middle(results)).collect()
}
