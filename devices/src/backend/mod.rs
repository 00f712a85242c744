//! What a machine borrows from the host: memory for its RAM, and threads for its devices' I/O.
//! Both are objects that users create and name (`-object`, `object-add`).

mod advice;
mod iothread;
mod memory;
#[cfg(test)]
mod tests;

pub use advice::RamPolicy;
pub use iothread::IoThread;
pub use memory::MemoryBackend;

use crate::object::Class;

/// The classes of this folder.
pub static CLASSES: &[&Class] =
    &[&memory::MEMORY_BACKEND, &memory::MEMORY_BACKEND_RAM, &iothread::BASE, &iothread::CLASS];
