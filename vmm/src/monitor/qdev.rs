//! Handlers of `qdev.json`.

use qapi::handlers::Qdev;
use qapi::{DeviceListPropertiesArgs, Error, ObjectPropertyInfo};

use super::Monitor;

impl Qdev for Monitor<'_> {
    fn device_list_properties(
        &mut self,
        args: DeviceListPropertiesArgs,
    ) -> Result<Vec<ObjectPropertyInfo>, Error> {
        Ok(self.control.machine.tree.registry().device_properties(&args.typename)?)
    }
}
