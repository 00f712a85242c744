//! Services of ring 0, asked for with `ud2` (a fault enters ring 0 on every kind of KVM; `syscall` and `int n` do not).

use core::arch::asm;
use core::sync::atomic::AtomicU64;

use crate::entry::{MARK, Symbol};

// The order of `service_table` in ring0.s.
const WAIT: u64 = 0;
const CLI: u64 = 1;
const STI: u64 = 2;
const RDMSR: u64 = 3;
const WRMSR: u64 = 4;
const CR0: u64 = 5;
const CR2: u64 = 6;
const CR3: u64 = 7;
const CR4: u64 = 8;
const CR8: u64 = 9;
const SET_CR4: u64 = 10;
const CPUID: u64 = 11;
const INVLPG: u64 = 12;
const TRIPLE: u64 = 13;
const HALT: u64 = 14;
const CALL: u64 = 15;
const POPCNT: u64 = 16;
const JUMP: u64 = 17;

/// The vector of an exception that a service ran into.
pub struct Fault(pub u64);

fn service(number: u64, a: u64, b: u64, c: u64) -> Result<u64, Fault> {
    let (value, status): (u64, u64);
    // SAFETY: ring 0 answers in rax and rdx, keeps rbx, rbp, r12-r15 and rsp, and changes memory only as the service says.
    unsafe {
        asm!(
            "ud2",
            inlateout("rax") number => value,
            in("rdi") a,
            in("rsi") b,
            in("r8") c,
            in("r11") u64::from(MARK),
            lateout("rdx") status,
            clobber_abi("C"),
        );
    }
    if status & 0x100 == 0 { Ok(value) } else { Err(Fault(status & 0xff)) }
}

/// Halts until an interrupt, unless `word` no longer holds `seen` (checked with interrupts off: no lost wake-up).
pub fn wait(word: &AtomicU64, seen: u64) {
    let _ = service(WAIT, word.as_ptr() as u64, seen, 0);
}

/// Turns interrupts off for this CPU's ring 3.
pub fn cli() {
    let _ = service(CLI, 0, 0, 0);
}

/// Turns interrupts on.
pub fn sti() {
    let _ = service(STI, 0, 0, 0);
}

/// Reads a model-specific register.
pub fn rdmsr(index: u32) -> Result<u64, Fault> {
    service(RDMSR, u64::from(index), 0, 0)
}

/// Writes a model-specific register.
pub fn wrmsr(index: u32, value: u64) -> Result<(), Fault> {
    service(WRMSR, u64::from(index), value, 0).map(|_| ())
}

/// Control register `n`; `None` for a number that does not exist.
pub fn read_cr(n: u64) -> Option<u64> {
    let number = match n {
        0 => CR0,
        2 => CR2,
        3 => CR3,
        4 => CR4,
        8 => CR8,
        _ => return None,
    };
    service(number, 0, 0, 0).ok()
}

/// Writes CR4.
pub fn write_cr4(value: u64) -> Result<(), Fault> {
    service(SET_CR4, value, 0, 0).map(|_| ())
}

/// Drops the TLB entry of one page.
pub fn invlpg(address: u64) {
    let _ = service(INVLPG, address, 0, 0);
}

/// CPUID as ring 0 sees it: eax, ebx, ecx, edx.
pub fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    let (a, b, c, d): (u64, u64, u64, u64);
    // SAFETY: as in `service`; CPUID changes nothing else.
    unsafe {
        asm!(
            "ud2",
            inlateout("rax") CPUID => a,
            in("rdi") u64::from(leaf),
            in("rsi") u64::from(subleaf),
            in("r11") u64::from(MARK),
            lateout("r8") b,
            lateout("rcx") c,
            lateout("rdx") d,
            clobber_abi("C"),
        );
    }
    [a as u32, b as u32, c as u32, d as u32]
}

/// Loads an empty IDT and faults: a triple fault.
pub fn triple_fault() {
    let _ = service(TRIPLE, 0, 0, 0);
}

/// Halts with interrupts off, for ever.
pub fn halt() {
    let _ = service(HALT, 0, 0, 0);
}

/// Runs one of ring0.s's loops in ring 0.
pub fn call(function: &'static Symbol, a: u64, b: u64) -> Result<(), Fault> {
    service(CALL, function.address(), a, b).map(|_| ())
}

/// POPCNT in ring 0.
pub fn popcnt(value: u64) -> Result<u64, Fault> {
    service(POPCNT, value, 0, 0)
}

/// Jumps to `address` in ring 0.
pub fn jump(address: u64) -> Result<(), Fault> {
    service(JUMP, address, 0, 0).map(|_| ())
}
