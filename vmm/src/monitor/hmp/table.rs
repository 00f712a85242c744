//! What the human monitor knows, by name.

use super::{Run, commands, help, info};

/// One command, or one item of `info`.
pub(super) struct Entry {
    /// Its names, separated by bars; the first is its own.
    pub(super) names: &'static str,
    /// Its parameters, for people.
    pub(super) parameters: &'static str,
    /// What it does, for people.
    pub(super) help: &'static str,
    /// Whether it makes sense before the machine exists.
    pub(super) early: bool,
    /// What runs it.
    pub(super) run: Run,
}

impl Entry {
    /// Its first name.
    pub(super) fn name(&self) -> &'static str {
        self.names.split('|').next().unwrap_or_default()
    }
}

/// The entry that `name` is a name of.
pub(super) fn find(table: &'static [Entry], name: &str) -> Option<&'static Entry> {
    table.iter().find(|entry| entry.names.split('|').any(|known| known == name))
}

macro_rules! table {
    ($($names:literal, $parameters:literal, $help:literal, $early:literal, $run:expr;)*) => {
        &[$(Entry {
            names: $names,
            parameters: $parameters,
            help: $help,
            early: $early,
            run: $run,
        }),*]
    };
}

/// The commands, by name.
#[rustfmt::skip]
pub(super) static COMMANDS: &[Entry] = table! {
    "cont|c", "", "resume emulation", false, commands::cont;
    "cpu", "index", "set the default CPU", false, commands::cpu;
    "help|?", "[cmd]", "show the help", true, help::help;
    "i", "/fmt addr", "I/O port read", false, commands::port_read;
    "info", "[subcommand]", "show various information about the system state", true, help::info;
    "memsave", "addr size file", "save to disk virtual memory dump starting at 'addr' of size 'size'", false, commands::memsave;
    "nmi", "", "inject an NMI", false, commands::nmi;
    "o", "/fmt addr value", "I/O port write", false, commands::port_write;
    "pmemsave", "addr size file", "save to disk physical memory dump starting at 'addr' of size 'size'", false, commands::pmemsave;
    "print|p", "/fmt expr", "print expression value (use $reg for CPU register access)", false, commands::print;
    "quit|q", "", "quit the emulator", true, commands::quit;
    "stop|s", "", "stop emulation", false, commands::stop;
    "system_powerdown", "", "send system power down event", false, commands::powerdown;
    "system_reset", "", "reset the system", false, commands::reset;
    "system_wakeup", "", "wakeup guest from suspend", false, commands::wakeup;
    "x", "/fmt addr", "virtual memory dump starting at 'addr'", false, commands::dump_virtual;
    "xp", "/fmt addr", "physical memory dump starting at 'addr'", false, commands::dump_physical;
};

/// The items of `info`, by name.
#[rustfmt::skip]
pub(super) static INFO: &[Entry] = table! {
    "chardev", "", "show the character devices", true, info::chardev;
    "cpus", "", "show infos for each CPU", false, info::cpus;
    "kvm", "", "show KVM information", true, info::kvm;
    "mem", "", "show the active virtual memory mappings", false, info::mem;
    "mtree", "[-f][-D]", "show memory tree (-f: dump flat view for address spaces; -D: dump disabled regions)", false, info::mtree;
    "name", "", "show the current VM name", true, info::name;
    "pci", "", "show PCI info", false, info::pci;
    "qom-tree", "[path]", "show QOM composition tree", true, info::qom_tree;
    "qtree", "", "show device tree", false, info::qtree;
    "registers", "[-a|vcpu]", "show the cpu registers (-a: show register info for all cpus; vcpu: specific vCPU to query; show the current CPU's registers if no argument is specified)", false, info::registers;
    "status", "", "show the current VM status (running|paused)", true, info::status;
    "uuid", "", "show the current VM UUID", true, info::uuid;
    "version", "", "show the version of QEMU", true, info::version;
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        for table in [COMMANDS, INFO] {
            assert!(table.is_sorted_by_key(|entry| entry.names));
            let mut names: Vec<_> = table.iter().flat_map(|e| e.names.split('|')).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
        assert_eq!(find(COMMANDS, "?").unwrap().name(), "help");
        assert!(find(COMMANDS, "stop|s").is_none() && find(INFO, "").is_none());
    }
}
