//! The human monitor: what its commands show of a running guest, and its words for mistakes.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use harness::{Builder, LIMIT, Qmp, Vmm, kvm_or_skip, pattern_word, wait_for};
use serde_json::{Value, json};

fn builder(options: &str) -> Builder {
    Builder::new(env!("CARGO_BIN_EXE_vmm"))
        .args("-nodefaults -display none -m 32")
        .args(options)
        .with_qmp()
}

/// A guest at its prompt; `None` where the test called `name` cannot run.
fn guest(name: &str, options: &str) -> Option<(Vmm, Qmp)> {
    if !kvm_or_skip(name) {
        return None;
    }
    let mut vmm = builder(options).with_serial().start();
    vmm.guest().ready();
    let qmp = vmm.qmp();
    Some((vmm, qmp))
}

/// The words of each line of a dump behind its address.
fn values(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split(' ').skip(1)).collect()
}

#[test]
fn help_names_every_command() {
    let Some((_vmm, mut qmp)) = guest("help_names_every_command", "") else { return };
    let help = qmp.hmp("help");
    for line in
        ["cont|c  -- resume emulation", "x /fmt addr -- virtual memory dump starting at 'addr'"]
    {
        assert!(help.lines().any(|known| known == line), "{help}");
    }
    for line in help.lines() {
        let name = line.split([' ', '|']).next().unwrap();
        assert!(qmp.hmp(&format!("help {name}")).lines().any(|l| l == line) || name == "info");
    }
    assert_eq!(qmp.hmp("help info version"), "info version  -- show the version of QEMU\n");
    assert_eq!(qmp.hmp("? q"), "quit|q  -- quit the emulator\n");
    assert_eq!(qmp.hmp("info"), qmp.hmp("help info"));
    assert_eq!(qmp.hmp("help nope"), "unknown command: 'nope'\n");
    assert_eq!(qmp.hmp("help info nope"), "unknown command: 'info nope'\n");
}

#[test]
fn lines_end_in_cr_lf_in_a_reply() {
    let Some((_vmm, mut qmp)) = guest("lines_end_in_cr_lf_in_a_reply", "") else { return };
    let reply = qmp.ok("human-monitor-command", json!({"command-line": "x"}));
    let expected = "unexpected end of expression\r\nTry \"help x\" for more information\r\n";
    assert_eq!(reply, expected);
}

#[test]
fn mistakes_get_qemus_words() {
    let Some((_vmm, mut qmp)) = guest("mistakes_get_qemus_words", "") else { return };
    let hint = |command: &str, text: &str| {
        format!("{text}\nTry \"help {command}\" for more information\n")
    };
    for (line, expected) in [
        ("", String::new()),
        ("   ", String::new()),
        ("nope", "unknown command: 'nope'\n".into()),
        ("NOPE 1", "unknown command: 'NOPE'\n".into()),
        ("info nope", "unknown command: 'info nope'\n".into()),
        ("x", hint("x", "unexpected end of expression")),
        ("x /z 0", hint("x", "invalid char in format: 'z'")),
        ("x/4x", hint("x", "unexpected end of expression")),
        ("x 1 2", hint("x", "x: extraneous characters at the end of line")),
        ("x (1", hint("x", "')' expected")),
        ("x $nope", hint("x", "unknown register")),
        ("xp @", hint("xp", "invalid char '@' in expression")),
        ("p 5/0", hint("p", "division by zero")),
        ("p 0x10000000000000000", hint("p", "number too large")),
        ("print 1 2", hint("print", "print|p: extraneous characters at the end of line")),
        ("stop x", hint("stop", "stop|s: extraneous characters at the end of line")),
        ("q x", hint("q", "quit|q: extraneous characters at the end of line")),
        (
            "info version x",
            hint("info version", "version: extraneous characters at the end of line"),
        ),
        ("info registers -b", hint("info registers", "registers: unsupported option -b")),
        ("info registers 9", "CPU#9 not available\n".into()),
        ("info qom-tree /nope", "Path '/nope' could not be resolved.\n".into()),
        ("cpu", hint("cpu", "unexpected end of expression")),
        ("cpu 7", "invalid CPU index\n".into()),
        ("cpu -1", hint("cpu", "'cpu' has failed: integer is for 32-bit values")),
        ("memsave 0 1", hint("memsave", "memsave: string expected")),
        ("memsave 0 16 \"/tmp/open", hint("memsave", "memsave: string expected")),
        ("memsave 0 16 /x/y", hint("memsave", "invalid char 'x' in expression")),
        (
            "memsave 0 16 \"/x/y\"",
            "Error: Could not open '/x/y': No such file or directory\n".into(),
        ),
        (
            "pmemsave 0 0-1 \"f\"",
            "Error: Invalid addr 0x0000000000000000/size -1 specified\n".into(),
        ),
        ("system_wakeup", "Error: Unable to wake up: guest is not in suspended state\n".into()),
        ("o 0x80", hint("o", "unexpected end of expression")),
        ("i /g 0x80", hint("i", "ports are accessed by 1, 2 or 4 bytes")),
        ("x/99999999999999999999xb 0", hint("x", "at most 65536 values can be shown at once")),
    ] {
        assert_eq!(qmp.hmp(line), expected, "{line}");
    }
    let arguments = json!({"command-line": "info version", "cpu-index": 9});
    let desc = qmp.fails("human-monitor-command", arguments);
    assert_eq!(desc, "Parameter 'cpu-index' expects a CPU number");
    assert!(qmp.hmp(&"(".repeat(100_000)).starts_with("unknown command"));
    let deep = qmp.hmp(&format!("p {}", "(".repeat(100_000)));
    assert_eq!(deep, hint("p", "expression is nested too deeply"));
    assert_eq!(qmp.status(), "running");
}

