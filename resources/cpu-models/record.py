#!/usr/bin/env python3
"""Records CPU models, features and properties from the installed qemu-system-x86_64.

    resources/cpu-models/record.py [tables|golden|all]

`tables` writes arch/src/cpu/{feature,model,property}_table.rs; `golden` writes the
recorded answers beside this script that the unit tests compare with. Both come only from what
the running program answers over QMP, prints, or hands to KVM (seen through strace).
Recorded with QEMU 7.2; /dev/kvm, strace and rustfmt are needed.
"""
import json, os, re, socket, subprocess, sys, textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.join(HERE, "../../arch/src/cpu")
QEMU = "qemu-system-x86_64"
COMMON_FLAGS = ["-S", "-nodefaults", "-display", "none", "-m", "8", "-machine", "pc"]
CPU0 = "/machine/unattached/device[0]"


# The order in which the program lists words, as its feature-words and unavailable-features show it.
ORDER = [(1, None, "EDX"), (1, None, "ECX"), (7, 0, "EBX"), (7, 0, "ECX"), (7, 0, "EDX"), (7, 1, "EAX"),
         (0x80000001, None, "EDX"), (0x80000001, None, "ECX"), (0x80000007, None, "EDX"),
         (0x80000008, None, "EBX"), (0xc0000001, None, "EDX"), (0x40000001, None, "EAX"),
         (0x40000001, None, "EDX"), (0x8000000a, None, "EDX"), (13, 1, "EAX"), (6, None, "EAX"),
         (0x14, 0, "ECX"), (0x12, 0, "EAX"), (0x12, 0, "EBX"), (0x12, 1, "EAX")]
ORDER_MSR = [0x10a, 0xcf, 0x345, 0x48e, 0x48b, 0x48d, 0x48f, 0x490, 0x485, 0x48c, 0x480, 0x491]


class Qemu:
    """One stopped QEMU with a QMP monitor on a socket pair."""

    def __init__(self, *args):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [QEMU, *COMMON_FLAGS, "-chardev", f"socket,id=m,fd={theirs.fileno()}",
             "-mon", "chardev=m,mode=control", *args],
            pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
        theirs.close()
        self.socket, self.file = ours, ours.makefile("rwb")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self.file.write(json.dumps(request).encode() + b"\n")
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline())
            if "error" in reply:
                raise RuntimeError(reply["error"]["desc"])
            if "return" in reply:
                return reply["return"]

    def expand(self, name, kind="full", **props):
        model = {"name": name, "props": props}
        return self("query-cpu-model-expansion", type=kind, model=model)["model"]["props"]

    def close(self):
        """Ends the process and returns what it printed as warnings."""
        self("quit")
        self.socket.close()
        return self.process.communicate()[1]


def recognized_flags():
    text = subprocess.run([QEMU, "-accel", "kvm", "-cpu", "help"],
                          capture_output=True, text=True, check=True).stdout
    return text.split("Recognized CPUID flags:")[1].split()


def word_key(label, name):
    """Turns the word of a warning into (kind, leaf or MSR, subleaf, register)."""
    msr = re.fullmatch(r"MSR\(([0-9A-F]+)H\)", label)
    if msr:
        return ("msr", int(msr[1], 16), None, None)
    leaf, register = re.fullmatch(r"CPUID\.([0-9A-F]+)H:(E.X)", label).groups()
    leaf = int(leaf, 16)
    # The warning names no subleaf. Leaf 7 EAX and leaf 0xd EAX have names in subleaf 1 only;
    # leaf 0x12 EAX has sgx1/sgx2 in subleaf 0 and the attributes in subleaf 1.
    subleaf = {(7, "EAX"): 1, (13, "EAX"): 1}.get((leaf, register), 0)
    if leaf == 0x12 and register == "EAX" and name not in ("sgx1", "sgx2"):
        subleaf = 1
    return ("cpuid", leaf, subleaf if leaf in (7, 13, 0x12, 0x14) else None, register)


def words_of(qemu):
    """What the realized CPU wanted: the words it has and the bits that were taken away."""
    total = {}
    for name in ("feature-words", "filtered-features"):
        for w in qemu("qom-get", path=CPU0, property=name):
            key = ("cpuid", w["cpuid-input-eax"], w.get("cpuid-input-ecx"), w["cpuid-register"])
            total[key] = total.get(key, 0) | w["features"]
    return total


