//! Feature names, sets of features, and what is missing from a set.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::feature_table::{ALIASES, DEPENDENTS, WORDS};
use super::word::{Register, Word};

/// Number of feature words.
const COUNT: usize = WORDS.len();

/// Every word with its named bits.
pub(super) fn words() -> &'static [(Word, &'static [(u8, &'static str)])] {
    WORDS
}

/// Positions of each name; two names have two bits (`kvmclock`: the old and the new MSRs).
static POSITIONS: LazyLock<HashMap<&'static str, Vec<(usize, u8)>>> = LazyLock::new(|| {
    let mut map: HashMap<_, Vec<_>> = HashMap::new();
    for (number, (_, bits)) in WORDS.iter().enumerate() {
        for &(bit, name) in *bits {
            map.entry(name).or_default().push((number, bit));
        }
    }
    map
});

/// The name proper of a feature, given any of its spellings (`sse3`, `sse4_1`); `None` for others.
pub fn canonical(name: &str) -> Option<&'static str> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, to)| to);
    POSITIONS.get_key_value(name).map(|(name, _)| *name)
}

/// Whether a name is a feature's, in any spelling.
pub fn is_feature(name: &str) -> bool {
    canonical(name).is_some()
}

/// Every feature's name proper, sorted.
pub fn feature_names() -> Vec<&'static str> {
    let mut names: Vec<_> = POSITIONS.keys().copied().collect();
    names.sort_unstable();
    names
}

/// Every other spelling with the feature's name proper.
pub(super) fn aliases() -> &'static [(&'static str, &'static str)] {
    ALIASES
}

/// A set of feature bits over all words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureSet([u64; COUNT]);

impl Default for FeatureSet {
    fn default() -> Self {
        FeatureSet([0; COUNT])
    }
}

impl FeatureSet {
    /// The set of the space-separated names in `names`; unknown ones are passed over.
    pub fn of(names: &str) -> FeatureSet {
        let mut set = FeatureSet::default();
        for name in names.split_ascii_whitespace() {
            set.set(name, true);
        }
        set
    }

    /// Every named feature.
    pub fn all_named() -> FeatureSet {
        let mut set = FeatureSet::default();
        for (number, (_, bits)) in WORDS.iter().enumerate() {
            set.0[number] = bits.iter().fold(0, |word, (bit, _)| word | 1 << bit);
        }
        set
    }

    /// Whether the set has a feature, with all its bits, under any spelling.
    pub fn has(&self, name: &str) -> bool {
        canonical(name)
            .and_then(|name| POSITIONS.get(name))
            .is_some_and(|bits| bits.iter().all(|&(word, bit)| self.0[word] >> bit & 1 == 1))
    }

    /// Adds or removes a feature; answers whether there is one of that name.
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        let Some(bits) = canonical(name).and_then(|name| POSITIONS.get(name)) else {
            return false;
        };
        for &(word, bit) in bits {
            self.0[word] = self.0[word] & !(1 << bit) | u64::from(on) << bit;
        }
        true
    }

    /// The bits of a word; 0 for one that holds no features.
    pub fn word(&self, word: Word) -> u64 {
        WORDS.iter().position(|(w, _)| *w == word).map_or(0, |n| self.0[n])
    }

    /// The bits of a CPUID word.
    pub(super) fn cpuid(&self, leaf: u32, subleaf: Option<u32>, register: Register) -> u32 {
        self.word(Word::Cpuid(leaf, subleaf, register)) as u32
    }

    pub(super) fn set_word(&mut self, number: usize, bits: u64) {
        self.0[number] = bits;
    }

    /// What is in both sets.
    pub fn intersection(&self, other: &FeatureSet) -> FeatureSet {
        FeatureSet(std::array::from_fn(|n| self.0[n] & other.0[n]))
    }

    /// What is here and not in `other`.
    pub fn difference(&self, other: &FeatureSet) -> FeatureSet {
        FeatureSet(std::array::from_fn(|n| self.0[n] & !other.0[n]))
    }

    /// What is in either set.
    pub fn union(&self, other: &FeatureSet) -> FeatureSet {
        FeatureSet(std::array::from_fn(|n| self.0[n] | other.0[n]))
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Removes features whose precondition is not there (virtualization details without `vmx`…).
    pub(super) fn drop_orphans(&mut self) {
        for (feature, dependents) in DEPENDENTS {
            if !self.has(feature) {
                for name in dependents.split_ascii_whitespace() {
                    self.set(name, false);
                }
            }
        }
    }

    /// The features in the set, word by word, each bit with its name.
    pub fn named(&self) -> impl Iterator<Item = UnavailableFeature> + '_ {
        WORDS.iter().enumerate().flat_map(move |(number, &(word, bits))| {
            bits.iter()
                .filter(move |(bit, _)| self.0[number] >> bit & 1 == 1)
                .map(move |&(bit, name)| UnavailableFeature { name, word, bit })
        })
    }

    /// Each word with its position and bits.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Word, u64)> + '_ {
        WORDS.iter().zip(self.0).map(|((word, _), bits)| (*word, bits))
    }
}

/// A feature's bit; as text, the warning that the host cannot give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnavailableFeature {
    /// The feature's name.
    pub name: &'static str,
    /// Where its bit is.
    pub word: Word,
    /// The bit's number.
    pub bit: u8,
}

impl std::fmt::Display for UnavailableFeature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let UnavailableFeature { name, word, bit } = self;
        write!(f, "host doesn't support requested feature: {word}")?;
        // A state component's bit has no name of its own.
        if !word.is_state() {
            write!(f, ".{name}")?;
        }
        write!(f, " [bit {bit}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_one_feature() {
        for spelling in ["sse4.1", "sse4-1", "sse4_1"] {
            assert_eq!(canonical(spelling), Some("sse4.1"));
        }
        assert_eq!(canonical("sse3"), Some("pni"));
        assert_eq!(canonical("family"), None);
        for (alias, name) in aliases() {
            assert_eq!(canonical(alias), Some(*name), "{alias}");
        }
    }

    #[test]
    fn kvmclock_is_two_bits() {
        let set = FeatureSet::of("kvmclock");
        assert_eq!(set.cpuid(0x4000_0001, None, Register::Eax), 0b1001);
    }

    #[test]
    fn features_known_from_the_manuals_are_where_they_say() {
        let set = FeatureSet::of("sse3 x2apic tsc-deadline hypervisor avx");
        let expected = 1 | 1 << 21 | 1 << 24 | 1 << 31 | 1 << 28;
        assert_eq!(set.cpuid(1, None, Register::Ecx), expected);
        assert_eq!(FeatureSet::of("invtsc").cpuid(0x8000_0007, None, Register::Edx), 1 << 8);
        assert_eq!(FeatureSet::of("avx512f").cpuid(7, Some(0), Register::Ebx), 1 << 16);
        assert_eq!(FeatureSet::of("rdctl-no").word(Word::Msr(0x10a)), 1);
    }

    #[test]
    fn orphans_go_with_their_parent() {
        let mut set = FeatureSet::of("vmx vmx-secondary-ctls vmx-ept vmx-ept-1gb sse");
        set.drop_orphans();
        assert!(set.has("vmx-ept-1gb"));
        set.set("vmx", false);
        set.drop_orphans();
        assert_eq!(set, FeatureSet::of("sse"));
    }
}