#[test]
fn what_is_known_of_the_machine() {
    let Some((mut vmm, mut qmp)) = guest(
        "what_is_known_of_the_machine",
        "-name web -uuid 6b0ac2a6-2a5c-4f0c-9b3c-3f1d52a7a1f1 -smp 2 -chardev null,id=n0",
    ) else {
        return;
    };
    let version = qmp.hmp("info version");
    assert!(version.starts_with("7.2.0") && version.contains("vmm"), "{version}");
    assert_eq!(qmp.hmp("info name"), "web\n");
    assert_eq!(qmp.hmp("info uuid"), "6b0ac2a6-2a5c-4f0c-9b3c-3f1d52a7a1f1\n");
    assert_eq!(qmp.hmp("info kvm"), "kvm support: enabled\n");
    let cpus = qmp.ok("query-cpus-fast", json!({}));
    let line = |index: usize| {
        let mark = if index == 0 { '*' } else { ' ' };
        format!("{mark} CPU #{index}: thread_id={}\n", cpus[index]["thread-id"])
    };
    assert_eq!(qmp.hmp("info cpus"), line(0) + &line(1));
    assert!(qmp.hmp("info chardev").contains("n0: filename=null\n"));
    for (command, status) in [
        ("stop", "VM status: paused\n"),
        ("c", "VM status: running\n"),
        ("s", "VM status: paused\n"),
        ("system_reset", "VM status: paused (prelaunch)\n"),
        ("cont", "VM status: running\n"),
    ] {
        assert_eq!(qmp.hmp(command), "", "{command}");
        assert_eq!(qmp.hmp("info status"), status, "{command}");
    }
    vmm.guest().ready();
}

