//! CPUID entries and the feature words inside them.

/// A CPUID output register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// EAX.
    Eax,
    /// EBX.
    Ebx,
    /// ECX.
    Ecx,
    /// EDX.
    Edx,
}

impl Register {
    /// The register's name in capitals, as `X86CPURegister32` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Register::Eax => "EAX",
            Register::Ebx => "EBX",
            Register::Ecx => "ECX",
            Register::Edx => "EDX",
        }
    }
}

/// Where a set of feature bits lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A CPUID leaf, its subleaf where the leaf has several, and the register.
    Cpuid(u32, Option<u32>, Register),
    /// A feature MSR. For the VMX control MSRs (0x48b, 0x48d to 0x490) the bits are those of the
    /// upper half, the settings that may be 1 (SDM volume 3, appendix A.3).
    Msr(u32),
}

impl Word {
    /// Whether its bits are components of the extended state, not features.
    pub(super) fn is_state(self) -> bool {
        use Register::{Eax, Ecx, Edx};
        matches!(self, Word::Cpuid(0xd, Some(0), Eax | Edx) | Word::Cpuid(0xd, Some(1), Ecx | Edx))
    }

    /// The place among all words at which lists show it: CPUID, the components of XCR0, MSRs, the
    /// leaves of processor trace and enclaves, the components of IA32_XSS.
    fn rank(self) -> u8 {
        match self {
            Word::Cpuid(0xd, Some(0), _) => 1,
            Word::Cpuid(0xd, Some(1), Register::Ecx | Register::Edx) => 4,
            Word::Msr(_) => 2,
            Word::Cpuid(0x12 | 0x14, ..) => 3,
            Word::Cpuid(..) => 0,
        }
    }
}

/// Puts what belongs to words, features first in the order of their table, into the order of lists.
pub(super) fn sort_by_word<T>(list: &mut [T], word: impl Fn(&T) -> Word) {
    list.sort_by_key(|item| word(item).rank());
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Word::Cpuid(leaf, _, register) => write!(f, "CPUID.{leaf:02X}H:{}", register.name()),
            Word::Msr(index) => write!(f, "MSR({index:X}H)"),
        }
    }
}

/// One CPUID word and the bits a processor has in it, as the property `feature-words` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordValue {
    /// The leaf (EAX on input).
    pub leaf: u32,
    /// The subleaf (ECX on input) where the leaf has several.
    pub subleaf: Option<u32>,
    /// The register the bits are in.
    pub register: Register,
    /// The bits.
    pub features: u32,
}

/// One answer of the CPUID instruction, in the shape of KVM's `kvm_cpuid_entry2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuidEntry {
    /// The leaf (EAX on input).
    pub function: u32,
    /// The subleaf (ECX on input); 0 where it does not matter.
    pub index: u32,
    /// KVM's flags: [`CpuidEntry::SIGNIFICANT_INDEX`] and the two of leaf 2.
    pub flags: u32,
    /// EAX on output.
    pub eax: u32,
    /// EBX on output.
    pub ebx: u32,
    /// ECX on output.
    pub ecx: u32,
    /// EDX on output.
    pub edx: u32,
}

impl CpuidEntry {
    /// The entry answers one subleaf only.
    pub const SIGNIFICANT_INDEX: u32 = 1;
    /// Leaf 2 may need several calls, and this entry is the first one read
    /// (KVM's `STATEFUL_FUNC | STATE_READ_NEXT`).
    pub const STATEFUL_FIRST: u32 = 6;

    /// The value of one output register.
    pub fn register(&self, register: Register) -> u32 {
        match register {
            Register::Eax => self.eax,
            Register::Ebx => self.ebx,
            Register::Ecx => self.ecx,
            Register::Edx => self.edx,
        }
    }

    /// Whether all four registers are zero, which is also what an absent leaf answers.
    pub(super) fn is_zero(&self) -> bool {
        self.eax | self.ebx | self.ecx | self.edx == 0
    }
}
