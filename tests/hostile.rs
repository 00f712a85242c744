//! Bad input while a guest runs: it and the process come to no harm.

use harness::{Builder, Vmm, kvm_or_skip};
use serde_json::json;

/// A machine with a monitor, whose guest is ready.
fn start(options: &str) -> Vmm {
    let builder = Builder::new(env!("CARGO_BIN_EXE_vmm")).args(options);
    let mut vmm = builder.with_qmp().with_serial().start();
    vmm.guest().ready();
    vmm
}

/// Guest and monitor answer as ever.
fn unharmed(vmm: &mut Vmm) {
    assert_eq!(vmm.guest().ask("echo unharmed"), "unharmed");
    assert_eq!(vmm.qmp().status(), "running");
}

#[test]
fn sizes_and_addresses_beyond_reason() {
    if !kvm_or_skip("hostile::addresses") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    let path = vmm.dir().join("saved").display().to_string();
    for command in ["memsave", "pmemsave"] {
        for (val, size) in
            [(0, -1_i64), (0, i64::MIN), (i64::MAX, 4096), (-1, 2), (-4096, i64::MAX)]
        {
            qmp.fails(command, json!({"val": val, "size": size, "filename": path}));
        }
    }
    drop(qmp);
    unharmed(&mut vmm);
}
