//! The contract with clients: the QAPI types, their strict decoder and encoder, and introspection.
//!
//! Pure data: no threads, no locks, no input or output. The types, commands and events of the generated modules come from the
//! schema in `qmp/schema` (`cargo qapi generate`).

mod encode;
mod error;
mod reply;
mod value;
mod wire_order;

pub use encode::{Empty, Encode};
pub use error::{Error, ErrorClass};
pub use reply::{RawReply, Reply};
pub use value::{Dict, Value};
