//! The verifier: what must hold of every graph, after building and after every pass.

use std::collections::HashSet;

use tensor::Shape;

use crate::{ElementType, Graph, GraphError, Node, OpError, Role, Value, ValueId};

impl Graph {
    /// Checks that the graph holds together:
    ///
    /// - every id is of this graph, and the names of inputs, parameters and states are unique;
    /// - every computed value is made by exactly one node, before it is read; nothing else is made;
    /// - shapes and element types are those that the operators give;
    /// - the lists of inputs, auxiliary heads, gradients and updates hold values of the right role and
    ///   shape, each once;
    /// - the weights of regularisers and auxiliary heads are numbers of 0 or more.
    ///
    /// # Errors
    /// The first violation, by name; see [`GraphError`].
    pub fn verify(&self) -> Result<(), GraphError> {
        self.verify_given()?;
        let mut made = vec![false; self.values().len()];
        for node in &self.nodes {
            self.verify_node(node, &mut made)?;
        }
        if let Some((_, value)) = self
            .iter_values()
            .find(|(id, value)| value.role == Role::Computed && !made[id.index()])
        {
            return Err(GraphError::NotMade {
                value: value.name.clone(),
            });
        }
        for &output in &self.outputs {
            self.known(|| "the list of outputs".to_owned(), output)?;
        }
        self.verify_auxiliary()?;
        self.verify_pairs(
            "gradient",
            "gradients",
            "a parameter that learns",
            &self.gradients,
        )?;
        self.verify_pairs("update", "updates", "a state", &self.updates)
    }

    /// Inputs, parameters and states: addressable, of unique names, every input listed once.
    fn verify_given(&self) -> Result<(), GraphError> {
        let mut names = HashSet::new();
        let mut inputs = 0;
        for value in self.values() {
            Shape::new(&value.shape).map_err(|source| GraphError::TooLarge {
                value: value.name.clone(),
                source,
            })?;
            if value.role != Role::Computed && !names.insert(value.name.as_str()) {
                return Err(GraphError::DuplicateName {
                    name: value.name.clone(),
                });
            }
            let learned = matches!(value.role, Role::Parameter { .. } | Role::State { .. });
            if learned && value.element != ElementType::Real {
                return Err(wrong_role(
                    value,
                    "parameters and states",
                    "of real elements",
                ));
            }
            if let Role::Parameter {
                regulariser: Some(regulariser),
                ..
            } = value.role
            {
                let checked = regulariser.check();
                checked.map_err(|error| error.in_layer(&value.name))?;
            }
            inputs += usize::from(value.role == Role::Input);
        }
        let mut listed = HashSet::new();
        for &input in &self.inputs {
            let value = self.known(|| "the list of inputs".to_owned(), input)?;
            if value.role != Role::Input {
                return Err(wrong_role(value, "inputs", "an input"));
            }
            if !listed.insert(input) {
                return Err(GraphError::DuplicateName {
                    name: value.name.clone(),
                });
            }
        }
        if listed.len() == inputs {
            return Ok(());
        }
        let missing = self
            .iter_values()
            .find(|(id, value)| value.role == Role::Input && !listed.contains(id));
        missing.map_or(Ok(()), |(_, value)| {
            Err(GraphError::NotMade {
                value: value.name.clone(),
            })
        })
    }

