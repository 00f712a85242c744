//! What QEMU was seen to do, beside what we compute.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const CPUID: &str = include_str!("../../../resources/cpu-models/cpuid.txt");
const HOST: &str = include_str!("../../../resources/cpu-models/host.txt");
const MODELS: &str = include_str!("../../../resources/cpu-models/models.txt");

fn entry(line: &str) -> CpuidEntry {
    let words: Vec<_> = line.split(' ').map(|w| u32::from_str_radix(w, 16).unwrap()).collect();
    let [function, index, flags, eax, ebx, ecx, edx] = words[..] else {
        panic!("{line}");
    };
    CpuidEntry { function, index, flags, eax, ebx, ecx, edx }
}

/// The host the recording was made on.
pub(super) fn host() -> HostCpu {
    HostCpu {
        supported: HOST.lines().filter(|l| !l.starts_with('#')).map(entry).collect(),
        feature_msrs: BTreeMap::new(),
        identity: Identity {
            vendor: "GenuineIntel".into(),
            family: 6,
            model: 207,
            stepping: 2,
            brand: "Intel(R) Xeon(R) Processor".into(),
            phys_bits: 48,
        },
        tsc_deadline: true,
        kernel_irqchip: true,
        tsc_khz: 2_300_000,
    }
}

fn sections(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    text.split("\n== ").skip(1).map(|section| {
        let mut lines = section.lines();
        (lines.next().unwrap(), lines.collect())
    })
}

/// `-smp` as the recording names it.
fn topology(smp: &str) -> Topology {
    let mut parts = smp.split(',');
    let cpus: u32 = parts.next().unwrap().parse().unwrap();
    let mut t = Topology { sockets: 0, dies: 1, cores: 1, threads: 1 };
    for (key, value) in parts.map(|p| p.split_once('=').unwrap()) {
        let value = value.parse().unwrap();
        match key {
            "sockets" => t.sockets = value,
            "dies" => t.dies = value,
            "cores" => t.cores = value,
            "threads" => t.threads = value,
            _ => panic!("{key}"),
        }
    }
    t.sockets = cpus / t.threads_per_socket();
    t
}

type Table = BTreeMap<(u32, u32), CpuidEntry>;

fn table(entries: impl IntoIterator<Item = CpuidEntry>) -> Table {
    entries.into_iter().filter(|e| !e.is_zero()).map(|e| ((e.function, e.index), e)).collect()
}

/// Where several dies make QEMU count the threads of one die as those of the package, we count the
/// package, as the manuals say.
fn counts_a_package(entry: &mut CpuidEntry) {
    match (entry.function, entry.index) {
        (1, _) => entry.ebx &= !0x00ff_0000,
        (4, _) => entry.eax &= !0xfc00_0000,
        (0xb, 1) => entry.ebx = 0,
        (0x8000_0008, _) => entry.ecx &= !0xff,
        _ => {}
    }
}

#[test]
fn tables_are_those_qemu_gives_to_kvm() {
    // The recording forced features on a host whose KVM lists no place for any extended state.
    let mut host = host();
    host.supported.retain(|e| e.function != 0xd || e.index == 0);
    let mut seen = 0;
    for (heading, lines) in sections(CPUID) {
        let mut words = heading.splitn(3, ' ');
        let [vcpu, smp, cpu] = [(); 3].map(|()| words.next().unwrap());
        let topology = topology(smp);
        let (model, _) = parse_option(cpu, &host).unwrap();
        let guest = model.resolve(&host, topology).unwrap();
        let mut ours = table(guest.cpuid(vcpu.parse().unwrap()));
        let mut theirs = table(lines.into_iter().map(entry));
        if topology.dies > 1 {
            ours.values_mut().chain(theirs.values_mut()).for_each(counts_a_package);
        }
        for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            assert_eq!(ours.get(key), theirs.get(key), "{heading}: {:x}.{:x}", key.0, key.1);
        }
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

/// Checks one recorded property of a full expansion that differs from `base`.
fn same(name: &str, recorded: Option<&str>, ours: &Value) -> bool {
    match (recorded, ours) {
        (None, Value::Bool(b)) => *b,
        (Some(text), Value::Bool(b)) => text.eq_ignore_ascii_case(&b.to_string()),
        (Some(text), Value::Int(n)) => text == n.to_string(),
        (Some(text), Value::Str(s)) => text == s,
        _ => panic!("{name}"),
    }
}

#[test]
fn models_expand_as_qemus_do() {
    let host = host();
    let none = [];
    let (_, base) = expand(Expansion::Full, "base", none, &host).unwrap();
    for (heading, lines) in sections(MODELS) {
        let fields: Vec<_> = heading.split(' ').collect();
        let (name, alias) = (fields[0], fields[1]);
        assert_eq!(type_name(name), fields[2]);
        if alias != "-" {
            let same = compare((name, none), (alias, none), &host).unwrap();
            assert_eq!(same.result, ComparisonResult::Identical, "{name}");
            continue;
        }
        let (_, full) = expand(Expansion::Full, name, none, &host).unwrap();
        let recorded: BTreeMap<_, _> = lines
            .get(1)
            .map_or("", |line| line)
            .split_ascii_whitespace()
            .map(|p| p.split_once('=').map_or((p, None), |(k, v)| (k, Some(v))))
            .collect();
        for (key, value) in full.iter().filter(|(key, _)| *key != "model-id") {
            let as_recorded = match recorded.get(key.as_str()) {
                Some(text) => same(key, *text, value),
                None => value == &base[key],
            };
            assert!(as_recorded, "{name}.{key}: {value:?}");
        }
        assert!(recorded.keys().all(|key| full.contains_key(*key)), "{name}");
    }
}

#[test]
fn models_want_the_words_qemus_do() {
    let host = host();
    for (heading, lines) in sections(MODELS) {
        let fields: Vec<_> = heading.split(' ').collect();
        if fields[1] != "-" {
            continue;
        }
        let model = CpuModel::new(fields[0], &host).unwrap();
        let forced = parse_option(&format!("{},x-force-features=on", fields[0]), &host).unwrap().0;
        let guest = forced.resolve(&host, Topology::flat(1)).unwrap();
        let ours: BTreeSet<_> = guest
            .feature_words()
            .into_iter()
            .filter(|w| w.features != 0)
            .map(|w| {
                format!(
                    "{:x}.{}.{}={:x}",
                    w.leaf,
                    w.subleaf.unwrap_or(0),
                    w.register.name(),
                    w.features
                )
            })
            .collect();
        let theirs: BTreeSet<_> = lines[0].split_ascii_whitespace().map(str::to_owned).collect();
        assert_eq!(ours, theirs, "{}", model.name());
    }
}

#[test]
fn a_host_without_a_feature_leaves_it_out_or_refuses() {
    let mut host = host();
    let flat = Topology::flat(1);
    let guest = CpuModel::new("qemu64", &host).unwrap().resolve(&host, flat).unwrap();
    let missing: Vec<_> = guest.unavailable().iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["host doesn't support requested feature: CPUID.01H:ECX.pni [bit 0]"]);
    assert!(!guest.features().has("pni") && guest.check());
    let leaf1 = |g: &GuestCpu| g.cpuid(0).into_iter().find(|e| e.function == 1).unwrap();
    assert_eq!(leaf1(&guest).ecx & 1, 0);
    let strict = parse_option("qemu64,enforce", &host).unwrap().0;
    assert_eq!(strict.resolve(&host, flat).unwrap_err(), Error::Enforce);
    host.supported.iter_mut().find(|e| e.function == 1).unwrap().ecx |= 1;
    assert!(leaf1(&strict.resolve(&host, flat).unwrap()).ecx & 1 == 1);
}

