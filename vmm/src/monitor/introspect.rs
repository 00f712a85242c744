//! Handlers of `introspect.json`.

use qapi::handlers::Introspect;
use qapi::{COMMANDS, EVENTS, Error, SchemaInfo};

use super::Monitor;

impl Introspect for Monitor<'_> {
    fn query_qmp_schema(&mut self) -> Result<Vec<SchemaInfo>, Error> {
        Ok(qapi::introspect(COMMANDS, EVENTS))
    }
}
