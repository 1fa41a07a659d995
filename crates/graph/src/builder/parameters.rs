//! Parameters and states of layers: how they are made, shared and kept from learning.

use super::{NetworkBuilder, WeightInit};
use crate::{ElementType, GraphError, Init, ParameterKind, Role, Value, ValueId};

impl NetworkBuilder {
    /// Builds what `body` describes with the parameters and states of layers that there are already: a layer
    /// of a name in use, which is refused elsewhere, reads what the layer of that name made, and the
    /// gradients of all its uses add up. How a parameter starts, is penalised and learns was settled by its
    /// first use.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::NetworkBuilder;
    ///
    /// // Two pictures seen through the same filters.
    /// let mut network = NetworkBuilder::new("twins", [2, 4, 8, 8]);
    /// let x = network.input();
    /// let desc = ConvDesc::new(4, 3).padding(1);
    /// let x = network.conv("conv", x, desc.clone(), true)?;
    /// let y = network.reusing(|network| network.conv("conv", x, desc, true))?;
    /// assert_eq!(network.finish(y)?.parameters().count(), 2);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// Layers in `body` refuse with [`GraphError::NothingToReuse`] a name that no layer has, and with
    /// [`GraphError::ReusedShape`] a parameter that they need in another shape.
    pub fn reusing<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.reusing, true);
        let result = body(self);
        self.reusing = before;
        result
    }

    /// Builds what `body` describes with parameters that do not learn: they have no gradients, and an
    /// optimiser leaves them as they are. Running statistics move on all the same.
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::NetworkBuilder;
    /// use graph::passes::{TrainingOptions, training};
    ///
    /// let mut network = NetworkBuilder::new("new head", [2, 3, 8, 8]);
    /// let x = network.input();
    /// let desc = ConvDesc::new(4, 3);
    /// let x = network.frozen(|network| network.conv("conv", x, desc, true))?;
    /// let x = network.flatten(x)?;
    /// let logits = network.linear("fc", x, 5)?;
    /// let step = training(&network.finish(logits)?, TrainingOptions::default())?;
    /// let learn: Vec<_> = step.gradients.iter().map(|&(p, _)| &*step.value(p).name).collect();
    /// assert_eq!(learn, ["fc.weight", "fc.bias"]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn frozen<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.freezing, true);
        let result = body(self);
        self.freezing = before;
        result
    }

    /// Weight and, where there is one, bias of a layer.
    pub(super) fn weight_and_bias(
        &mut self,
        layer: &str,
        init: WeightInit,
        weight: Vec<usize>,
        fan_in: usize,
        bias: bool,
    ) -> Result<Vec<ValueId>, GraphError> {
        let bias = bias.then_some(weight[0]);
        self.parameters_of(layer, init, weight, fan_in, bias)
    }

    /// Weight and, where it has elements, bias of a layer.
    pub(super) fn parameters_of(
        &mut self,
        layer: &str,
        init: WeightInit,
        weight: Vec<usize>,
        fan_in: usize,
        bias: Option<usize>,
    ) -> Result<Vec<ValueId>, GraphError> {
        let (weight_init, bias_init) = match init {
            WeightInit::Normal { deviation } => {
                let mean = 0.0;
                (Init::Normal { mean, deviation }, Init::Constant(0.0))
            }
            WeightInit::KaimingNormalFanOut => (Init::KaimingNormalFanOut, Init::Constant(0.0)),
            WeightInit::KaimingNormalFanIn => (Init::KaimingNormalFanIn, Init::Constant(0.0)),
            WeightInit::KaimingUniformFanIn => (Init::KaimingUniformFanIn, Init::Constant(0.0)),
            WeightInit::UniformFanIn => {
                (Init::UniformFanIn { fan_in }, Init::UniformFanIn { fan_in })
            }
            WeightInit::XavierUniform => (Init::XavierUniform, Init::Constant(0.0)),
        };
        let role = Role::parameter(ParameterKind::Weight, weight_init);
        let mut made = vec![self.kept(layer, "weight", weight, role)?];
        if let Some(outputs) = bias {
            let role = Role::parameter(ParameterKind::Bias, bias_init);
            made.push(self.kept(layer, "bias", vec![outputs], role)?);
        }
        Ok(made)
    }

    /// A parameter or state of a layer: a new one, or under [`Self::reusing`] the one there is.
    pub(super) fn kept(
        &mut self,
        layer: &str,
        part: &str,
        shape: Vec<usize>,
        mut role: Role,
    ) -> Result<ValueId, GraphError> {
        let name = format!("{layer}.{part}");
        if self.reusing {
            return self.made_before(name, shape);
        }
        if let Role::Parameter { trainable, .. } = &mut role {
            *trainable &= !self.freezing;
        }
        Ok(self.graph.add_value(Value {
            name,
            shape,
            element: ElementType::Real,
            role,
        }))
    }

    fn made_before(&self, name: String, shape: Vec<usize>) -> Result<ValueId, GraphError> {
        let mut kept = self.graph.parameters().chain(self.graph.states());
        let Some((id, value)) = kept.find(|(_, value)| value.name == name) else {
            return Err(GraphError::NothingToReuse { name });
        };
        if value.shape != shape {
            let there: Box<[usize]> = value.shape.as_slice().into();
            let needed = shape.into();
            return Err(GraphError::ReusedShape {
                name,
                there,
                needed,
            });
        }
        Ok(id)
    }
}
