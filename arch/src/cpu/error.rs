//! What can be wrong with a CPU description, in QEMU's words where QEMU has them.

/// A refused model, property or combination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `-cpu` with nothing after it.
    #[error("-cpu option cannot be empty")]
    Empty,
    /// `-cpu` names no model.
    #[error("unable to find CPU model '{0}'")]
    NoModel(String),
    /// A query names no model.
    #[error("CPU model '{0}' not found")]
    QueryModel(String),
    /// `TYPE.PROPERTY` does not exist.
    #[error("Property '{0}.{1}' not found")]
    NoProperty(String, String),
    /// `TYPE.PROPERTY` only tells.
    #[error("Property '{0}.{1}' is not writable")]
    ReadOnly(String, String),
    /// `TYPE.PROPERTY` exists but only its default is possible here.
    #[error("Property '{0}.{1}' cannot be changed: {2}")]
    Fixed(String, String, &'static str),
    /// Text that is no value of the property's type: name and what was expected.
    #[error("Parameter '{0}' expects {1}")]
    Expects(String, &'static str),
    /// Text that is no member of an enumeration: name and value.
    #[error("Parameter '{0}' does not accept value '{1}'")]
    NotAccepted(String, String),
    /// A value of another kind: name and the wanted kind.
    #[error("Invalid parameter type for '{0}', expected: {1}")]
    Kind(String, &'static str),
    /// A number outside its range: name, value, minimum, maximum.
    #[error("Property .{0} doesn't take value {1} (minimum: {2}, maximum: {3})")]
    Range(String, i128, i128, i128),
    /// A vendor that is not twelve characters.
    #[error("Property '.vendor' doesn't take value '{0}'")]
    Vendor(String),
    /// One of the `key=value` parts of `-cpu`: `TYPE.KEY=VALUE` and what is wrong with it.
    #[error("can't apply global {0}: {1}")]
    Global(String, Box<Error>),
    /// `tsc-freq=` with something that is no frequency.
    #[error("bad numerical value {0}")]
    Frequency(String),
    /// `enforce=on` and something is missing on this host.
    #[error("Host doesn't support requested features")]
    Enforce,
    /// Physical address width outside the architecture's range.
    #[error("phys-bits should be between 32 and 52  (but is {0})")]
    PhysBits(u32),
    /// Physical address width of a processor without 64-bit mode.
    #[error("phys-bits is not user-configurable in 32 bit")]
    PhysBits32,
    /// The model has no cache description of its own.
    #[error("CPU model '{0}' doesn't support legacy-cache=off")]
    LegacyCache(String),
}