def feature_bits(flags):
    """{word: {bit: name}}: unsupported ones from the warnings, the others by switching on one."""
    words, seen = {}, set()
    everything = "base," + ",".join("+" + f for f in flags)
    for accel in ("kvm", "tcg"):
        warnings = Qemu("-accel", accel, "-cpu", everything).close()
        for label, name, bit in re.findall(r"feature: (\S+?)\.([a-z0-9.-]+) \[bit (\d+)\]", warnings):
            words.setdefault(word_key(label, name), {})[int(bit)] = name
            seen.add(name)
    for name in sorted(flags - seen):
        qemu = Qemu("-accel", "kvm", "-cpu", f"base,+{name}")
        for key, value in words_of(qemu).items():
            for bit in range(32):
                if value >> bit & 1:
                    words.setdefault(key, {})[bit] = name
        qemu.close()
    return words


def chunks(names, indent, width=96):
    """A Rust string literal of words, broken over lines."""
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) + 1 + indent > width:
            lines.append(line)
            line = ""
        line += name + " "
    lines.append(line.rstrip())
    return '"' + ("\\\n" + " " * indent).join(lines) + '"'


HEAD = "//! {}\n//!\n//! Generated from a running QEMU 7.2 by `resources/cpu-models/record.py`; do not edit.\n\n"


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def feature_table(qemu, flags):
    words = feature_bits(flags)
    plain = qemu.expand("base")
    aliases, dependents = [], {}
    everything = {f: True for f in flags}
    full = qemu.expand("base", **everything)
    for f in sorted(flags):
        with_it = qemu.expand("base", **{f: True})
        aliases += [(k, f) for k in with_it if k not in flags
                    and isinstance(plain[k], bool) and with_it[k] != plain[k]]
        without = qemu.expand("base", **dict(everything, **{f: False}))
        lost = sorted(k for k in flags if k != f and full[k] and not without[k])
        if lost:
            dependents[f] = lost
    # Aliases whose features need another feature show only when everything is on.
    known = {a for a, _ in aliases}
    for k in sorted(plain):
        canonical = k.replace("_", "-")
        if k not in known and k not in flags and canonical in flags:
            aliases.append((k, canonical))
    out = HEAD.format("Feature words, their bits' names, aliases and dependencies.")
    out += "use super::word::{Register::*, Word::{self, *}};\n\n"
    out += "/// Every word with the named bits in it.\npub(super) static WORDS: &[(Word, &[(u8, &str)])] = &[\n"
    def rank(key):
        kind, leaf, sub, reg = key
        if kind == "msr":
            return 100 + (ORDER_MSR.index(leaf) if leaf in ORDER_MSR else leaf)
        return ORDER.index((leaf, sub, reg))

    for key in sorted(words, key=rank):
        kind, leaf, sub, reg = key
        word = (f"Cpuid({leaf:#x}, {'None' if sub is None else f'Some({sub})'}, {reg.title()})"
                if kind == "cpuid" else f"Msr({leaf:#x})")
        bits = ", ".join(f'({b}, "{n}")' for b, n in sorted(words[key].items()))
        out += "\n".join(textwrap.wrap(f"({word}, &[{bits}]),", 98, initial_indent="    ", subsequent_indent="        ", break_on_hyphens=False)) + "\n"
    out += "];\n\n/// Other spellings of a feature's name.\npub(super) static ALIASES: &[(&str, &str)] = &[\n"
    out += "".join(f'    ("{a}", "{f}"),\n' for a, f in sorted(aliases))
    out += "];\n\n/// A feature, and those that cannot be without it.\npub(super) static DEPENDENTS: &[(&str, &str)] = &[\n"
    out += "".join(f'    ("{f}", {chunks(l, 8)}),\n' for f, l in sorted(dependents.items()))
    write(os.path.join(SRC, "feature_table.rs"), out + "];\n")
    return {a for a, _ in aliases}


def help_notes():
    text = subprocess.run([QEMU, "-cpu", "help"], capture_output=True, text=True, check=True).stdout
    return {m[1]: m[2].strip() for m in re.finditer(r"^x86 (\S+) +(.*)$", text, re.M)}


