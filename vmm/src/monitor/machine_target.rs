//! Handlers of `machine-target.json`.

use arch::cpu::{self, ComparisonResult, Definition, Expanded, Expansion, HostCpu};
use qapi::handlers::MachineTarget;
use qapi::{
    CpuDefinitionInfo, CpuModelBaselineInfo, CpuModelCompareInfo, CpuModelCompareResult,
    CpuModelExpansionInfo, CpuModelExpansionType, CpuModelInfo, Dict, Error,
    QueryCpuModelBaselineArgs, QueryCpuModelComparisonArgs, QueryCpuModelExpansionArgs, Value,
};

use super::Monitor;
use crate::kvm;
use crate::machine::to_qapi;

impl MachineTarget for Monitor<'_> {
    fn query_cpu_model_comparison(
        &mut self,
        args: QueryCpuModelComparisonArgs,
    ) -> Result<CpuModelCompareInfo, Error> {
        let (a, b) = (Model::new("modela", args.modela)?, Model::new("modelb", args.modelb)?);
        let found = cpu::compare(a.borrow(), b.borrow(), &self.host()?).map_err(refused)?;
        let result = match found.result {
            ComparisonResult::Incompatible => CpuModelCompareResult::Incompatible,
            ComparisonResult::Identical => CpuModelCompareResult::Identical,
            ComparisonResult::Superset => CpuModelCompareResult::Superset,
            ComparisonResult::Subset => CpuModelCompareResult::Subset,
        };
        Ok(CpuModelCompareInfo { result, responsible_properties: found.responsible })
    }

    fn query_cpu_model_baseline(
        &mut self,
        args: QueryCpuModelBaselineArgs,
    ) -> Result<CpuModelBaselineInfo, Error> {
        let (a, b) = (Model::new("modela", args.modela)?, Model::new("modelb", args.modelb)?);
        let found = cpu::baseline(a.borrow(), b.borrow(), &self.host()?).map_err(refused)?;
        Ok(CpuModelBaselineInfo { model: model_info(found) })
    }

    fn query_cpu_model_expansion(
        &mut self,
        args: QueryCpuModelExpansionArgs,
    ) -> Result<CpuModelExpansionInfo, Error> {
        let kind = match args.r#type {
            CpuModelExpansionType::Static => Expansion::Static,
            CpuModelExpansionType::Full => Expansion::Full,
        };
        let model = Model::new("model", args.model)?;
        let (name, properties) = model.borrow();
        let found = cpu::expand(kind, name, properties, &self.host()?).map_err(refused)?;
        Ok(CpuModelExpansionInfo { model: model_info(found) })
    }

    fn query_cpu_definitions(&mut self) -> Result<Vec<CpuDefinitionInfo>, Error> {
        Ok(cpu::definitions(&self.host()?).into_iter().map(definition).collect())
    }
}

impl Monitor<'_> {
    /// What this host can give to a guest's processors.
    fn host(&self) -> Result<HostCpu, Error> {
        let vm = self.control.machine.vm.as_ref();
        let vm = vm.ok_or_else(|| Error::generic("this needs KVM"))?;
        kvm::host_cpu(vm).map_err(|error| Error::generic(error.to_string()))
    }
}

/// A model as a client describes it.
struct Model {
    name: String,
    properties: Vec<(String, cpu::Value)>,
}

impl Model {
    /// `parameter` is what the client calls it.
    fn new(parameter: &str, info: CpuModelInfo) -> Result<Self, Error> {
        let properties = match info.props {
            None => Dict::new(),
            Some(Value::Dict(dict)) => dict,
            Some(_) => return Err(Error::wrong_type(&format!("{parameter}.props"), "object")),
        };
        let properties = properties.iter().map(|(name, value)| {
            let value = from_qapi(value).ok_or_else(|| Error::wrong_type(name, "boolean"))?;
            Ok((name.to_owned(), value))
        });
        Ok(Self { name: info.name, properties: properties.collect::<Result<_, Error>>()? })
    }

    fn borrow(&self) -> (&str, impl Iterator<Item = (&str, &cpu::Value)>) {
        (&self.name, self.properties.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

fn from_qapi(value: &Value) -> Option<cpu::Value> {
    match value {
        Value::Bool(truth) => Some(cpu::Value::Bool(*truth)),
        Value::Int(number) => Some(cpu::Value::Int((*number).into())),
        Value::Uint(number) => Some(cpu::Value::Int((*number).into())),
        Value::String(text) => Some(cpu::Value::Str(text.clone())),
        Value::Null | Value::Number(_) | Value::List(_) | Value::Dict(_) => None,
    }
}

fn model_info((name, properties): Expanded) -> CpuModelInfo {
    let properties: Dict =
        properties.into_iter().map(|(name, value)| (name, to_qapi(value))).collect();
    CpuModelInfo { name, props: Some(properties.into()) }
}

fn definition(found: Definition) -> CpuDefinitionInfo {
    CpuDefinitionInfo {
        name: found.name.into(),
        migration_safe: Some(found.migration_safe),
        r#static: found.is_static,
        unavailable_features: Some(found.unavailable.into_iter().map(Into::into).collect()),
        typename: found.type_name,
        alias_of: found.alias_of.map(Into::into),
        deprecated: found.deprecated,
    }
}

fn refused(error: cpu::Error) -> Error {
    Error::generic(error.to_string())
}