    fn verify_node(&self, node: &Node, made: &mut [bool]) -> Result<(), GraphError> {
        let layer = || format!("layer {}", node.layer);
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &input in &node.inputs {
            let value = self.known(layer, input)?;
            if value.role == Role::Computed && !made[input.index()] {
                return Err(GraphError::ReadBeforeMade {
                    layer: node.layer.clone(),
                    value: value.name.clone(),
                });
            }
            inputs.push(value);
        }
        let inferred = node
            .op
            .infer(&inputs)
            .map_err(|error| error.in_layer(&node.layer))?;
        if inferred.len() != node.outputs.len() {
            return Err(GraphError::OutputCount {
                layer: node.layer.clone(),
                op: node.op.name(),
                expected: inferred.len(),
                given: node.outputs.len(),
            });
        }
        for (&output, expected) in node.outputs.iter().zip(inferred) {
            let value = self.known(layer, output)?;
            let already = match value.role {
                Role::Computed if made[output.index()] => Some("made by another layer"),
                Role::Computed => None,
                Role::Input => Some("an input"),
                Role::Parameter { .. } => Some("a parameter"),
                Role::State { .. } => Some("a state"),
            };
            if let Some(already) = already {
                return Err(GraphError::MadeTwice {
                    layer: node.layer.clone(),
                    value: value.name.clone(),
                    already,
                });
            }
            made[output.index()] = true;
            if value.value_type() != expected {
                return Err(GraphError::WrongType {
                    layer: node.layer.clone(),
                    value: value.name.clone(),
                    op: node.op.name(),
                    given: Box::new(value.value_type()),
                    expected: Box::new(expected),
                });
            }
        }
        Ok(())
    }

    /// Logits of auxiliary heads: judged by the same labels as the first output.
    fn verify_auxiliary(&self) -> Result<(), GraphError> {
        let mut listed = HashSet::new();
        for &(head, weight) in &self.auxiliary {
            let value = self.known(|| "the list of auxiliary heads".to_owned(), head)?;
            if value.role != Role::Computed {
                return Err(wrong_role(value, "auxiliary heads", "computed"));
            }
            if !listed.insert(head) || self.outputs.contains(&head) {
                return Err(GraphError::DuplicateName {
                    name: value.name.clone(),
                });
            }
            OpError::unless_weight("auxiliary head", "weight", weight)
                .map_err(|error| error.in_layer(&value.name))?;
            let logits = self.outputs.first().map(|&output| self.value(output));
            if let Some(logits) = logits.filter(|logits| logits.value_type() != value.value_type())
            {
                return Err(GraphError::Pair {
                    what: "auxiliary head",
                    new: value.name.clone(),
                    new_shape: value.shape.as_slice().into(),
                    old: logits.name.clone(),
                    old_shape: logits.shape.as_slice().into(),
                });
            }
        }
        Ok(())
    }

    /// (kept value, its gradient or successor) pairs.
    fn verify_pairs(
        &self,
        what: &'static str,
        list: &'static str,
        expected: &'static str,
        pairs: &[(ValueId, ValueId)],
    ) -> Result<(), GraphError> {
        let mut seen = HashSet::new();
        for &(old, new) in pairs {
            let [old_value, new_value] = [
                self.known(|| format!("the list of {list}"), old)?,
                self.known(|| format!("the list of {list}"), new)?,
            ];
            let fits = match old_value.role {
                Role::Parameter { trainable, .. } => what == "gradient" && trainable,
                Role::State { .. } => what == "update",
                Role::Input | Role::Computed => false,
            };
            if !fits {
                return Err(wrong_role(old_value, list, expected));
            }
            if new_value.role != Role::Computed {
                return Err(wrong_role(new_value, list, "computed"));
            }
            if !seen.insert(old) {
                return Err(GraphError::DuplicateName {
                    name: old_value.name.clone(),
                });
            }
            if old_value.value_type() != new_value.value_type() {
                return Err(GraphError::Pair {
                    what,
                    new: new_value.name.clone(),
                    new_shape: new_value.shape.as_slice().into(),
                    old: old_value.name.clone(),
                    old_shape: old_value.shape.as_slice().into(),
                });
            }
        }
        Ok(())
    }

    /// The value, if the id is of this graph.
    pub(crate) fn known(
        &self,
        what: impl FnOnce() -> String,
        id: ValueId,
    ) -> Result<&Value, GraphError> {
        self.values()
            .get(id.index())
            .ok_or_else(|| GraphError::UnknownValue {
                what: what(),
                index: id.index(),
                values: self.values().len(),
            })
    }
}

fn wrong_role(value: &Value, list: &'static str, expected: &'static str) -> GraphError {
    GraphError::WrongRole {
        value: value.name.clone(),
        list,
        expected,
    }
}
