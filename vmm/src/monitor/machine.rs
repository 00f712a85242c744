//! Handlers of `machine.json`.

use devices::object::Node;
use devices::request::WakeupReason;
use qapi::handlers::Machine;
use qapi::{
    CpuArgs, CpuInfo, CpuInfoFast, CpuInfoVariant, CpuInfoX86, CpuInstanceProperties,
    CurrentMachineParams, Empty, Error, Event, HostMemPolicy, HotpluggableCPU, KvmInfo,
    MachineInfo, Memdev, MemoryInfo, MemsaveArgs, PmemsaveArgs, Reply, ShutdownCause, SysEmuTarget,
    TargetInfo, UuidInfo,
};
use vm_memory::{GuestAddressSpace, GuestMemoryBackend, GuestMemoryRegion};

use super::Monitor;
use crate::control::Control;
use crate::kvm;
use crate::machine::{CpuObject, Cpus};
use crate::memory_save::{Save, View};
use crate::options::{self, MACHINES, MachineType};

impl Machine for Monitor<'_> {
    fn query_cpus(&mut self) -> Result<Vec<CpuInfo>, Error> {
        let current = self.own().cpu;
        let mut list = Vec::new();
        for info in self.query_cpus_fast()? {
            let (halted, pc) = self.look_at(info.cpu_index as usize)?;
            list.push(CpuInfo {
                cpu: info.cpu_index,
                current: info.cpu_index as usize == current,
                halted,
                qom_path: info.qom_path,
                thread_id: info.thread_id,
                props: info.props,
                // An address in the upper half is a negative number on the wire.
                variant: CpuInfoVariant::X86(CpuInfoX86 { pc: pc as i64 }),
            });
        }
        Ok(list)
    }

    fn query_cpus_fast(&mut self) -> Result<Vec<CpuInfoFast>, Error> {
        let Some(cpus) = &self.control.machine.cpus else { return Ok(Vec::new()) };
        let describe = |(path, object): (String, &CpuObject)| {
            let index = object.index();
            let cpu = cpus.list().get(index as usize)?;
            Some(CpuInfoFast {
                cpu_index: index.into(),
                qom_path: path,
                thread_id: cpu.thread.tid.into(),
                props: Some(self.place(cpus, index)),
                target: SysEmuTarget::X86_64,
            })
        };
        let objects = self.control.machine.tree.objects::<CpuObject>();
        Ok(objects.into_iter().filter_map(describe).collect())
    }

    fn cpu(&mut self, args: CpuArgs) -> Result<Empty, Error> {
        self.own().cpu = self.cpu_number("index", args.index)?;
        Ok(())
    }

    fn query_machines(&mut self) -> Result<Vec<MachineInfo>, Error> {
        Ok(MACHINES.iter().map(machine_info).collect())
    }

    fn query_current_machine(&mut self) -> Result<CurrentMachineParams, Error> {
        let machine = &self.control.machine;
        let wakeup_suspend_support = machine.board.can_wake(&machine.tree);
        Ok(CurrentMachineParams { wakeup_suspend_support })
    }

    fn query_target(&mut self) -> Result<TargetInfo, Error> {
        Ok(TargetInfo { arch: SysEmuTarget::X86_64 })
    }

    fn query_uuid(&mut self) -> Result<UuidInfo, Error> {
        Ok(UuidInfo { uuid: uuid_text(&self.control.options.uuid.unwrap_or_default()) })
    }

    fn system_reset(&mut self) -> Result<Empty, Error> {
        let outcome = self.control.machine.reset(ShutdownCause::HostQmpSystemReset);
        self.control.finish(outcome);
        Ok(())
    }

    fn system_powerdown(&mut self) -> Result<Empty, Error> {
        let machine = &self.control.machine;
        machine.platform.events.emit(Event::Powerdown);
        machine.board.power_button(&machine.tree);
        Ok(())
    }

    fn system_wakeup(&mut self) -> Result<Empty, Error> {
        let machine = &mut self.control.machine;
        if !machine.board.can_wake(&machine.tree) {
            let text = "wake-up from suspend is not supported by this guest";
            return Err(Error::generic(text));
        }
        machine.wake_up(WakeupReason::Other)?;
        Ok(())
    }

    fn inject_nmi(&mut self) -> Result<Empty, Error> {
        let Some(cpus) = &self.control.machine.cpus else {
            let text = "this feature or command is not currently supported";
            return Err(Error::generic(text));
        };
        for index in 0..cpus.list().len() {
            let sent = cpus.gate.call(index, |vcpu| vcpu.fd.nmi());
            if let Some(Err(error)) = sent {
                return Err(Error::generic(format!("CPU {index} takes no NMI: {error}")));
            }
        }
        Ok(())
    }

    fn query_kvm(&mut self) -> Result<KvmInfo, Error> {
        Ok(KvmInfo { enabled: self.control.machine.vm.is_some(), present: true })
    }

    fn memsave(&mut self, args: MemsaveArgs, reply: Reply<Empty>) {
        let view = self.virtual_view(args.cpu_index);
        self.save(view, args.val, args.size, args.filename, reply);
    }

    fn pmemsave(&mut self, args: PmemsaveArgs, reply: Reply<Empty>) {
        self.save(Ok(View::Physical), args.val, args.size, args.filename, reply);
    }

    fn query_memdev(&mut self) -> Result<Vec<Memdev>, Error> {
        let tree = &self.control.machine.tree;
        let mut paths = Vec::new();
        tree.walk(&mut |path, node: &Node| {
            if tree.registry().is_a(node.class(), "memory-backend") {
                paths.push(path.to_owned());
            }
        });
        paths.iter().map(|path| self.memdev(path)).collect()
    }

    fn query_hotpluggable_cpus(&mut self) -> Result<Vec<HotpluggableCPU>, Error> {
        let machine = &self.control.machine;
        let Some(cpus) = &machine.cpus else {
            return Err(Error::not_enabled("query-hotpluggable-cpus"));
        };
        let present = machine.tree.objects::<CpuObject>();
        let place = |index: u32| HotpluggableCPU {
            r#type: cpus.model.model().type_name(),
            vcpus_count: 1,
            props: self.place(cpus, index),
            qom_path: present
                .iter()
                .find(|(_, object)| object.index() == index)
                .map(|(path, _)| path.clone()),
        };
        Ok((0..self.control.options.smp.maxcpus).rev().map(place).collect())
    }

    fn query_memory_size_summary(&mut self) -> Result<MemoryInfo, Error> {
        let ram = self.control.machine.platform.ram.memory();
        let base_memory = ram.iter().map(|region| region.len()).sum();
        Ok(MemoryInfo { base_memory, plugged_memory: Some(0) })
    }
}

