//! A model met with a host and a topology: what the guest's processors really have.

use super::error::Error;
use super::features::{FeatureSet, UnavailableFeature};
use super::host::HostCpu;
use super::model::CpuModel;
use super::msr;
use super::topology::Topology;
use super::word::{Word, WordValue, sort_by_word};
use super::xsave::States;

/// Physical address bits of a 64-bit model that does not follow the host.
const DEFAULT_PHYS_BITS: u32 = 40;

/// Highest CPUID leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) basic: u32,
    pub(super) extended: u32,
    pub(super) centaur: u32,
    /// Highest subleaf of leaf 7.
    pub(super) leaf7: u32,
    /// What the features need, whether or not the user set another.
    pub(super) least: [u32; 3],
}

/// The processors of a guest: everything that does not differ between them, and the tables of each.
#[derive(Clone, Debug)]
pub struct GuestCpu {
    pub(super) model: CpuModel,
    pub(super) features: FeatureSet,
    pub(super) host: HostCpu,
    pub(super) topology: Topology,
    pub(super) levels: Levels,
    pub(super) states: States,
    pub(super) phys_bits: u32,
    missing: Missing,
}

/// What a model wants and a host does not give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    features: FeatureSet,
    states: States,
}

impl Missing {
    /// What of `wanted` the host lacks: features, and components of the state they bring.
    pub(super) fn of(wanted: &FeatureSet, host: &HostCpu) -> Missing {
        Missing {
            features: wanted.difference(&host.features()),
            states: States::wanted(wanted).difference(States::of_host(host)),
        }
    }

    /// Bit by bit, in the order of the words.
    pub(super) fn named(&self) -> Vec<UnavailableFeature> {
        let mut list: Vec<_> = self.features.named().chain(self.states.named()).collect();
        sort_by_word(&mut list, |feature| feature.word);
        list
    }

    fn is_empty(&self) -> bool {
        self.features.is_empty() && self.states.is_empty()
    }
}

impl CpuModel {
    /// Decides what processors of this model have on `host` in `topology`. Features the host
    /// refuses are left out and listed in [`GuestCpu::unavailable`]; one line for each is the
    /// caller's to log if [`GuestCpu::check`] says so.
    ///
    /// # Errors
    ///
    /// [`Error::Enforce`] with `enforce=on` and something unavailable; impossible `phys-bits` or
    /// `legacy-cache`.
    pub fn resolve(&self, host: &HostCpu, topology: Topology) -> Result<GuestCpu, Error> {
        let wanted = self.features(host);
        let forced = self.flag("x-force-features");
        let (features, missing) = if forced {
            (wanted.clone(), Missing::default())
        } else {
            (wanted.intersection(&host.features()), Missing::of(&wanted, host))
        };
        if self.flag("enforce") && !missing.is_empty() {
            return Err(Error::Enforce);
        }
        if !self.flag("legacy-cache") && super::cache::own(self.version()).is_none() {
            return Err(Error::LegacyCache(self.name().to_owned()));
        }
        Ok(GuestCpu {
            phys_bits: self.phys_bits(&features, host)?,
            states: States::of(&features, host, forced),
            levels: self.levels(&wanted, Some(&topology)),
            model: self.clone(),
            host: host.clone(),
            features,
            topology,
            missing,
        })
    }

    /// The name of the version a named model is, else its own name.
    pub(super) fn version(&self) -> &str {
        match self.kind() {
            super::model::Kind::Named(version) => version,
            _ => self.name(),
        }
    }

    fn phys_bits(&self, features: &FeatureSet, host: &HostCpu) -> Result<u32, Error> {
        let asked = self.int("phys-bits") as u32;
        if !features.has("lm") {
            return match asked {
                0 if features.has("pse36") => Ok(36),
                0 => Ok(32),
                _ => Err(Error::PhysBits32),
            };
        }
        let bits = match asked {
            0 if self.flag("host-phys-bits") => match self.int("host-phys-bits-limit") as u32 {
                0 => host.identity.phys_bits,
                limit => host.identity.phys_bits.min(limit),
            },
            0 => DEFAULT_PHYS_BITS,
            asked => asked,
        };
        match bits {
            32..=52 => Ok(bits),
            _ => Err(Error::PhysBits(bits)),
        }
    }

