//! What the CPU object of one processor shows of its properties once it exists.

use super::features::canonical;
use super::guest::GuestCpu;
use super::property::Value;

impl GuestCpu {
    /// The value of a property of processor `index`; `None` for names unknown here and for what is
    /// no plain value (`feature-words` and the like) or the object tree's own (`type`, `parent_bus`,
    /// `hotplugged`…).
    pub fn property(&self, index: u32, name: &str) -> Option<Value> {
        if canonical(name).is_some() {
            return Some(Value::Bool(self.features.has(name)));
        }
        let int = |value: u32| Some(Value::Int(value.into()));
        let ids = self.topology.ids(index);
        let [min_basic, min_extended, min_centaur] = self.levels.least;
        match name {
            "realized" => Some(Value::Bool(true)),
            "apic-id" => int(self.topology.apic_id(index)),
            "socket-id" => int(ids.socket),
            "die-id" => int(ids.die),
            "core-id" => int(ids.core),
            "thread-id" => int(ids.thread),
            "phys-bits" => int(self.phys_bits),
            "level" => int(self.levels.basic),
            "xlevel" => int(self.levels.extended),
            "xlevel2" => int(self.levels.centaur),
            "level-func7" => int(self.levels.leaf7),
            "min-level" => int(min_basic),
            "min-xlevel" => int(min_extended),
            "min-xlevel2" => int(min_centaur),
            "tsc-frequency" => {
                let khz = self.tsc_khz().unwrap_or(self.host.tsc_khz);
                Some(Value::Int(i128::from(khz) * 1000))
            }
            "ucode-rev" => Some(Value::Int(self.microcode_revision().into())),
            _ => self.model.setting(name).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::recorded::host;
    use crate::cpu::{CpuModel, Topology};

    #[test]
    fn the_last_of_two_dies_knows_its_place() {
        let topology = Topology { sockets: 1, dies: 2, cores: 1, threads: 2 };
        let host = host();
        let guest = CpuModel::new("Haswell", &host).unwrap().resolve(&host, topology).unwrap();
        for (name, value) in [
            ("apic-id", 3),
            ("socket-id", 0),
            ("die-id", 1),
            ("core-id", 0),
            ("thread-id", 1),
            ("node-id", -1),
            ("level", 31),
            ("min-level", 31),
            ("phys-bits", 40),
            ("tsc-frequency", 2_300_000_000),
            ("ucode-rev", 0x1_0000_0000),
        ] {
            assert_eq!(guest.property(3, name), Some(Value::Int(value)), "{name}");
        }
        // Not on this host, whatever the model wants.
        assert_eq!(guest.property(3, "sse4_1"), Some(Value::Bool(false)));
        assert_eq!(guest.property(3, "sse2"), Some(Value::Bool(true)));
        assert_eq!(guest.property(3, "realized"), Some(Value::Bool(true)));
        assert_eq!(guest.property(3, "feature-words"), None);
        assert_eq!(guest.property(3, "no-such"), None);
    }
}
