//! Machines to be attacked.

use harness::{Builder, Vmm};

pub(crate) fn builder() -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm"))
}

/// A machine with a monitor, whose guest is ready.
pub(crate) fn start(options: &str) -> Vmm {
    let mut vmm = builder().args(options).with_qmp().with_serial().start();
    vmm.guest().ready();
    vmm
}

/// Guest and monitor answer as ever.
pub(crate) fn unharmed(vmm: &mut Vmm) {
    assert_eq!(vmm.guest().ask("echo unharmed"), "unharmed");
    assert_eq!(vmm.qmp().status(), "running");
    assert!(vmm.is_running());
}
