//! Guests that touch everything there is, and what there is not.

use std::path::Path;

use harness::{Vmm, kvm_or_skip, pvh_image, wait_for};
use serde_json::json;

use crate::machine::{builder, start, unharmed};

/// Reads each port in three sizes, then writes zeros to it; at the end says `D` on the debug console.
///
/// ```text
///     xor edx, edx
/// 1:  in al, dx; in ax, dx; in eax, dx; xor eax, eax; out dx, al; out dx, ax; out dx, eax
///     inc edx; cmp edx, 0x10000; jne 1b
///     mov edx, 0xe9; mov al, 'D'; out dx, al
/// 2:  hlt; jmp 2b
/// ```
const EVERY_PORT: &[u8] = &[
    0x31, 0xd2, 0xec, 0x66, 0xed, 0xed, 0x31, 0xc0, 0xee, 0x66, 0xef, 0xef, 0x42, 0x81, 0xfa, 0x00,
    0x00, 0x01, 0x00, 0x75, 0xed, 0xba, 0xe9, 0x00, 0x00, 0x00, 0xb0, 0x44, 0xee, 0xf4, 0xeb, 0xfd,
];

/// Random words into random registers of the PCI configuration space, random ports and addresses beyond RAM, so many
/// rounds; then as above. `NEXT` stands for `imul ebx, ebx, 1664525; add ebx, 1013904223`.
///
/// ```text
///     mov ebx, SEED; mov ecx, ROUNDS
/// 1:  NEXT; mov eax, ebx; shr eax, 8; or eax, 0x80000000; mov edx, 0xcf8; out dx, eax
///     NEXT; mov eax, ebx; mov edx, 0xcfc; out dx, eax; in eax, dx
///     NEXT; mov edx, ebx; shr edx, 16; mov eax, ebx; out dx, al; out dx, ax; out dx, eax; in eax, dx
///     NEXT; mov edi, ebx; or edi, 0x08000000; mov eax, [edi]; mov [edi], eax; mov [edi], bl
///     dec ecx; jnz 1b
///     mov edx, 0xe9; mov al, 'D'; out dx, al
/// 2:  hlt; jmp 2b
/// ```
fn random_accesses(seed: u32, rounds: u32) -> Vec<u8> {
    const NEXT: [u8; 12] = [0x69, 0xdb, 0x0d, 0x66, 0x19, 0x00, 0x81, 0xc3, 0x5f, 0xf3, 0x6e, 0x3c];
    let parts: [&[u8]; 15] = [
        &[0xbb],
        &seed.to_le_bytes(),
        &[0xb9],
        &rounds.to_le_bytes(),
        &NEXT,
        &[0x89, 0xd8, 0xc1, 0xe8, 0x08, 0x0d, 0, 0, 0, 0x80, 0xba, 0xf8, 0x0c, 0, 0, 0xef],
        &NEXT,
        &[0x89, 0xd8, 0xba, 0xfc, 0x0c, 0, 0, 0xef, 0xed],
        &NEXT,
        &[0x89, 0xda, 0xc1, 0xea, 0x10, 0x89, 0xd8, 0xee, 0x66, 0xef, 0xef, 0xed],
        &NEXT,
        &[0x89, 0xdf, 0x81, 0xcf, 0, 0, 0, 0x08, 0x8b, 0x07, 0x89, 0x07, 0x88, 0x1f],
        &[0x49, 0x75, 0x9a],
        &[0xba, 0xe9, 0, 0, 0, 0xb0, 0x44, 0xee],
        &[0xf4, 0xeb, 0xfd],
    ];
    parts.concat()
}

/// A machine that runs `code`; the debug console goes to the file `said` in its folder.
fn run(code: &[u8], options: &str) -> Vmm {
    let builder = builder();
    let (kernel, said) = (builder.dir().join("kernel"), builder.dir().join("said"));
    std::fs::write(&kernel, pvh_image(code)).expect("write");
    builder
        .arg("-kernel")
        .arg(kernel)
        .arg("-debugcon")
        .arg(format!("file:{}", said.display()))
        .args(options)
        .args("-no-reboot -no-shutdown -display none")
        .with_qmp()
        .start()
}

fn is_done(said: &Path) -> bool {
    std::fs::read(said).unwrap_or_default().last() == Some(&b'D')
}

/// The machine can be reset and run again.
fn is_well(vmm: &mut Vmm) {
    let mut qmp = vmm.qmp();
    qmp.ok("set-action", json!({"reboot": "reset"}));
    qmp.ok("stop", json!({}));
    qmp.ok("query-pci", json!({}));
    qmp.hmp("info mtree");
    qmp.hmp("info registers");
    qmp.ok("system_reset", json!({}));
    qmp.ok("cont", json!({}));
    assert_eq!(qmp.status(), "running");
    qmp.ok("quit", json!({}));
    let exit = vmm.wait();
    assert_eq!((exit.status, exit.signal), (Some(0), None), "{}", exit.stderr);
}

