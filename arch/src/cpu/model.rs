//! The CPU models, and a model with its settings.

use std::collections::BTreeMap;

use super::error::Error;
use super::features::{FeatureSet, canonical};
use super::host::HostCpu;
use super::model_table::{ACCELERATOR_FEATURES, ALIASES, MODELS};
use super::property::{self, Value};
use super::word::Register;

/// A named model as recorded: identity, and features relative to the version it is based on.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) based_on: Option<&'static str>,
    pub(super) vendor: &'static str,
    pub(super) family: u32,
    pub(super) model: u32,
    pub(super) stepping: u32,
    pub(super) level: u32,
    pub(super) xlevel: u32,
    pub(super) level_func7: u32,
    pub(super) legacy_cache: bool,
    pub(super) model_id: &'static str,
    /// What distinguishes the version, for `-cpu help`.
    pub(super) note: &'static str,
    pub(super) adds: &'static str,
    pub(super) drops: &'static str,
}

/// What sort of model it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `host`: this host's processor.
    Host,
    /// `max`: everything this host can give, which under KVM is the same as `host`.
    Max,
    /// `base`: nothing at all, to build on.
    Base,
    /// A recorded model, by the name of its version (`Haswell-v1`).
    Named(&'static str),
}

/// A CPU model with the features and settings chosen for it.
#[derive(Clone, Debug)]
pub struct CpuModel {
    name: String,
    kind: Kind,
    /// Features of the model itself; of `host` and `max` they depend on the host.
    own: FeatureSet,
    on: FeatureSet,
    off: FeatureSet,
    settings: BTreeMap<&'static str, Value>,
}

/// The CPU object's type for a model's name.
pub fn type_name(model: &str) -> String {
    format!("{model}-x86_64-cpu")
}

/// The type of each model's CPU objects. Their parent is the abstract `x86_64-cpu`; above
/// it are `cpu` and `device`.
pub fn type_names() -> Vec<String> {
    model_names().into_iter().map(type_name).collect()
}

/// Every name of a model, aliases included, in the order `-cpu help` lists them.
pub fn model_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        MODELS.iter().map(|m| m.name).chain(ALIASES.iter().map(|a| a.0)).collect();
    names.sort_unstable();
    names.extend(["base", "host", "max"]);
    names
}

/// The version an alias stands for.
pub(super) fn alias_of(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, to)| *to)
}

pub(super) fn definition(name: &str) -> Option<&'static Definition> {
    let name = alias_of(name).unwrap_or(name);
    MODELS.iter().find(|m| m.name == name)
}

impl Definition {
    /// The model's features, without what the accelerator adds.
    fn features(&self) -> FeatureSet {
        let inherited = self.based_on.and_then(definition).map(Definition::features);
        inherited
            .unwrap_or_default()
            .difference(&FeatureSet::of(self.drops))
            .union(&FeatureSet::of(self.adds))
    }
}

impl CpuModel {
    /// The model called `name`, as `-cpu` finds it.
    ///
    /// # Errors
    ///
    /// [`Error::NoModel`] if there is none.
    pub fn new(name: &str, host: &HostCpu) -> Result<CpuModel, Error> {
        let kind = match name {
            "host" => Kind::Host,
            "max" => Kind::Max,
            "base" => Kind::Base,
            _ => Kind::Named(definition(name).ok_or_else(|| Error::NoModel(name.to_owned()))?.name),
        };
        let settings = property::table().iter().filter_map(|p| {
            let value = p.default.or(p.expanded)?;
            Some((p.name, Value::from(value)))
        });
        let mut model = CpuModel {
            name: name.to_owned(),
            kind,
            own: FeatureSet::default(),
            on: FeatureSet::default(),
            off: FeatureSet::default(),
            settings: settings.collect(),
        };
        match kind {
            Kind::Named(name) => model.take_definition(name, host),
            Kind::Host | Kind::Max => model.take_host(host),
            Kind::Base => {}
        }
        if !model.follows_host() {
            model.settings.retain(|name, _| !property::only_of_max(name));
        }
        Ok(model)
    }

    fn take_definition(&mut self, name: &str, host: &HostCpu) {
        let Some(d) = definition(name) else { return };
        self.own = d.features().union(&FeatureSet::of(ACCELERATOR_FEATURES));
        // Compatibility modes of `syscall` and `sysenter` follow the real vendor, so guests are
        // told it.
        let vendor = match host.identity.vendor.as_str() {
            "" => d.vendor,
            vendor => vendor,
        };
        self.identify(vendor, [d.family, d.model, d.stepping], d.model_id);
        self.put_int("min-level", d.level);
        self.put_int("min-xlevel", d.xlevel);
        self.settings.insert("legacy-cache", Value::Bool(d.legacy_cache));
        if d.level_func7 != 0 {
            self.put_int("level-func7", d.level_func7);
        }
    }

