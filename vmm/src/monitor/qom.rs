//! Handlers of `qom.json`.

use qapi::handlers::Qom;
use qapi::{
    Empty, Error, ObjectPropertyInfo, ObjectTypeInfo, QomGetArgs, QomListArgs,
    QomListPropertiesArgs, QomListTypesArgs, QomSetArgs, Value,
};

use super::Monitor;

impl Qom for Monitor<'_> {
    fn qom_list(&mut self, args: QomListArgs) -> Result<Vec<ObjectPropertyInfo>, Error> {
        let tree = &self.control.machine.tree;
        let (_, node) = tree.find(&args.path)?;
        Ok(tree.properties(node).into_iter().map(Into::into).collect())
    }

    fn qom_get(&mut self, args: QomGetArgs) -> Result<Value, Error> {
        Ok(self.control.machine.tree.get(&args.path, &args.property)?)
    }

    fn qom_set(&mut self, args: QomSetArgs) -> Result<Empty, Error> {
        Ok(self.control.machine.tree.set(&args.path, &args.property, args.value)?)
    }

    fn qom_list_types(&mut self, args: QomListTypesArgs) -> Result<Vec<ObjectTypeInfo>, Error> {
        let registry = self.control.machine.tree.registry();
        Ok(registry.types(args.implements.as_deref(), args.r#abstract.unwrap_or(false)))
    }

    fn qom_list_properties(
        &mut self,
        args: QomListPropertiesArgs,
    ) -> Result<Vec<ObjectPropertyInfo>, Error> {
        Ok(self.control.machine.tree.registry().properties(&args.typename)?)
    }
}
