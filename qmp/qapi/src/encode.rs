//! Turning replies and events into values.

use crate::{Dict, Value};

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
encode_scalar!(
    bool, i8, i16, i32, i64, u8, u16, u32, u64, f64, String, Dict
);

impl Encode for Value {
    fn encode(self) -> Value {
        self
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
