//! The CPU model queries, computed from the tables: definitions, expansion, comparison, baseline.

use std::collections::BTreeMap;

use super::error::Error;
use super::features::{FeatureSet, aliases, feature_names};
use super::guest::Missing;
use super::host::HostCpu;
use super::model::{CpuModel, alias_of, model_names, type_name};
use super::property::{self, Value};

/// One model, as `query-cpu-definitions` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The model's name.
    pub name: &'static str,
    /// The type of its CPU objects.
    pub type_name: String,
    /// The version the name stands for.
    pub alias_of: Option<&'static str>,
    /// The same on every host and in every version.
    pub is_static: bool,
    /// Fit for a machine that migrates.
    pub migration_safe: bool,
    /// Going away; none is.
    pub deprecated: bool,
    /// What keeps the model from running here, word by word.
    pub unavailable: Vec<&'static str>,
}

/// Every model, in QEMU's order.
pub fn definitions(host: &HostCpu) -> Vec<Definition> {
    let mut list: Vec<_> = model_names()
        .into_iter()
        .filter_map(|name| {
            let model = CpuModel::new(name, host).ok()?;
            let missing = Missing::of(&model.features(host), host);
            let unavailable = missing.named().into_iter().map(|f| f.name).collect();
            Some(Definition {
                name,
                type_name: type_name(name),
                alias_of: alias_of(name),
                is_static: name == "base",
                migration_safe: !model.follows_host(),
                deprecated: false,
                unavailable,
            })
        })
        .collect();
    list.reverse();
    list
}

/// How far a model is expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// To `base` and what differs from it may differ: features and identity.
    Static,
    /// To the model and every property it has.
    Full,
}

/// Properties of a static expansion that are not features.
const IDENTITY: [&str; 8] =
    ["family", "model", "stepping", "vendor", "model-id", "min-level", "min-xlevel", "lmce"];

/// A model's name and its properties.
pub type Expanded = (String, BTreeMap<String, Value>);

/// Builds the model a query describes.
fn described<'a>(
    name: &str,
    props: impl IntoIterator<Item = (&'a str, &'a Value)>,
    host: &HostCpu,
) -> Result<CpuModel, Error> {
    let mut model = CpuModel::new(name, host).map_err(|_| Error::QueryModel(name.to_owned()))?;
    for (key, value) in props {
        model.set(key, value)?;
    }
    Ok(model)
}

/// Expands a model with properties set on it.
///
/// # Errors
///
/// An unknown model, or a property it does not take.
pub fn expand<'a>(
    kind: Expansion,
    name: &str,
    props: impl IntoIterator<Item = (&'a str, &'a Value)>,
    host: &HostCpu,
) -> Result<Expanded, Error> {
    let model = described(name, props, host)?;
    Ok(match kind {
        Expansion::Static => ("base".to_owned(), static_properties(&model, host)),
        Expansion::Full => (name.to_owned(), full_properties(&model, host)),
    })
}

fn static_properties(model: &CpuModel, host: &HostCpu) -> BTreeMap<String, Value> {
    let features = model.features(host);
    let mut map: BTreeMap<_, _> = feature_names()
        .into_iter()
        .map(|name| (name.to_owned(), Value::Bool(features.has(name))))
        .collect();
    let levels = levels(model, &features);
    for name in IDENTITY {
        if let Some(value) = levels.get(name).or(model.setting(name)) {
            map.insert(name.to_owned(), value.clone());
        }
    }
    map
}

fn full_properties(model: &CpuModel, host: &HostCpu) -> BTreeMap<String, Value> {
    let features = model.features(host);
    let mut map = static_properties(model, host);
    for (alias, name) in aliases() {
        map.insert((*alias).to_owned(), Value::Bool(features.has(name)));
    }
    let levels = levels(model, &features);
    for property in property::table() {
        let shown = property.expanded.is_some() || property::only_of_max(property.name);
        if let (true, Some(value)) =
            (shown, levels.get(property.name).or(model.setting(property.name)))
        {
            map.insert(property.name.to_owned(), value.clone());
        }
    }
    map
}

