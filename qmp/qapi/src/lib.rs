//! The contract with clients: the QAPI types, their strict decoder and encoder, and introspection.
//!
//! Pure data: no threads, no locks, no input or output. The types, commands and events come from the schema in
//! `qmp/schema` (`cargo qapi generate`); what they are built on is in the modules of this crate.

// Generated code names this crate from outside, so that a test can compile another schema's.
extern crate self as qapi;

pub mod decode;
pub mod encode;
mod error;
mod generated;
pub mod info;
mod introspect;
mod reply;
pub mod source;
mod value;
mod wire_order;

pub use decode::{Decode, Null, Size, UnknownName, from_json, from_keyval};
pub use encode::{Empty, Encode};
pub use error::{Error, ErrorClass};
pub use generated::*;
pub use info::{CommandInfo, EventInfo};
pub use introspect::introspect;
pub use reply::{RawReply, Reply};
pub use value::{Dict, Value};
