//! Handlers of `stats.json`.

use qapi::handlers::Stats;
use qapi::{
    Error, QueryStatsSchemasArgs, Reply, StatsFilter, StatsFilterVariant, StatsProvider,
    StatsRequest, StatsResult, StatsSchema, StatsTarget,
};

use super::Monitor;
use crate::kvm::stats::{self, Reading};
use crate::machine::{CpuObject, Machine};

impl Stats for Monitor<'_> {
    fn query_stats(&mut self, args: StatsFilter, reply: Reply<Vec<StatsResult>>) {
        let machine = &self.control.machine;
        let readings: Vec<_> = match args.variant {
            StatsFilterVariant::Vm => {
                of_machine(machine).map(|all| (None, all)).into_iter().collect()
            }
            StatsFilterVariant::Vcpu(filter) => of_cpus(machine, filter.vcpus.as_deref()),
        };
        reply.send(Ok(select(&readings, args.providers)));
    }

    fn query_stats_schemas(
        &mut self,
        args: QueryStatsSchemasArgs,
    ) -> Result<Vec<StatsSchema>, Error> {
        let provider = args.provider.unwrap_or(StatsProvider::Kvm);
        let machine = &self.control.machine;
        let schema =
            |target, reading: Reading| StatsSchema { provider, target, stats: reading.schema() };
        let vcpu = of_cpu(machine, 0).map(|reading| schema(StatsTarget::Vcpu, reading));
        let vm = of_machine(machine).map(|reading| schema(StatsTarget::Vm, reading));
        Ok(vcpu.into_iter().chain(vm).collect())
    }
}

fn of_machine(machine: &Machine) -> Option<Reading> {
    stats::read(machine.vm.as_ref()?.fd().as_ref())
}

fn of_cpu(machine: &Machine, index: usize) -> Option<Reading> {
    machine.cpus.as_ref()?.gate.call(index, |vcpu| stats::read(&vcpu.fd))?
}

/// The statistics of the CPUs at `paths`, or of all.
fn of_cpus(machine: &Machine, paths: Option<&[String]>) -> Vec<(Option<String>, Reading)> {
    let wanted = |path: &String| paths.is_none_or(|paths| paths.contains(path));
    let cpus = machine.tree.objects::<CpuObject>().into_iter();
    cpus.filter(|(path, _)| wanted(path))
        .filter_map(|(path, cpu)| Some((Some(path), of_cpu(machine, cpu.index() as usize)?)))
        .collect()
}

/// What the requests ask for; without requests, everything.
fn select(
    readings: &[(Option<String>, Reading)],
    requests: Option<Vec<StatsRequest>>,
) -> Vec<StatsResult> {
    let all = || vec![StatsRequest { provider: StatsProvider::Kvm, names: None }];
    let mut results = Vec::new();
    for request in requests.unwrap_or_else(all) {
        for (qom_path, reading) in readings {
            let stats = reading.values(request.names.as_deref());
            if !stats.is_empty() {
                let (provider, qom_path) = (request.provider, qom_path.clone());
                results.push(StatsResult { provider, qom_path, stats });
            }
        }
    }
    results
}
