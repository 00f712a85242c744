//! The items of `info`.

use std::fmt::Write;

use arch::paging::{Mappings, Mode};
use qapi::handlers::{Char, Control, Machine, Misc, Pci, RunState};

use super::arguments::Arguments;
use super::{Answer, Monitor, mtree, pci, qtree, registers};

type Result = std::result::Result<Answer, String>;

/// The most lines that `info mem` prints.
const MAX_RANGES: usize = 1 << 16;

/// A query's answer as text, or its error.
fn text<T>(
    arguments: &Arguments<'_>,
    query: impl FnOnce() -> std::result::Result<T, qapi::Error>,
    show: impl FnOnce(T) -> String,
) -> Result {
    arguments.end()?;
    Ok(match query() {
        Ok(value) => show(value),
        Err(error) => format!("Error: {error}\n"),
    }
    .into())
}

pub(super) fn version(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(
        arguments,
        || monitor.query_version(),
        |info| {
            let v = info.qemu;
            format!("{}.{}.{} {}\n", v.major, v.minor, v.micro, info.package)
        },
    )
}

pub(super) fn status(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(
        arguments,
        || monitor.query_status(),
        |info| {
            let reason = match (info.running, info.status) {
                (true, _) | (_, qapi::RunState::Paused) => String::new(),
                (false, status) => format!(" ({status})"),
            };
            format!("VM status: {}{reason}\n", if info.running { "running" } else { "paused" })
        },
    )
}

pub(super) fn name(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(
        arguments,
        || monitor.query_name(),
        |info| info.name.map(|name| format!("{name}\n")).unwrap_or_default(),
    )
}

pub(super) fn uuid(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(arguments, || monitor.query_uuid(), |info| format!("{}\n", info.uuid))
}

pub(super) fn kvm(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(
        arguments,
        || monitor.query_kvm(),
        |info| {
            let state = match (info.present, info.enabled) {
                (false, _) => "not compiled",
                (true, true) => "enabled",
                (true, false) => "disabled",
            };
            format!("kvm support: {state}\n")
        },
    )
}

pub(super) fn cpus(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let current = monitor.own().cpu as i64;
    text(
        arguments,
        || monitor.query_cpus_fast(),
        |list| {
            let line = |cpu: &qapi::CpuInfoFast| {
                let mark = if cpu.cpu_index == current { '*' } else { ' ' };
                format!("{mark} CPU #{}: thread_id={}\n", cpu.cpu_index, cpu.thread_id)
            };
            list.iter().map(line).collect()
        },
    )
}

pub(super) fn chardev(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(
        arguments,
        || monitor.query_chardev(),
        |list| {
            let line = |c: &qapi::ChardevInfo| format!("{}: filename={}\n", c.label, c.filename);
            list.iter().map(line).collect()
        },
    )
}

pub(super) fn pci(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    text(arguments, || monitor.query_pci(), |buses| pci::text(&buses))
}

pub(super) fn registers(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let all = !arguments.flags("a")?.is_empty();
    let chosen = match arguments.is_empty() {
        true => monitor.own().cpu,
        false => arguments.integer_32(monitor)? as usize,
    };
    arguments.end()?;
    let machine = &monitor.control.machine;
    let count = machine.cpus.as_ref().map_or(0, |cpus| cpus.list().len());
    if count == 0 {
        return Ok("No CPU available\n".to_owned().into());
    }
    let range = if all { 0..count } else { chosen..chosen + 1 };
    let one = |index| match registers::registers_of(machine, index) {
        Some(state) => arch::cpu::info_registers(index as u32, &state),
        None => format!("CPU#{index} not available\n"),
    };
    Ok(range.map(one).collect::<String>().into())
}

/// Walks all page tables, which a worker does.
pub(super) fn mem(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    arguments.end()?;
    let Some(state) = registers::current(monitor) else {
        return Ok("No CPU available\n".to_owned().into());
    };
    let registers = registers::paging(&state);
    if registers.mode() == Mode::Off {
        return Ok("PG disabled\n".to_owned().into());
    }
    let map = monitor.control.machine.platform.memory.snapshot();
    Ok(Answer::Work(Box::new(move || {
        let read = |address: u64, buffer: &mut [u8]| map.read_memory(address, buffer);
        let mut mappings = Mappings::new(&read, &registers);
        let mut text = String::new();
        for range in mappings.by_ref().take(MAX_RANGES) {
            let (user, write) =
                (if range.user { 'u' } else { '-' }, if range.write { 'w' } else { '-' });
            let (start, end) = (range.start, range.last.wrapping_add(1));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{start:016x}-{end:016x} {:016x} {user}r{write}", range.size());
        }
        if mappings.next().is_some() || mappings.gave_up() {
            text.push_str("(there are more)\n");
        }
        text
    })))
}

pub(super) fn mtree(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let flags = arguments.flags("fD")?;
    arguments.end()?;
    let platform = &monitor.control.machine.platform;
    let spaces = [&platform.ports, &platform.memory];
    Ok(match flags.contains('f') {
        true => mtree::flat(&spaces),
        false => mtree::tree(&spaces, flags.contains('D')),
    }
    .into())
}

pub(super) fn qtree(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    arguments.end()?;
    Ok(qtree::devices(&monitor.control.machine.tree).into())
}

pub(super) fn qom_tree(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let path = arguments.optional_string()?.unwrap_or_else(|| "/machine".into());
    arguments.end()?;
    Ok(qtree::objects(&monitor.control.machine.tree, &path).into())
}