    /// The highest leaves: as set, else the model's own, raised to what the features need.
    pub(super) fn levels(&self, features: &FeatureSet, topology: Option<&Topology>) -> Levels {
        let mut least =
            ["min-level", "min-xlevel", "min-xlevel2"].map(|name| self.int(name) as u32);
        let mut leaf7 = 0;
        if self.flag("full-cpuid-auto-level") {
            for (word, bits) in features.iter() {
                let (Word::Cpuid(leaf, subleaf, _), true) = (word, bits != 0) else { continue };
                let [basic, extended, centaur] = &mut least;
                match leaf {
                    0..=7 | 0xd => *basic = (*basic).max(leaf),
                    0x8000_0000..0xc000_0000 => *extended = (*extended).max(leaf),
                    0xc000_0000.. => *centaur = (*centaur).max(leaf),
                    _ => {}
                }
                if leaf == 7 {
                    leaf7 = leaf7.max(subleaf.unwrap_or(0));
                }
            }
            if features.has("svm") {
                least[1] = least[1].max(0x8000_000a);
            }
            let several_dies = topology.is_some_and(|t| t.dies > 1);
            for (leaf, needed) in [
                (0x12, features.has("sgx")),
                (0x14, features.has("intel-pt")),
                (0x1f, several_dies && self.text("vendor") == "GenuineIntel"),
            ] {
                if needed {
                    least[0] = least[0].max(leaf);
                }
            }
        }
        // All ones: not set by anyone.
        let or = |name, otherwise| match self.int(name) as u32 {
            u32::MAX => otherwise,
            set => set,
        };
        Levels {
            basic: or("level", least[0]),
            extended: or("xlevel", least[1]),
            centaur: or("xlevel2", least[2]),
            leaf7: or("level-func7", leaf7),
            least,
        }
    }
}

impl GuestCpu {
    /// The model this came from.
    pub fn model(&self) -> &CpuModel {
        &self.model
    }

    /// The arrangement of the processors.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The features the processors have.
    pub fn features(&self) -> &FeatureSet {
        &self.features
    }

    /// Asked for, and refused by the host. Each prints as a warning in QEMU's words.
    pub fn unavailable(&self) -> Vec<UnavailableFeature> {
        self.missing.named()
    }

    /// Whether the user wants to hear of unavailable features (`check`, on by default, or `enforce`).
    pub fn check(&self) -> bool {
        self.model.flag("check") || self.model.flag("enforce")
    }

    /// Physical address bits.
    pub fn phys_bits(&self) -> u32 {
        self.phys_bits
    }

    /// A warning if `phys-bits` was set to something other than the host's width.
    pub fn phys_bits_warning(&self) -> Option<String> {
        let host = self.host.identity.phys_bits;
        let differs = self.model.int("phys-bits") != 0 && self.phys_bits != host;
        differs.then(|| {
            format!(
                "Host physical bits ({host}) does not match phys-bits property ({})",
                self.phys_bits
            )
        })
    }

    /// The TSC frequency asked for, in kHz.
    pub fn tsc_khz(&self) -> Option<u32> {
        match self.model.int("tsc-frequency") / 1000 {
            0 => None,
            khz => u32::try_from(khz).ok(),
        }
    }

    /// Feature MSRs and the microcode revision (0x8b) the guest should find. KVM may refuse any of
    /// them; that is no reason not to run.
    pub fn feature_msrs(&self) -> Vec<(u32, u64)> {
        let mut list = msr::wanted(&self.features, &self.host);
        list.push((0x8b, self.microcode_revision()));
        list
    }

    /// The microcode revision, in the form of MSR 0x8b.
    pub(super) fn microcode_revision(&self) -> u64 {
        match (self.model.int("ucode-rev"), self.model.text("vendor")) {
            (0, "AuthenticAMD" | "HygonGenuine") => 0x0100_0065,
            (0, _) => 0x1_0000_0000,
            (set, _) => set,
        }
    }

    /// The CPUID words and what the processors have in them, for the property `feature-words`.
    pub fn feature_words(&self) -> Vec<WordValue> {
        // Components count without the instructions for them, as long as the host has them.
        let wanted = self.features.union(&self.missing.features);
        words_of(&self.features, States::wanted(&wanted).difference(self.missing.states))
    }

    /// The CPUID words and what the host refused in them, for the property `filtered-features`.
    pub fn filtered_features(&self) -> Vec<WordValue> {
        words_of(&self.missing.features, self.missing.states)
    }
}

fn words_of(set: &FeatureSet, states: States) -> Vec<WordValue> {
    let features = set.iter().map(|(word, bits)| (word, bits as u32));
    let mut words: Vec<_> = features.chain(states.words()).collect();
    sort_by_word(&mut words, |(word, _)| *word);
    let value = |(word, features)| match word {
        Word::Cpuid(leaf, subleaf, register) => {
            Some(WordValue { leaf, subleaf, register, features })
        }
        Word::Msr(_) => None,
    };
    // The last word comes first.
    words.into_iter().rev().filter_map(value).collect()
}
