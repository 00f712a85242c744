//! JSON as the QMP wire reads and writes it: RFC 8259 with QEMU 7.2's observed extensions, limits and error texts.
//!
//! [`Reader`] takes bytes as they come and yields one message or one error at a time; [`parse`] reads a whole text;
//! [`write_compact`] and [`write_pretty`] print. Nothing here knows threads or sockets.
//!
//! Extensions: strings in single quotes, `\'`, U+0000 as the bytes C0 80. Limits: see [`MAX_MESSAGE`], [`MAX_TOKENS`]
//! and [`MAX_DEPTH`]; what a reader holds is bounded by them.

mod lexer;
mod number;
mod parser;
mod print;
mod text;

pub use parser::{Reader, parse};
pub(crate) use print::{Layout, Printer};
pub use print::{write_compact, write_pretty};

/// The most bytes that one token, and that all tokens of one message together, may have.
pub const MAX_MESSAGE: usize = 64 << 20;
/// The most tokens in one message.
pub const MAX_TOKENS: usize = 2 << 20;
/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 1024;
