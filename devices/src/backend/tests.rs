use std::fs::read_to_string;
use std::sync::mpsc;

use qapi::{Dict, Value};

use super::*;
use crate::bench::IsaBench;
use crate::error::Result;
use crate::memory::RamBlock;
use crate::object::Plan;

const MIB: u64 = 1 << 20;

impl IsaBench {
    /// Makes an object of the user, called `obj`.
    fn object_add(&mut self, class: &str, set: &[(&str, Value)]) -> Result<String> {
        let class = self.class(class);
        let properties: Dict = set.iter().cloned().collect();
        let platform = self.platform.clone();
        self.tree.create(Plan::object(class, "obj".into(), properties), &platform)
    }

    fn ram(&mut self, set: &[(&str, Value)]) -> Result<String> {
        let set: Vec<_> = [("size", Value::from(4 * MIB))].iter().chain(set).cloned().collect();
        self.object_add("memory-backend-ram", &set)
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) -> Result<()> {
        self.tree.set("/objects/obj", name, value.into())
    }

    fn value(&self, name: &str) -> Value {
        self.tree.get("/objects/obj", name).unwrap()
    }
}

/// Resident bytes, and flags, of the process's mapping that a block is (part of).
fn mapping(block: &RamBlock) -> (u64, Vec<String>) {
    let address = block.region().as_ptr() as u64;
    let maps = read_to_string("/proc/self/smaps").unwrap();
    let mut inside = false;
    let mut resident = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if let Some((start, end)) = first.split_once('-') {
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            inside = (number(start)..number(end)).contains(&address);
        } else if inside && first == "Rss:" {
            resident = words.next().unwrap().parse::<u64>().unwrap() * 1024;
        } else if inside && first == "VmFlags:" {
            return (resident, words.map(Into::into).collect());
        }
    }
    panic!("the block is not mapped")
}

fn has(block: &RamBlock, flag: &str) -> bool {
    mapping(block).1.iter().any(|own| own == flag)
}

#[test]
fn memory_is_taken_as_its_properties_say() {
    let mut bench = IsaBench::new();
    bench.ram(&[]).unwrap();
    let backend = bench.object::<MemoryBackend>();
    let block = backend.block();
    assert_eq!((backend.size(), block.size(), block.name()), (4 * MIB, 4 * MIB, "obj"));
    assert_eq!(backend.policy(), RamPolicy::default());
    assert!(!has(block, "sh") && !has(block, "dd") && !has(block, "nr"));
    assert!(block.region().file_offset().is_none());
    drop(bench.tree.remove("/objects/obj"));
    bench
        .ram(&[("share", true.into()), ("dump", false.into()), ("reserve", false.into())])
        .unwrap();
    let block = bench.object::<MemoryBackend>().block();
    assert!(has(block, "sh") && has(block, "dd") && has(block, "nr"));
}

#[test]
fn shared_memory_is_a_file_that_others_can_map() {
    let mut bench = IsaBench::new();
    bench.ram(&[("share", true.into())]).unwrap();
    let block = bench.object::<MemoryBackend>().block();
    block.store(0x1234, 4, 0xcafe_f00d);
    let mut bytes = [0; 4];
    let file = block.region().file_offset().unwrap().file();
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0x1234).unwrap();
    assert_eq!(u32::from_le_bytes(bytes), 0xcafe_f00d);
}

#[test]
fn preallocated_memory_is_there_at_once() {
    for share in [false, true] {
        let mut bench = IsaBench::new();
        bench.ram(&[("prealloc", true.into()), ("share", share.into())]).unwrap();
        assert!(mapping(bench.object::<MemoryBackend>().block()).0 >= 4 * MIB);
        drop(bench.tree.remove("/objects/obj"));
        bench.ram(&[("share", share.into())]).unwrap();
        bench.object::<MemoryBackend>().block().store(8, 1, 3);
        bench.set("prealloc", true).unwrap();
        let block = bench.object::<MemoryBackend>().block();
        assert!(mapping(block).0 >= 4 * MIB);
        assert_eq!(block.load(8, 8), 3, "it keeps what it holds");
        bench.set("prealloc", false).unwrap();
        assert_eq!(bench.value("prealloc"), true.into(), "it is not given back");
    }
}

#[test]
fn what_the_host_is_told_can_change_later_and_the_rest_cannot() {
    let mut bench = IsaBench::new();
    bench.ram(&[]).unwrap();
    bench.set("dump", false).unwrap();
    assert!(has(bench.object::<MemoryBackend>().block(), "dd"));
    bench.set("dump", true).unwrap();
    assert!(!has(bench.object::<MemoryBackend>().block(), "dd"));
    bench.set("merge", false).unwrap();
    assert!(!has(bench.object::<MemoryBackend>().block(), "mg"));
    assert_eq!((bench.value("merge"), bench.value("dump")), (false.into(), true.into()));
    for (name, value, text) in [
        ("size", Value::Int(1), "cannot change property size of memory-backend-ram "),
        ("share", true.into(), "cannot change property value"),
        ("reserve", false.into(), "cannot change property value"),
        ("merge", Value::Int(1), "Invalid parameter type for 'merge', expected: boolean"),
    ] {
        assert_eq!(bench.set(name, value).unwrap_err().to_string(), text);
    }
    assert_eq!(bench.value("size"), (4 * MIB).into());
    assert_eq!((bench.value("share"), bench.value("reserve")), (false.into(), true.into()));
}