#[test]
fn physical_address_bits_follow_the_rules() {
    let host = host();
    let bits = |text: &str| {
        let model = parse_option(text, &host).unwrap().0;
        let guest = model.resolve(&host, Topology::flat(1)).map_err(|e| e.to_string())?;
        Ok::<_, String>(guest.phys_bits())
    };
    assert_eq!(bits("qemu64"), Ok(40));
    assert_eq!(bits("host"), Ok(48));
    assert_eq!(bits("qemu64,host-phys-bits,host-phys-bits-limit=46"), Ok(46));
    assert_eq!(bits("pentium3"), Ok(36));
    assert_eq!(bits("base"), Ok(32));
    for wrong in [20, 99] {
        let text = format!("phys-bits should be between 32 and 52  (but is {wrong})");
        assert_eq!(bits(&format!("qemu64,phys-bits={wrong}")), Err(text));
    }
    assert_eq!(
        bits("qemu32,phys-bits=40"),
        Err("phys-bits is not user-configurable in 32 bit".into())
    );
    let cache = "CPU model 'qemu64' doesn't support legacy-cache=off";
    assert_eq!(bits("qemu64,legacy-cache=off"), Err(cache.into()));
}

#[test]
fn only_a_host_model_that_stays_takes_what_cannot_migrate() {
    let mut host = host();
    let flat = Topology::flat(1);
    let has = |text: &str, host: &HostCpu| {
        let guest = parse_option(text, host).unwrap().0.resolve(host, flat).unwrap();
        (
            guest.features().has("invtsc"),
            guest.cpuid(0).into_iter().find(|e| (e.function, e.index) == (7, 1)),
        )
    };
    assert_eq!(has("host", &host), (false, None));
    let (invtsc, leaf7) = has("host,migratable=off", &host);
    assert!(invtsc);
    assert_eq!(leaf7.map(|e| e.eax), Some(0x1c00));
    host.supported.retain(|e| e.function != 0x8000_0007);
    assert!(!has("host,migratable=off", &host).0);
}

#[test]
fn settings_reach_the_guest() {
    let host = host();
    let guest = |text: &str| {
        parse_option(text, &host).unwrap().0.resolve(&host, Topology::flat(1)).unwrap()
    };
    let entry =
        |text: &str, function| guest(text).cpuid(0).into_iter().find(|e| e.function == function);
    assert_eq!(guest("qemu64,family=25,model=0x21,stepping=2").signature(), 0x00a2_0f12);
    assert_eq!(guest("qemu64,tsc-freq=2G").tsc_khz(), Some(2_000_000));
    assert_eq!(guest("qemu64").tsc_khz(), None);
    assert_eq!(guest("qemu64,ucode-rev=7").feature_msrs(), [(0x8b, 7)]);
    assert!(entry("qemu64,kvm=off", 0x4000_0000).is_none());
    assert_eq!(entry("qemu64,level=1", 0).unwrap().eax, 1);
    assert!(entry("qemu64,level=1", 2).is_none());
    let warned = guest("qemu64,phys-bits=46").phys_bits_warning();
    assert_eq!(
        warned.as_deref(),
        Some("Host physical bits (48) does not match phys-bits property (46)")
    );
    assert_eq!(guest("qemu64").phys_bits_warning(), None);
    let cache = |text: &str| entry(text, 4).map(|e| (e.eax, e.ebx));
    assert_eq!(cache("host"), Some((0x121, 0x01c0_003f)));
    assert_eq!(cache("host,host-cache-info=on"), Some((0x121, 0x02c0_003f)));
}
