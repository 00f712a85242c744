//! What a PC is, as far as it can be computed: no threads, no devices, no KVM descriptors.
//!
//! Everything here is a function of plain values and of a guest's memory
//! ([`vm_memory::GuestMemory`]): where RAM and the holes lie, the memory map and the firmware
//! tables a guest finds, how kernels and firmware images are loaded and what the first processor's
//! registers hold then, how guest page tables are walked. The program that owns the virtual
//! processors and the devices calls in; nothing here calls out, blocks on anything but the files it
//! was given, or keeps state between calls.
//!
//! | module | holds |
//! | --- | --- |
//! | [`layout`] | physical addresses of the `pc` machine |
//! | [`e820`] | the memory map and its encodings |
//! | [`acpi`] | RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT |
//! | [`smbios`] | the SMBIOS 2.8 tables |
//! | [`boot`] | kernels, initial RAM disks, firmware images, the entry state |
//! | [`paging`] | walks of 32-bit, PAE, 4-level and 5-level page tables |
//!
//! Bytes that come from a guest, a file or the command line are never trusted: a wrong one is an
//! error value, never a panic, and never decides the size of an allocation.

pub mod acpi;
pub mod boot;
pub mod cpu;
pub mod e820;
pub mod layout;
pub mod paging;
pub mod smbios;
