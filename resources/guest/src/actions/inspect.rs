//! What the guest knows about its machine.

use super::Outcome;
use crate::prompt::Answer;
use crate::text::Words;
use crate::{acpi as tables, apic, boot, entry, interrupts as counts, jobs, put, smp};

pub(super) fn info(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    let (free, free_end) = boot::free_range();
    put!(answer, "protocol={}", if boot::get().pvh { "pvh" } else { "linux64" });
    put!(answer, "regions={} ram={}", boot::get().regions().len(), boot::ram_bytes());
    put!(
        answer,
        "cpus={} running={} apic={}",
        tables::get().cpus().len(),
        smp::running().count(),
        apic::id()
    );
    put!(answer, "image={:#x}-{:#x}", entry::image_start.address(), entry::image_end.address());
    put!(answer, "free={free:#x}-{free_end:#x}");
    put!(answer, "counter={:#x} counts={:#x}", jobs::counter_address(), counts::counts_address());
    put!(answer, "cmdline=\"{}\"", boot::get().command_line());
    Ok(())
}

pub(super) fn memmap(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    for region in boot::get().regions() {
        put!(answer, "{:#x}-{:#x}:{}", region.start, region.start + region.length, region.kind);
    }
    Ok(())
}

pub(super) fn cpus(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    put!(answer, "count={} apic=", tables::get().cpus().len());
    for (index, id) in tables::get().cpus().iter().enumerate() {
        answer.append(format_args!("{}{id}", if index == 0 { "" } else { "," }));
    }
    Ok(())
}

pub(super) fn acpi_tables(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    let acpi = tables::get();
    if !acpi.found {
        return Err("no RSDP");
    }
    let fixed = &acpi.fixed;
    put!(answer, "ioapic={:#x} pins={} sci={}", acpi.ioapic, apic::ioapic_pins(), fixed.sci);
    put!(
        answer,
        "pm1_event={:#x} pm1_control={:#x} pm_timer={:#x}",
        fixed.pm1_event,
        fixed.pm1_control,
        fixed.pm_timer
    );
    put!(answer, "gpe0={:#x} gpe0_length={}", fixed.gpe0, fixed.gpe0_length);
    put!(answer, "reset={}:{:#x}={:#x}", fixed.reset_space, fixed.reset_address, fixed.reset_value);
    put!(answer, "facs={:#x}", fixed.facs);
    for (name, kind) in [("s3", acpi.s3), ("s5", acpi.s5)] {
        match kind {
            Some(kind) => put!(answer, "{name}={kind}"),
            None => put!(answer, "{name}=none"),
        }
    }
    Ok(())
}

pub(super) fn interrupts(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    for vector in (32..256).filter(|&v| counts::count(v) != 0) {
        put!(answer, "{vector:#x}={}", counts::count(vector));
    }
    put!(answer, "nmi={} last={:#x}", counts::nmis(), counts::last());
    Ok(())
}

pub(super) fn nmi(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    put!(answer, "count={}", counts::nmis());
    Ok(())
}

pub(super) fn echo(words: &mut Words, answer: &mut Answer) -> Outcome {
    put!(answer, "{}", words.rest());
    Ok(())
}
