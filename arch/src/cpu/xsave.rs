//! Extended state: which components a guest has, and leaf 0xd (SDM volume 1, chapter 13).

use super::features::{FeatureSet, UnavailableFeature};
use super::host::HostCpu;
use super::word::{CpuidEntry, Register, Word};

/// A component beyond the legacy region: bit, feature that brings it, bytes, and whether the
/// supervisor (IA32_XSS) enables it.
struct Component {
    bit: u32,
    feature: &'static str,
    bytes: u32,
    supervisor: bool,
}

const fn component(bit: u32, feature: &'static str, bytes: u32, supervisor: bool) -> Component {
    Component { bit, feature, bytes, supervisor }
}

static COMPONENTS: &[Component] = &[
    component(2, "avx", 256, false),
    component(3, "mpx", 64, false),
    component(4, "mpx", 64, false),
    component(5, "avx512f", 64, false),
    component(6, "avx512f", 512, false),
    component(7, "avx512f", 1024, false),
    component(9, "pku", 8, false),
    component(15, "arch-lbr", 0x328, true),
    component(17, "amx-tile", 64, false),
    component(18, "amx-tile", 8192, false),
];

/// FXSAVE region and XSAVE header.
const LEGACY_BYTES: u32 = 576;

/// The components a guest can enable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct States {
    /// Bits of XCR0.
    pub(super) user: u64,
    /// Bits of IA32_XSS.
    pub(super) supervisor: u64,
}

impl States {
    /// What the features bring on a host that has everything.
    pub(super) fn wanted(features: &FeatureSet) -> States {
        if !features.has("xsave") {
            return States::default();
        }
        let mut states = States { user: 0b11, supervisor: 0 };
        for c in COMPONENTS.iter().filter(|c| features.has(c.feature)) {
            if c.supervisor {
                states.supervisor |= 1 << c.bit;
            } else {
                states.user |= 1 << c.bit;
            }
        }
        if !features.has("xsaves") {
            states.supervisor = 0;
        }
        states
    }

    /// What KVM gives.
    pub(super) fn of_host(host: &HostCpu) -> States {
        let of = |subleaf, low, high| {
            u64::from(host.register(0xd, subleaf, low))
                | u64::from(host.register(0xd, subleaf, high)) << 32
        };
        States {
            user: of(0, Register::Eax, Register::Edx),
            supervisor: of(1, Register::Ecx, Register::Edx),
        }
    }

    /// What the features bring and, unless `forced`, the host has.
    pub(super) fn of(features: &FeatureSet, host: &HostCpu, forced: bool) -> States {
        let wanted = States::wanted(features);
        if forced { wanted } else { wanted.intersection(States::of_host(host)) }
    }

    /// What is in both.
    pub(super) fn intersection(self, other: States) -> States {
        States { user: self.user & other.user, supervisor: self.supervisor & other.supervisor }
    }

    /// What is here and not in `other`.
    pub(super) fn difference(self, other: States) -> States {
        States { user: self.user & !other.user, supervisor: self.supervisor & !other.supervisor }
    }

    /// Whether there is none.
    pub(super) fn is_empty(self) -> bool {
        self == States::default()
    }

    /// The CPUID words that tell of the components, with their bits: XCR0, then IA32_XSS.
    pub(super) fn words(self) -> [(Word, u32); 4] {
        let word =
            |subleaf, register, bits: u64| (Word::Cpuid(0xd, Some(subleaf), register), bits as u32);
        [
            word(0, Register::Eax, self.user),
            word(0, Register::Edx, self.user >> 32),
            word(1, Register::Ecx, self.supervisor),
            word(1, Register::Edx, self.supervisor >> 32),
        ]
    }

    /// The components beyond the legacy ones, each by the feature that brings it.
    pub(super) fn named(self) -> impl Iterator<Item = UnavailableFeature> {
        COMPONENTS.iter().filter_map(move |c| {
            let (bits, subleaf, register) = match c.supervisor {
                false => (self.user, 0, Register::Eax),
                true => (self.supervisor, 1, Register::Ecx),
            };
            let word = Word::Cpuid(0xd, Some(subleaf), register);
            let bit = c.bit as u8;
            (bits >> bit & 1 == 1).then_some(UnavailableFeature { name: c.feature, word, bit })
        })
    }

    /// The entries of leaf 0xd. Sizes of what is enabled at the moment are KVM's to keep current.
    pub(super) fn leaf(&self, features: &FeatureSet, host: &HostCpu) -> Vec<CpuidEntry> {
        if self.user == 0 {
            return Vec::new();
        }
        let mut parts = Vec::new();
        let (mut standard, mut compact) = (LEGACY_BYTES, LEGACY_BYTES);
        for c in COMPONENTS {
            if (self.user | self.supervisor) >> c.bit & 1 == 0 {
                continue;
            }
            let known = host.entry(0xd, c.bit).filter(|e| e.eax != 0);
            let (bytes, offset, flags) =
                known.map_or((c.bytes, 0, u32::from(c.supervisor)), |e| (e.eax, e.ebx, e.ecx));
            if flags & 2 != 0 {
                compact = compact.next_multiple_of(64);
            }
            compact = compact.saturating_add(bytes);
            if !c.supervisor {
                standard = standard.max(offset.saturating_add(bytes));
            }
            parts.push(entry(c.bit, [bytes, offset, flags, 0]));
        }
        let mut entries =
            vec![entry(0, [self.user as u32, standard, standard, (self.user >> 32) as u32])];
        let instructions = features.cpuid(0xd, Some(1), Register::Eax);
        if instructions != 0 {
            let supervisor = self.supervisor;
            entries.push(entry(
                1,
                [instructions, compact, supervisor as u32, (supervisor >> 32) as u32],
            ));
        }
        entries.extend(parts);
        entries
    }
}

fn entry(index: u32, [eax, ebx, ecx, edx]: [u32; 4]) -> CpuidEntry {
    CpuidEntry { function: 0xd, index, flags: CpuidEntry::SIGNIFICANT_INDEX, eax, ebx, ecx, edx }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with AVX at its usual place, protection keys, and AMX tiles that want alignment.
    fn host() -> HostCpu {
        HostCpu {
            supported: vec![
                entry(0, [0x6_0207, 0, 0, 0]),
                entry(2, [256, 576, 0, 0]),
                entry(9, [8, 2688, 0, 0]),
                entry(17, [64, 2752, 2, 0]),
                entry(18, [8192, 2816, 6, 0]),
            ],
            ..HostCpu::default()
        }
    }

    #[test]
    fn components_follow_features_and_the_host() {
        let features = FeatureSet::of("xsave avx avx512f pku");
        assert_eq!(States::of(&features, &host(), false).user, 0x207);
        assert_eq!(States::of(&features, &host(), true).user, 0x2e7);
        assert_eq!(States::of(&FeatureSet::of("avx pku"), &host(), false), States::default());
        assert!(States::default().leaf(&features, &host()).is_empty());
    }

    #[test]
    fn sizes_follow_offsets_and_alignment() {
        let features = FeatureSet::of("xsave avx pku amx-tile xsavec");
        let leaf = States::of(&features, &host(), false).leaf(&features, &host());
        assert_eq!((leaf[0].eax, leaf[0].ecx), (0x6_0207, 2816 + 8192));
        // Legacy, AVX, keys; then tile configuration and data at multiples of 64.
        assert_eq!(leaf[1].ebx, (576 + 256 + 8 + 56) + 64 + 8192);
        assert_eq!(leaf.last().map(|e| e.index), Some(18));
    }
}
