//! Conformance of the monitor: what QEMU 7.2 was recorded to answer, and what the program's own
//! description of its commands promises.

#[path = "recorded/pairs.rs"]
mod pairs;
#[path = "recorded/promises.rs"]
mod promises;
#[path = "recorded/schema.rs"]
mod schema;
