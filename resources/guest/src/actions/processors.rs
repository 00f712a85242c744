//! Processors and the jobs they run in the background.

use super::Outcome;
use super::memory::range;
use crate::prompt::Answer;
use crate::text::{Refusal, Words};
use crate::{acpi, boot, jobs as work, put, smp as processors, time};

pub(super) fn smp(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    processors::start_all();
    let running = processors::running();
    put!(answer, "running={} apic=", running.clone().count());
    for (index, id) in running.clone().filter_map(processors::apic_id).enumerate() {
        answer.append(format_args!("{}{id}", if index == 0 { "" } else { "," }));
    }
    if running.count() == acpi::get().cpus().len() { Ok(()) } else { Err("some CPUs do not start") }
}

fn running_cpu(words: &mut Words, default: usize) -> Result<usize, Refusal> {
    let cpu = words.number_or(default as u64)? as usize;
    processors::apic_id(cpu).map(|_| cpu).ok_or("no such running CPU (see smp)")
}

/// The optional CPU argument: by default the last one that runs, so that the prompt stays quick.
fn cpu(words: &mut Words) -> Result<usize, Refusal> {
    let last = processors::running().next_back().unwrap_or(0);
    let cpu = running_cpu(words, last)?;
    if work::is_busy(cpu) {
        return Err("that CPU has a job (see stop)");
    }
    Ok(cpu)
}

pub(super) fn spin(words: &mut Words, answer: &mut Answer) -> Outcome {
    let cpu = cpu(words)?;
    let ms = words.number_or(0)?;
    words.end()?;
    work::spin(cpu, ms);
    put!(answer, "cpu={cpu} ms={ms}");
    Ok(())
}

pub(super) fn dirty(words: &mut Words, answer: &mut Answer) -> Outcome {
    let (address, length) = range(words, 4096)?;
    if boot::touches_image(address, length) {
        return Err("range touches the guest's image");
    }
    let (rate, ms) = (words.small(32)?, words.number()?);
    let cpu = cpu(words)?;
    words.end()?;
    work::dirty(cpu, address, length, rate * 256, ms);
    put!(answer, "cpu={cpu} pages={} rate={rate} ms={ms}", length / 4096);
    Ok(())
}

pub(super) fn dirtied(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    put!(answer, "pages={}", work::dirtied());
    Ok(())
}

pub(super) fn jobs(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    for slot in processors::running() {
        put!(answer, "{slot}={}", work::name(slot));
    }
    Ok(())
}

fn others_busy() -> bool {
    processors::running().any(|slot| slot != 0 && work::is_busy(slot))
}

/// Until no job runs; the boot processor's own is run here.
pub(super) fn wait(words: &mut Words, answer: &mut Answer) -> Outcome {
    let limit = words.number_or(60_000)?;
    words.end()?;
    let deadline = crate::hardware::tsc().saturating_add(time::cycles(limit));
    while work::step(0) || others_busy() {
        if crate::hardware::tsc() >= deadline {
            return Err("jobs still run");
        }
    }
    put!(answer, "dirtied={}", work::dirtied());
    Ok(())
}

pub(super) fn stop(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    let running = processors::running();
    let busy = running.clone().filter(|&slot| work::is_busy(slot)).count();
    running.for_each(work::stop);
    time::stop_tick();
    let deadline = crate::hardware::tsc().saturating_add(time::cycles(2000));
    while others_busy() {
        if crate::hardware::tsc() >= deadline {
            return Err("a CPU does not stop");
        }
        crate::hardware::pause();
    }
    put!(answer, "jobs={busy}");
    Ok(())
}

pub(super) fn counter(words: &mut Words, answer: &mut Answer) -> Outcome {
    let cpu = running_cpu(words, 0)?;
    words.end()?;
    put!(
        answer,
        "value={} address={:#x}",
        work::counter(cpu),
        work::counter_address() + 64 * cpu as u64
    );
    Ok(())
}
