//! Classes and properties as the monitor lists them.

use qapi::{ErrorClass, ObjectPropertyInfo, ObjectTypeInfo};

use super::tree::common;
use super::{Class, Property, PropertyInfo, Registry};
use crate::error::{Error, Result};

impl Registry {
    /// The classes that descend from `ancestor` or have it as their interface (or all); abstract
    /// ones only if `with_abstract`.
    pub fn types(&self, ancestor: Option<&str>, with_abstract: bool) -> Vec<ObjectTypeInfo> {
        let info = |class: &'static Class| ObjectTypeInfo {
            name: class.name.into(),
            r#abstract: class.is_abstract().then_some(true),
            parent: Some(class.parent.to_owned()).filter(|parent| !parent.is_empty()),
        };
        self.iter()
            .filter(|class| with_abstract || !class.is_abstract())
            .filter(|class| ancestor.is_none_or(|ancestor| self.implements(class, ancestor)))
            .map(info)
            .collect()
    }

    /// The properties that every object of the class `name` has.
    ///
    /// # Errors
    /// `DeviceNotFound`: there is no such class.
    pub fn properties(&self, name: &str) -> Result<Vec<ObjectPropertyInfo>> {
        let class = self.find(name).ok_or_else(|| {
            let text = format!("Class '{name}' not found");
            Error::Qapi(qapi::Error::new(ErrorClass::DeviceNotFound, text))
        })?;
        let common = common(self.is_a(class, "device")).into_iter().map(Into::into);
        let own = self.own(class).map(|property| ObjectPropertyInfo {
            // Defaults are those of devices.
            default_value: None,
            ..describe(property)
        });
        Ok(common.chain(own).collect())
    }

    /// The properties that a device of the class `name` can be given, with their defaults.
    ///
    /// # Errors
    /// `DeviceNotFound`: there is no such class; or it is abstract, or not one of devices.
    pub fn device_properties(&self, name: &str) -> Result<Vec<ObjectPropertyInfo>> {
        let class = self.find(name).ok_or_else(|| Error::DeviceNotFound(name.into()))?;
        if class.is_abstract() || !self.is_a(class, "device") {
            let error = qapi::Error::expects("typename", "a non-abstract device type");
            return Err(Error::Qapi(error));
        }
        // What has a new name is set by that one.
        let shown = |property: &&'static Property| !property.name.starts_with("legacy-");
        Ok(self.own(class).filter(shown).map(describe).collect())
    }

    /// Whether `class` is, descends from, or has the interface `name`. The one interface is that
    /// of what `-object` makes.
    fn implements(&self, class: &'static Class, name: &str) -> bool {
        let object = || class.user_creatable && !self.is_a(class, "device");
        self.is_a(class, name) || (name == "user-creatable" && object())
    }

    /// The properties of a class and its ancestors.
    fn own(&self, class: &'static Class) -> impl Iterator<Item = &'static Property> {
        self.lineage(class).flat_map(|class| class.properties)
    }
}

fn describe(property: &Property) -> ObjectPropertyInfo {
    ObjectPropertyInfo {
        name: property.name.into(),
        r#type: property.kind.into(),
        description: Some(property.description.to_owned()).filter(|text| !text.is_empty()),
        default_value: (property.default)(property.name),
    }
}

impl From<PropertyInfo> for ObjectPropertyInfo {
    fn from(info: PropertyInfo) -> Self {
        Self { name: info.name, r#type: info.kind, description: None, default_value: None }
    }
}
