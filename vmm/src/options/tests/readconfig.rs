//! Configuration files.

use super::super::{RtcClock, Sources, parse};
use super::{dict, dicts, parse_with_file};

fn error(file: &str) -> String {
    match parse_with_file(["-readconfig", "FILE"], file) {
        Ok(options) => panic!("{file}: accepted as {options:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_file_says_what_options_say() {
    let file = r#"
# A comment.
[machine]
  type = "pc"
  accel = "kvm"

[memory]
  size = "1G"
[smp-opts]
  cpus = "2"
[boot-opts]
  order = "c"
[device "port"]
  driver = "isa-serial"
  chardev = "out"
[chardev "out"]
  backend = "file"
  path = "/a,b"
[mon "m"]
  chardev = "out"
[rtc]
  clock = "vm"
[object "t"]
  qom-type = "iothread"
[global]
  driver = "a"
  property = "b"
  value = "c"
"#;
    let options = parse_with_file(["-readconfig", "FILE", "-smp", "maxcpus=4"], file);
    let options = options.expect("a good file");
    assert_eq!(options.memory.size, 1 << 30);
    assert_eq!((options.smp.cpus, options.smp.maxcpus), (2, 4));
    assert!(options.boot.given);
    assert_eq!(options.rtc.clock, RtcClock::Vm);
    assert_eq!(
        dicts(&options.devices),
        [dict(&[("id", "port"), ("driver", "isa-serial"), ("chardev", "out")])]
    );
    assert_eq!(
        dicts(&options.chardevs),
        [dict(&[("id", "out"), ("backend", "file"), ("path", "/a,b")])]
    );
    assert_eq!(options.monitors[0].id.as_deref(), Some("m"));
    assert_eq!(options.objects[0].text("id"), Some("t"));
    assert_eq!(options.globals[0].value, "c");
}

/// Recorded from QEMU 7.2, but for the last two, which it misreads without a word.
#[test]
fn errors_name_the_line() {
    for (file, message) in [
        ("foo", "vmm:FILE:1: no group defined"),
        ("[foo]\nx = \"1\"\n", "vmm:FILE:2: There is no option group 'foo'"),
        (
            "[device \"a\"]\ndriver = \"b\"\n[device \"a\"]\ndriver = \"b\"\n",
            "vmm:FILE:4: Duplicate ID 'a' for device",
        ),
        ("[device]\nid = \"x\"\n", "vmm:FILE:2: Parameter 'driver' is missing"),
        ("[object]\nqom-type = \"iothread\"\n", "vmm:FILE:2: Parameter 'id' is missing"),
        ("[chardev]\nbackend = \"null\"\n", "vmm:FILE:2: chardev: no id specified"),
        (
            "[chardev \"c\"]\nbackend = \"foo\"\n",
            "vmm:FILE:2: 'foo' is not a valid char driver name",
        ),
        ("[mon \"m\"]\nchardev = \"foo\"\n", "vmm:FILE:2: chardev \"foo\" not found"),
        ("[mon]\nmode = \"control\"\n", "vmm:FILE:2: Parameter 'chardev' is missing"),
        ("[msg]\ntimestamp = \"x\"\n", "vmm:FILE:2: Parameter 'timestamp' expects 'on' or 'off'"),
        ("[add-fd]\nfd = \"0\"\n", "vmm:FILE:2: fd cannot be a standard I/O stream"),
        ("[accel]\naccel = \"foo\"\n", "vmm:FILE:2: invalid accelerator foo"),
        ("[memory \"x\"]\nsize = \"1G\"\n", "vmm:FILE:2: Invalid parameter 'id'"),
        ("[machine]\ntype = pc\n", "vmm:FILE:2: parse error"),
        ("[device \"a\"\ndriver = \"b\"\n", "vmm:FILE:1: parse error"),
    ] {
        assert_eq!(error(file), message, "{file}");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let error = parse_with_file(["-readconfig", "/none"], "").map_err(|error| error.to_string());
    assert_eq!(
        error.map(drop),
        Err("vmm: -readconfig /none: Could not open '/none': No such file or directory".to_owned())
    );
}

#[test]
fn files_of_the_host() {
    let read = |path: &std::path::Path| {
        let words = ["-readconfig".into(), path.as_os_str().to_owned()];
        parse(words, &Sources::host()).map_err(|error| error.to_string())
    };
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "[memory]\nsize = \"1G\"\n").expect("written");
    assert_eq!(read(&file).map(|options| options.memory.size), Ok(1 << 30));
    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).expect("written");
    assert!(read(&file).is_err_and(|text| text.ends_with(": file too large")));
    assert!(read("/dev/zero".as_ref()).is_err_and(|text| text.ends_with(": file too large")));
    std::fs::write(&file, b"\xff").expect("written");
    assert!(read(&file).is_err());
    assert!(read(directory.path()).is_err_and(|text| text.ends_with(": Is a directory")));
}
