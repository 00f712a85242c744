//! Handlers of `misc-target.json`.

use qapi::handlers::MiscTarget;
use qapi::{DumpSkeysArgs, Empty, Error, GICCapability};

use super::Monitor;

impl MiscTarget for Monitor<'_> {
    fn rtc_reset_reinjection(&mut self) -> Result<Empty, Error> {
        // Ticks that the guest was too busy to take are not kept.
        Ok(())
    }

    fn dump_skeys(&mut self, _args: DumpSkeysArgs) -> Result<Empty, Error> {
        Err(Error::not_enabled("dump-skeys"))
    }

    fn query_gic_capabilities(&mut self) -> Result<Vec<GICCapability>, Error> {
        Err(Error::not_enabled("query-gic-capabilities"))
    }
}
