//! Handlers of `misc-target.json`.

use devices::rtc::Rtc;
use qapi::handlers::MiscTarget;
use qapi::{DumpSkeysArgs, Empty, Error, GICCapability};

use super::Monitor;

impl MiscTarget for Monitor<'_> {
    fn rtc_reset_reinjection(&mut self) -> Result<Empty, Error> {
        for (_, rtc) in self.control.machine.tree.objects::<Rtc>() {
            rtc.reset_reinjection();
        }
        Ok(())
    }

    fn dump_skeys(&mut self, _args: DumpSkeysArgs) -> Result<Empty, Error> {
        Err(Error::not_enabled("dump-skeys"))
    }

    fn query_gic_capabilities(&mut self) -> Result<Vec<GICCapability>, Error> {
        Err(Error::not_enabled("query-gic-capabilities"))
    }
}
