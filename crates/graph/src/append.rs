//! Growing a graph by one node.

use crate::{Graph, GraphError, Node, Op, Role, Value, ValueId};

impl Graph {
    /// Appends a node, inferring and adding the values it makes. The first is named after the layer,
    /// the others after the layer and what they are.
    ///
    /// # Errors
    /// An id of another graph, or inputs that do not fit the operator.
    pub fn append(
        &mut self,
        op: Op,
        layer: impl Into<String>,
        inputs: Vec<ValueId>,
    ) -> Result<Vec<ValueId>, GraphError> {
        let node = self.make(op, layer.into(), inputs)?;
        let outputs = node.outputs.clone();
        self.nodes.push(node);
        Ok(outputs)
    }

    /// Adds the values that a node makes and gives the node, for a pass to put in its place.
    pub(crate) fn make(
        &mut self,
        op: Op,
        layer: String,
        inputs: Vec<ValueId>,
    ) -> Result<Node, GraphError> {
        let types = {
            let inputs = inputs
                .iter()
                .map(|&id| self.known(|| format!("layer {layer}"), id))
                .collect::<Result<Vec<_>, _>>()?;
            op.infer(&inputs).map_err(|error| error.in_layer(&layer))?
        };
        let outputs: Vec<_> = types
            .into_iter()
            .enumerate()
            .map(|(place, made)| {
                self.add_value(Value {
                    name: match op.output_suffix(place) {
                        "" => layer.clone(),
                        suffix => format!("{layer}.{suffix}"),
                    },
                    shape: made.shape,
                    element: made.element,
                    role: Role::Computed,
                })
            })
            .collect();
        Ok(Node {
            op,
            layer,
            inputs,
            outputs,
        })
    }
}

impl Op {
    /// What an output after the first is.
    fn output_suffix(&self, place: usize) -> &'static str {
        if let Some(family) = self.family() {
            return family.output_suffix(place);
        }
        let suffixes: &[&str] = match self {
            Self::Pool { .. } => &["", "indices"],
            Self::BatchNormTraining { .. } => {
                &["", "mean", "inv_std", "new_running_mean", "new_running_var"]
            }
            Self::FoldBatchNorm { .. } => &["folded_weight", "folded_bias"],
            _ => &[],
        };
        suffixes.get(place).copied().unwrap_or("")
    }
}
