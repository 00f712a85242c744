//! The values that requests and replies are made of: JSON as the QMP protocol knows it.
//!
//! Plain data without threads or locks. Integers are exact over the ranges of `i64` and `u64`, and an object remembers
//! both the order its members were inserted in and the order in which the wire shows them (see [`Dict::iter_wire`]).

use crate::wire_order;
use indexmap::IndexMap;

/// One JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer in the range of `i64`.
    Int(i64),
    /// An integer above `i64::MAX`; smaller ones are always [`Value::Int`], so that equal numbers compare equal.
    Uint(u64),
    /// A number with a fraction, an exponent or too many digits for an integer.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Dict(Dict),
}

impl Value {
    /// The text of a string, otherwise `None`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value of a boolean, otherwise `None`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// An integer that fits `i64`, otherwise `None` (also for a number with a fraction).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// An integer from 0 up, otherwise `None` (also for a negative one or a number with a fraction).
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Int(number) => u64::try_from(*number).ok(),
            Value::Uint(number) => Some(*number),
            _ => None,
        }
    }

    /// Any number, rounded to the nearest `f64`, otherwise `None`.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Uint(number) => Some(*number as f64),
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array, otherwise `None`.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members of an object, otherwise `None`.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The members of an object by value; any other value is handed back.
    pub fn into_dict(self) -> Result<Dict, Value> {
        match self {
            Value::Dict(dict) => Ok(dict),
            other => Err(other),
        }
    }

    /// The member `key` of an object; `None` if there is none or this is no object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_dict()?.get(key)
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

macro_rules! from_signed {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(number: $kind) -> Value {
                Value::Int(i64::from(number))
            }
        }
    )*};
}
from_signed!(i8, i16, i32, i64, u8, u16, u32);

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Uint(number),
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<Dict> for Value {
    fn from(dict: Dict) -> Value {
        Value::Dict(dict)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Value {
        Value::List(elements.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// The members of a JSON object: unique keys in insertion order, with look-up in constant time.
///
/// Keys are hashed with a random seed, so a client cannot choose keys that make look-ups slow. Two objects are equal
/// if they have equal members, in whatever order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(IndexMap<String, Value>);

impl Dict {
    /// An object without members.
    pub fn new() -> Dict {
        Dict::default()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a member. A new key goes to the end; a known one keeps its place and its old value is returned.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// The value of a member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of a member, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Whether there is a member of that name.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes a member out; the others keep their order (so this takes time in proportion to their number).
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// Takes a member out in constant time, at the price of the order of the others.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.swap_remove(key)
    }

    /// The members in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in insertion order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.0.keys().map(String::as_str)
    }

    /// The members in the order in which the wire shows them: by ascending bucket of the key's hash, and within a
    /// bucket the latest inserted first. Clients that compare replies as text rely on it.
    pub fn iter_wire(&self) -> impl Iterator<Item = (&str, &Value)> {
        let mut order: Vec<(u16, usize)> = self
            .0
            .keys()
            .enumerate()
            .map(|(index, key)| (wire_order::bucket(key), index))
            .collect();
        order.sort_unstable_by_key(|&(bucket, index)| (bucket, std::cmp::Reverse(index)));
        order.into_iter().filter_map(|(_, index)| {
            self.0.get_index(index).map(|(key, value)| (key.as_str(), value))
        })
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Dict {
        Dict(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = indexmap::map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_representation() {
        assert_eq!(Value::from(7u64), Value::Int(7));
        assert_eq!(Value::from(u64::MAX), Value::Uint(u64::MAX));
        assert_eq!(Value::from(i64::MAX as u64 + 1).as_i64(), None);
        assert_eq!(Value::from(-1i8).as_u64(), None);
        assert_eq!(Value::from(1u64 << 63).as_f64(), Some(9_223_372_036_854_775_808.0));
    }

    #[test]
    fn a_dict_keeps_insertion_order_and_unique_keys() {
        let mut dict = Dict::from_iter([("c", 1), ("a", 2), ("b", 3)]);
        assert_eq!(dict.insert("a", 9), Some(Value::Int(2)));
        assert_eq!(dict.keys().collect::<Vec<_>>(), ["c", "a", "b"]);
        assert_eq!(dict.remove("c"), Some(Value::Int(1)));
        assert_eq!(dict.remove("c"), None);
        assert_eq!(dict.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_million_members_stay_fast() {
        let mut dict = Dict::new();
        for index in 0..1_000_000 {
            dict.insert(format!("k{index}"), index);
        }
        assert_eq!(dict.get("k999999"), Some(&Value::Int(999_999)));
        assert_eq!(dict.iter_wire().count(), 1_000_000);
    }
}
