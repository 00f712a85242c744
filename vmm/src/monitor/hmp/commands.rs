//! The commands but for `info` and `help`.

use qapi::{Command, CpuArgs, MemsaveArgs, PmemsaveArgs};

use super::arguments::Arguments;
use super::dump::{self, Reader};
use super::format::{Format, Kind};
use super::{Answer, Monitor, registers};

type Result = std::result::Result<Answer, String>;

/// A command of QMP's without arguments.
fn plain(arguments: &Arguments<'_>, command: Command) -> Result {
    arguments.end()?;
    Ok(command.into())
}

pub(super) fn cont(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::Cont)
}

pub(super) fn stop(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::Stop)
}

pub(super) fn quit(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::Quit)
}

pub(super) fn nmi(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::InjectNmi)
}

pub(super) fn reset(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::SystemReset)
}

pub(super) fn powerdown(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::SystemPowerdown)
}

pub(super) fn wakeup(_: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    plain(arguments, Command::SystemWakeup)
}

pub(super) fn cpu(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let index = arguments.integer_32(monitor)?.into();
    arguments.end()?;
    if monitor.cpu_number("index", index).is_err() {
        return Ok("invalid CPU index\n".to_owned().into());
    }
    Ok(Command::Cpu(CpuArgs { index }).into())
}

pub(super) fn memsave(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let (val, size) = (arguments.integer(monitor)?, arguments.integer(monitor)?);
    let filename = arguments.string()?;
    arguments.end()?;
    Ok(Command::Memsave(MemsaveArgs { val, size, filename, cpu_index: None }).into())
}

pub(super) fn pmemsave(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let (val, size) = (arguments.integer(monitor)?, arguments.integer(monitor)?);
    let filename = arguments.string()?;
    arguments.end()?;
    Ok(Command::Pmemsave(PmemsaveArgs { val, size, filename }).into())
}

pub(super) fn print(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let format = arguments.format()?;
    let value = arguments.integer(monitor)?;
    arguments.end()?;
    Ok(format!("{}\n", format.kind.single(value as u64)).into())
}

pub(super) fn dump_virtual(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let (format, address) = place(monitor, arguments)?;
    let Some(state) = registers::current(monitor) else {
        return Ok("Can not dump without CPU\n".to_owned().into());
    };
    let reader = Reader::of_cpu(&monitor.control.machine, &state);
    dumped(&reader, address, format, registers::code_bits(&state))
}

pub(super) fn dump_physical(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let (format, address) = place(monitor, arguments)?;
    let bits = match registers::current(monitor) {
        Some(state) => registers::code_bits(&state),
        None if format.kind == Kind::Instruction => {
            return Ok("Can not dump without CPU\n".to_owned().into());
        }
        None => 64,
    };
    dumped(&Reader::physical(&monitor.control.machine), address, format, bits)
}

/// `/fmt addr` to the end of the line.
fn place(
    monitor: &Monitor<'_>,
    arguments: &mut Arguments<'_>,
) -> std::result::Result<(Format, u64), String> {
    let format = arguments.format()?;
    let address = arguments.integer(monitor)? as u64;
    arguments.end()?;
    Ok((format, address))
}

fn dumped(reader: &Reader, address: u64, format: Format, bits: u32) -> Result {
    if format.count > dump::MAX_COUNT {
        return Err(format!("at most {} values can be shown at once", dump::MAX_COUNT));
    }
    Ok(match format.kind {
        Kind::Instruction => dump::instructions(reader, address, format.count, bits),
        _ => dump::table(reader, address, format),
    }
    .into())
}

/// `i /fmt port[.index]`: with an index that is first written to the port, as chips with an index
/// and a data register want it.
pub(super) fn port_read(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let format = arguments.format()?;
    let mut port = arguments.integer_32(monitor)? as u16;
    let index = arguments.index(monitor)?;
    arguments.end()?;
    let (size, suffix) = port_size(format)?;
    if let Some(index) = index {
        monitor.write_port(port, &[index as u8]);
        port = port.wrapping_add(1);
    }
    let mut value = [0; 4];
    monitor.control.machine.platform.ports.read(port.into(), &mut value[..size]);
    let (value, digits) = (u32::from_le_bytes(value), size * 2);
    Ok(format!("port{suffix}[0x{port:04x}] = 0x{value:0digits$x}\n").into())
}

pub(super) fn port_write(monitor: &mut Monitor<'_>, arguments: &mut Arguments<'_>) -> Result {
    let format = arguments.format()?;
    let port = arguments.integer_32(monitor)? as u16;
    let value = arguments.integer(monitor)?;
    arguments.end()?;
    let (size, _) = port_size(format)?;
    monitor.write_port(port, &value.to_le_bytes()[..size]);
    Ok(String::new().into())
}

/// Bytes of a port access and their letter.
fn port_size(format: Format) -> std::result::Result<(usize, char), String> {
    match format.size {
        1 => Ok((1, 'b')),
        2 => Ok((2, 'w')),
        4 => Ok((4, 'l')),
        _ => Err("ports are accessed by 1, 2 or 4 bytes".into()),
    }
}

impl Monitor<'_> {
    /// Writes to a port as a processor does. What that asks of the machine happens at once.
    fn write_port(&mut self, port: u16, data: &[u8]) {
        let platform = &self.control.machine.platform;
        let dispatch =
            devices::memory::Dispatch::new(platform.memory.clone(), platform.ports.clone());
        if let Some(request) = dispatch.write_port(port, data) {
            let outcome = self.control.machine.handle(request);
            self.control.finish(outcome);
        }
    }
}
