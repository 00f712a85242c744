"""Records what QEMU hands to KVM_SET_CPUID2, and the words and expansions of every model."""
import os, re, signal, subprocess, tempfile, time

import record as recorder

ONE = "1"
# Named models run with x-force-features, which stands for a host that supports everything.
CASES = [("host", smp, False) for smp in (
    ONE, "4,sockets=1,cores=2,threads=2", "12,sockets=2,dies=2,cores=3,threads=1")] + [
    (f"{model},x-force-features=on", smp, True) for model, smp in (
        ("qemu64", ONE), ("qemu64", "3,sockets=3"), ("qemu32", ONE), ("486", ONE), ("pentium2", ONE),
        ("pentium3", "2,cores=2"), ("core2duo", "2,cores=2"), ("Haswell", "4,cores=2,threads=2"),
        ("Skylake-Server-v5", "8,dies=2,cores=2,threads=2"), ("Icelake-Server", "6,sockets=2,cores=3"),
        ("Cooperlake", ONE), ("Snowridge", "4,cores=4"), ("phenom", "4,cores=4"), ("Opteron_G5", "2,sockets=2"),
        ("EPYC", "4,cores=2,threads=2"), ("EPYC-Milan", "8,sockets=2,cores=2,threads=2"),
        ("EPYC-Rome,vendor=AuthenticAMD", "4,cores=2,threads=2"), ("EPYC-Milan,vendor=AuthenticAMD", "8,dies=2,cores=4"),
        ("Dhyana,vendor=HygonGenuine", "2,cores=2"), ("Opteron_G3,vendor=AuthenticAMD", "4,cores=4"),
        ("base", ONE), ("Haswell,kvm=off,phys-bits=46", ONE), ("Haswell,l3-cache=off,-hypervisor", "2,cores=2"),
        ("Skylake-Client,level=4,xlevel=0x80000004", ONE), 
        ("EPYC,vendor=AuthenticAMD,legacy-cache=on", "2,cores=2"), ("Haswell,tsc-frequency=2300000000", ONE),
        ("Denverton,avx512-bf16=on,amx-tile=on,pku=on", ONE), ("Haswell,cpuid-0xb=off", "2,cores=2"),
        ("Haswell,+invtsc,vmware-cpuid-freq=off", ONE), ("486,+avx2", ONE), ("Haswell,vendor=AuthenticAMD,+topoext", "2,threads=2"),
    )]
ENTRY = re.compile(r"\{function=(\w+), index=(\w+), flags=(\S+), eax=(\w+), ebx=(\w+), ecx=(\w+), edx=(\w+)\}")
FLAGS = {"KVM_CPUID_FLAG_SIGNIFCANT_INDEX": 1, "KVM_CPUID_FLAG_STATEFUL_FUNC": 2,
         "KVM_CPUID_FLAG_STATE_READ_NEXT": 4}


def entries(line):
    """The CPUID entries of one traced call, as text lines of hexadecimal words."""
    out = []
    for function, index, flags, *registers in ENTRY.findall(line):
        flags = sum(FLAGS.get(f, 0) for f in flags.split("|"))
        out.append(" ".join(f"{int(x, 0):x}" for x in (function, index, str(flags), *registers)))
    return out


def traced(cpu, smp):
    """Runs QEMU for a moment and returns (tables set per vCPU in order, supported table)."""
    with tempfile.NamedTemporaryFile("r") as log:
        process = subprocess.Popen(
            ["strace", "-f", "-v", "-e", "trace=ioctl", "-o", log.name, recorder.QEMU, *recorder.COMMON_FLAGS,
             "-monitor", "none", "-accel", "kvm", "-cpu", cpu + ",check=off", "-smp", smp],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        lines = log.read().splitlines()
    tables, fds = [], set()
    for line in lines:
        call = re.search(r"ioctl\((\d+), KVM_SET_CPUID2", line)
        if call and call[1] not in fds:
            fds.add(call[1])
            tables.append(entries(line))
    supported = [entries(line) for line in lines if "KVM_GET_SUPPORTED_CPUID" in line and "nent=" in line]
    return tables, supported[-1]


def record_cpuid():
    out = ["# CPUID tables QEMU 7.2 hands to KVM: function index flags eax ebx ecx edx (hexadecimal)."]
    supported = None
    for cpu, smp, _ in CASES:
        tables, supported = traced(cpu, smp)
        for vcpu in sorted({0, len(tables) - 1}):
            if tables:
                out += [f"== {vcpu} {smp} {cpu}", *tables[vcpu]]
        print(cpu, smp, len(tables))
    with open(os.path.join(recorder.HERE, "cpuid.txt"), "w") as f:
        f.write("\n".join(out) + "\n")
    with open(os.path.join(recorder.HERE, "host.txt"), "w") as f:
        f.write("# KVM_GET_SUPPORTED_CPUID of the recording host, in the form of cpuid.txt.\n" + "\n".join(supported) + "\n")


def record_models():
    qemu = recorder.Qemu("-accel", "kvm")
    definitions = qemu("query-cpu-definitions")
    out = ["# Per model: the CPUID words it wants (leaf.subleaf.register=value), then the properties of its full",
           "# expansion that differ from those of `base` (a name alone: true)."]
    plain = qemu.expand("base")
    for d in definitions:
        name = d["name"]
        if name in ("host", "max"):
            continue
        out.append(f"== {name} {d.get('alias-of', '-')} {d['typename']}")
        if "alias-of" in d:
            continue
        with_cpu = recorder.Qemu("-accel", "kvm", "-cpu", name)
        words = recorder.words_of(with_cpu)
        with_cpu.close()
        out.append(" ".join(f"{l:x}.{s or 0}.{r}={v:x}" for (_, l, s, r), v in sorted(words.items(), key=str) if v))
        props = qemu.expand(name)
        out.append(" ".join(k if v is True else f"{k}={v}" for k, v in sorted(props.items())
                            if v != plain[k] and k != "model-id"))
    qemu.close()
    with open(os.path.join(recorder.HERE, "models.txt"), "w") as f:
        f.write("\n".join(out) + "\n")
    text = subprocess.run([recorder.QEMU, "-accel", "kvm", "-cpu", "help"], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(recorder.HERE, "help.txt"), "w") as f:
        f.write(text)


def record_registers():
    """`info registers` after reset and halted in long mode (the code of long-mode.S)."""
    with tempfile.TemporaryDirectory() as work:
        path = lambda name: os.path.join(work, name)
        subprocess.run(["as", os.path.join(recorder.HERE, "long-mode.S"), "-o", path("o")], check=True)
        subprocess.run(["ld", "-Ttext=0", "-o", path("elf"), path("o")], check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", path("elf"), path("bin")], check=True)
        qemu = recorder.Qemu("-accel", "tcg", "-bios", path("bin"))
        for name in ("reset", "long"):
            text = qemu("human-monitor-command", **{"command-line": "info registers"})
            with open(os.path.join(recorder.HERE, f"registers-{name}.txt"), "w") as f:
                f.write(text.replace("\r", ""))
            qemu("cont")
            time.sleep(0.5)
            qemu("stop")
        qemu.close()


def record():
    record_models()
    record_registers()
    record_cpuid()