/// The level properties with what the features raise them to.
fn levels(model: &CpuModel, features: &FeatureSet) -> BTreeMap<&'static str, Value> {
    let levels = model.levels(features, None);
    let [basic, extended, centaur] = levels.least;
    [
        ("level", levels.basic),
        ("xlevel", levels.extended),
        ("xlevel2", levels.centaur),
        ("level-func7", levels.leaf7),
        ("min-level", basic),
        ("min-xlevel", extended),
        ("min-xlevel2", centaur),
    ]
    .map(|(name, value)| (name, Value::Int(value.into())))
    .into()
}

/// How one model relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonResult {
    /// Each has what the other lacks.
    Incompatible,
    /// The guest cannot tell them apart.
    Identical,
    /// The second runs wherever the first does.
    Superset,
    /// The first runs wherever the second does.
    Subset,
}

/// The answer to a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How the first model relates to the second.
    pub result: ComparisonResult,
    /// The properties in which they differ, sorted.
    pub responsible: Vec<String>,
}

/// Compares two models by their features; what only names a processor (family, vendor…) any host
/// can show, so it makes two models different but neither of them harder to run.
///
/// # Errors
///
/// An unknown model, or a property it does not take.
pub fn compare<'a>(
    a: (&str, impl IntoIterator<Item = (&'a str, &'a Value)>),
    b: (&str, impl IntoIterator<Item = (&'a str, &'a Value)>),
    host: &HostCpu,
) -> Result<Comparison, Error> {
    let (a, b) = (described(a.0, a.1, host)?, described(b.0, b.1, host)?);
    let (of_a, of_b) = (static_properties(&a, host), static_properties(&b, host));
    let differing = of_a.iter().filter(|(name, value)| of_b.get(*name) != Some(value));
    let responsible: Vec<_> = differing.map(|(name, _)| name.clone()).collect();
    let (a, b) = (a.features(host), b.features(host));
    let result = match (a.difference(&b).is_empty(), b.difference(&a).is_empty()) {
        _ if responsible.is_empty() => ComparisonResult::Identical,
        (false, false) => ComparisonResult::Incompatible,
        (true, false) => ComparisonResult::Subset,
        (_, true) => ComparisonResult::Superset,
    };
    Ok(Comparison { result, responsible })
}

