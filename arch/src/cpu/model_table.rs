//! The named CPU models: identity and features, as deltas along a model's versions.
//!
//! Generated from a running QEMU 7.2 by `resources/cpu-models/record.py`; do not edit.

use super::model::Definition;

/// What every named model has under KVM besides its own features.
pub(super) static ACCELERATOR_FEATURES: &str = "hypervisor kvm-asyncpf kvm-nopiodelay kvm-pv-eoi kvm-steal-time kvmclock \
    kvmclock-stable-bit x2apic";

/// A version follows those it is based on.
pub(super) static MODELS: &[Definition] = &[
    Definition {
        name: "486-v1", based_on: None, vendor: "GenuineIntel",
        family: 4, model: 8, stepping: 0, level: 0x1, xlevel: 0x0, level_func7: 0, legacy_cache: true,
        model_id: "", note: "",
        adds: "fpu pse vme",
        drops: "",
    },
    Definition {
        name: "Broadwell-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 61, stepping: 2, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Broadwell)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 bmi1 bmi2 clflush cmov cx16 cx8 de \
            erms f16c fma fpu fsgsbase fxsr hle invpcid lahf-lm lm mca mce mmx movbe msr mtrr \
            nx pae pat pcid pclmulqdq pge pni popcnt pse pse36 rdrand rdseed rdtscp rtm sep \
            smap smep sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme xsave xsaveopt",
        drops: "",
    },
    Definition {
        name: "Broadwell-v2", based_on: Some("Broadwell-v1"), vendor: "GenuineIntel",
        family: 6, model: 61, stepping: 2, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Broadwell, no TSX)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Broadwell-v3", based_on: Some("Broadwell-v2"), vendor: "GenuineIntel",
        family: 6, model: 61, stepping: 2, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Broadwell, IBRS)", note: "",
        adds: "hle rtm spec-ctrl",
        drops: "",
    },
    Definition {
        name: "Broadwell-v4", based_on: Some("Broadwell-v3"), vendor: "GenuineIntel",
        family: 6, model: 61, stepping: 2, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Broadwell, no TSX, IBRS)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Cascadelake-Server-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 6, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cascadelake)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 avx512bw avx512cd avx512dq avx512f \
            avx512vl avx512vnni bmi1 bmi2 clflush clflushopt clwb cmov cx16 cx8 de erms f16c \
            fma fpu fsgsbase fxsr hle invpcid lahf-lm lm mca mce mmx movbe msr mtrr nx pae pat \
            pcid pclmulqdq pdpe1gb pge pku pni popcnt pse pse36 rdrand rdseed rdtscp rtm sep \
            smap smep spec-ctrl ssbd sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme \
            xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Cascadelake-Server-v2", based_on: Some("Cascadelake-Server-v1"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 6, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cascadelake)", note: "[ARCH_CAPABILITIES]",
        adds: "arch-capabilities ibrs-all mds-no rdctl-no skip-l1dfl-vmentry",
        drops: "",
    },
    Definition {
        name: "Cascadelake-Server-v3", based_on: Some("Cascadelake-Server-v2"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 6, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cascadelake)", note: "[ARCH_CAPABILITIES, no TSX]",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Cascadelake-Server-v4", based_on: Some("Cascadelake-Server-v3"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 6, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cascadelake)", note: "[ARCH_CAPABILITIES, EPT switching, no TSX]",
        adds: "",
        drops: "",
    },
    Definition {
        name: "Cascadelake-Server-v5", based_on: Some("Cascadelake-Server-v4"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 6, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cascadelake)", note: "[ARCH_CAPABILITIES, EPT switching, XSAVES, no TSX]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Conroe-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 15, stepping: 3, level: 0xa, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Celeron_4x0 (Conroe/Merom Class Core 2)", note: "",
        adds: "apic clflush cmov cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat pge \
            pni pse pse36 sep sse sse2 ssse3 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "Cooperlake-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 10, level: 0xd, xlevel: 0x80000008, level_func7: 1, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cooperlake)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat arch-capabilities avx avx2 avx512-bf16 avx512bw \
            avx512cd avx512dq avx512f avx512vl avx512vnni bmi1 bmi2 clflush clflushopt clwb \
            cmov cx16 cx8 de erms f16c fma fpu fsgsbase fxsr hle ibrs-all invpcid lahf-lm lm \
            mca mce mds-no mmx movbe msr mtrr nx pae pat pcid pclmulqdq pdpe1gb pge pku pni \
            popcnt pschange-mc-no pse pse36 rdctl-no rdrand rdseed rdtscp rtm sep \
            skip-l1dfl-vmentry smap smep spec-ctrl ssbd sse sse2 sse4.1 sse4.2 ssse3 stibp \
            syscall taa-no tsc tsc-deadline vme xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Cooperlake-v2", based_on: Some("Cooperlake-v1"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 10, level: 0xd, xlevel: 0x80000008, level_func7: 1, legacy_cache: true,
        model_id: "Intel Xeon Processor (Cooperlake)", note: "[XSAVES]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Denverton-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 95, stepping: 1, level: 0x15, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Denverton)", note: "",
        adds: "3dnowprefetch aes apic arat arch-capabilities clflush clflushopt cmov cx16 cx8 de \
            erms fpu fsgsbase fxsr lahf-lm lm mca mce mmx movbe mpx msr mtrr nx pae pat \
            pclmulqdq pdpe1gb pge pni popcnt pse pse36 rdctl-no rdrand rdseed rdtscp sep sha-ni \
            skip-l1dfl-vmentry smap smep spec-ctrl ssbd sse sse2 sse4.1 sse4.2 ssse3 syscall \
            tsc tsc-deadline vme xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Denverton-v2", based_on: Some("Denverton-v1"), vendor: "GenuineIntel",
        family: 6, model: 95, stepping: 1, level: 0x15, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Denverton)", note: "[no MPX, no MONITOR]",
        adds: "",
        drops: "mpx",
    },
    Definition {
        name: "Denverton-v3", based_on: Some("Denverton-v2"), vendor: "GenuineIntel",
        family: 6, model: 95, stepping: 1, level: 0x15, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Denverton)", note: "[XSAVES, no MPX, no MONITOR]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Dhyana-v1", based_on: None, vendor: "HygonGenuine",
        family: 24, model: 0, stepping: 1, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "Hygon Dhyana Processor", note: "",
        adds: "3dnowprefetch abm adx apic arat avx avx2 bmi1 bmi2 clflush clflushopt cmov \
            cr8legacy cx16 cx8 de f16c fma fpu fsgsbase fxsr fxsr-opt ibpb lahf-lm lm mca mce \
            misalignsse mmx mmxext movbe msr mtrr nx osvw pae pat pdpe1gb pge pni popcnt pse \
            pse36 rdrand rdseed rdtscp sep smap smep sse sse2 sse4.1 sse4.2 sse4a ssse3 syscall \
            topoext tsc vme xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Dhyana-v2", based_on: Some("Dhyana-v1"), vendor: "HygonGenuine",
        family: 24, model: 0, stepping: 1, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "Hygon Dhyana Processor", note: "[XSAVES]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "EPYC-v1", based_on: None, vendor: "AuthenticAMD",
        family: 23, model: 1, stepping: 2, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC Processor", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 bmi1 bmi2 clflush clflushopt cmov \
            cr8legacy cx16 cx8 de f16c fma fpu fsgsbase fxsr fxsr-opt lahf-lm lm mca mce \
            misalignsse mmx mmxext movbe msr mtrr nx osvw pae pat pclmulqdq pdpe1gb pge pni \
            popcnt pse pse36 rdrand rdseed rdtscp sep sha-ni smap smep sse sse2 sse4.1 sse4.2 \
            sse4a ssse3 syscall topoext tsc vme xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "EPYC-v2", based_on: Some("EPYC-v1"), vendor: "AuthenticAMD",
        family: 23, model: 1, stepping: 2, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC Processor (with IBPB)", note: "",
        adds: "ibpb",
        drops: "",
    },
    Definition {
        name: "EPYC-v3", based_on: Some("EPYC-v2"), vendor: "AuthenticAMD",
        family: 23, model: 1, stepping: 2, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC Processor", note: "",
        adds: "clzero perfctr-core xsaveerptr xsaves",
        drops: "",
    },
    Definition {
        name: "EPYC-Milan-v1", based_on: None, vendor: "AuthenticAMD",
        family: 25, model: 1, stepping: 1, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC-Milan Processor", note: "",
        adds: "3dnowprefetch abm adx aes amd-ssbd amd-stibp apic arat avx avx2 bmi1 bmi2 clflush \
            clflushopt clwb clzero cmov cr8legacy cx16 cx8 de erms f16c fma fpu fsgsbase fsrm \
            fxsr fxsr-opt ibpb ibrs invpcid lahf-lm lm mca mce misalignsse mmx mmxext movbe msr \
            mtrr nx osvw pae pat pcid pclmulqdq pdpe1gb perfctr-core pge pku pni popcnt pse \
            pse36 rdpid rdrand rdseed rdtscp sep sha-ni smap smep sse sse2 sse4.1 sse4.2 sse4a \
            ssse3 syscall topoext tsc umip vme wbnoinvd xgetbv1 xsave xsavec xsaveerptr \
            xsaveopt xsaves",
        drops: "",
    },
    Definition {
        name: "EPYC-Rome-v1", based_on: None, vendor: "AuthenticAMD",
        family: 23, model: 49, stepping: 0, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC-Rome Processor", note: "",
        adds: "3dnowprefetch abm adx aes amd-stibp apic arat avx avx2 bmi1 bmi2 clflush clflushopt \
            clwb clzero cmov cr8legacy cx16 cx8 de f16c fma fpu fsgsbase fxsr fxsr-opt ibpb \
            lahf-lm lm mca mce misalignsse mmx mmxext movbe msr mtrr nx osvw pae pat pclmulqdq \
            pdpe1gb perfctr-core pge pni popcnt pse pse36 rdpid rdrand rdseed rdtscp sep sha-ni \
            smap smep sse sse2 sse4.1 sse4.2 sse4a ssse3 syscall topoext tsc umip vme wbnoinvd \
            xgetbv1 xsave xsavec xsaveerptr xsaveopt xsaves",
        drops: "",
    },
    Definition {
        name: "EPYC-Rome-v2", based_on: Some("EPYC-Rome-v1"), vendor: "AuthenticAMD",
        family: 23, model: 49, stepping: 0, level: 0xd, xlevel: 0x8000001e, level_func7: 0, legacy_cache: false,
        model_id: "AMD EPYC-Rome Processor", note: "",
        adds: "amd-ssbd ibrs",
        drops: "",
    },
    Definition {
        name: "Haswell-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 60, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Haswell)", note: "",
        adds: "abm aes apic arat avx avx2 bmi1 bmi2 clflush cmov cx16 cx8 de erms f16c fma fpu \
            fsgsbase fxsr hle invpcid lahf-lm lm mca mce mmx movbe msr mtrr nx pae pat pcid \
            pclmulqdq pge pni popcnt pse pse36 rdrand rdtscp rtm sep smep sse sse2 sse4.1 \
            sse4.2 ssse3 syscall tsc tsc-deadline vme xsave xsaveopt",
        drops: "",
    },
    Definition {
        name: "Haswell-v2", based_on: Some("Haswell-v1"), vendor: "GenuineIntel",
        family: 6, model: 60, stepping: 1, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Haswell, no TSX)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Haswell-v3", based_on: Some("Haswell-v2"), vendor: "GenuineIntel",
        family: 6, model: 60, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Haswell, IBRS)", note: "",
        adds: "hle rtm spec-ctrl",
        drops: "",
    },
    Definition {
        name: "Haswell-v4", based_on: Some("Haswell-v3"), vendor: "GenuineIntel",
        family: 6, model: 60, stepping: 1, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Haswell, no TSX, IBRS)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Icelake-Server-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 avx512-vpopcntdq avx512bitalg avx512bw \
            avx512cd avx512dq avx512f avx512vbmi avx512vbmi2 avx512vl avx512vnni bmi1 bmi2 \
            clflush clflushopt clwb cmov cx16 cx8 de erms f16c fma fpu fsgsbase fxsr gfni hle \
            invpcid la57 lahf-lm lm mca mce mmx movbe msr mtrr nx pae pat pcid pclmulqdq \
            pdpe1gb pge pku pni popcnt pse pse36 rdrand rdseed rdtscp rtm sep smap smep \
            spec-ctrl ssbd sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline umip vaes vme \
            vpclmulqdq wbnoinvd xgetbv1 xsave xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Icelake-Server-v2", based_on: Some("Icelake-Server-v1"), vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "[no TSX]",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Icelake-Server-v3", based_on: Some("Icelake-Server-v2"), vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "",
        adds: "arch-capabilities ibrs-all mds-no pschange-mc-no rdctl-no skip-l1dfl-vmentry taa-no",
        drops: "",
    },
    Definition {
        name: "Icelake-Server-v4", based_on: Some("Icelake-Server-v3"), vendor: "GenuineIntel",
        family: 6, model: 106, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "",
        adds: "avx512ifma fsrm rdpid sha-ni",
        drops: "",
    },
    Definition {
        name: "Icelake-Server-v5", based_on: Some("Icelake-Server-v4"), vendor: "GenuineIntel",
        family: 6, model: 106, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "[XSAVES]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Icelake-Server-v6", based_on: Some("Icelake-Server-v5"), vendor: "GenuineIntel",
        family: 6, model: 106, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Icelake)", note: "[5-level EPT]",
        adds: "",
        drops: "",
    },
    Definition {
        name: "IvyBridge-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 58, stepping: 9, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon E3-12xx v2 (Ivy Bridge)", note: "",
        adds: "aes apic arat avx clflush cmov cx16 cx8 de erms f16c fpu fsgsbase fxsr lahf-lm lm \
            mca mce mmx msr mtrr nx pae pat pclmulqdq pge pni popcnt pse pse36 rdrand rdtscp \
            sep smep sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme xsave xsaveopt",
        drops: "",
    },
    Definition {
        name: "IvyBridge-v2", based_on: Some("IvyBridge-v1"), vendor: "GenuineIntel",
        family: 6, model: 58, stepping: 9, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)", note: "",
        adds: "spec-ctrl",
        drops: "",
    },
    Definition {
        name: "KnightsMill-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 133, stepping: 0, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Phi Processor (Knights Mill)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 avx512-4fmaps avx512-4vnniw \
            avx512-vpopcntdq avx512cd avx512er avx512f avx512pf bmi1 bmi2 clflush cmov cx16 cx8 \
            de erms f16c fma fpu fsgsbase fxsr lahf-lm lm mca mce mmx movbe msr mtrr nx pae pat \
            pclmulqdq pdpe1gb pge pni popcnt pse pse36 rdrand rdseed rdtscp sep smep ss sse \
            sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme xsave xsaveopt",
        drops: "",
    },
    Definition {
        name: "Nehalem-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 26, stepping: 3, level: 0xb, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core i7 9xx (Nehalem Class Core i7)", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat \
            pge pni popcnt pse pse36 sep sse sse2 sse4.1 sse4.2 ssse3 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "Nehalem-v2", based_on: Some("Nehalem-v1"), vendor: "GenuineIntel",
        family: 6, model: 26, stepping: 3, level: 0xb, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core i7 9xx (Nehalem Core i7, IBRS update)", note: "",
        adds: "spec-ctrl",
        drops: "",
    },
    Definition {
        name: "Opteron_G1-v1", based_on: None, vendor: "AuthenticAMD",
        family: 15, model: 6, stepping: 1, level: 0x5, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "AMD Opteron 240 (Gen 1 Class Opteron)", note: "",
        adds: "apic clflush cmov cx8 de fpu fxsr lm mca mce mmx msr mtrr nx pae pat pge pni pse \
            pse36 sep sse sse2 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "Opteron_G2-v1", based_on: None, vendor: "AuthenticAMD",
        family: 15, model: 6, stepping: 1, level: 0x5, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "AMD Opteron 22xx (Gen 2 Class Opteron)", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat \
            pge pni pse pse36 sep sse sse2 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "Opteron_G3-v1", based_on: None, vendor: "AuthenticAMD",
        family: 16, model: 2, stepping: 3, level: 0x5, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "AMD Opteron 23xx (Gen 3 Class Opteron)", note: "",
        adds: "abm apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce misalignsse mmx msr \
            mtrr nx pae pat pge pni popcnt pse pse36 rdtscp sep sse sse2 sse4a syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "Opteron_G4-v1", based_on: None, vendor: "AuthenticAMD",
        family: 21, model: 1, stepping: 2, level: 0xd, xlevel: 0x8000001a, level_func7: 0, legacy_cache: true,
        model_id: "AMD Opteron 62xx class CPU", note: "",
        adds: "3dnowprefetch abm aes apic avx clflush cmov cx16 cx8 de fma4 fpu fxsr lahf-lm lm \
            mca mce misalignsse mmx msr mtrr nx pae pat pclmulqdq pdpe1gb pge pni popcnt pse \
            pse36 rdtscp sep sse sse2 sse4.1 sse4.2 sse4a ssse3 syscall tsc vme xop xsave",
        drops: "",
    },
    Definition {
        name: "Opteron_G5-v1", based_on: None, vendor: "AuthenticAMD",
        family: 21, model: 2, stepping: 0, level: 0xd, xlevel: 0x8000001a, level_func7: 0, legacy_cache: true,
        model_id: "AMD Opteron 63xx class CPU", note: "",
        adds: "3dnowprefetch abm aes apic avx clflush cmov cx16 cx8 de f16c fma fma4 fpu fxsr \
            lahf-lm lm mca mce misalignsse mmx msr mtrr nx pae pat pclmulqdq pdpe1gb pge pni \
            popcnt pse pse36 rdtscp sep sse sse2 sse4.1 sse4.2 sse4a ssse3 syscall tbm tsc vme \
            xop xsave",
        drops: "",
    },
    Definition {
        name: "Penryn-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 23, stepping: 3, level: 0xa, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core 2 Duo P9xxx (Penryn Class Core 2)", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat \
            pge pni pse pse36 sep sse sse2 sse4.1 ssse3 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "SandyBridge-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 42, stepping: 1, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon E312xx (Sandy Bridge)", note: "",
        adds: "aes apic arat avx clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr \
            nx pae pat pclmulqdq pge pni popcnt pse pse36 rdtscp sep sse sse2 sse4.1 sse4.2 \
            ssse3 syscall tsc tsc-deadline vme xsave xsaveopt",
        drops: "",
    },
    Definition {
        name: "SandyBridge-v2", based_on: Some("SandyBridge-v1"), vendor: "GenuineIntel",
        family: 6, model: 42, stepping: 1, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon E312xx (Sandy Bridge, IBRS update)", note: "",
        adds: "spec-ctrl",
        drops: "",
    },
    Definition {
        name: "Skylake-Client-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 94, stepping: 3, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Skylake)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 bmi1 bmi2 clflush cmov cx16 cx8 de \
            erms f16c fma fpu fsgsbase fxsr hle invpcid lahf-lm lm mca mce mmx movbe msr mtrr \
            nx pae pat pcid pclmulqdq pge pni popcnt pse pse36 rdrand rdseed rdtscp rtm sep \
            smap smep sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme xgetbv1 xsave \
            xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Skylake-Client-v2", based_on: Some("Skylake-Client-v1"), vendor: "GenuineIntel",
        family: 6, model: 94, stepping: 3, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Skylake, IBRS)", note: "",
        adds: "spec-ctrl",
        drops: "",
    },
    Definition {
        name: "Skylake-Client-v3", based_on: Some("Skylake-Client-v2"), vendor: "GenuineIntel",
        family: 6, model: 94, stepping: 3, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Skylake, IBRS, no TSX)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Skylake-Client-v4", based_on: Some("Skylake-Client-v3"), vendor: "GenuineIntel",
        family: 6, model: 94, stepping: 3, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Core Processor (Skylake, IBRS, no TSX)", note: "[IBRS, XSAVES, no TSX]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Skylake-Server-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Skylake)", note: "",
        adds: "3dnowprefetch abm adx aes apic arat avx avx2 avx512bw avx512cd avx512dq avx512f \
            avx512vl bmi1 bmi2 clflush clflushopt clwb cmov cx16 cx8 de erms f16c fma fpu \
            fsgsbase fxsr hle invpcid lahf-lm lm mca mce mmx movbe msr mtrr nx pae pat pcid \
            pclmulqdq pdpe1gb pge pku pni popcnt pse pse36 rdrand rdseed rdtscp rtm sep smap \
            smep sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline vme xgetbv1 xsave xsavec \
            xsaveopt",
        drops: "",
    },
    Definition {
        name: "Skylake-Server-v2", based_on: Some("Skylake-Server-v1"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Skylake, IBRS)", note: "",
        adds: "spec-ctrl",
        drops: "clflushopt",
    },
    Definition {
        name: "Skylake-Server-v3", based_on: Some("Skylake-Server-v2"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Skylake, IBRS, no TSX)", note: "",
        adds: "",
        drops: "hle rtm",
    },
    Definition {
        name: "Skylake-Server-v4", based_on: Some("Skylake-Server-v3"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Skylake, IBRS, no TSX)", note: "[IBRS, EPT switching, no TSX]",
        adds: "",
        drops: "",
    },
    Definition {
        name: "Skylake-Server-v5", based_on: Some("Skylake-Server-v4"), vendor: "GenuineIntel",
        family: 6, model: 85, stepping: 4, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Xeon Processor (Skylake, IBRS, no TSX)", note: "[IBRS, XSAVES, EPT switching, no TSX]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Snowridge-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 1, level: 0x1b, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (SnowRidge)", note: "",
        adds: "3dnowprefetch aes apic arat arch-capabilities cldemote clflush clflushopt clwb cmov \
            core-capability cx16 cx8 de erms fpu fsgsbase fxsr gfni lahf-lm lm mca mce mmx \
            movbe movdir64b movdiri mpx msr mtrr nx pae pat pclmulqdq pdpe1gb pge pni popcnt \
            pse pse36 rdrand rdseed rdtscp sep sha-ni smap smep spec-ctrl split-lock-detect \
            ssbd sse sse2 sse4.1 sse4.2 ssse3 syscall tsc tsc-deadline umip vme xgetbv1 xsave \
            xsavec xsaveopt",
        drops: "",
    },
    Definition {
        name: "Snowridge-v2", based_on: Some("Snowridge-v1"), vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 1, level: 0x1b, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Snowridge, no MPX)", note: "",
        adds: "",
        drops: "mpx",
    },
    Definition {
        name: "Snowridge-v3", based_on: Some("Snowridge-v2"), vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 1, level: 0x1b, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Snowridge, no MPX)", note: "[XSAVES, no MPX]",
        adds: "xsaves",
        drops: "",
    },
    Definition {
        name: "Snowridge-v4", based_on: Some("Snowridge-v3"), vendor: "GenuineIntel",
        family: 6, model: 134, stepping: 1, level: 0x1b, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel Atom Processor (Snowridge, no MPX)", note: "[no split lock detect, no core-capability]",
        adds: "",
        drops: "core-capability split-lock-detect",
    },
    Definition {
        name: "Westmere-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 44, stepping: 1, level: 0xb, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Westmere E56xx/L56xx/X56xx (Nehalem-C)", note: "",
        adds: "aes apic arat clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx \
            pae pat pclmulqdq pge pni popcnt pse pse36 sep sse sse2 sse4.1 sse4.2 ssse3 syscall \
            tsc vme",
        drops: "",
    },
    Definition {
        name: "Westmere-v2", based_on: Some("Westmere-v1"), vendor: "GenuineIntel",
        family: 6, model: 44, stepping: 1, level: 0xb, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Westmere E56xx/L56xx/X56xx (IBRS update)", note: "",
        adds: "spec-ctrl",
        drops: "",
    },
    Definition {
        name: "athlon-v1", based_on: None, vendor: "AuthenticAMD",
        family: 6, model: 2, stepping: 3, level: 0x2, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "QEMU Virtual CPU version 2.5+", note: "",
        adds: "3dnow 3dnowext apic cmov cx8 de fpu fxsr mca mce mmx mmxext msr mtrr pae pat pge \
            pse pse36 sep sse sse2 tsc vme",
        drops: "",
    },
    Definition {
        name: "core2duo-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 15, stepping: 11, level: 0xa, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat \
            pge pni pse pse36 sep ss sse sse2 ssse3 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "coreduo-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 14, stepping: 8, level: 0xa, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Genuine Intel(R) CPU           T2600  @ 2.16GHz", note: "",
        adds: "apic clflush cmov cx8 de fpu fxsr mca mce mmx msr mtrr nx pae pat pge pni pse sep \
            ss sse sse2 tsc vme",
        drops: "",
    },
    Definition {
        name: "kvm32-v1", based_on: None, vendor: "GenuineIntel",
        family: 15, model: 6, stepping: 1, level: 0x5, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Common 32-bit KVM processor", note: "",
        adds: "apic clflush cmov cx8 de fpu fxsr mca mce mmx msr mtrr pae pat pge pni pse pse36 \
            sep sse sse2 tsc vme",
        drops: "",
    },
    Definition {
        name: "kvm64-v1", based_on: None, vendor: "GenuineIntel",
        family: 15, model: 6, stepping: 1, level: 0xd, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Common KVM processor", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lm mca mce mmx msr mtrr nx pae pat pge pni \
            pse pse36 sep sse sse2 syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "n270-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 28, stepping: 2, level: 0xa, xlevel: 0x80000008, level_func7: 0, legacy_cache: true,
        model_id: "Intel(R) Atom(TM) CPU N270   @ 1.60GHz", note: "",
        adds: "apic clflush cmov cx8 de fpu fxsr lahf-lm mca mce mmx movbe msr mtrr nx pae pat pge \
            pni pse sep ss sse sse2 ssse3 tsc vme",
        drops: "",
    },
    Definition {
        name: "pentium-v1", based_on: None, vendor: "GenuineIntel",
        family: 5, model: 4, stepping: 3, level: 0x1, xlevel: 0x0, level_func7: 0, legacy_cache: true,
        model_id: "", note: "",
        adds: "apic cx8 de fpu mce mmx msr pse tsc vme",
        drops: "",
    },
    Definition {
        name: "pentium2-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 5, stepping: 2, level: 0x2, xlevel: 0x0, level_func7: 0, legacy_cache: true,
        model_id: "", note: "",
        adds: "apic cmov cx8 de fpu fxsr mca mce mmx msr mtrr pae pat pge pse pse36 sep tsc vme",
        drops: "",
    },
    Definition {
        name: "pentium3-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 7, stepping: 3, level: 0x3, xlevel: 0x0, level_func7: 0, legacy_cache: true,
        model_id: "", note: "",
        adds: "apic cmov cx8 de fpu fxsr mca mce mmx msr mtrr pae pat pge pse pse36 sep sse tsc \
            vme",
        drops: "",
    },
    Definition {
        name: "phenom-v1", based_on: None, vendor: "AuthenticAMD",
        family: 16, model: 2, stepping: 3, level: 0x5, xlevel: 0x8000001a, level_func7: 0, legacy_cache: true,
        model_id: "AMD Phenom(tm) 9550 Quad-Core Processor", note: "",
        adds: "3dnow 3dnowext abm apic clflush cmov cx16 cx8 de fpu fxsr fxsr-opt lahf-lm lm mca \
            mce mmx mmxext msr mtrr nx pae pat pdpe1gb pge pni popcnt pse pse36 rdtscp sep sse \
            sse2 sse4a syscall tsc vme",
        drops: "",
    },
    Definition {
        name: "qemu32-v1", based_on: None, vendor: "GenuineIntel",
        family: 6, model: 6, stepping: 3, level: 0x4, xlevel: 0x80000004, level_func7: 0, legacy_cache: true,
        model_id: "QEMU Virtual CPU version 2.5+", note: "",
        adds: "apic cmov cx8 de fpu fxsr mce mmx msr pae pat pge pni pse sep sse sse2 tsc",
        drops: "",
    },
    Definition {
        name: "qemu64-v1", based_on: None, vendor: "AuthenticAMD",
        family: 15, model: 107, stepping: 1, level: 0xd, xlevel: 0x8000000a, level_func7: 0, legacy_cache: true,
        model_id: "QEMU Virtual CPU version 2.5+", note: "",
        adds: "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae pat \
            pge pni pse pse36 sep sse sse2 syscall tsc",
        drops: "",
    },
];

