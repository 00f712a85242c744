//! The strict decoder: values become typed data, or an error that names the place in QEMU's words.
//!
//! Most messages name a member by its whole path (`options[0].file.filename`). Those about a value out of range, an unknown
//! name of an enumeration and an alternate name only the member itself, and an element of a list `null`; that is how QEMU
//! 7.2 was observed to answer, and clients compare the texts.

use crate::info::{Member, ObjectInfo};
use crate::source::{Json, KeyVal, Kind, Source};
use crate::{Dict, Error, Value};
use std::fmt;
use std::slice;
use std::str::FromStr;

/// A type that can be part of a command's arguments.
pub trait Decode: Sized {
    /// Takes the value apart. `at` says where it was found.
    fn decode(value: Value, at: &At<'_>) -> Result<Self, Error>;
}

/// Decodes a JSON value.
pub fn from_json<T: Decode>(value: Value) -> Result<T, Error> {
    T::decode(value, &At::root(&Json))
}

/// Decodes the members of `key=value` options.
pub fn from_keyval<T: Decode>(options: Dict) -> Result<T, Error> {
    T::decode(Value::Dict(options), &At::root(&KeyVal))
}

/// A place in what is being decoded.
pub struct At<'a> {
    source: &'a dyn Source,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

/// How a place is reached from the one around it.
enum Step<'a> {
    Root,
    Member(&'a str),
    Element(usize),
}

impl<'a> At<'a> {
    /// The outermost place of a value from `source`.
    pub fn root(source: &'a dyn Source) -> At<'a> {
        At { source, parent: None, step: Step::Root }
    }

    /// A member of the object here.
    pub fn member<'b>(&'b self, name: &'b str) -> At<'b> {
        At { source: self.source, parent: Some(self), step: Step::Member(name) }
    }

    /// An element of the list here.
    fn element(&self, index: usize) -> At<'_> {
        At { source: self.source, parent: Some(self), step: Step::Element(index) }
    }

    /// How values are to be understood here.
    pub fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// The whole path, such as `options[0].file.filename`.
    pub fn path(&self) -> String {
        let mut path = self.parent.map(At::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Element(index) => self.source.write_index(&mut path, index),
            Step::Member(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
        }
        path
    }

    /// The member's own name; `null` for an element of a list.
    pub fn name(&self) -> &str {
        match self.step {
            Step::Member(name) => name,
            Step::Root | Step::Element(_) => "null",
        }
    }

    /// An error for a value of the wrong kind here.
    pub fn wrong_type(&self, expected: &str) -> Error {
        Error::wrong_type(&self.path(), expected)
    }

    /// The branch of an alternate that takes `value`, given as the kinds that there are branches for. Text goes to a string
    /// if there is such a branch, else to a boolean if it is the text of one, else to a number.
    pub fn branch(&self, value: &Value, kinds: &[Kind]) -> Option<Kind> {
        let kind = self.source.kind(value);
        let candidates: &[Kind] = match kind {
            Kind::Text if self.source.boolean(value.clone(), self).is_ok() => {
                &[Kind::String, Kind::Bool]
            }
            Kind::Text => &[Kind::String, Kind::Number],
            // In text, a list is an object with numbers for keys.
            Kind::Dict => &[Kind::Dict, Kind::List],
            _ => &[kind],
        };
        candidates.iter().copied().find(|kind| kinds.contains(kind))
    }

    /// An error for a value that no branch of an alternate takes.
    pub fn no_branch(&self, alternate: &str) -> Error {
        Error::wrong_type(self.name(), alternate)
    }
}

impl Decode for bool {
    fn decode(value: Value, at: &At<'_>) -> Result<bool, Error> {
        at.source.boolean(value, at)
    }
}

impl Decode for f64 {
    fn decode(value: Value, at: &At<'_>) -> Result<f64, Error> {
        at.source.number(value, at)
    }
}

impl Decode for String {
    fn decode(value: Value, at: &At<'_>) -> Result<String, Error> {
        at.source.string(value, at)
    }
}

impl Decode for Value {
    fn decode(value: Value, _: &At<'_>) -> Result<Value, Error> {
        Ok(value)
    }
}

impl Decode for Dict {
    fn decode(value: Value, at: &At<'_>) -> Result<Dict, Error> {
        at.source.object(value, at)
    }
}

/// The type whose only value is `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Null;

impl Decode for Null {
    fn decode(value: Value, at: &At<'_>) -> Result<Null, Error> {
        at.source.null(value, at).map(|()| Null)
    }
}

macro_rules! decode_integer {
    ($($kind:ty, $read:ident, $name:literal;)*) => {$(
        impl Decode for $kind {
            fn decode(value: Value, at: &At<'_>) -> Result<$kind, Error> {
                let number = at.source.$read(value, at)?;
                <$kind>::try_from(number).map_err(|_| Error::expects(at.name(), $name))
            }
        }
    )*};
}
decode_integer! {
    i8, signed, "int8_t";
    i16, signed, "int16_t";
    i32, signed, "int32_t";
    i64, signed, "int64_t";
    u8, unsigned, "uint8_t";
    u16, unsigned, "uint16_t";
    u32, unsigned, "uint32_t";
    u64, unsigned, "uint64_t";
}

/// A number of bytes: an ordinary integer in JSON, with a suffix such as `M` in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl Decode for Size {
    fn decode(value: Value, at: &At<'_>) -> Result<Size, Error> {
        at.source.size(value, at).map(Size)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: Value, at: &At<'_>) -> Result<Vec<T>, Error> {
        let elements = at.source.list(value, at)?.into_iter().enumerate();
        elements.map(|(index, element)| T::decode(element, &at.element(index))).collect()
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(value: Value, at: &At<'_>) -> Result<Box<T>, Error> {
        T::decode(value, at).map(Box::new)
    }
}

/// A structure or union of the schema.
pub trait Object: Sized {
    /// Its descriptor.
    const INFO: &'static ObjectInfo;

