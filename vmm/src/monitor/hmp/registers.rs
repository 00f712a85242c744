//! Registers for people: by name in expressions, and all of them when something went wrong.

use arch::cpu::regs::{EFER_LMA, Segment, State};
use arch::paging::PagingRegisters;

use super::Monitor;
use super::dump::{Reader, bytes_text};
use crate::machine::Machine;

/// Code bytes that are logged before and after an instruction pointer.
const BEFORE: u64 = 16;
const AFTER: u64 = 32;

/// The registers of processor `index`, read by its own thread between two instructions. `None`
/// if there is no such processor or KVM does not show them.
pub(in crate::monitor) fn registers_of(machine: &Machine, index: usize) -> Option<State> {
    machine.cpus.as_ref()?.registers(index)
}

/// The registers of the processor that the session chose.
pub(super) fn current(monitor: &Monitor<'_>) -> Option<State> {
    let index = monitor.control.sessions.get(&monitor.session).map_or(0, |session| session.cpu);
    registers_of(&monitor.control.machine, index)
}

/// What decides how the processor's addresses are translated.
pub(super) fn paging(state: &State) -> PagingRegisters {
    let s = &state.sregs;
    PagingRegisters { cr0: s.cr0, cr3: s.cr3, cr4: s.cr4, efer: s.efer }
}

/// Bits of the code that a processor executes: 16, 32 or 64.
pub(super) fn code_bits(state: &State) -> u32 {
    match (state.is_64_bit(), state.sregs.cs.big) {
        (true, _) => 64,
        (false, true) => 32,
        (false, false) => 16,
    }
}

/// The value of a register by the name it has in expressions: `$pc` is the linear address of the
/// next instruction; the 32-bit names mean the 64-bit registers in 64-bit code, as in QEMU; a
/// segment register is its selector, and has a base and a limit.
pub(super) fn by_name(monitor: &Monitor<'_>, name: &str) -> Option<u64> {
    value(&current(monitor)?, name)
}

fn value(state: &State, name: &str) -> Option<u64> {
    let (r, s) = (&state.regs, &state.sregs);
    let wide = s.efer & EFER_LMA != 0;
    let low = |value: u64| Some(if wide { value } else { value & 0xffff_ffff });
    match name {
        "pc" => Some(s.cs.base.wrapping_add(r.rip)),
        "eax" => low(r.rax),
        "ebx" => low(r.rbx),
        "ecx" => low(r.rcx),
        "edx" => low(r.rdx),
        "esi" => low(r.rsi),
        "edi" => low(r.rdi),
        "ebp" => low(r.rbp),
        "esp" | "sp" => low(r.rsp),
        "eip" => low(r.rip),
        "eflags" | "rflags" => Some(r.rflags),
        "rax" => Some(r.rax),
        "rbx" => Some(r.rbx),
        "rcx" => Some(r.rcx),
        "rdx" => Some(r.rdx),
        "rsi" => Some(r.rsi),
        "rdi" => Some(r.rdi),
        "rbp" | "fp" => Some(r.rbp),
        "rsp" => Some(r.rsp),
        "rip" => Some(r.rip),
        "r8" => Some(r.r8),
        "r9" => Some(r.r9),
        "r10" => Some(r.r10),
        "r11" => Some(r.r11),
        "r12" => Some(r.r12),
        "r13" => Some(r.r13),
        "r14" => Some(r.r14),
        "r15" => Some(r.r15),
        "cr0" => Some(s.cr0),
        "cr2" => Some(s.cr2),
        "cr3" => Some(s.cr3),
        "cr4" => Some(s.cr4),
        "cr8" => Some(s.cr8),
        _ => segment(state, name),
    }
}

fn segment(state: &State, name: &str) -> Option<u64> {
    let s = &state.sregs;
    let (name, part) = name.split_once('.').map_or((name, ""), |(name, part)| (name, part));
    let segment: &Segment = match name {
        "cs" => &s.cs,
        "ds" => &s.ds,
        "es" => &s.es,
        "fs" => &s.fs,
        "gs" => &s.gs,
        "ss" => &s.ss,
        _ => return None,
    };
    match part {
        "" => Some(segment.selector.into()),
        "base" => Some(segment.base),
        "limit" => Some(segment.limit.into()),
        _ => None,
    }
}

/// Puts a processor's registers and the code around its instruction pointer into the log, after
/// KVM gave up on it and said `what`.
pub(crate) fn log_cpu(machine: &Machine, cpu: usize, what: &str) {
    log::error!("CPU {cpu}: KVM cannot go on: {what}");
    let Some(state) = registers_of(machine, cpu) else {
        return log::error!("CPU {cpu} does not show its registers");
    };
    log::error!("registers:{}", arch::cpu::info_registers(cpu as u32, &state).trim_end());
    let reader = Reader::of_cpu(machine, &state);
    let pc = state.sregs.cs.base.wrapping_add(state.regs.rip);
    let before = bytes_text(&reader, pc.wrapping_sub(BEFORE), BEFORE);
    let after = bytes_text(&reader, pc, AFTER);
    log::error!(
        "Code={before} <{}> {}",
        after.get(..2).unwrap_or("??"),
        after.get(3..).unwrap_or("")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_their_names() {
        let mut state = State::reset(0x60fb1, true);
        state.regs.rax = 0x1_2345_6789;
        for (name, expected) in [
            ("pc", Some(0xffff_fff0)),
            ("eip", Some(0xfff0)),
            ("rip", Some(0xfff0)),
            ("eax", Some(0x2345_6789)),
            ("rax", Some(0x1_2345_6789)),
            ("edx", Some(0x60fb1)),
            ("eflags", Some(2)),
            ("cs", Some(0xf000)),
            ("cs.base", Some(0xffff_0000)),
            ("cs.limit", Some(0xffff)),
            ("cs.nope", None),
            ("eax.x", None),
            ("", None),
            ("nope", None),
        ] {
            assert_eq!(value(&state, name), expected, "{name}");
        }
        assert_eq!(code_bits(&state), 16);
        state.sregs.efer = EFER_LMA;
        state.sregs.cs.long = true;
        assert_eq!((value(&state, "eax"), code_bits(&state)), (Some(0x1_2345_6789), 64));
    }
}
