//! `-smp`: how many CPUs, and how they are arranged.
//!
//! What is left out follows from the rest. As in QEMU since 6.2, CPUs go into more cores before they go into more sockets.

use super::error::{Error, Location};
use super::groups::SMP;
use super::keyval::Pairs;
use super::machine::MachineInfo;
use super::parser::{Accumulated, Parser};
use super::types::Smp;

pub(super) fn apply(
    parser: &mut Parser<'_>,
    pairs: Pairs,
    location: &Location,
) -> Result<(), Error> {
    let dict = SMP.read(&pairs, location, &mut parser.options.warnings)?;
    parser.smp.add(dict, location);
    Ok(())
}

pub(super) fn finish(parser: &mut Parser<'_>) -> Result<(), Error> {
    let given = &parser.smp;
    let machine = parser.options.machine.kind.info();
    if given.dict.iter().any(|(_, number)| number.as_i64() == Some(0)) {
        let warning = given.location.warning(
            "Deprecated CPU topology (considered invalid): CPU topology parameters must be greater than zero",
        );
        parser.options.warnings.push(warning);
    }
    for key in ["clusters", "dies"] {
        let supported = key == "dies" && machine.dies;
        if !supported && number(given, key, machine)? > 1 {
            return Err(given
                .location
                .error(format!("{key} not supported by this machine's CPU topology")));
        }
    }
    parser.options.smp = fill_in(given, machine)?;
    Ok(())
}

/// A number of the topology; 0 stands for one that is left out.
fn number(given: &Accumulated, key: &str, machine: &MachineInfo) -> Result<u32, Error> {
    let Some(number) = given.number(key) else {
        return Ok(0);
    };
    u32::try_from(number).map_err(|_| match key {
        "cpus" | "maxcpus" => too_many(given, number, machine),
        _ => given
            .location
            .error(format!("Parameter 'smp.{key}' expects a number from 1 to {}", u32::MAX)),
    })
}

fn too_many(given: &Accumulated, cpus: i64, machine: &MachineInfo) -> Error {
    given.location.error(format!(
        "Invalid SMP CPUs {cpus}. The max CPUs supported by machine '{}' is {}",
        machine.name, machine.max_cpus
    ))
}

fn fill_in(given: &Accumulated, machine: &MachineInfo) -> Result<Smp, Error> {
    let number = |key| number(given, key, machine);
    let (mut cpus, mut maxcpus) = (number("cpus")?, number("maxcpus")?);
    let (mut sockets, mut cores, mut threads) =
        (number("sockets")?, number("cores")?, number("threads")?);
    let dies = number("dies")?.max(1);

    // The division that yields a missing number; none of the others is zero by then.
    let share = |total: u32, factors: [u32; 3]| {
        let product: u128 = factors.iter().map(|factor| u128::from(*factor)).product();
        (u128::from(total) / product.max(1)) as u32
    };
    if cpus == 0 && maxcpus == 0 {
        (sockets, cores, threads) = (sockets.max(1), cores.max(1), threads.max(1));
    } else {
        maxcpus = if maxcpus > 0 { maxcpus } else { cpus };
        if cores == 0 {
            (sockets, threads) = (sockets.max(1), threads.max(1));
            cores = share(maxcpus, [sockets, dies, threads]);
        } else if sockets == 0 {
            threads = threads.max(1);
            sockets = share(maxcpus, [dies, cores, threads]);
        }
        if threads == 0 {
            threads = share(maxcpus, [sockets, dies, cores]);
        }
    }

    let parts = [sockets, dies, cores, threads].map(u128::from);
    let total: u128 = parts.iter().product();
    if maxcpus == 0 {
        maxcpus = u32::try_from(total)
            .map_err(|_| too_many(given, i64::try_from(total).unwrap_or(i64::MAX), machine))?;
    }
    if cpus == 0 {
        cpus = maxcpus;
    }
    let topology = if machine.dies {
        format!("sockets ({sockets}) * dies ({dies}) * cores ({cores}) * threads ({threads})")
    } else {
        format!("sockets ({sockets}) * cores ({cores}) * threads ({threads})")
    };
    if total != u128::from(maxcpus) {
        return Err(given.location.error(format!(
            "Invalid CPU topology: product of the hierarchy must match maxcpus: {topology} != maxcpus ({maxcpus})"
        )));
    }
    if maxcpus < cpus {
        return Err(given.location.error(format!(
            "Invalid CPU topology: maxcpus must be equal to or greater than smp: {topology} == maxcpus ({maxcpus}) < smp_cpus ({cpus})"
        )));
    }
    if maxcpus > machine.max_cpus {
        return Err(too_many(given, i64::from(maxcpus), machine));
    }
    Ok(Smp { cpus, maxcpus, sockets, dies, cores, threads })
}
