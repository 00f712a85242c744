//! What the generated code says about its types: static descriptors that the decoder, the encoder and introspection
//! share, so that they cannot disagree.

/// The type of a member, an argument or a reply.
#[derive(Clone, Copy)]
pub enum TypeInfo {
    /// A type of the language itself.
    Builtin(Builtin),
    /// One of a set of names.
    Enum(&'static EnumInfo),
    /// Named members.
    Object(&'static ObjectInfo),
    /// One of several types, told apart by the kind of the JSON value.
    Alternate(&'static AlternateInfo),
    /// An array of one type.
    List(&'static TypeInfo),
}

/// A type of the language itself, as far as the kind of its JSON value goes: integers of all widths are `Int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// A string.
    Str,
    /// An integer.
    Int,
    /// Any number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// Any value.
    Any,
}

/// An enumeration.
pub struct EnumInfo {
    /// Its name in the schema.
    pub name: &'static str,
    /// Its values.
    pub values: &'static [EnumValue],
    /// Special features of the type.
    pub features: &'static [&'static str],
}

/// A value of an enumeration.
pub struct EnumValue {
    /// Its text on the wire.
    pub name: &'static str,
    /// Special features of the value.
    pub features: &'static [&'static str],
}

/// A structure or a union.
pub struct ObjectInfo {
    /// Its name in the schema; of implicit argument types, the command's or event's.
    pub name: &'static str,
    /// The structure whose members come first.
    pub base: Option<&'static ObjectInfo>,
    /// Its own members, in the order of the schema.
    pub members: &'static [Member],
    /// Of a union: the member that says which variant's members follow.
    pub tag: Option<&'static str>,
    /// Of a union: the variants, one for each value of the tag.
    pub variants: &'static [Variant],
    /// Special features of the type.
    pub features: &'static [&'static str],
}

/// A member of an object.
pub struct Member {
    /// Its key on the wire.
    pub name: &'static str,
    /// Its type.
    pub ty: TypeInfo,
    /// Whether it may be absent.
    pub optional: bool,
    /// Special features of the member.
    pub features: &'static [&'static str],
}

/// A variant of a union.
pub struct Variant {
    /// The value of the tag.
    pub case: &'static str,
    /// The members it adds, if any.
    pub object: Option<&'static ObjectInfo>,
}

/// An alternate.
pub struct AlternateInfo {
    /// Its name in the schema.
    pub name: &'static str,
    /// The types to choose from, in the order of the schema.
    pub choices: &'static [TypeInfo],
    /// Special features of the type.
    pub features: &'static [&'static str],
}

/// The arguments of a command or an event.
#[derive(Clone, Copy)]
pub enum Arguments {
    /// None at all.
    None,
    /// The members of an object.
    Object(&'static ObjectInfo),
    /// Those of the object are only what is documented: any others are let through to the handler unchecked.
    Open(&'static ObjectInfo),
}

/// A command.
pub struct CommandInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// The schema file it comes from, without `.json`.
    pub module: &'static str,
    /// Its arguments.
    pub arguments: Arguments,
    /// What it returns; `None` for an empty object.
    pub returns: Option<TypeInfo>,
    /// Whether it may be run out of band. Such commands run beside the machine, not on its thread.
    pub allow_oob: bool,
    /// Whether it may be run before the machine is complete.
    pub allow_preconfig: bool,
    /// Whether its handler takes the reply along and may answer later.
    pub coroutine: bool,
    /// Whether the monitor's session answers it, so that it has no handler.
    pub session: bool,
    /// Special features of the command.
    pub features: &'static [&'static str],
}

/// An event.
pub struct EventInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// The schema file it comes from, without `.json`.
    pub module: &'static str,
    /// Its data.
    pub arguments: Arguments,
    /// Special features of the event.
    pub features: &'static [&'static str],
}