impl Monitor<'_> {
    /// The number of a processor that a client names in `parameter`.
    ///
    /// # Errors
    /// There is no such processor.
    pub(super) fn cpu_number(&self, parameter: &str, index: i64) -> Result<usize, Error> {
        let count = self.control.machine.cpus.as_ref().map_or(0, |cpus| cpus.list().len());
        let number = usize::try_from(index).ok().filter(|number| *number < count);
        number.ok_or_else(|| Error::expects(parameter, "a CPU number"))
    }

    /// Whether a processor waits, and the linear address of its next instruction.
    fn look_at(&self, index: usize) -> Result<(bool, u64), Error> {
        let state = super::hmp::registers_of(&self.control.machine, index)
            .ok_or_else(|| Error::generic(format!("CPU {index} does not show its registers")))?;
        Ok((state.halted, state.sregs.cs.base.wrapping_add(state.regs.rip)))
    }

    fn place(&self, cpus: &Cpus, index: u32) -> CpuInstanceProperties {
        let ids = cpus.model.topology().ids(index);
        let several_dies = self.control.options.smp.dies > 1;
        CpuInstanceProperties {
            socket_id: Some(ids.socket.into()),
            die_id: several_dies.then(|| ids.die.into()),
            core_id: Some(ids.core.into()),
            thread_id: Some(ids.thread.into()),
            ..Default::default()
        }
    }

    fn virtual_view(&mut self, index: Option<i64>) -> Result<View, Error> {
        let index = index.unwrap_or(self.own().cpu as i64);
        let number = self.cpu_number("cpu-index", index)?;
        let cpus = self.control.machine.cpus.as_ref();
        let registers = cpus.and_then(|cpus| cpus.gate.call(number, |cpu| kvm::paging(&cpu.fd)));
        let registers = registers.and_then(Result::ok);
        let lost = || Error::generic(format!("CPU {number} does not show its registers"));
        Ok(View::Virtual(registers.ok_or_else(lost)?))
    }

    /// Has a worker save a part of memory.
    fn save(
        &self,
        view: Result<View, Error>,
        address: i64,
        size: i64,
        path: String,
        reply: Reply<Empty>,
    ) {
        let map = self.control.machine.platform.memory.snapshot();
        let save = view.and_then(|view| Ok(Save::new(map, view, address, size, path)?));
        let save = match save {
            Ok(save) => save,
            Err(error) => return reply.send(Err(error)),
        };
        let sets = self.control.fd_sets.clone();
        self.control.worker(reply, move |reply| {
            reply.send(save.run(&sets).map_err(Error::from));
            |_: &mut Control| {}
        });
    }

    fn memdev(&self, path: &str) -> Result<Memdev, Error> {
        let tree = &self.control.machine.tree;
        let flag = |name| tree.get(path, name).ok().and_then(|value| value.as_bool());
        let size = tree.get(path, "size")?.as_u64().unwrap_or_default();
        Ok(Memdev {
            id: path.rsplit('/').next().map(str::to_owned),
            size,
            merge: flag("merge").unwrap_or_default(),
            dump: flag("dump").unwrap_or_default(),
            prealloc: flag("prealloc").unwrap_or_default(),
            share: flag("share").unwrap_or_default(),
            reserve: flag("reserve"),
            host_nodes: Vec::new(),
            policy: HostMemPolicy::Default,
        })
    }
}

fn machine_info(info: &options::MachineInfo) -> MachineInfo {
    let pc = info.kind == MachineType::Pc;
    MachineInfo {
        name: info.name.into(),
        alias: info.alias.map(Into::into),
        is_default: (info.kind == MachineType::default()).then_some(true),
        cpu_max: info.max_cpus.into(),
        hotpluggable_cpus: pc,
        numa_mem_supported: false,
        deprecated: false,
        default_cpu_type: pc.then(|| arch::cpu::type_name("qemu64")),
        default_ram_id: Some(if pc { "pc.ram" } else { "ram" }.into()),
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_bytes_in_the_order_of_the_text() {
        let bytes = std::array::from_fn(|index| 0x10 + index as u8);
        assert_eq!(uuid_text(&bytes), "10111213-1415-1617-1819-1a1b1c1d1e1f");
    }
}