    /// Takes its members.
    fn read(from: &mut Members<'_>) -> Result<Self, Error>;
}

/// Decodes a whole object: no member may be left over.
pub fn object<T: Object>(value: Value, at: &At<'_>) -> Result<T, Error> {
    let mut dict = at.source.object(value, at)?;
    let object = T::read(&mut Members::new(T::INFO, &mut dict, at))?;
    nothing_left(&dict, at)?;
    Ok(object)
}

/// Refuses members that nobody took. Which of several is named is left to a hash, as in QEMU; this one agrees with what was
/// recorded for small objects.
pub fn nothing_left(dict: &Dict, at: &At<'_>) -> Result<(), Error> {
    fn slot(key: &str) -> u32 {
        let hash = key
            .bytes()
            .fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)));
        hash.wrapping_mul(11) % 7
    }
    match dict.keys().min_by_key(|key| slot(key)) {
        Some(key) => Err(Error::unexpected(&at.member(key).path())),
        None => Ok(()),
    }
}

/// A text that names no value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName;

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such name")
    }
}

impl std::error::Error for UnknownName {}

/// Decodes an enumeration: the value whose name the text is.
pub fn enumeration<T: FromStr>(value: Value, at: &At<'_>) -> Result<T, Error> {
    let text = at.source.string(value, at)?;
    text.parse().map_err(|_| Error::not_accepted(at.name(), &text))
}

/// Hands out the members of an object in the order of its descriptor.
pub struct Members<'a> {
    dict: &'a mut Dict,
    at: &'a At<'a>,
    next: slice::Iter<'static, Member>,
}

impl<'a> Members<'a> {
    /// The members that `info` names, to be taken out of `dict`.
    fn new(info: &'static ObjectInfo, dict: &'a mut Dict, at: &'a At<'a>) -> Members<'a> {
        Members { dict, at, next: info.members.iter() }
    }

    /// The next member's name, and its value if it is there.
    fn advance(&mut self) -> (&'static str, Option<Value>) {
        // Generated code takes exactly the members that the descriptor beside it has.
        let member = self.next.next().expect("a descriptor for each member");
        (member.name, self.dict.take(member.name))
    }

    /// Takes the next member, which must be there.
    pub fn take<T: Decode>(&mut self) -> Result<T, Error> {
        let (name, value) = self.advance();
        let at = self.at.member(name);
        match value {
            Some(value) => T::decode(value, &at),
            None => Err(Error::missing(&at.path())),
        }
    }

    /// Takes the next member, which may be absent.
    pub fn take_optional<T: Decode>(&mut self) -> Result<Option<T>, Error> {
        let (name, value) = self.advance();
        value.map(|value| T::decode(value, &self.at.member(name))).transpose()
    }

    /// Takes the members of a base or a variant, which stand in the same object.
    pub fn take_flat<T: Object>(&mut self) -> Result<T, Error> {
        T::read(&mut Members::new(T::INFO, self.dict, self.at))
    }
}
