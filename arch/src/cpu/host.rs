//! What the host's KVM and processor can give a guest.

use std::collections::BTreeMap;

use super::features::{FeatureSet, words};
use super::word::{CpuidEntry, Register, Word};

/// Who the host's processor says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The twelve characters of leaf 0.
    pub vendor: String,
    /// Display family (base plus extended).
    pub family: u32,
    /// Display model (extended and base).
    pub model: u32,
    /// Stepping.
    pub stepping: u32,
    /// The brand string, without its trailing zeros; at most 48 bytes.
    pub brand: String,
    /// Physical address bits.
    pub phys_bits: u32,
}

/// The host as KVM describes it.
#[derive(Clone, Debug, Default)]
pub struct HostCpu {
    /// `KVM_GET_SUPPORTED_CPUID`, the KVM leaves (0x40000000) included.
    pub supported: Vec<CpuidEntry>,
    /// Feature MSRs and their values (`KVM_GET_MSRS` on the system descriptor).
    pub feature_msrs: BTreeMap<u32, u64>,
    /// The processor itself; see [`Identity::of_this_processor`].
    pub identity: Identity,
    /// The in-kernel APIC has the TSC deadline timer (`KVM_CAP_TSC_DEADLINE_TIMER`).
    pub tsc_deadline: bool,
    /// The interrupt chips are KVM's, which makes x2APIC available.
    pub kernel_irqchip: bool,
    /// TSC frequency of guests in kHz (`KVM_GET_TSC_KHZ`), 0 when unknown.
    pub tsc_khz: u32,
}

impl Identity {
    /// Reads the identity of the processor this runs on with the CPUID instruction.
    pub fn of_this_processor() -> Identity {
        use std::arch::x86_64::__cpuid;
        let vendor = __cpuid(0);
        let signature = __cpuid(1).eax;
        let base_family = signature >> 8 & 0xf;
        let highest = __cpuid(0x8000_0000).eax;
        let mut brand = Vec::new();
        if highest >= 0x8000_0004 {
            for leaf in 0x8000_0002..=0x8000_0004 {
                let r = __cpuid(leaf);
                brand.extend([r.eax, r.ebx, r.ecx, r.edx].map(u32::to_le_bytes).concat());
            }
        }
        Identity {
            vendor: text(&[vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).concat()),
            family: match base_family {
                0xf => 0xf + (signature >> 20 & 0xff),
                family => family,
            },
            model: signature >> 4 & 0xf | signature >> 12 & 0xf0,
            stepping: signature & 0xf,
            brand: text(&brand),
            phys_bits: match highest {
                0x8000_0008.. => __cpuid(0x8000_0008).eax & 0xff,
                _ => 36,
            },
        }
    }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

impl HostCpu {
    /// The supported entry of a leaf and subleaf, if KVM lists it.
    pub fn entry(&self, function: u32, index: u32) -> Option<&CpuidEntry> {
        self.supported.iter().find(|e| {
            e.function == function
                && (e.index == index || e.flags & CpuidEntry::SIGNIFICANT_INDEX == 0)
        })
    }

    /// One register of a supported entry; 0 where KVM lists nothing.
    pub fn register(&self, function: u32, index: u32, register: Register) -> u32 {
        self.entry(function, index).map_or(0, |e| e.register(register))
    }

    /// Every feature bit that a guest can have, named or not.
    pub fn features(&self) -> FeatureSet {
        let mut set = FeatureSet::default();
        for (number, (word, _)) in words().iter().enumerate() {
            let bits = match *word {
                Word::Cpuid(leaf, subleaf, register) => {
                    u64::from(self.register(leaf, subleaf.unwrap_or(0), register))
                }
                Word::Msr(index) => {
                    let value = self.feature_msrs.get(&index).copied().unwrap_or(0);
                    // Of a control MSR the settings that may be 1 count.
                    if super::msr::is_vmx_control(index) { value >> 32 } else { value }
                }
            };
            set.set_word(number, bits);
        }
        // What KVM gives or keeps back whatever it lists: its presence, a timer that runs on, the
        // features of its APIC; extended destinations need interrupt chips in user space.
        for (name, on) in [
            ("hypervisor", true),
            ("arat", true),
            ("x2apic", self.kernel_irqchip),
            ("tsc-deadline", self.kernel_irqchip && self.tsc_deadline),
            ("kvm-pv-unhalt", self.kernel_irqchip && set.has("kvm-pv-unhalt")),
            ("kvm-msi-ext-dest-id", false),
        ] {
            set.set(name, on);
        }
        // A promise about the host's scheduling: only the user can make it, and then it holds.
        set.set("kvm-hint-dedicated", true);
        // Leaves that tell of caches and places: they are all ours, so that no KVM is needed.
        set.set("topoext", true);
        set
    }

    /// Highest basic leaf.
    pub(super) fn level(&self) -> u32 {
        self.register(0, 0, Register::Eax)
    }

    /// Highest extended leaf.
    pub(super) fn xlevel(&self) -> u32 {
        self.register(0x8000_0000, 0, Register::Eax)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::recorded::host;

    #[test]
    fn the_processor_tells_who_it_is() {
        let identity = Identity::of_this_processor();
        assert_eq!(identity.vendor.len(), 12);
        assert!(identity.family > 0 && (32..=52).contains(&identity.phys_bits));
        assert!(!identity.brand.contains('\0'));
    }

    #[test]
    fn what_kvm_gives_depends_on_where_the_interrupt_chips_are() {
        let mut host = host();
        let set = host.features();
        for name in ["hypervisor", "arat", "x2apic", "tsc-deadline", "kvm-pv-unhalt"] {
            assert!(set.has(name), "{name}");
        }
        host.kernel_irqchip = false;
        let set = host.features();
        for name in ["x2apic", "tsc-deadline", "kvm-pv-unhalt", "kvm-msi-ext-dest-id"] {
            assert!(!set.has(name), "{name}");
        }
    }

    #[test]
    fn the_upper_half_of_a_control_msr_counts() {
        let mut host = host();
        host.feature_msrs.insert(0x48d, 1 << 32);
        host.feature_msrs.insert(0x10a, 1 << 5);
        let set = host.features();
        assert!(set.has("vmx-intr-exit") && set.has("mds-no"));
        assert!(!set.has("rdctl-no"));
    }
}
