//! The program's parts, each its own module.

pub mod options;