#[test]
fn every_port_in_every_size() {
    if !kvm_or_skip("hostile::every_port") {
        return;
    }
    let options = "-serial null -serial null -device pvpanic -action panic=none";
    let mut vmm = run(EVERY_PORT, options);
    let said = vmm.dir().join("said");
    let mut qmp = vmm.qmp();
    wait_for("the last port", || {
        assert_eq!(qmp.status(), "running");
        is_done(&said).then_some(())
    });
    drop(qmp);
    is_well(&mut vmm);
}

#[test]
fn random_registers_ports_and_addresses() {
    if !kvm_or_skip("hostile::random") {
        return;
    }
    for seed in [1, 0x5eed_0001, 0xdead_beef, 0x1234_5678] {
        let mut vmm = run(&random_accesses(seed, 3000), "-device pvpanic -action panic=none -m 64");
        let said = vmm.dir().join("said");
        let mut qmp = vmm.qmp();
        // A guest may well turn its machine off that way.
        wait_for("the last access", || (is_done(&said) || qmp.status() != "running").then_some(()));
        drop(qmp);
        is_well(&mut vmm);
    }
}

/// The firmware's configuration copies between its items and memory that the guest names.
#[test]
fn direct_memory_access_to_anywhere() {
    if !kvm_or_skip("hostile::fw_cfg_dma") {
        return;
    }
    let mut vmm = start("-m 64");
    let block = 0x200_0000_u64;
    // Control, length, address; all are big-endian. Read, skip, select and write, of much or of little.
    for control in [0x02_u32, 0x04, 0x0019_000a, 0x10, 0xffff_ffff, 0x02] {
        for length in [0_u32, 1, 0x1000, 0xffff_ffff] {
            for address in
                [0_u64, block, block - 8, 0x3ff_fff0, 0x400_0000, 0xfee0_0000, u64::MAX, 1 << 63]
            {
                let word = |at: u64, value: u32| format!("wl {at:#x} {:#x}", value.swap_bytes());
                vmm.guest().ask(&word(block, control));
                vmm.guest().ask(&word(block + 4, length));
                vmm.guest().ask(&word(block + 8, (address >> 32) as u32));
                vmm.guest().ask(&word(block + 12, address as u32));
                // Zeros over its first gigabyte would be the guest's own doing.
                let harmless = !(address == 0 && length > 1);
                if harmless {
                    vmm.guest().ask(&format!("outl 0x514 {:#x}", 0));
                    vmm.guest().ask(&format!("outl 0x518 {:#x}", (block as u32).swap_bytes()));
                }
            }
        }
    }
    // The request itself where no memory is.
    for block in [0x400_0000_u32, 0x3ff_fff8, 0xffff_fff8, 0xfee0_0000] {
        vmm.guest().ask("outl 0x514 0xffffffff");
        vmm.guest().ask(&format!("outl 0x518 {:#x}", block.swap_bytes()));
        vmm.guest().ask("outl 0x514 0");
        vmm.guest().ask(&format!("outl 0x518 {:#x}", block.swap_bytes()));
    }
    unharmed(&mut vmm);
}

#[test]
fn a_guest_that_nobody_listens_to() {
    if !kvm_or_skip("hostile::unread_serial") {
        return;
    }
    let mut vmm = start("");
    let mut qmp = vmm.qmp();
    // Each answer has kilobytes; none is read for a while.
    for _ in 0..60 {
        vmm.guest().send("help");
    }
    for _ in 0..50 {
        assert_eq!(qmp.status(), "running");
    }
    qmp.ok("stop", json!({}));
    qmp.ok("cont", json!({}));
    for _ in 0..60 {
        vmm.guest().answer();
    }
    drop(qmp);
    unharmed(&mut vmm);
}

#[test]
fn processors_lost_one_by_one() {
    if !kvm_or_skip("hostile::cpus") {
        return;
    }
    let mut vmm = start("-smp 4 -no-reboot -no-shutdown");
    let mut qmp = vmm.qmp();
    vmm.guest().ask("smp");
    for cpu in 1..4 {
        vmm.guest().ask(&format!("spin {cpu}"));
    }
    for round in 0..30 {
        qmp.ok("stop", json!({}));
        qmp.hmp(&format!("cpu {}", round % 4));
        qmp.hmp("info registers");
        qmp.hmp("x /20i $pc");
        qmp.ok("inject-nmi", json!({}));
        qmp.ok("cont", json!({}));
    }
    vmm.guest().send("reset triple");
    wait_for("the end of the guest", || (qmp.status() == "shutdown").then_some(()));
    qmp.ok("set-action", json!({"reboot": "reset"}));
    qmp.ok("system_reset", json!({}));
    qmp.ok("cont", json!({}));
    vmm.guest().ready();
    drop(qmp);
    unharmed(&mut vmm);
}
