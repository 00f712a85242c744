//! The caches a model shows, and their encodings in leaves 2, 4, 0x80000005, 0x80000006 and
//! 0x8000001d (SDM volume 2A, CPUID; AMD APM volume 3, appendix E).

/// What a cache holds, in the encoding of leaf 4.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Data = 1,
    Code = 2,
    Both = 3,
}

/// One cache with lines of 64 bytes.
#[derive(Clone, Copy)]
pub(super) struct Cache {
    holds: Holds,
    level: u32,
    ways: u32,
    sets: u32,
    /// Needs no initialization by software.
    self_initializing: bool,
    /// EDX of leaf 4: bit 0 no invalidation of lower levels, bit 1 inclusive, bit 2 complex index.
    properties: u32,
}

const LINE: u32 = 64;

const fn cache(holds: Holds, level: u32, kib: u32, ways: u32, properties: u32) -> Cache {
    Cache {
        holds,
        level,
        ways,
        sets: kib * 1024 / LINE / ways,
        self_initializing: true,
        properties,
    }
}

const fn cold(cache: Cache) -> Cache {
    Cache { self_initializing: false, ..cache }
}

impl Cache {
    fn bytes(&self) -> u32 {
        self.ways * self.sets * LINE
    }

    /// EAX to EDX of leaf 4 and leaf 0x8000001d, shared by `sharing` threads.
    pub(super) fn describe(&self, sharing: u32) -> [u32; 4] {
        let kind = self.holds as u32 | self.level << 5 | u32::from(self.self_initializing) << 8;
        let shared = sharing.saturating_sub(1).min(0xfff) << 14;
        let shape = (self.ways - 1) << 22 | (LINE - 1);
        [kind | shared, shape, self.sets - 1, self.properties]
    }

    /// The register of leaf 0x80000005.
    fn level1(&self) -> u32 {
        (self.bytes() / 1024) << 24 | self.ways << 16 | 1 << 8 | LINE
    }

    /// Associativity in four bits, as leaf 0x80000006 has it.
    fn ways_code(&self) -> u32 {
        match self.ways {
            0..=1 => self.ways,
            2 => 2,
            4 => 4,
            8 => 6,
            16 => 8,
            32 => 0xa,
            48 => 0xb,
            64 => 0xc,
            96 => 0xd,
            128 => 0xe,
            _ => 0xf,
        }
    }

    /// The descriptor byte of leaf 2; 0xff (see leaf 4) if there is none for this cache.
    fn descriptor(&self) -> u32 {
        match (self.level, self.holds, self.bytes() / 1024, self.ways) {
            (1, Holds::Data, 32, 8) => 0x2c,
            (1, Holds::Code, 32, 8) => 0x30,
            (2, _, 512, 8) => 0x80,
            (2, _, 2048, 8) => 0x7d,
            (3, _, 8192, 16) => 0x4b,
            (3, _, 16384, 16) => 0x4d,
            _ => 0xff,
        }
    }
}

/// The caches of a model. Old models show one set in Intel's leaves and another in AMD's.
pub(super) struct Caches {
    leaf2: [Cache; 4],
    /// For leaf 4.
    pub(super) intel: [Cache; 4],
    /// For leaves 0x80000005, 0x80000006 and 0x8000001d.
    pub(super) amd: [Cache; 4],
}

const L1D: Cache = cache(Holds::Data, 1, 32, 8, 1);
const L1I: Cache = cache(Holds::Code, 1, 32, 8, 1);
const L3: Cache = cache(Holds::Both, 3, 16384, 16, 6);

/// What every model shows that has no caches of its own.
static LEGACY: Caches = Caches {
    leaf2: [L1D, L1I, cache(Holds::Both, 2, 2048, 8, 0), L3],
    intel: [L1D, L1I, cache(Holds::Both, 2, 4096, 16, 1), L3],
    amd: [
        cache(Holds::Data, 1, 64, 2, 1),
        cache(Holds::Code, 1, 64, 2, 1),
        cold(cache(Holds::Both, 2, 512, 16, 0)),
        L3,
    ],
};

const fn zen(l1i: Cache, l3_mib: u32) -> Caches {
    let l2 = cold(cache(Holds::Both, 2, 512, 8, 0));
    let all = [L1D, l1i, l2, cache(Holds::Both, 3, l3_mib * 1024, 16, 6)];
    Caches { leaf2: all, intel: all, amd: all }
}

static ZEN: Caches = zen(cache(Holds::Code, 1, 64, 4, 1), 8);
static ZEN2: Caches = zen(L1I, 16);
static ZEN3: Caches = zen(L1I, 32);

/// The caches a model shows when it describes its own.
pub(super) fn own(model: &str) -> Option<&'static Caches> {
    let family = [("EPYC-Milan", &ZEN3), ("EPYC-Rome", &ZEN2), ("EPYC", &ZEN), ("Dhyana", &ZEN)];
    let found = family.into_iter().find(|(prefix, _)| model.starts_with(prefix));
    found.map(|(_, caches)| caches)
}

/// The caches of old machines, for every other model and `legacy-cache=on`.
pub(super) fn legacy() -> &'static Caches {
    &LEGACY
}

impl Caches {
    /// EAX to EDX of leaf 2.
    pub(super) fn leaf2(&self, with_l3: bool) -> [u32; 4] {
        let [l1d, l1i, l2, l3] = self.leaf2.map(|c| c.descriptor());
        let l3 = if with_l3 { l3 } else { 0 };
        [1, 0, l3, l1d << 16 | l1i << 8 | l2]
    }

    /// EAX to EDX of leaf 0x80000005: TLBs with 255 entries each, then the first-level caches.
    pub(super) fn leaf5(&self) -> [u32; 4] {
        const TLB: u32 = 0x01ff_01ff;
        [TLB, TLB, self.amd[0].level1(), self.amd[1].level1()]
    }

    /// EAX to EDX of leaf 0x80000006: 4 KiB TLBs of 512 entries and 4 ways, then L2 and L3.
    pub(super) fn leaf6(&self, with_l3: bool) -> [u32; 4] {
        let (l2, l3) = (&self.amd[2], &self.amd[3]);
        let lines = 1 << 8 | LINE;
        let ecx = (l2.bytes() / 1024) << 16 | l2.ways_code() << 12 | lines;
        let edx = (l3.bytes() / (512 * 1024)) << 18 | l3.ways_code() << 12 | lines;
        [0, 0x4200_4200, ecx, if with_l3 { edx } else { 0 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_a_known_cache() {
        // A 32 KiB, 8-way first-level data cache of one thread, by the manual's formulas.
        assert_eq!(L1D.describe(1), [0x121, 0x01c0_003f, 0x3f, 1]);
        assert_eq!(L3.describe(4)[0], 0xc163);
        assert_eq!(L3.describe(u32::MAX)[0] >> 26, 0);
    }

    #[test]
    fn only_the_zen_models_describe_their_own() {
        assert!(own("EPYC-v1").is_some() && own("Dhyana-v2").is_some());
        assert!(own("Haswell-v1").is_none() && own("phenom-v1").is_none());
        assert_eq!(own("EPYC-Milan-v1").unwrap().leaf6(true)[3] >> 18, 64);
    }

    #[test]
    fn a_missing_third_level_disappears_everywhere() {
        assert_eq!(LEGACY.leaf2(false)[2], 0);
        assert_eq!(LEGACY.leaf6(false)[3], 0);
    }
}
