//! Properties: what is written reads back the same, and nothing that a client sends brings the decoder down.

use proptest::prelude::*;
use qapi::{
    COMMANDS, ChardevBackend, ChardevCommon, ChardevFile, ChardevFileWrapper, ChardevSocket,
    ChardevSocketWrapper, Command, CpuInstanceProperties, Decode, Dict, Encode, InetSocketAddress,
    InetSocketAddressBase, InetSocketAddressWrapper, PciDeviceClass, SocketAddressLegacy,
    StatsFilter, StatsFilterVariant, StatsProvider, StatsRequest, StatsVCPUFilter, Value,
    from_json, from_keyval,
};

/// Values of every kind, a few levels deep, with keys that commands know among others.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            dicts(inner).prop_map(Value::Dict),
        ]
    })
}

fn dicts(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Dict> {
    prop::collection::vec((texts(), inner), 0..6).prop_map(Dict::from_iter)
}

/// Texts that mean something to some command, and others.
fn texts() -> impl Strategy<Value = String> {
    let known: Vec<&str> = COMMANDS
        .iter()
        .map(|command| command.name)
        .chain([
            "id",
            "backend",
            "type",
            "data",
            "addr",
            "inet",
            "unix",
            "socket",
            "file",
            "out",
            "host",
            "port",
            "path",
            "size",
            "val",
            "filename",
            "target",
            "vcpu",
            "providers",
            "0",
            "1",
            "on",
            "off",
            "4k",
        ])
        .collect();
    prop_oneof![prop::sample::select(known).prop_map(str::to_owned), ".{0,6}"]
}

fn commons() -> impl Strategy<Value = ChardevCommon> {
    any::<(Option<String>, Option<bool>)>()
        .prop_map(|(logfile, logappend)| ChardevCommon { logfile, logappend })
}

fn addresses() -> impl Strategy<Value = SocketAddressLegacy> {
    type Flags = (Option<bool>, Option<bool>, Option<bool>, Option<bool>);
    any::<(String, String, Option<u16>, Flags)>().prop_map(|(host, port, to, flags)| {
        let (numeric, ipv4, ipv6, keep_alive) = flags;
        let base = InetSocketAddressBase { host, port };
        let data = InetSocketAddress { base, numeric, to, ipv4, ipv6, keep_alive };
        SocketAddressLegacy::Inet(InetSocketAddressWrapper { data })
    })
}

fn backends() -> impl Strategy<Value = ChardevBackend> {
    let file = (commons(), any::<(Option<String>, String, Option<bool>)>());
    let socket = (commons(), addresses(), any::<(Option<bool>, Option<i64>)>());
    prop_oneof![
        file.prop_map(|(base, (r#in, out, append))| {
            let data = ChardevFile { base, r#in, out, append };
            ChardevBackend::File(ChardevFileWrapper { data })
        }),
        socket.prop_map(|(base, addr, (server, reconnect))| {
            let data = ChardevSocket { base, addr, server, wait: None, nodelay: None, reconnect };
            ChardevBackend::Socket(ChardevSocketWrapper { data })
        }),
    ]
}

fn filters() -> impl Strategy<Value = StatsFilter> {
    let request = any::<Option<Vec<String>>>();
    let request = request.prop_map(|names| StatsRequest { provider: StatsProvider::Kvm, names });
    let variant = prop_oneof![
        Just(StatsFilterVariant::Vm),
        any::<Option<Vec<String>>>()
            .prop_map(|vcpus| StatsFilterVariant::Vcpu(StatsVCPUFilter { vcpus })),
    ];
    (prop::option::of(prop::collection::vec(request, 0..3)), variant)
        .prop_map(|(providers, variant)| StatsFilter { providers, variant })
}

/// Whether a value reads back as it was written.
fn comes_back<T: Encode + Decode + Clone + PartialEq + std::fmt::Debug>(value: T) {
    assert_eq!(from_json(value.clone().encode()), Ok(value));
}

/// A value as `key=value` options would hold it: only strings and objects.
fn as_text(value: Value) -> Value {
    match value {
        Value::Dict(dict) => {
            Value::Dict(dict.into_iter().map(|(key, member)| (key, as_text(member))).collect())
        }
        Value::List(elements) => {
            let elements = elements.into_iter().enumerate();
            Value::Dict(
                elements.map(|(index, element)| (index.to_string(), as_text(element))).collect(),
            )
        }
        Value::Bool(truth) => Value::from(if truth { "on" } else { "off" }),
        Value::Int(number) => Value::from(number.to_string()),
        Value::Uint(number) => Value::from(number.to_string()),
        other => other,
    }
}

proptest! {
    #[test]
    fn unions_and_bases_come_back(backend in backends(), filter in filters()) {
        comes_back(backend.clone());
        comes_back(filter.clone());
        // The text form says the same.
        for value in [backend.clone().encode(), filter.clone().encode()] {
            let Value::Dict(options) = as_text(value) else { unreachable!("an object") };
            let (as_backend, as_filter) = (from_keyval(options.clone()), from_keyval(options));
            prop_assert!(as_backend == Ok(backend.clone()) || as_filter == Ok(filter.clone()));
        }
    }

    #[test]
    fn structures_come_back(node_id in any::<Option<i64>>(), desc in any::<Option<String>>(), class in any::<i64>()) {
        comes_back(CpuInstanceProperties { node_id, ..Default::default() });
        comes_back(PciDeviceClass { desc, class });
    }

    #[test]
    fn nothing_brings_the_decoder_down(name in texts(), arguments in dicts(values())) {
        let json = Command::decode(&name, arguments.clone());
        if let Ok(command) = &json {
            prop_assert_eq!(command.name(), name.as_str());
        }
        let _ = Command::decode_from(&name, arguments, &qapi::source::KeyVal);
    }

    #[test]
    fn sizes_are_never_misread(text in "[0-9.xXkKeEmMgGtT]{0,12}", number in any::<u64>()) {
        prop_assert_eq!(qapi::source::parse_size(&number.to_string()), Some(number));
        let _ = qapi::source::parse_size(&text);
    }
}
