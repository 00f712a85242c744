//! The CPUID tables of one processor (SDM volume 2A, CPUID; AMD APM volume 3, appendix E; the KVM
//! leaves as in the kernel's `Documentation/virt/kvm/x86/cpuid.rst`).

use super::cache::{self, Caches};
use super::guest::GuestCpu;
use super::topology::Topology;
use super::word::{CpuidEntry, Register};

/// Bits of leaf 1 EDX that AMD repeats in leaf 0x80000001.
const AMD_REPEATED: u32 = 0x0183_f3ff;
const HTT: u32 = 1 << 28;
const CMP_LEGACY: u32 = 1 << 1;
const PDCM: u32 = 1 << 15;
const KVM_LEAF: u32 = 0x4000_0000;
/// KVM's APIC timer runs at 1 GHz.
const APIC_BUS_KHZ: u32 = 1_000_000;

/// Entries of one table under construction.
struct Table<'a> {
    cpu: &'a GuestCpu,
    index: u32,
    entries: Vec<CpuidEntry>,
}

impl GuestCpu {
    /// The complete table of processor `index` (0 up to the topology's count). Leaves below the
    /// highest ones that would answer four zeros are left out: absent means zero.
    pub fn cpuid(&self, index: u32) -> Vec<CpuidEntry> {
        let mut table = Table { cpu: self, index, entries: Vec::with_capacity(48) };
        table.kvm();
        table.basic();
        table.extended();
        table.centaur();
        table.entries
    }

    fn vendor(&self) -> [u32; 3] {
        let mut bytes = [0; 12];
        let text = self.model.text("vendor").as_bytes();
        let length = text.len().min(12);
        bytes[..length].copy_from_slice(&text[..length]);
        words(&bytes)
    }

    fn is_amd(&self) -> bool {
        self.model.text("vendor") == "AuthenticAMD"
    }

    fn caches(&self) -> &'static Caches {
        match cache::own(self.model.version()) {
            Some(own) if !self.model.flag("legacy-cache") => own,
            _ => cache::legacy(),
        }
    }

    /// Family, model and stepping as leaf 1 EAX packs them; also EDX after reset.
    pub fn signature(&self) -> u32 {
        let part = |name| self.model.int(name) as u32;
        let (family, model) = (part("family"), part("model"));
        let family = match family {
            0..=0xf => family << 8,
            _ => 0xf << 8 | (family - 0xf) << 20,
        };
        family | (model & 0xf) << 4 | (model >> 4) << 16 | part("stepping")
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    std::array::from_fn(|i| {
        let word = bytes.chunks_exact(4).nth(i).and_then(|chunk| chunk.try_into().ok());
        word.map_or(0, u32::from_le_bytes)
    })
}

