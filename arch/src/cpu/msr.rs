//! Feature MSRs a guest should find (SDM volume 4; volume 3, appendix A for VMX).

use super::features::{FeatureSet, words};
use super::host::HostCpu;
use super::word::Word;

const CORE_CAPABILITIES: u32 = 0xcf;
const ARCH_CAPABILITIES: u32 = 0x10a;
const PERF_CAPABILITIES: u32 = 0x345;
const VMX: std::ops::RangeInclusive<u32> = 0x480..=0x491;

/// Whether an MSR holds VMX controls: must-be-1 in the lower half, may-be-1 in the upper.
pub(super) fn is_vmx_control(index: u32) -> bool {
    matches!(index, 0x48b | 0x48d..=0x490)
}

/// The MSRs with the values the features ask for.
pub(super) fn wanted(features: &FeatureSet, host: &HostCpu) -> Vec<(u32, u64)> {
    let mut list = Vec::new();
    for ((word, bits), (_, names)) in features.iter().zip(words()) {
        let Word::Msr(index) = word else { continue };
        let announced = match index {
            ARCH_CAPABILITIES => features.has("arch-capabilities"),
            CORE_CAPABILITIES => features.has("core-capability"),
            PERF_CAPABILITIES => features.has("pdcm"),
            index if VMX.contains(&index) => features.has("vmx"),
            _ => false,
        };
        if !announced {
            continue;
        }
        if !VMX.contains(&index) {
            list.push((index, bits));
            continue;
        }
        // Bits without a name (defaults, sizes, revision) stay as KVM has them.
        let named = names.iter().fold(0, |word: u64, (bit, _)| word | 1 << bit);
        let Some(&value) = host.feature_msrs.get(&index) else {
            continue;
        };
        list.push(match is_vmx_control(index) {
            true => {
                let may = value >> 32 & (bits | !named);
                (index, may << 32 | value & may)
            }
            false => (index, value & (bits | !named)),
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_msr_is_wanted_only_when_announced() {
        let host = HostCpu::default();
        let with = FeatureSet::of("arch-capabilities rdctl-no mds-no");
        assert_eq!(wanted(&with, &host), [(ARCH_CAPABILITIES, 0x21)]);
        assert_eq!(wanted(&FeatureSet::of("rdctl-no"), &host), []);
    }

    #[test]
    fn vmx_controls_keep_unnamed_bits_and_lose_refused_ones() {
        let mut host = HostCpu::default();
        // Pin-based controls: external interrupts and NMI allowed, bits 1, 2 and 4 always 1.
        host.feature_msrs.insert(0x48d, 0x0000_001f_0000_0016);
        let features = FeatureSet::of("vmx vmx-intr-exit");
        assert_eq!(wanted(&features, &host), [(0x48d, 0x0000_0017_0000_0016)]);
    }
}