def model_table(qemu, flags):
    definitions = qemu("query-cpu-definitions")
    notes = help_notes()
    tcg = Qemu("-accel", "tcg")
    special = ("host", "max", "base")
    real = [d["name"] for d in definitions if "alias-of" not in d and d["name"] not in special]
    props = {n: qemu.expand(n) for n in real}
    on = {n: {f for f in flags if props[n][f]} for n in real}
    common = {f for f in set.intersection(*on.values())
              if f.startswith("kvm") or f in ("hypervisor", "x2apic")}
    out = HEAD.format("The named CPU models: identity and features, as deltas along a model's versions.")
    out += "use super::model::Definition;\n\n"
    out += "/// What every named model has under KVM besides its own features.\n"
    out += f"pub(super) static ACCELERATOR_FEATURES: &str = {chunks(sorted(common), 4)};\n\n"
    out += "/// A version follows those it is based on.\npub(super) static MODELS: &[Definition] = &[\n"
    def order(name):
        base, version = name.rsplit("-v", 1)
        return (base, int(version))
    previous = None
    for name in sorted(real, key=order):
        base = name.rsplit("-v", 1)[0]
        parent = previous if previous and previous.rsplit("-v", 1)[0] == base else None
        p, previous = props[name], name
        mine = on[name] - common
        before = on[parent] - common if parent else set()
        note = re.search(r" (\[.*\])$", notes.get(name, ""))
        out += (f'    Definition {{\n        name: "{name}", based_on: {f"Some({json.dumps(parent)})" if parent else "None"}, '
                f'vendor: "{tcg.expand(name)["vendor"]}",\n        family: {p["family"]}, model: {p["model"]}, '
                f'stepping: {p["stepping"]}, level: {p["min-level"]:#x}, xlevel: {p["min-xlevel"]:#x}, '
                f'level_func7: {p["level-func7"]}, legacy_cache: {str(p["legacy-cache"]).lower()},\n        '
                f'model_id: {json.dumps(p["model-id"])}, note: {json.dumps(note[1] if note else "")},\n        '
                f'adds: {chunks(sorted(mine - before), 12)},\n        drops: {chunks(sorted(before - mine), 12)},\n    }},\n')
    tcg.close()
    out += "];\n\n/// Names that stand for a version of a model.\npub(super) static ALIASES: &[(&str, &str)] = &[\n"
    out += "".join(f'    ("{d["name"]}", "{d["alias-of"]}"),\n' for d in sorted(definitions, key=lambda d: d["name"])
                   if "alias-of" in d)
    write(os.path.join(SRC, "model_table.rs"), out + "];\n")


def property_table(qemu, flags, aliases):
    value = lambda v: ("Bool(%s)" % str(v).lower() if isinstance(v, bool) else
                       f"Int({v})" if isinstance(v, int) else f"Str({json.dumps(v)})")
    plain = qemu.expand("base")
    listed = {p["name"]: p for p in qemu("qom-list-properties", typename="max-x86_64-cpu")}
    listed.update({p["name"]: p for p in qemu("device-list-properties", typename="max-x86_64-cpu")})
    out = HEAD.format("Properties of a CPU object that are not features.")
    out += "use super::property::{Initial::*, Property};\n\n/// Sorted by name.\npub(super) static PROPERTIES: &[Property] = &[\n"
    for name, p in sorted(listed.items()):
        if name in flags or name in aliases:
            continue
        default = f"Some({value(p['default-value'])})" if "default-value" in p else "None"
        initial = f"Some({value(plain[name])})" if name in plain else "None"
        out += (f'    Property {{ name: "{name}", kind: "{p["type"]}", default: {default}, '
                f'expanded: {initial}, description: {json.dumps(p.get("description", ""))} }},\n')
    write(os.path.join(SRC, "property_table.rs"), out + "];\n")


def tables():
    flags = set(recognized_flags())
    qemu = Qemu("-accel", "kvm")
    aliases = feature_table(qemu, flags)
    model_table(qemu, flags)
    property_table(qemu, flags, aliases)
    qemu.close()


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    if what in ("tables", "all"):
        tables()
    if what in ("golden", "all"):
        import golden
        golden.record()
