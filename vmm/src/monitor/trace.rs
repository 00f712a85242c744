//! Handlers of `trace.json`.

use devices::trace;
use qapi::handlers::Trace;
use qapi::{
    Empty, Error, TraceEventGetStateArgs, TraceEventInfo, TraceEventSetStateArgs, TraceEventState,
};

use super::Monitor;

impl Trace for Monitor<'_> {
    fn trace_event_get_state(
        &mut self,
        args: TraceEventGetStateArgs,
    ) -> Result<Vec<TraceEventInfo>, Error> {
        if let Some(cpu) = args.vcpu {
            self.check_vcpu(cpu)?;
            trace::refuse_single_cpu(&args.name)?;
            return Ok(Vec::new());
        }
        let info = |(name, on): (&str, bool)| TraceEventInfo {
            name: name.into(),
            state: if on { TraceEventState::Enabled } else { TraceEventState::Disabled },
            vcpu: false,
        };
        Ok(trace::get(&args.name)?.into_iter().map(info).collect())
    }

    fn trace_event_set_state(&mut self, args: TraceEventSetStateArgs) -> Result<Empty, Error> {
        // No point is left out when the program is built, so `ignore-unavailable` changes nothing.
        match args.vcpu {
            None => trace::set(&args.name, args.enable)?,
            Some(cpu) => {
                self.check_vcpu(cpu)?;
                trace::refuse_single_cpu(&args.name)?;
            }
        }
        Ok(())
    }
}

impl Monitor<'_> {
    fn check_vcpu(&self, index: i64) -> Result<(), Error> {
        match self.cpu_number("vcpu", index) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::generic(format!("invalid vCPU index {index}"))),
        }
    }
}
