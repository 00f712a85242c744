//! Every action: its name, its arguments for `help`, and the function.

mod bench;
mod crash;
mod inspect;
mod memory;
mod pci;
mod ports;
mod power;
mod processors;
mod registers;
mod timers;

use crate::prompt::Answer;
use crate::text::{Refusal, Words};

type Outcome = Result<(), Refusal>;
type Function = fn(&mut Words, &mut Answer) -> Outcome;

const ACTIONS: &[(&str, &str, Function)] = &[
    ("help", "", help),
    ("info", "", inspect::info),
    ("memmap", "", inspect::memmap),
    ("cpus", "", inspect::cpus),
    ("acpi", "", inspect::acpi_tables),
    ("interrupts", "", inspect::interrupts),
    ("nmi", "", inspect::nmi),
    ("echo", "TEXT", inspect::echo),
    ("smp", "", processors::smp),
    ("spin", "[CPU] [MS]", processors::spin),
    ("dirty", "ADDR LEN RATE_MiB_s MS [CPU]", processors::dirty),
    ("dirtied", "", processors::dirtied),
    ("jobs", "", processors::jobs),
    ("wait", "[MS]", processors::wait),
    ("stop", "", processors::stop),
    ("counter", "[CPU]", processors::counter),
    ("idle", "[MS]", timers::idle),
    ("halt", "", timers::halt),
    ("tick", "[HZ] [COUNT]", timers::tick),
    ("ticks", "", timers::ticks),
    ("pit", "HZ COUNT", timers::pit),
    (
        "rtc",
        "time|periodic RATE COUNT|alarm SECONDS|arm SECONDS|read REG|write REG VAL",
        timers::rtc,
    ),
    ("tsc", "", timers::tsc),
    ("rb", "ADDR", memory::read8),
    ("rw", "ADDR", memory::read16),
    ("rl", "ADDR", memory::read32),
    ("rq", "ADDR", memory::read64),
    ("wb", "ADDR VAL", memory::write8),
    ("ww", "ADDR VAL", memory::write16),
    ("wl", "ADDR VAL", memory::write32),
    ("wq", "ADDR VAL", memory::write64),
    ("pattern", "write|verify ADDR LEN SEED", memory::pattern),
    ("checksum", "ADDR LEN", memory::checksum),
    ("inb", "PORT", ports::inb),
    ("inw", "PORT", ports::inw),
    ("inl", "PORT", ports::inl),
    ("outb", "PORT VAL", ports::outb),
    ("outw", "PORT VAL", ports::outw),
    ("outl", "PORT VAL", ports::outl),
    ("debugcon", "TEXT", ports::debugcon),
    ("pci", "list", pci::list),
    ("pcir", "BUS:DEV.FN OFF SIZE", pci::read),
    ("pciw", "BUS:DEV.FN OFF SIZE VAL", pci::write),
    ("irq", "on GSI [level] [low]|off GSI", registers::irq),
    ("cpuid", "LEAF [SUBLEAF]", registers::cpuid),
    ("rdmsr", "INDEX", registers::rdmsr),
    ("wrmsr", "INDEX VAL", registers::wrmsr),
    ("cr", "0|2|3|4|8", registers::cr),
    ("cr4", "VAL", registers::set_cr4),
    ("invlpg", "ADDR", registers::invlpg),
    ("fpu", "set|check SEED", registers::fpu),
    ("pm1", "[enable|disable|clear pwrbtn|slpbtn|rtc|timer|MASK]", power::pm1),
    ("gpe", "[enable|disable|clear MASK]", power::gpe),
    ("sci", "on|off", power::sci),
    ("obey", "on|off", power::obey),
    ("s3", "", power::s3),
    ("s5", "", power::s5),
    ("reset", "kbd|port92|cf9|acpi|triple", power::reset),
    ("panic", "[panicked|crashloaded|MASK] [PORT]", crash::panic),
    ("exit", "CODE [PORT]", crash::exit),
    ("badinsn0", "", crash::bad_instruction),
    ("jump", "ADDR", crash::jump),
    ("jump0", "ADDR", crash::jump0),
    ("pio-loop", "N [PORT]", bench::port_loop),
    ("mmio-loop", "N [ADDR]", bench::memory_loop),
    ("ring0-pio-loop", "N [PORT]", bench::ring0_port_loop),
    ("ring0-mmio-loop", "N [ADDR]", bench::ring0_memory_loop),
    ("ring0-spin", "N", bench::ring0_spin),
    ("copy", "LEN N", bench::copy),
    ("fill", "LEN N", bench::fill),
];

/// Runs the action called `name`.
pub fn run(name: &str, words: &mut Words, answer: &mut Answer) -> Outcome {
    match ACTIONS.iter().find(|(known, ..)| *known == name) {
        Some((_, _, function)) => function(words, answer),
        None => Err("unknown action, try help"),
    }
}

fn help(words: &mut Words, answer: &mut Answer) -> Outcome {
    words.end()?;
    for (index, (name, arguments, _)) in ACTIONS.iter().enumerate() {
        let (gap, separator) =
            (if arguments.is_empty() { "" } else { " " }, if index == 0 { "" } else { "; " });
        answer.append(format_args!(
            "{}{name}{gap}{arguments}",
            if index == 0 { " " } else { separator }
        ));
    }
    Ok(())
}
