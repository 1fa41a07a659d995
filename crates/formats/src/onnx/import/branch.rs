//! Graphs within nodes: of an `If` whose condition is known, one branch takes the place of the node.

use std::sync::Arc;

use super::call::Call;
use super::{Importer, Value};
use crate::onnx::error::{Fault, unsupported, wrong};
use crate::onnx::external::External;
use crate::onnx::node::{self, Branch};
use crate::onnx::{OnnxError, initializer};

/// `If`: condition; what the branch makes that it chooses.
pub(super) fn choose(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let condition = match call.known_scalar(0) {
        Ok(Some(condition)) => condition != 0.0,
        Ok(None) => return wrong("there is no condition"),
        Err(Fault::Unsupported(_)) => {
            return unsupported(
                "the condition is not known before the model is run; only one branch becomes part of the network",
            );
        }
        Err(fault) => return Err(fault),
    };
    let (taken, left) = match condition {
        true => ("then_branch", "else_branch"),
        false => ("else_branch", "then_branch"),
    };
    let Some(branch) = call.branch(taken) else {
        return wrong(format!("it has no {taken}"));
    };
    let outputs = branch.outputs().count();
    if outputs != call.outputs() {
        return wrong(format!(
            "{taken} makes {outputs} values for {} outputs",
            call.outputs()
        ));
    }
    let other = call.branch(left);
    Ok(call.importer().inline(branch, other)?)
}

impl<'a> Importer<'a> {
    /// Makes the values of a branch; nobody will read what the other one would have read.
    fn inline(
        &mut self,
        branch: Branch<'a>,
        other: Option<Branch<'a>>,
    ) -> Result<Vec<Value>, OnnxError> {
        for name in other.into_iter().flat_map(Branch::reads) {
            self.was_read(name);
        }
        let mut held = Vec::new();
        for message in branch.initializers() {
            let (outline, budget) = (self.model.outline(), &mut self.budget);
            let (name, elements) =
                initializer::elements(message, outline, &mut External::default(), budget)?;
            let origin = self.stored(Some(Arc::from(name)), &elements);
            self.define(name, Value::made_of(origin, elements))?;
            held.push(name);
        }
        for (index, message) in branch.nodes().enumerate() {
            for input in node::inputs(message).filter(|name| !name.is_empty()) {
                self.must_be_known(input, || node::called(message, index))?;
            }
            self.node(message, index)?;
        }
        let mut made = Vec::new();
        for name in branch.outputs() {
            self.must_be_known(name, || "the end of a branch".to_owned())?;
            made.extend(self.values.get(name).and_then(|slot| slot.value.clone()));
            self.was_read(name);
        }
        // Another branch may use the same names for what it makes.
        for name in branch.nodes().flat_map(node::outputs).chain(held) {
            self.forget(name);
        }
        Ok(made)
    }

    /// Refuses a name that nothing before stands for.
    fn must_be_known(&self, name: &str, reader: impl Fn() -> String) -> Result<(), OnnxError> {
        match self.values.get(name) {
            Some(slot) if slot.value.is_some() => Ok(()),
            _ => Err(OnnxError::NothingMakes {
                node: reader(),
                value: name.to_owned(),
            }),
        }
    }
}
