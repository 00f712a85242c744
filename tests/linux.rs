//! A stock Linux as the guest: the distribution's kernel, unchanged, with a small user space whose
//! shell reads commands from the first serial port (`tests/lab/guest-init`).
//!
//! These tests need a KVM that behaves as on real hardware, and a kernel; `tests/lab/run linux`
//! provides both and sets the variables `VMM_LAB_*`. Elsewhere they are skipped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::{Builder, Exit, Qmp, Vmm, kvm_or_skip, skip};
use serde_json::json;

const UUID: &str = "6b0ac2a6-2a5c-4f0c-9b3c-3f1d52a7a1f1";

/// The form in which the kernel is given to the program.
#[derive(Clone, Copy)]
enum Image {
    /// Uncompressed ELF with a PVH note.
    Elf,
    /// The distribution's own file, entered by the Linux boot protocol.
    BzImage,
}

impl Image {
    fn variable(self) -> &'static str {
        match self {
            Self::Elf => "VMM_LAB_VMLINUX",
            Self::BzImage => "VMM_LAB_KERNEL",
        }
    }
}

/// A guest with a shell, and a monitor of its machine.
struct Linux {
    vmm: Vmm,
    qmp: Qmp,
}

impl Linux {
    /// Boots to the shell; `None` where the test called `name` cannot run.
    fn boot(name: &str, image: Image, cpus: u32, options: &str) -> Option<Self> {
        let file = |variable| std::env::var_os(variable).map(PathBuf::from);
        let (Some(kernel), Some(initrd)) = (file(image.variable()), file("VMM_LAB_INITRD")) else {
            skip(name, "outside the lab");
            return None;
        };
        if !kvm_or_skip(name) {
            return None;
        }
        let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm"))
            .args("-machine pc -accel kvm -m 256 -nodefaults -display none")
            .args(&format!("-smp {cpus} -uuid {UUID} {options}"))
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            .args("-append")
            .arg("console=ttyS0 quiet panic=-1")
            .with_qmp()
            .with_serial()
            .start();
        let qmp = vmm.qmp();
        let mut linux = Self { vmm, qmp };
        linux.await_shell();
        Some(linux)
    }

    /// Waits until process 1 has started.
    fn await_shell(&mut self) {
        while !self.line().starts_with("guest up ") {}
    }

    /// The next line; a failed test shows all of them.
    fn line(&mut self) -> String {
        let line = self.vmm.guest().line();
        eprintln!("guest: {line}");
        line
    }

    /// Gives the shell a command without waiting.
    fn send(&mut self, command: &str) {
        eprintln!("shell: {command}");
        self.vmm.guest().send(&format!("{{ {command}; }} 2>&1; echo @done $?"));
    }

    /// The output of the command sent last, which must succeed.
    fn finish(&mut self) -> String {
        let mut output = Vec::new();
        loop {
            let line = self.line();
            if let Some((rest, status)) = line.split_once("@done ") {
                assert_eq!(status, "0", "the command's exit status");
                output.push(rest.to_owned());
                return output.join("\n").trim_end().to_owned();
            }
            // The kernel's own messages come to the same line.
            if !line.starts_with("[ ") {
                output.push(line);
            }
        }
    }

    /// The output of a command, which must succeed.
    fn run(&mut self, command: &str) -> String {
        self.send(command);
        self.finish()
    }

    /// Seconds since the guest's boot.
    fn uptime(&mut self) -> f64 {
        let text = self.run("cat /proc/uptime");
        text.split(' ').next().and_then(|word| word.parse().ok()).expect("seconds")
    }

    /// Has the guest enter S3; the shell's command ends when it has been woken.
    fn suspend(&mut self) {
        self.send("echo mem >/sys/power/state");
        self.qmp.event("SUSPEND");
    }

    /// Wakes the guest from S3.
    fn wake_up(&mut self) {
        assert_eq!(self.qmp.status(), "suspended");
        self.qmp.ok("system_wakeup", json!({}));
        self.qmp.event("WAKEUP");
        self.finish();
        assert_eq!(self.qmp.status(), "running");
    }

    /// Has the guest power itself off through ACPI and waits for the process to end.
    fn power_off(mut self) {
        self.qmp.ok("system_powerdown", json!({}));
        self.qmp.event("POWERDOWN");
        let event = self.qmp.event("SHUTDOWN");
        assert_eq!(event["data"], json!({"guest": true, "reason": "guest-shutdown"}));
        let Exit { status, stderr, .. } = self.vmm.wait();
        assert_eq!(status, Some(0), "{stderr}");
    }
}

#[test]
fn elf_image_boots_on_one_cpu_and_the_power_button_ends_it() {
    let name = "elf_image_boots_on_one_cpu_and_the_power_button_ends_it";
    let Some(mut linux) = Linux::boot(name, Image::Elf, 1, "") else { return };
    assert_eq!(linux.run("nproc"), "1");
    assert_eq!(linux.run("cat /sys/devices/system/cpu/possible"), "0");
    assert_eq!(linux.run("dmesg | grep -o 'Hypervisor detected: .*'"), "Hypervisor detected: KVM");
    assert_eq!(linux.run("echo $((6 * 7)) | sed s/4/four/"), "four2");
    linux.power_off();
}

