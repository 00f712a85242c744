//! Sockets, dies, cores and threads, and the APIC ids that encode them.
//!
//! An APIC id is, from the low end, thread, core, die and socket, each in as many bits as its
//! count needs (SDM volume 3, "Hierarchical mapping of shared resources").

/// How the processors of the machine are arranged. All counts are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Sockets of the machine.
    pub sockets: u32,
    /// Dies of a socket.
    pub dies: u32,
    /// Cores of a die.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
}

/// Where one processor sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuIds {
    /// Number of its socket.
    pub socket: u32,
    /// Number of its die within the socket.
    pub die: u32,
    /// Number of its core within the die.
    pub core: u32,
    /// Number of its thread within the core.
    pub thread: u32,
}

impl Topology {
    /// One socket per processor, the arrangement of `-smp N` on its own.
    pub fn flat(cpus: u32) -> Topology {
        Topology { sockets: cpus.max(1), dies: 1, cores: 1, threads: 1 }
    }

    /// Processors of the whole machine.
    pub fn cpus(&self) -> u32 {
        self.sockets.saturating_mul(self.threads_per_socket())
    }

    /// Threads of a die.
    pub fn threads_per_die(&self) -> u32 {
        self.cores.saturating_mul(self.threads).max(1)
    }

    /// Threads of a socket.
    pub fn threads_per_socket(&self) -> u32 {
        self.dies.saturating_mul(self.threads_per_die()).max(1)
    }

    /// Where processor `index` sits; processors are numbered thread first, socket last.
    pub fn ids(&self, index: u32) -> CpuIds {
        let threads = self.threads.max(1);
        CpuIds {
            thread: index % threads,
            core: index / threads % self.cores.max(1),
            die: index / self.threads_per_die() % self.dies.max(1),
            socket: index / self.threads_per_socket(),
        }
    }

    /// The APIC id of processor `index`.
    pub fn apic_id(&self, index: u32) -> u32 {
        let ids = self.ids(index);
        let at = |id: u32, offset: u32| id.checked_shl(offset).unwrap_or(0);
        ids.thread
            | at(ids.core, self.core_offset())
            | at(ids.die, self.die_offset())
            | at(ids.socket, self.socket_offset())
    }

    /// The processor that has an APIC id, if any has.
    pub fn index_of(&self, apic_id: u32) -> Option<u32> {
        let field = |from: u32, to: u32| {
            let above = apic_id.checked_shr(from).unwrap_or(0);
            above & !u32::MAX.checked_shl(to - from).unwrap_or(0)
        };
        let thread = field(0, self.core_offset());
        let core = field(self.core_offset(), self.die_offset());
        let die = field(self.die_offset(), self.socket_offset());
        let socket = apic_id.checked_shr(self.socket_offset()).unwrap_or(0);
        let inside = thread < self.threads && core < self.cores && die < self.dies;
        let index = u64::from(socket) * u64::from(self.threads_per_socket())
            + u64::from(die) * u64::from(self.threads_per_die())
            + u64::from(core) * u64::from(self.threads)
            + u64::from(thread);
        (inside && socket < self.sockets).then_some(index as u32)
    }

    /// First bit of the core's number.
    pub(super) fn core_offset(&self) -> u32 {
        width(self.threads)
    }

    /// First bit of the die's number.
    pub(super) fn die_offset(&self) -> u32 {
        self.core_offset() + width(self.cores)
    }

    /// First bit of the socket's number.
    pub(super) fn socket_offset(&self) -> u32 {
        self.die_offset() + width(self.dies)
    }
}

/// Bits that number `count` things.
fn width(count: u32) -> u32 {
    u32::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: Topology = Topology { sockets: 2, dies: 2, cores: 3, threads: 1 };

    #[test]
    fn fields_take_the_bits_they_need() {
        let ids: Vec<u32> = (0..12).map(|i| ODD.apic_id(i)).collect();
        assert_eq!(ids, [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]);
        let flat = Topology::flat(5);
        assert_eq!((flat.apic_id(4), flat.cpus()), (4, 5));
    }

    #[test]
    fn apic_ids_lead_back_and_gaps_lead_nowhere() {
        for index in 0..ODD.cpus() {
            assert_eq!(ODD.index_of(ODD.apic_id(index)), Some(index));
        }
        for gap in [3, 7, 11, 15, 16, u32::MAX] {
            assert_eq!(ODD.index_of(gap), None);
        }
    }

    #[test]
    fn absurd_counts_do_not_panic() {
        let huge =
            Topology { sockets: u32::MAX, dies: u32::MAX, cores: u32::MAX, threads: u32::MAX };
        huge.apic_id(u32::MAX);
        huge.index_of(u32::MAX);
    }
}
