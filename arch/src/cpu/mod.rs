//! Virtual processors: models and features, what CPUID tells the guest, and the reset state.
//!
//! A [`CpuModel`] is what `-cpu` or a query names: a model, its features and its settings. Met with
//! a [`HostCpu`] (what KVM can give) and a [`Topology`] it becomes a [`GuestCpu`], which holds the
//! answers every virtual processor needs: CPUID tables, feature MSRs, and the features that had to be
//! left out. The names and numbers are data, recorded from a running QEMU by
//! `resources/cpu-models/record.py`; their meaning is that of the Intel SDM (volume 2A, CPUID, and
//! volume 3) and the AMD APM (volume 3, appendix E).
//!
//! Pure computation on plain values: no threads, no locks, no ioctls. The caller converts
//! [`CpuidEntry`] and [`regs`] from and to the shapes KVM wants.

mod cache;
mod cpuid;
mod error;
#[rustfmt::skip]
mod feature_table;
mod features;
mod guest;
mod help;
mod host;
mod instance;
mod model;
#[rustfmt::skip]
mod model_table;
mod msr;
mod option;
mod property;
#[rustfmt::skip]
mod property_table;
mod query;
#[cfg(test)]
mod recorded;
pub mod regs;
mod regs_text;
mod topology;
mod word;
mod xsave;

pub use error::Error;
pub use features::{FeatureSet, UnavailableFeature, canonical, feature_names, is_feature};
pub use guest::GuestCpu;
pub use help::help_text;
pub use host::{HostCpu, Identity};
pub use model::{CpuModel, Kind, model_names, type_name, type_names};
pub use option::parse_option;
pub use property::{CpuProperty, Value, properties};
pub use query::{
    Comparison, ComparisonResult, Definition, Expanded, Expansion, baseline, compare, definitions,
    expand,
};
pub use regs_text::info_registers;
pub use topology::{CpuIds, Topology};
pub use word::{CpuidEntry, Register, Word, WordValue};