#[test]
fn memory_is_shown_as_the_guest_wrote_it() {
    let Some((mut vmm, mut qmp)) = guest("memory_is_shown_as_the_guest_wrote_it", "") else {
        return;
    };
    vmm.guest().ask("pattern write 0x800000 0x1000 7");
    let word = pattern_word(7, 0x80_0000);
    for command in ["x", "xp"] {
        let text = qmp.hmp(&format!("{command}/3xg 0x800000"));
        let expected: Vec<String> = [0x80_0000, 0x80_0008, 0x80_0010]
            .map(|address| format!("0x{:016x}", pattern_word(7, address)))
            .into();
        assert_eq!(values(&text), expected, "{text}");
        let second = text.lines().nth(1).unwrap();
        assert!(second.starts_with("0000000000800010: "), "{text}");
        for (format, expected) in [
            ("xb", format!("0x{:02x}", word as u8)),
            ("xh", format!("0x{:04x}", word as u16)),
            ("xw", format!("0x{:08x}", word as u32)),
            ("x", format!("0x{:08x}", word as u32)),
            ("dg", format!("{:>20}", word as i64)),
            ("ug", format!("{word:>20}")),
            ("ow", format!("{:>11}", format!("0{:o}", word as u32))),
        ] {
            let text = qmp.hmp(&format!("{command} /{format} 0x700000 + 0x100000"));
            assert_eq!(text, format!("0000000000800000: {expected}\n"));
        }
    }
    vmm.guest().ask("wb 0x800000 0x41");
    assert_eq!(qmp.hmp("x/c 0x800000"), "0000000000800000: 'A'\n");
    let end = qmp.hmp("xp/8xw 0x1fffff0");
    assert!(end.ends_with("0000000002000000: Cannot access memory\n"), "{end}");
    let nowhere = qmp.hmp("x 0x100000000000");
    assert_eq!(nowhere, "0000100000000000: Cannot access memory\n");
    let last = qmp.hmp("xp 0xffffffffffffffff");
    assert_eq!(last, "ffffffffffffffff: Cannot access memory\n");
}

#[test]
fn code_is_disassembled() {
    let Some((mut vmm, mut qmp)) = guest("code_is_disassembled", "") else { return };
    // mov $0x12345678,%eax; jmp .; ret
    for (offset, byte) in [0xb8, 0x78, 0x56, 0x34, 0x12, 0xeb, 0xfe, 0xc3].iter().enumerate() {
        vmm.guest().ask(&format!("wb {:#x} {byte:#x}", 0x80_0000 + offset));
    }
    let text = qmp.hmp("x/3i 0x800000");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], "0x00800000:  b8 78 56 34 12           movl     $0x12345678, %eax");
    assert!(lines[1].starts_with("0x00800005:  eb fe "), "{text}");
    assert!(lines[1].contains("jmp") && lines[1].ends_with("0x800005"), "{text}");
    assert!(lines[2].starts_with("0x00800007:  c3 ") && lines[2].contains("ret"), "{text}");
    assert_eq!(qmp.hmp("xp/3i 0x800000"), text);
    assert_eq!(qmp.hmp("x/2i 0x100000000000"), "0x100000000000: unable to read memory\n");
    qmp.ok("stop", json!({}));
    let here = qmp.hmp("x/i $pc");
    let pc = qmp.hmp("p $pc");
    assert!(here.starts_with(&format!("0x{:0>8}: ", pc.trim().trim_start_matches("0x"))), "{here}");
}

#[test]
fn expressions_know_the_registers() {
    let Some((mut vmm, mut qmp)) = guest("expressions_know_the_registers", "-smp 2") else {
        return;
    };
    for (line, expected) in [
        ("p 1+2*3", "0x7\n"),
        ("print/d 0-1", "-1\n"),
        ("p/c 65", "'A'\n"),
        ("p/o 8", "010\n"),
        ("p/u ~0", "18446744073709551615\n"),
        ("p 0", "0\n"),
    ] {
        assert_eq!(qmp.hmp(line), expected, "{line}");
    }
    // Each processor has its own: the second one has not been started.
    let of = |qmp: &mut Qmp, cpu: u32| {
        let arguments = json!({"command-line": "p $cs", "cpu-index": cpu});
        qmp.ok("human-monitor-command", arguments)
    };
    assert_eq!(of(&mut qmp, 1), "0xf000\r\n");
    assert_ne!(of(&mut qmp, 0), "0xf000\r\n");
    vmm.guest().ask("smp");
    assert_ne!(of(&mut qmp, 1), "0xf000\r\n");
}