#[test]
fn compressed_image_boots_on_two_cpus_and_the_power_button_ends_it() {
    let name = "compressed_image_boots_on_two_cpus_and_the_power_button_ends_it";
    let Some(mut linux) = Linux::boot(name, Image::BzImage, 2, "") else { return };
    assert_eq!(linux.run("nproc"), "2");
    for cpu in ["0", "1"] {
        // Field 39 of stat is the processor that the process runs on.
        let mask = if cpu == "0" { 1 } else { 2 };
        let command = format!("taskset {mask} awk '{{ print $39 }}' /proc/self/stat");
        assert_eq!(linux.run(&command), cpu);
    }
    linux.power_off();
}

#[test]
fn linux_finds_the_hardware() {
    let name = "linux_finds_the_hardware";
    let options = "-rtc base=2031-02-03T04:05:06,clock=vm";
    let Some(mut linux) = Linux::boot(name, Image::Elf, 2, options) else { return };

    let iomem = linux.run("grep 'System RAM' /proc/iomem");
    assert!(iomem.contains("00100000-0ff") || iomem.contains("00100000-0fe"), "{iomem}");

    let tables = linux.run("ls -1 /sys/firmware/acpi/tables");
    for table in ["APIC", "DSDT", "FACP", "FACS"] {
        assert!(tables.lines().any(|line| line == table), "{table} in {tables}");
    }

    let pci = linux.run("cd /sys/bus/pci/devices; for d in *; do cat $d/vendor $d/device; done");
    let pci = pci.replace('\n', " ");
    for device in ["0x8086 0x1237", "0x8086 0x7000", "0x8086 0x7113"] {
        assert!(pci.contains(device), "{device} in {pci}");
    }

    assert_eq!(linux.run("cat /sys/class/rtc/rtc0/date"), "2031-02-03");
    assert_eq!(linux.run("cat /sys/class/dmi/id/product_uuid"), UUID);
    assert!(linux.run("cat /sys/power/state").contains("mem"));
    assert_eq!(
        linux.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "kvm-clock"
    );
}

#[test]
fn stopped_guest_is_silent_and_its_clock_stands() {
    let name = "stopped_guest_is_silent_and_its_clock_stands";
    let Some(mut linux) = Linux::boot(name, Image::Elf, 1, "") else { return };
    let pause = Duration::from_secs(3);

    let outside = Instant::now();
    let before = linux.uptime();
    linux.qmp.ok("stop", json!({}));
    linux.qmp.event("STOP");
    assert_eq!(linux.qmp.status(), "paused");
    linux.send("cat /proc/uptime");
    assert!(linux.vmm.guest().is_silent(pause), "a stopped guest answers");
    linux.qmp.ok("cont", json!({}));
    linux.qmp.event("RESUME");
    assert_eq!(linux.qmp.status(), "running");
    linux.finish();
    let inside = linux.uptime() - before;
    let outside = outside.elapsed();

    // The guest's interval and the pause are parts of ours that do not overlap, however slow the
    // machine is; half a second covers that the two clocks are not the same.
    assert!(
        inside + pause.as_secs_f64() < outside.as_secs_f64() + 0.5,
        "{inside} s passed in the guest, {outside:?} here, {pause:?} of them stopped"
    );
}

#[test]
fn reset_boots_again() {
    let name = "reset_boots_again";
    let Some(mut linux) = Linux::boot(name, Image::BzImage, 1, "") else { return };
    linux.run("touch /before-the-reset");
    linux.qmp.ok("system_reset", json!({}));
    let event = linux.qmp.event("RESET");
    assert_eq!(event["data"], json!({"guest": false, "reason": "host-qmp-system-reset"}));
    linux.await_shell();
    assert_eq!(linux.run("ls -d /*-the-reset 2>/dev/null || echo none"), "none");

    // The guest's own way to do it.
    linux.send("reboot -f");
    let event = linux.qmp.event("RESET");
    assert_eq!(event["data"], json!({"guest": true, "reason": "guest-reset"}));
    linux.await_shell();
    assert_eq!(linux.qmp.status(), "running");
}

#[test]
fn suspended_guest_wakes_with_all_it_had() {
    let name = "suspended_guest_wakes_with_all_it_had";
    let Some(mut linux) = Linux::boot(name, Image::BzImage, 2, "") else { return };
    linux.run("kept=secret-$$; echo $kept >/kept");

    linux.suspend();
    linux.wake_up();
    assert_eq!(linux.run("[ $kept = $(cat /kept) ] && echo same"), "same");
    assert_eq!(linux.run("cat /sys/devices/system/cpu/online"), "0-1");

    // The alarm of the real-time clock wakes it without anyone's help.
    linux.run("echo +5 >/sys/class/rtc/rtc0/wakealarm");
    linux.suspend();
    linux.qmp.event("WAKEUP");
    linux.finish();
    assert_eq!(linux.run("[ $kept = $(cat /kept) ] && echo same"), "same");
    linux.power_off();
}

#[test]
fn guest_entered_by_pvh_wakes_too() {
    let name = "guest_entered_by_pvh_wakes_too";
    let Some(mut linux) = Linux::boot(name, Image::Elf, 1, "") else { return };
    linux.run("kept=$$");
    linux.suspend();
    linux.wake_up();
    assert_eq!(linux.run("[ $kept = $$ ] && echo same"), "same");
    linux.power_off();
}