/// A static model that runs wherever either of two runs: the features they share, and the identity
/// of the older one (lower family, model and stepping).
///
/// # Errors
///
/// An unknown model, or a property it does not take.
pub fn baseline<'a>(
    a: (&str, impl IntoIterator<Item = (&'a str, &'a Value)>),
    b: (&str, impl IntoIterator<Item = (&'a str, &'a Value)>),
    host: &HostCpu,
) -> Result<Expanded, Error> {
    let (a, b) = (described(a.0, a.1, host)?, described(b.0, b.1, host)?);
    let shared = a.features(host).intersection(&b.features(host));
    let age = |m: &CpuModel| ["family", "model", "stepping"].map(|name| m.int(name));
    let older = if age(&a) <= age(&b) { &a } else { &b };
    let mut map = static_properties(older, host);
    for name in feature_names() {
        map.insert(name.to_owned(), Value::Bool(shared.has(name)));
    }
    for name in ["min-level", "min-xlevel"] {
        let least = a.int(name).min(b.int(name));
        map.insert(name.to_owned(), Value::Int(least.into()));
    }
    Ok(("base".to_owned(), map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::recorded::host;

    const NONE: [(&str, &Value); 0] = [];

    #[test]
    fn definitions_tell_what_runs_here() {
        let list = definitions(&host());
        assert_eq!(list.len(), 132);
        assert_eq!(list[..3].iter().map(|d| d.name).collect::<Vec<_>>(), ["max", "host", "base"]);
        let of = |name| list.iter().find(|d| d.name == name).unwrap();
        assert_eq!(of("qemu64").unavailable, ["pni"]);
        assert_eq!(of("qemu64").alias_of, Some("qemu64-v1"));
        assert_eq!(of("Haswell-noTSX").alias_of, Some("Haswell-v2"));
        assert_eq!(
            of("Haswell").unavailable,
            [
                "pni",
                "pclmulqdq",
                "ssse3",
                "fma",
                "pcid",
                "sse4.1",
                "sse4.2",
                "movbe",
                "popcnt",
                "aes",
                "xsave",
                "avx",
                "f16c",
                "rdrand",
                "fsgsbase",
                "bmi1",
                "avx2",
                "smep",
                "bmi2",
                "erms",
                "invpcid",
                "rdtscp",
                "abm",
                "xsaveopt"
            ]
        );
        // State components are told by the feature that brings them, before the MSRs.
        let snowridge = &of("Snowridge").unavailable;
        assert!(snowridge.ends_with(&["xgetbv1", "mpx", "mpx", "split-lock-detect"]));
        assert!(of("host").unavailable.is_empty() && !of("host").migration_safe);
        assert!(of("base").is_static && !of("qemu64").is_static);
    }

    #[test]
    fn expansion_applies_properties() {
        let (on, level) = (Value::Bool(true), Value::Int(3));
        let props = [("avx512f", &on), ("sse4_1", &on), ("svm", &on), ("level", &level)];
        let (name, full) = expand(Expansion::Full, "486", props, &host()).unwrap();
        assert_eq!(name, "486");
        for (key, value) in [
            ("level", Value::Int(3)),
            ("min-level", Value::Int(7)),
            ("xlevel", Value::Int(0x8000_000a)),
            ("sse4-1", Value::Bool(true)),
            ("sse4.1", Value::Bool(true)),
        ] {
            assert_eq!(full[key], value, "{key}");
        }
        let (name, fixed) = expand(Expansion::Static, "486", props, &host()).unwrap();
        assert_eq!((name.as_str(), fixed.len()), ("base", 327));
    }

    #[test]
    fn a_static_expansion_describes_the_same_processor_again() {
        for name in ["host", "Haswell", "EPYC-Milan", "486"] {
            let (base, props) = expand(Expansion::Static, name, NONE, &host()).unwrap();
            let set: Vec<_> = props.iter().map(|(k, v)| (k.as_str(), v)).collect();
            let again = compare((name, NONE), (&base, set), &host()).unwrap();
            assert_eq!(again.result, ComparisonResult::Identical, "{name}");
        }
    }

    #[test]
    fn mistakes_are_named_in_qemus_words() {
        let say = |name: &str, key, value: Value| {
            expand(Expansion::Full, name, [(key, &value)], &host()).unwrap_err().to_string()
        };
        assert_eq!(say("foo", "sse", Value::Bool(true)), "CPU model 'foo' not found");
        let missing = "Property 'qemu64-x86_64-cpu.foo' not found";
        assert_eq!(say("qemu64", "foo", Value::Bool(true)), missing);
        let kind = "Invalid parameter type for 'sse', expected: boolean";
        assert_eq!(say("qemu64", "sse", Value::Int(3)), kind);
        let range = "Property .family doesn't take value 900 (minimum: 0, maximum: 270)";
        assert_eq!(say("qemu64", "family", Value::Int(900)), range);
    }

    #[test]
    fn comparison_follows_the_features() {
        let on = Value::Bool(true);
        let result = |a, b| compare((a, NONE), (b, NONE), &host()).unwrap();
        assert_eq!(result("Haswell", "Haswell-v1").result, ComparisonResult::Identical);
        assert_eq!(result("Haswell", "Haswell-noTSX").result, ComparisonResult::Superset);
        assert_eq!(result("Haswell-noTSX", "Haswell").result, ComparisonResult::Subset);
        assert_eq!(result("Haswell", "EPYC").result, ComparisonResult::Incompatible);
        let more = compare(("qemu64", NONE), ("qemu64", [("avx", &on)]), &host()).unwrap();
        assert_eq!(more.result, ComparisonResult::Subset);
        assert_eq!(more.responsible, ["avx"]);
        let named = Value::Str("x".into());
        let other = compare(("qemu64", NONE), ("qemu64", [("model-id", &named)]), &host()).unwrap();
        assert_eq!(
            (other.result, other.responsible),
            (ComparisonResult::Superset, vec!["model-id".to_owned()])
        );
    }

    #[test]
    fn a_baseline_runs_where_either_runs() {
        let (name, props) = baseline(("Haswell", NONE), ("EPYC", NONE), &host()).unwrap();
        assert_eq!(name, "base");
        let set: Vec<_> = props.iter().map(|(k, v)| (k.as_str(), v)).collect();
        for model in ["Haswell", "EPYC"] {
            let below = compare(("base", set.clone()), (model, NONE), &host()).unwrap();
            assert_eq!(below.result, ComparisonResult::Subset, "{model}");
        }
        assert_eq!((&props["avx2"], &props["sha-ni"]), (&Value::Bool(true), &Value::Bool(false)));
        assert_eq!(props["family"], Value::Int(6));
    }
}