#[test]
fn registers_are_those_of_the_processor() {
    let Some((mut vmm, mut qmp)) = guest("registers_are_those_of_the_processor", "-smp 2") else {
        return;
    };
    vmm.guest().ask("smp");
    vmm.guest().ask("fpu set 99");
    // mov $0x1122334455667788,%rbx; jmp .
    let code = [0x48, 0xbb, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xeb, 0xfe];
    for (offset, byte) in code.iter().enumerate() {
        vmm.guest().ask(&format!("wb {:#x} {byte:#x}", 0x80_0000 + offset));
    }
    vmm.guest().send("jump 0x800000");
    wait_for("the jump", || (qmp.hmp("p $rip") == "0x80000a\n").then_some(()));
    assert_eq!(qmp.hmp("p $rbx"), "0x1122334455667788\n");
    assert_eq!(qmp.hmp("p $pc - $rip"), "0\n");
    assert_eq!(
        qmp.hmp("p $pc == 1"),
        "print|p: extraneous characters at the end of line\nTry \"help p\" for more information\n"
    );
    assert_eq!(qmp.hmp("x/i $eip").split_whitespace().nth(1), Some("eb"));
    let text = qmp.hmp("info registers");
    for part in ["CPU#0\n", "RBX=1122334455667788", "RIP=000000000080000a", "CPL=3", "HLT=0"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let low = format!("{:016x}", pattern_word(99, 0));
    assert!(text.contains(&low), "xmm0 holds {low}: {text}");
    assert!(!text.contains("CPU#1"));
    let all = qmp.hmp("info registers -a");
    assert!(all.contains("CPU#0\n") && all.contains("CPU#1\n"), "{all}");
    let second = qmp.hmp("info registers 1");
    assert!(second.contains("CPU#1\n") && !second.contains("CPU#0\n"), "{second}");
    let arguments = json!({"command-line": "info registers", "cpu-index": 1});
    let chosen = qmp.ok("human-monitor-command", arguments);
    assert!(chosen.as_str().unwrap().contains("CPU#1\r\n"), "{chosen}");
    // The choice was that command's own.
    assert!(qmp.hmp("info cpus").starts_with("* CPU #0"));
}

#[test]
fn page_tables_are_listed() {
    let Some((mut vmm, mut qmp)) = guest("page_tables_are_listed", "") else { return };
    let text = qmp.hmp("info mem");
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(rest.is_empty() || rest.ends_with('\n'), "{text}");
    let (range, rights) = first.rsplit_once(' ').unwrap();
    assert_eq!(rights, "urw", "{text}");
    let (span, size) = range.split_once(' ').unwrap();
    let (start, end) = span.split_once('-').unwrap();
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    assert_eq!(number(end) - number(start), number(size), "{text}");
    // One GiB at a time is mapped when it is first wanted.
    let mapped = |text: &str| -> u64 {
        text.lines().map(|line| number(line.split(' ').nth(1).unwrap())).sum()
    };
    let before = mapped(&text);
    vmm.guest().ask("rb 0x4000000000");
    assert_eq!(mapped(&qmp.hmp("info mem")), before + (1 << 30));
}

#[test]
fn ports_are_read_and_written() {
    let Some((mut vmm, mut qmp)) = guest("ports_are_read_and_written", "") else { return };
    // The first serial port's scratch register.
    vmm.guest().ask("outb 0x3ff 0x5a");
    assert_eq!(qmp.hmp("i /b 0x3ff"), "portb[0x03ff] = 0x5a\n");
    assert_eq!(qmp.hmp("o /b 0x3ff 0xa5"), "");
    assert!(vmm.guest().ask("inb 0x3ff").contains("0xa5"));
    // An index is written first, and the data read behind it: the clock's status register D.
    assert_eq!(qmp.hmp("i /xb 0x70.0xd"), "portb[0x0071] = 0x80\n");
    // Configuration space is the same that the guest sees.
    assert_eq!(qmp.hmp("o 0xcf8 0x80000000"), "");
    assert_eq!(qmp.hmp("i 0xcfc"), "portl[0x0cfc] = 0x12378086\n");
    assert_eq!(qmp.hmp("i /h 0xcfe"), "portw[0x0cfe] = 0x1237\n");
    // What a register asks of the machine happens.
    qmp.hmp("o /b 0xcf9 6");
    assert_eq!(qmp.event("RESET")["data"]["guest"], true);
    vmm.guest().ready();
}

#[test]
fn pci_is_shown_as_query_pci_tells() {
    let Some((_vmm, mut qmp)) = guest("pci_is_shown_as_query_pci_tells", "") else { return };
    let text = qmp.hmp("info pci");
    let host = "  Bus  0, device   0, function 0:
    Host bridge: PCI device 8086:1237
      PCI subsystem 1af4:1100
      id \"\"
";
    assert!(text.starts_with(host), "{text}");
    let buses = qmp.ok("query-pci", json!({}));
    let devices = buses[0]["devices"].as_array().unwrap();
    assert_eq!(text.matches(": PCI device ").count(), devices.len());
    assert!(text.contains("    Bridge: PCI device 8086:7113\n"), "{text}");
}

#[test]
fn the_map_and_the_trees_are_shown() {
    let Some((_vmm, mut qmp)) =
        guest("the_map_and_the_trees_are_shown", "-device isa-debug-exit,id=bye")
    else {
        return;
    };
    let tree = qmp.hmp("info mtree");
    for line in [
        "address-space: I/O",
        "address-space: memory",
        "  0000000000000000-000000000000ffff (prio 0, i/o): io",
    ] {
        assert!(tree.lines().any(|known| known == line), "{line} in {tree}");
    }
    let flat = qmp.hmp("info mtree -f");
    assert!(flat.contains(" AS \"memory\", root: system\n"), "{flat}");
    assert!(
        flat.lines()
            .any(|line| line.starts_with("  0000000000000000-") && line.contains("ram): pc.ram")),
        "{flat}"
    );
    assert!(flat.contains("00000000000003f8-00000000000003ff (prio 0, i/o): "), "{flat}");
    let devices = qmp.hmp("info qtree");
    let lines: Vec<&str> = devices.lines().collect();
    assert_eq!(lines[..2], ["bus: main-system-bus", "  type System"]);
    let depth = |wanted: &str| {
        let line = lines.iter().find(|line| line.trim_start() == wanted);
        let line = line.unwrap_or_else(|| panic!("no {wanted} in {devices}"));
        line.len() - line.trim_start().len()
    };
    let bus = depth("bus: pci.0");
    assert!(bus > depth("dev: i440FX-pcihost, id \"\""));
    assert!(depth("dev: PIIX3, id \"\"") > bus);
    assert!(depth("dev: isa-debug-exit, id \"bye\"") > depth("bus: isa.0"));
    assert!(devices.contains("iobase = 1281 (0x501)"), "{devices}");
    let objects = qmp.hmp("info qom-tree");
    assert!(objects.starts_with("/machine (pc-i440fx-7.2-machine)\n"), "{objects}");
    assert!(
        objects.contains("\n  /peripheral (container)\n    /bye (isa-debug-exit)\n"),
        "{objects}"
    );
    let part = qmp.hmp("info qom-tree /machine/peripheral");
    assert_eq!(part, "/peripheral (container)\n  /bye (isa-debug-exit)\n");
}

#[test]
fn memory_goes_into_files() {
    let Some((mut vmm, mut qmp)) = guest("memory_goes_into_files", "") else { return };
    vmm.guest().ask("pattern write 0x800000 0x1000 7");
    let path = vmm.dir().join("a b");
    for command in ["memsave", "pmemsave"] {
        assert_eq!(qmp.hmp(&format!("{command} 0x800000 8 \"{}\"", path.display())), "");
        assert_eq!(std::fs::read(&path).unwrap(), pattern_word(7, 0x80_0000).to_le_bytes());
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_power_button_and_quit() {
    let Some((mut vmm, mut qmp)) = guest("the_power_button_and_quit", "") else { return };
    vmm.guest().ask("sci on");
    vmm.guest().ask("pm1 enable pwrbtn");
    assert_eq!(qmp.hmp("system_powerdown"), "");
    vmm.guest().event("pwrbtn");
    qmp.send(&json!({"execute": "human-monitor-command", "arguments": {"command-line": "q"}}), &[]);
    assert_eq!(qmp.event("SHUTDOWN")["data"]["reason"], "host-qmp-quit");
    assert_eq!(vmm.wait().status, Some(0));
}

#[test]
fn a_machine_without_processors_shows_memory_only() {
    let name = "a_machine_without_processors_shows_memory_only";
    if !kvm_or_skip(name) {
        return;
    }
    let mut vmm = builder("-M none").start();
    let mut qmp = vmm.qmp();
    for (line, expected) in [
        ("info cpus", ""),
        ("info pci", ""),
        ("info registers", "No CPU available\n"),
        ("info mem", "No CPU available\n"),
        ("x 0", "Can not dump without CPU\n"),
        ("xp/i 0", "Can not dump without CPU\n"),
        ("p $pc", "unknown register\nTry \"help p\" for more information\n"),
        ("cpu 0", "invalid CPU index\n"),
        ("nmi", "Error: this feature or command is not currently supported\n"),
        ("i 0x70", "portl[0x0070] = 0xffffffff\n"),
        ("info qtree", "bus: main-system-bus\n  type System\n"),
    ] {
        assert_eq!(qmp.hmp(line), expected, "{line}");
    }
    let arguments = json!({"val": 0, "size": 1, "filename": "/x/y"});
    let desc = qmp.fails("memsave", arguments);
    assert_eq!(desc, "Parameter 'cpu-index' expects a CPU number");
}

/// A session of `-monitor`, whose lines end in CR LF and which has a prompt.
struct Human(UnixStream);

impl Human {
    fn until_prompt(&mut self) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"(qemu) ") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("the monitor talks");
            text.push(byte[0]);
        }
        String::from_utf8(text).unwrap()
    }

    /// What the monitor prints, without the echo.
    fn run(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
        let text = self.until_prompt();
        let text = text.strip_suffix("(qemu) ").unwrap();
        text.split_once("\r\n").map_or("", |(_echo, rest)| rest).to_owned()
    }
}

