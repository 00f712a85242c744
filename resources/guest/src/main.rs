//! The bare-metal test guest of vmm. Ring 0 is entry.s and ring0.s; all Rust code runs in ring 3, identity mapped,
//! with every port open to it. README.md has the commands and the line protocol.

#![no_std]
#![no_main]

mod acpi;
mod actions;
mod apic;
mod boot;
mod entry;
mod events;
mod hardware;
mod interrupts;
mod jobs;
mod paging;
mod pattern;
mod power;
mod prompt;
mod ring0;
mod serial;
mod single;
mod smp;
mod text;
mod time;
mod trampoline;

use core::panic::PanicInfo;

use entry::{START_AP, START_WOKEN};

/// Ring 3 starts here (entry.s): what the loader passed, why we are here, CPU slot.
#[unsafe(no_mangle)]
extern "sysv64" fn ring3_main(argument: u64, why: u32, slot: usize) -> ! {
    match why {
        START_AP => smp::processor_main(slot),
        START_WOKEN => wake(),
        _ => start(argument, why),
    }
}

fn start(argument: u64, why: u32) -> ! {
    serial::init();
    boot::learn(argument, why);
    say!(
        "vmm test guest, booted through the {} entry; `help` lists its actions",
        if boot::get().pvh { "PVH" } else { "64-bit Linux" }
    );
    interrupts::fill_idt();
    acpi::learn();
    init_interrupts();
    say!(
        "{} MiB of memory, CPUs: {}",
        (boot::ram_bytes() + (1 << 19)) >> 20,
        acpi::get().cpus().len()
    );
    say!("control this machine over QMP, e.g. -qmp unix:/tmp/qmp.sock");
    say!("ready");
    ring0::sti();
    prompt::execute_command_line();
    prompt::run()
}

fn init_interrupts() {
    apic::mask_pics();
    apic::init_local();
    smp::boot_processor_alone();
    if apic::init_ioapic() {
        apic::unmask_legacy(serial::IRQ, false);
    } else {
        // No receive interrupt: look at the line now and then.
        time::start_tick(50);
    }
}

/// The machine woke from S3: RAM is as it was, devices and the other processors are not.
fn wake() -> ! {
    serial::init();
    (0..entry::MAX_CPUS).for_each(jobs::drop_job);
    init_interrupts();
    events::forget();
    say!("ok s3 woken");
    prompt::run()
}

/// An exception in ring 3 (ring0.s): one line, then back to work.
#[unsafe(no_mangle)]
extern "sysv64" fn ring3_fault(
    vector: u64,
    error: u64,
    rip: u64,
    cr2: u64,
    rsp: u64,
    slot: usize,
) -> ! {
    if slot != 0 {
        smp::processor_fault(slot, vector, rip);
    }
    say!(
        "error {} fault vector={vector} error={error:#x} rip={rip:#x} cr2={cr2:#x} rsp={rsp:#x}",
        prompt::current()
    );
    jobs::drop_job(0);
    prompt::run()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let (file, line) = info.location().map_or(("?", 0), |l| (l.file(), l.line()));
    say!("error {} panic at {file}:{line}", prompt::current());
    prompt::run()
}