    fn take_host(&mut self, host: &HostCpu) {
        let i = &host.identity;
        self.identify(&i.vendor, [i.family, i.model, i.stepping], &i.brand);
        self.put_int("min-level", host.level());
        self.put_int("min-xlevel", host.xlevel());
        self.put_int("min-xlevel2", host.register(0xc000_0000, 0, Register::Eax));
        for name in ["host-phys-bits", "pmu"] {
            self.settings.insert(name, Value::Bool(true));
        }
    }

    fn identify(&mut self, vendor: &str, [family, model, stepping]: [u32; 3], brand: &str) {
        self.settings.insert("vendor", Value::Str(vendor.to_owned()));
        self.put_int("family", family);
        self.put_int("model", model);
        self.put_int("stepping", stepping);
        self.settings.insert("model-id", Value::Str(brand.to_owned()));
    }

    fn put_int(&mut self, name: &'static str, value: u32) {
        self.settings.insert(name, Value::Int(value.into()));
    }

    /// The name it was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What sort of model it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The CPU object's type, `qemu64-x86_64-cpu` for `qemu64`.
    pub fn type_name(&self) -> String {
        type_name(&self.name)
    }

    /// Whether the model is `host` or `max`.
    pub(super) fn follows_host(&self) -> bool {
        matches!(self.kind, Kind::Host | Kind::Max)
    }

    /// Sets a property from a typed value.
    ///
    /// # Errors
    ///
    /// An unknown, read-only or fixed property, or a value of the wrong kind or range.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        if canonical(name).is_some() {
            let Value::Bool(on) = *value else {
                return Err(Error::Kind(name.to_owned(), "boolean"));
            };
            self.set_feature(name, on);
            return Ok(());
        }
        let property = self.writable(name)?;
        property.check(value)?;
        self.store(property, value.clone())
    }

    /// Sets a property from the command line's text.
    ///
    /// # Errors
    ///
    /// As [`CpuModel::set`], and text that is no value of the property's type.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<(), Error> {
        if canonical(name).is_some() {
            let on = property::parse_bool(name, text)?;
            self.set_feature(name, on);
            return Ok(());
        }
        let property = self.writable(name)?;
        let value = property.parse(text)?;
        self.store(property, value)
    }

    fn set_feature(&mut self, name: &str, on: bool) {
        self.on.set(name, on);
        self.off.set(name, !on);
    }

    fn writable(&self, name: &str) -> Result<&'static property::Property, Error> {
        let property = property::find(name)
            .filter(|p| self.follows_host() || !property::only_of_max(p.name))
            .ok_or_else(|| Error::NoProperty(self.type_name(), name.to_owned()))?;
        if property.read_only() {
            return Err(Error::ReadOnly(self.type_name(), name.to_owned()));
        }
        Ok(property)
    }

    fn store(&mut self, property: &'static property::Property, value: Value) -> Result<(), Error> {
        if let Some(reason) = property::fixed(property.name)
            && self.settings.get(property.name) != Some(&value)
        {
            return Err(Error::Fixed(self.type_name(), property.name.to_owned(), reason));
        }
        self.settings.insert(property.name, value);
        Ok(())
    }

    /// The setting of a property that is not a feature; `None` for features, for what only a
    /// realized CPU has, and for unknown names.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.settings.get(name)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.setting(name), Some(Value::Bool(true)))
    }

    pub(super) fn int(&self, name: &str) -> u64 {
        match self.setting(name) {
            Some(Value::Int(n)) => u64::try_from(*n).unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        match self.setting(name) {
            Some(Value::Str(s)) => s,
            _ => "",
        }
    }

    /// The features asked for, those without their precondition left out.
    pub fn features(&self, host: &HostCpu) -> FeatureSet {
        let own = if self.follows_host() { self.features_of_host(host) } else { self.own.clone() };
        let mut set = own.union(&self.on).difference(&self.off);
        set.drop_orphans();
        set
    }

    /// What `host` has: if it may migrate, only what another host can be asked for by name.
    fn features_of_host(&self, host: &HostCpu) -> FeatureSet {
        let mut set = host.features();
        if self.flag("migratable") {
            set = set.intersection(&FeatureSet::all_named());
            set.set("invtsc", false);
        }
        for only_when_asked_for in ["kvm-hint-dedicated", "topoext"] {
            set.set(only_when_asked_for, false);
        }
        set
    }
}