#[test]
fn a_terminals_session_has_a_processor_of_its_own() {
    let name = "a_terminals_session_has_a_processor_of_its_own";
    if !kvm_or_skip(name) {
        return;
    }
    let builder = builder("-smp 2");
    let path = builder.dir().join("human.sock");
    let monitor = format!("unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.arg("-monitor").arg(monitor).with_serial().start();
    vmm.guest().ready();
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut human = Human(stream);
    assert!(human.until_prompt().contains("monitor - type 'help' for more information"));
    assert_eq!(human.run("p 1+1"), "0x2\r\n");
    assert_eq!(human.run("cpu 1"), "");
    assert!(human.run("info cpus").contains("* CPU #1"));
    assert!(human.run("info registers").contains("CPU#1\r\n"));
    assert_eq!(human.run("nope"), "unknown command: 'nope'\r\n");
    let mut qmp = vmm.qmp();
    assert!(qmp.hmp("info cpus").starts_with("* CPU #0"));
    let value: Value = qmp.ok("query-cpus", json!({}));
    assert_eq!(value[0]["current"], true);
}

#[test]
fn before_the_machine_little_is_known() {
    let name = "before_the_machine_little_is_known";
    if !kvm_or_skip(name) {
        return;
    }
    let builder = builder("-preconfig");
    let path = builder.dir().join("human.sock");
    let monitor = format!("unix:{},server=on,wait=off", path.display());
    let mut vmm = builder.arg("-monitor").arg(monitor).start();
    let mut qmp = vmm.qmp();
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut human = Human(stream);
    human.until_prompt();
    assert_eq!(human.run("info status"), "VM status: paused (prelaunch)\r\n");
    let refused = human.run("x 0");
    assert!(refused.starts_with("Command 'x' not available with -preconfig"), "{refused}");
    let arguments = json!({"command-line": "info status"});
    let desc = qmp.fails("human-monitor-command", arguments);
    assert!(desc.contains("only after machine initialization has completed"), "{desc}");
    qmp.ok("x-exit-preconfig", json!({}));
    assert_eq!(human.run("info status"), "VM status: running\r\n");
    assert_ne!(human.run("x 0x100000"), refused);
}
