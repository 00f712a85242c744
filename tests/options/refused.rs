//! Values that are refused: status 1, one clear line that names the option and the value.

use harness::kvm_or_skip;

use crate::guest::builder;

/// Command lines, and what the message must have.
const REFUSED: &[(&str, &str)] = &[
    ("-bogus", "-bogus: invalid option"),
    ("--bogus", "--bogus: invalid option"),
    ("-m", "-m: requires an argument"),
    ("-m x", "-m x: Parameter 'size' expects a non-negative number below 2^64"),
    ("-m 64,slots=1", "slots specified but no max-size"),
    ("-m 64,slots=2,maxmem=128M", "'slots' and 'maxmem' of -m are not supported"),
    ("-smp 1000", "-smp 1000: Invalid SMP CPUs 1000"),
    ("-smp 3,cores=2", "product of the hierarchy must match maxcpus"),
    ("-smp 4,maxcpus=2", "maxcpus must be equal to or greater than smp"),
    ("-smp cpus=x", "Parameter 'smp.cpus' expects integer"),
    ("-accel tcg", "tcg"),
    ("-accel foo", "-accel foo: invalid accelerator foo"),
    ("-machine q35", "-machine q35: unsupported machine type"),
    ("-machine pc,kernel-irqchip=split", "'kernel-irqchip=split' is not supported"),
    ("-machine pc,kernel-irqchip=off", "'kernel-irqchip=off' is not supported"),
    ("-machine pc,hpet=on", "'hpet=on' is not supported"),
    ("-machine pc,foo=1", "Property 'pc-i440fx-7.2-machine.foo' not found"),
    ("-cpu nope", "unable to find CPU model 'nope'"),
    ("-cpu qemu64,+nope", "Property 'qemu64-x86_64-cpu.nope' not found"),
    ("-uuid x", "failed to parse UUID string"),
    ("-name foo,bar=1", "Invalid parameter 'bar'"),
    ("-display gtk", "-display gtk: display 'gtk' is not supported"),
    ("-vga std", "-vga std: vga type 'std' is not supported"),
    ("-net nic", "-net nic: network backend 'nic' is not supported"),
    ("-nic user", "-nic user: network backend 'user' is not supported"),
    ("-parallel stdio", "-parallel stdio: parallel device 'stdio' is not supported"),
    ("-initrd x", "-initrd only allowed with -kernel option"),
    ("-append x", "-append only allowed with -kernel option"),
    ("-device nope", "'nope' is not a valid device model name"),
    ("-device isa-serial,foo=1", "Property 'isa-serial.foo' not found"),
    ("-device isa-serial,iobase=x", "iobase"),
    ("-device {", "-device {: JSON parse error"),
    ("-object nope,id=a", "Parameter 'qom-type' does not accept value 'nope'"),
    ("-object memory-backend-ram,size=1M", "Parameter 'id' is missing"),
    ("-object memory-backend-ram,id=a", "size"),
    ("-global x", "-global x:"),
    ("-chardev nope,id=a", "'nope' is not a valid char driver name"),
    ("-chardev null", "no id specified"),
    ("-chardev null,id=a -chardev null,id=a", "Duplicate ID 'a'"),
    ("-mon nope", "chardev \"nope\" not found"),
    ("-chardev null,id=a -mon a,mode=x", "mode"),
    ("-qmp bogus:", "'bogus:' is not a valid char driver"),
    ("-serial bogus", "'bogus' is not a valid char driver"),
    ("-debugcon nope:", "'nope:' is not a valid char driver"),
    ("-rtc base=x", "invalid datetime format"),
    ("-rtc clock=x", "invalid option value 'x'"),
    ("-boot order=z", "Invalid boot device 'z'"),
    ("-boot order=cc", "Boot device 'c' was given twice"),
    ("-action watchdog=reset", "watchdog"),
    ("-action reboot=x", "Parameter 'reboot' does not accept value 'x'"),
    ("-add-fd fd=99,set=1", "fd is not valid"),
    ("-add-fd fd=0,set=1", "fd"),
    ("-d nope", "there is no log item 'nope'"),
    ("-D /no/such/file", "/no/such/file"),
    ("-trace events=/no/such/file", "/no/such/file"),
    ("-readconfig /no/such/file", "/no/such/file"),
    ("-pidfile /no/such/file", "/no/such/file"),
    ("-msg timestamp=x", "Parameter 'timestamp' expects 'on' or 'off'"),
    ("disk.img", "disk.img"),
    ("-machine none -kernel x", "-kernel"),
    ("-machine none -serial null", "serial"),
    ("-daemonize -nographic", "-nographic cannot be used with -daemonize"),
    ("-machine memory-backend=zz", "Memory backend 'zz' not found"),
    ("-kernel /no/such/file", "/no/such/file"),
    ("-bios /no/such/file", "/no/such/file"),
];

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    if !kvm_or_skip("options::refused") {
        return;
    }
    let mut wrong = Vec::new();
    for (words, expected) in REFUSED {
        let exit = builder().args(words).run();
        // Warnings and notes are lines of their own, hints follow the message.
        let errors: Vec<&str> = exit
            .stderr
            .lines()
            .filter(|line| line.starts_with("vmm: "))
            .filter(|line| !line.starts_with("vmm: warning") && !line.starts_with("vmm: info"))
            .collect();
        let one = matches!(errors[..], [line] if line.contains(expected));
        if exit.status != Some(1) || !exit.stdout.is_empty() || !one {
            wrong.push(format!("{words}: {expected}\n  {exit:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