#[test]
fn sizes_come_with_suffixes_and_are_filled_up_to_pages() {
    let mut bench = IsaBench::new();
    bench.object_add("memory-backend-ram", &[("size", "2M".into())]).unwrap();
    assert_eq!(bench.object::<MemoryBackend>().block().size(), 2 * MIB);
    drop(bench.tree.remove("/objects/obj"));
    bench.object_add("memory-backend-ram", &[("size", 4097.into())]).unwrap();
    let backend = bench.object::<MemoryBackend>();
    assert_eq!((backend.size(), backend.block().size()), (4097, 8192));
}

#[test]
fn memory_that_cannot_be_is_refused() {
    let mut bench = IsaBench::new();
    let zero = "property 'size' of memory-backend-ram doesn't take value '0'";
    let too_much = "cannot set up guest memory 'obj': Cannot allocate memory";
    for (set, text) in [
        (&[][..], "Parameter 'size' is missing"),
        (&[("size", Value::Int(0))], zero),
        (&[("size", "0".into())], zero),
        (&[("size", Value::Int(-1))], "Parameter 'size' expects uint64"),
        (&[("size", Value::Bool(true))], "Invalid parameter type for 'size', expected: integer"),
        (&[("size", (1u64 << 60).into())], too_much),
        (&[("size", u64::MAX.into())], too_much),
        (
            &[("size", 4096.into()), ("prealloc", true.into()), ("reserve", false.into())],
            "'prealloc=on' and 'reserve=off' are incompatible",
        ),
    ] {
        let error = bench.object_add("memory-backend-ram", set).unwrap_err();
        assert_eq!(error.to_string(), text, "{set:?}");
    }
    let set = [("size", (1u64 << 60).into()), ("share", true.into())];
    assert!(bench.object_add("memory-backend-ram", &set).is_err());
    let error = bench.object_add("memory-backend-ram", &[("size", "x".into())]).unwrap_err();
    assert_eq!(error.to_string(), "Parameter 'size' expects a size value");
    bench.ram(&[]).unwrap();
    assert_eq!(
        bench.ram(&[]).unwrap_err().to_string(),
        "attempt to add duplicate property 'obj' to object (type 'container')"
    );
}

#[test]
fn several_blocks_come_by_one_policy() {
    let policy = RamPolicy { share: true, ..RamPolicy::default() };
    let blocks = policy.allocate(&[("pc.ram", MIB), ("other", 2 * MIB)]).unwrap();
    let names: Vec<_> = blocks.iter().map(|block| (block.name(), block.size())).collect();
    assert_eq!(names, [("pc.ram", MIB), ("other", 2 * MIB)]);
    assert!(blocks.iter().all(|block| has(block, "sh")));
    assert!(policy.allocate(&[("a", MIB), ("b", 1 << 60)]).is_err());
}

#[test]
fn an_iothread_runs_its_loop_on_a_thread_with_its_name() {
    let mut bench = IsaBench::new();
    bench.object_add("iothread", &[]).unwrap();
    let io = bench.object::<IoThread>();
    let (send, receive) = mpsc::channel();
    io.handle().post(move || {
        let thread = std::thread::current();
        send.send(thread.name().map(str::to_owned)).unwrap();
    });
    assert_eq!(receive.recv().unwrap().as_deref(), Some("IO obj"));
    let comm = format!("/proc/self/task/{}/comm", io.thread_id());
    assert_eq!(read_to_string(&comm).unwrap(), "IO obj\n");
    drop(bench.tree.remove("/objects/obj").unwrap());
    assert!(read_to_string(&comm).is_err(), "the thread ends with the object");
}

#[test]
fn classes_descend_as_in_qom() {
    let bench = IsaBench::new();
    let lineage = |name: &str| {
        let class = bench.class(name);
        bench.tree.registry().lineage(class).map(|class| class.name).collect::<Vec<_>>()
    };
    assert_eq!(lineage("memory-backend-ram"), ["memory-backend-ram", "memory-backend", "object"]);
    assert_eq!(lineage("iothread"), ["iothread", "event-loop-base", "object"]);
    let sys_bus = ["fw_cfg_io", "fw_cfg", "sys-bus-device", "device", "object"];
    assert_eq!(lineage("fw_cfg_io"), sys_bus);
    for isa in ["isa-serial", "isa-debugcon", "isa-debug-exit", "pvpanic", "mc146818rtc", "i8042"] {
        assert_eq!(lineage(isa), [isa, "isa-device", "device", "object"]);
    }
}

#[test]
fn objects_make_no_connections_that_could_fail() {
    let mut bench = IsaBench::new();
    for (name, set) in [("iothread", &[][..]), ("memory-backend-ram", &[("size", "1M")])] {
        let class = bench.class(name);
        assert_eq!(bench.fail_everywhere(class, set), 0);
    }
}