impl Table<'_> {
    fn put(&mut self, function: u32, index: u32, flags: u32, [eax, ebx, ecx, edx]: [u32; 4]) {
        let entry = CpuidEntry { function, index, flags, eax, ebx, ecx, edx };
        if !entry.is_zero() {
            self.entries.push(entry);
        }
    }

    fn leaf(&mut self, function: u32, registers: [u32; 4]) {
        self.put(function, 0, 0, registers);
    }

    fn subleaf(&mut self, function: u32, index: u32, registers: [u32; 4]) {
        self.put(function, index, CpuidEntry::SIGNIFICANT_INDEX, registers);
    }

    /// Passes on every subleaf that KVM lists of a leaf.
    fn as_host(&mut self, function: u32) {
        let host = &self.cpu.host.supported;
        self.entries.extend(host.iter().filter(|e| e.function == function && !e.is_zero()));
    }

    fn word(&self, leaf: u32, subleaf: Option<u32>, register: Register) -> u32 {
        self.cpu.features.cpuid(leaf, subleaf, register)
    }

    fn topology(&self) -> &Topology {
        &self.cpu.topology
    }

    fn kvm(&mut self) {
        let model = &self.cpu.model;
        if !model.flag("kvm") {
            return;
        }
        // Frequencies are told only if they hold: set by the user, or an invariant counter.
        let khz = match self.cpu.tsc_khz() {
            Some(khz) => khz,
            None if self.cpu.features.has("invtsc") => self.cpu.host.tsc_khz,
            None => 0,
        };
        let frequencies = khz != 0 && model.flag("vmware-cpuid-freq");
        let [b, c, d] = words(b"KVMKVMKVM\0\0\0");
        let highest = KVM_LEAF + if frequencies { 0x10 } else { 1 };
        self.leaf(KVM_LEAF, [highest, b, c, d]);
        let features = self.word(KVM_LEAF + 1, None, Register::Eax);
        let hints = self.word(KVM_LEAF + 1, None, Register::Edx);
        self.leaf(KVM_LEAF + 1, [features, 0, 0, hints]);
        if frequencies {
            self.leaf(KVM_LEAF + 0x10, [khz, APIC_BUS_KHZ, 0, 0]);
        }
    }

    fn basic(&mut self) {
        let highest = self.cpu.levels.basic;
        let [b, d, c] = self.cpu.vendor();
        self.leaf(0, [highest, b, c, d]);
        for function in 1..=highest.min(0x1f) {
            match function {
                1 => self.identity(),
                2 | 4 => self.intel_caches(function),
                // No MONITOR without the host's consent; its extensions are enumerated.
                5 => self.leaf(5, [0, 0, 3, 0]),
                6 => self.leaf(6, [self.word(6, None, Register::Eax), 0, 0, 0]),
                7 => self.structured_features(),
                0xa if self.cpu.model.flag("pmu") => self.as_host(0xa),
                0xb => self.levels_of_topology(0xb),
                0xd => {
                    let leaf = self.cpu.states.leaf(&self.cpu.features, &self.cpu.host);
                    self.entries.extend(leaf);
                }
                0x12 if self.cpu.features.has("sgx") => self.enclaves(),
                0x14 if self.cpu.features.has("intel-pt") => self.as_host(0x14),
                0x1d | 0x1e if self.cpu.features.has("amx-tile") => self.as_host(function),
                0x1f if self.topology().dies > 1 => self.levels_of_topology(0x1f),
                _ => {}
            }
        }
    }

    fn identity(&mut self) {
        let logical = self.topology().threads_per_socket();
        let apic = self.topology().apic_id(self.index) & 0xff;
        let mut ebx = apic << 24 | 8 << 8;
        let mut ecx = self.word(1, None, Register::Ecx);
        let mut edx = self.word(1, None, Register::Edx);
        if logical > 1 {
            ebx |= logical.min(0xff) << 16;
            edx |= HTT;
        }
        if !self.cpu.model.flag("pmu") {
            ecx &= !PDCM;
        }
        self.leaf(1, [self.cpu.signature(), ebx, ecx, edx]);
    }

    /// Leaves 2 and 4, which AMD processors do not have.
    fn intel_caches(&mut self, function: u32) {
        if self.cpu.is_amd() {
            return;
        }
        if self.cpu.model.flag("host-cache-info") {
            return self.host_caches(function);
        }
        let caches = self.cpu.caches();
        let l3 = self.cpu.model.flag("l3-cache");
        if function == 2 {
            return self.put(2, 0, CpuidEntry::STATEFUL_FIRST, caches.leaf2(l3));
        }
        let topology = *self.topology();
        let cores = topology.cores.saturating_mul(topology.dies).clamp(1, 64) - 1;
        // First level of a thread, second of a core, third of everything up to the die's APIC ids.
        let sharing = [1, 1, topology.threads, 1 << topology.die_offset().min(12)];
        for (subleaf, (cache, sharing)) in caches.intel.iter().zip(sharing).enumerate() {
            if subleaf == 3 && !l3 {
                continue;
            }
            let mut registers = cache.describe(sharing);
            registers[0] |= cores << 26;
            self.subleaf(4, subleaf as u32, registers);
        }
    }

    /// The host's caches, shared as in the guest.
    fn host_caches(&mut self, function: u32) {
        let start = self.entries.len();
        self.as_host(function);
        let topology = self.cpu.topology;
        let cores = topology.cores.saturating_mul(topology.dies).clamp(1, 64) - 1;
        for entry in self.entries[start..].iter_mut().filter(|_| function == 4) {
            let sharing = match entry.eax >> 5 & 7 {
                1 | 2 => topology.threads,
                _ => topology.threads_per_socket(),
            };
            let sharing = sharing.clamp(1, 0x1000) - 1;
            entry.eax = entry.eax & 0x3fff | sharing << 14 | cores << 26;
        }
    }

    fn structured_features(&mut self) {
        let highest = self.cpu.levels.leaf7;
        let [ebx, ecx, edx] = [Register::Ebx, Register::Ecx, Register::Edx]
            .map(|register| self.word(7, Some(0), register));
        self.subleaf(7, 0, [highest, ebx, ecx, edx]);
        if highest >= 1 {
            self.subleaf(7, 1, [self.word(7, Some(1), Register::Eax), 0, 0, 0]);
        }
    }

    /// Leaves 0xb and 0x1f: one subleaf per level with the shift to the next and the count.
    fn levels_of_topology(&mut self, function: u32) {
        if function == 0xb && !self.cpu.model.flag("cpuid-0xb") {
            return;
        }
        let t = *self.topology();
        let apic = t.apic_id(self.index);
        // Level types: 1 thread, 2 core, 5 die.
        let mut levels = vec![(t.core_offset(), t.threads, 1)];
        if function == 0x1f {
            levels.push((t.die_offset(), t.threads_per_die(), 2));
            levels.push((t.socket_offset(), t.threads_per_socket(), 5));
        } else {
            levels.push((t.socket_offset(), t.threads_per_socket(), 2));
        }
        for (subleaf, (shift, count, kind)) in (0..).zip(levels) {
            self.subleaf(function, subleaf, [shift, count, kind << 8 | subleaf, apic]);
        }
        let end = if function == 0x1f { 3 } else { 2 };
        self.subleaf(function, end, [0, 0, end, apic]);
    }

    fn enclaves(&mut self) {
        let [eax, ebx] =
            [Register::Eax, Register::Ebx].map(|register| self.word(0x12, Some(0), register));
        let sizes = self.cpu.host.register(0x12, 0, Register::Edx);
        self.subleaf(0x12, 0, [eax, ebx, 0, sizes]);
        let attributes = self.word(0x12, Some(1), Register::Eax);
        let user = self.cpu.states.user;
        self.subleaf(0x12, 1, [attributes, 0, user as u32, (user >> 32) as u32]);
    }

    fn extended(&mut self) {
        let highest = self.cpu.levels.extended;
        if highest < 0x8000_0000 {
            return;
        }
        let [b, d, c] = self.cpu.vendor();
        self.leaf(0x8000_0000, [highest, b, c, d]);
        let caches = self.cpu.caches();
        for function in 0x8000_0001..=highest.min(0x8000_001e) {
            match function {
                0x8000_0001 => self.extended_features(),
                0x8000_0002..=0x8000_0004 => {
                    let mut brand = [0; 48];
                    let text = self.cpu.model.text("model-id").as_bytes();
                    let length = text.len().min(48);
                    brand[..length].copy_from_slice(&text[..length]);
                    let at = 16 * (function - 0x8000_0002) as usize;
                    self.leaf(function, words(&brand[at..at + 16]));
                }
                0x8000_0005 => self.leaf(function, caches.leaf5()),
                0x8000_0006 => self.leaf(function, caches.leaf6(self.cpu.model.flag("l3-cache"))),
                0x8000_0007 => {
                    self.leaf(function, [0, 0, 0, self.word(function, None, Register::Edx)])
                }
                0x8000_0008 => self.address_sizes(),
                0x8000_000a if self.cpu.features.has("svm") => {
                    // Revision 1 with 16 address space identifiers.
                    self.leaf(function, [1, 16, 0, self.word(function, None, Register::Edx)]);
                }
                0x8000_001d => self.amd_caches(caches),
                0x8000_001e => self.amd_topology(),
                _ => {}
            }
        }
    }

    fn extended_features(&mut self) {
        let mut ecx = self.word(0x8000_0001, None, Register::Ecx);
        let mut edx = self.word(0x8000_0001, None, Register::Edx);
        if self.cpu.is_amd() {
            edx |= self.word(1, None, Register::Edx) & AMD_REPEATED;
        }
        if self.topology().threads_per_socket() > 1
            && self.cpu.model.text("vendor") != "GenuineIntel"
        {
            ecx |= CMP_LEGACY;
        }
        self.leaf(0x8000_0001, [self.cpu.signature(), 0, ecx, edx]);
    }

    fn address_sizes(&mut self) {
        let virtual_bits = match (self.cpu.features.has("lm"), self.cpu.features.has("la57")) {
            (false, _) => 0,
            (true, false) => 48,
            (true, true) => 57,
        };
        let threads = self.topology().threads_per_socket();
        let ecx = match threads {
            1 => 0,
            _ => self.topology().socket_offset() << 12 | (threads - 1) & 0xff,
        };
        let ebx = self.word(0x8000_0008, None, Register::Ebx);
        self.leaf(0x8000_0008, [self.cpu.phys_bits | virtual_bits << 8, ebx, ecx, 0]);
    }

    fn amd_caches(&mut self, caches: &Caches) {
        if self.cpu.model.flag("host-cache-info") {
            return self.as_host(0x8000_001d);
        }
        let t = *self.topology();
        let sharing = [t.threads, t.threads, t.threads, t.threads_per_die()];
        for (subleaf, (cache, sharing)) in (0..).zip(caches.amd.iter().zip(sharing)) {
            if subleaf < 3 || self.cpu.model.flag("l3-cache") {
                self.subleaf(0x8000_001d, subleaf, cache.describe(sharing));
            }
        }
    }

    /// Core and node of the processor; a node is a die.
    fn amd_topology(&mut self) {
        let t = *self.topology();
        let ids = t.ids(self.index);
        if ids.core > 0xff {
            return;
        }
        let node = t.apic_id(self.index).checked_shr(t.die_offset()).unwrap_or(0);
        let ebx = (t.threads.clamp(1, 0x100) - 1) << 8 | ids.core;
        let ecx = (t.dies.clamp(1, 8) - 1) << 8 | node & 0xff;
        self.leaf(0x8000_001e, [t.apic_id(self.index), ebx, ecx, 0]);
    }

    fn centaur(&mut self) {
        let highest = self.cpu.levels.centaur;
        if highest < 0xc000_0000 {
            return;
        }
        self.leaf(0xc000_0000, [highest, 0, 0, 0]);
        if highest >= 0xc000_0001 {
            let features = self.word(0xc000_0001, None, Register::Edx);
            self.leaf(0xc000_0001, [self.cpu.signature(), 0, 0, features]);
        }
    }
}
