//! Turning replies and events into values.

use crate::decode::{Null, Object, Size};
use crate::info::{Member, ObjectInfo};
use crate::{Dict, Value};
use std::slice;

/// A type that can be part of a reply or an event.
///
/// Members are inserted in the order of the schema, because that decides how the wire orders those whose keys fall
/// into the same bucket.
pub trait Encode {
    /// The value on the wire.
    fn encode(self) -> Value;
}

/// What a command without a `returns` answers: an empty object.
pub type Empty = ();

impl Encode for () {
    fn encode(self) -> Value {
        Value::Dict(Dict::new())
    }
}

macro_rules! encode_scalar {
    ($($kind:ty),*) => {$(
        impl Encode for $kind {
            fn encode(self) -> Value {
                Value::from(self)
            }
        }
    )*};
}
encode_scalar!(bool, i8, i16, i32, i64, u8, u16, u32, u64, f64, String, Dict);

impl Encode for Value {
    fn encode(self) -> Value {
        self
    }
}

impl Encode for Null {
    fn encode(self) -> Value {
        Value::Null
    }
}

impl Encode for Size {
    fn encode(self) -> Value {
        Value::from(self.0)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(self) -> Value {
        Value::List(self.into_iter().map(T::encode).collect())
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(self) -> Value {
        (*self).encode()
    }
}

/// A structure or union that can be part of a reply or an event.
pub trait WriteObject: Object {
    /// Writes its members.
    fn write(self, to: &mut Writer<'_>);
}

/// Encodes a whole object.
pub fn object<T: WriteObject>(object: T) -> Dict {
    let mut dict = Dict::new();
    object.write(&mut Writer::new(T::INFO, &mut dict));
    dict
}

/// Takes the members of an object in the order of its descriptor.
pub struct Writer<'a> {
    dict: &'a mut Dict,
    next: slice::Iter<'static, Member>,
}

impl<'a> Writer<'a> {
    /// The members that `info` names, to be written into `dict`.
    fn new(info: &'static ObjectInfo, dict: &'a mut Dict) -> Writer<'a> {
        Writer { dict, next: info.members.iter() }
    }

    /// Writes the next member.
    pub fn put<T: Encode>(&mut self, value: T) {
        self.put_optional(Some(value));
    }

    /// Writes the next member, unless it is absent.
    pub fn put_optional<T: Encode>(&mut self, value: Option<T>) {
        // Generated code puts exactly the members that the descriptor beside it has.
        let member = self.next.next().expect("a descriptor for each member");
        if let Some(value) = value {
            self.dict.insert(member.name, value.encode());
        }
    }

    /// Writes the members of a base or a variant, which stand in the same object.
    pub fn put_flat<T: WriteObject>(&mut self, object: T) {
        object.write(&mut Writer::new(T::INFO, self.dict));
    }
}
