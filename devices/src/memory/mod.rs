//! Address spaces: what a guest physical address or an I/O port leads to.
//!
//! Control does not own the address space. A [`AddressSpace`] is a layout behind a lock and an
//! immutable flat [`Map`] published from it. Whoever changes the layout (a BAR, a PAM register,
//! hot-plug) holds no device lock, takes the layout lock, edits, lets the [`Listener`] apply the
//! difference (KVM memory slots), publishes, and only then goes on: the guest's next instruction
//! sees the new map. Looking up never locks.

mod dispatch;
mod flatten;
mod layout;
mod map;
mod ram;
mod region;
mod space;
mod view;

pub use dispatch::Dispatch;
pub use layout::{Access, Edit, Mapping, MappingId};
pub use map::{Map, Piece, Range, Target};
pub use ram::RamBlock;
pub use region::{Action, Region};
pub use space::{AddressSpace, Listener, Mapped};
pub use view::{RamRegion, RamView};