/// Names that stand for a version of a model.
pub(super) static ALIASES: &[(&str, &str)] = &[
    ("486", "486-v1"),
    ("Broadwell", "Broadwell-v1"),
    ("Broadwell-IBRS", "Broadwell-v3"),
    ("Broadwell-noTSX", "Broadwell-v2"),
    ("Broadwell-noTSX-IBRS", "Broadwell-v4"),
    ("Cascadelake-Server", "Cascadelake-Server-v1"),
    ("Cascadelake-Server-noTSX", "Cascadelake-Server-v3"),
    ("Conroe", "Conroe-v1"),
    ("Cooperlake", "Cooperlake-v1"),
    ("Denverton", "Denverton-v1"),
    ("Dhyana", "Dhyana-v1"),
    ("EPYC", "EPYC-v1"),
    ("EPYC-IBPB", "EPYC-v2"),
    ("EPYC-Milan", "EPYC-Milan-v1"),
    ("EPYC-Rome", "EPYC-Rome-v1"),
    ("Haswell", "Haswell-v1"),
    ("Haswell-IBRS", "Haswell-v3"),
    ("Haswell-noTSX", "Haswell-v2"),
    ("Haswell-noTSX-IBRS", "Haswell-v4"),
    ("Icelake-Server", "Icelake-Server-v1"),
    ("Icelake-Server-noTSX", "Icelake-Server-v2"),
    ("IvyBridge", "IvyBridge-v1"),
    ("IvyBridge-IBRS", "IvyBridge-v2"),
    ("KnightsMill", "KnightsMill-v1"),
    ("Nehalem", "Nehalem-v1"),
    ("Nehalem-IBRS", "Nehalem-v2"),
    ("Opteron_G1", "Opteron_G1-v1"),
    ("Opteron_G2", "Opteron_G2-v1"),
    ("Opteron_G3", "Opteron_G3-v1"),
    ("Opteron_G4", "Opteron_G4-v1"),
    ("Opteron_G5", "Opteron_G5-v1"),
    ("Penryn", "Penryn-v1"),
    ("SandyBridge", "SandyBridge-v1"),
    ("SandyBridge-IBRS", "SandyBridge-v2"),
    ("Skylake-Client", "Skylake-Client-v1"),
    ("Skylake-Client-IBRS", "Skylake-Client-v2"),
    ("Skylake-Client-noTSX-IBRS", "Skylake-Client-v3"),
    ("Skylake-Server", "Skylake-Server-v1"),
    ("Skylake-Server-IBRS", "Skylake-Server-v2"),
    ("Skylake-Server-noTSX-IBRS", "Skylake-Server-v3"),
    ("Snowridge", "Snowridge-v1"),
    ("Westmere", "Westmere-v1"),
    ("Westmere-IBRS", "Westmere-v2"),
    ("athlon", "athlon-v1"),
    ("core2duo", "core2duo-v1"),
    ("coreduo", "coreduo-v1"),
    ("kvm32", "kvm32-v1"),
    ("kvm64", "kvm64-v1"),
    ("n270", "n270-v1"),
    ("pentium", "pentium-v1"),
    ("pentium2", "pentium2-v1"),
    ("pentium3", "pentium3-v1"),
    ("phenom", "phenom-v1"),
    ("qemu32", "qemu32-v1"),
    ("qemu64", "qemu64-v1"),
];
