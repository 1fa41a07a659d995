//! Arithmetic between layers.

use super::NetworkBuilder;
use crate::{ArithmeticOp, BinaryOp, GraphError, Op, ReduceOp, ValueId};

impl NetworkBuilder {
    /// An operation on two values whose shapes are broadcast against each other; of equal shapes
    /// [`NetworkBuilder::add`] can be fused with what is before it.
    ///
    /// ```
    /// use graph::{BinaryOp, NetworkBuilder};
    ///
    /// // The gate of a squeeze-and-excitation block: one factor for each channel.
    /// let mut network = NetworkBuilder::new("gated", [2, 16, 7, 7]);
    /// let x = network.input();
    /// let gate = network.global_average_pool(x)?;
    /// let y = network.binary(BinaryOp::Mul, x, gate)?;
    /// assert_eq!(network.shape(y)?, [2, 16, 7, 7]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    pub fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> Result<ValueId, GraphError> {
        let name = match op {
            BinaryOp::Add => "broadcast_add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::Div => "div",
            BinaryOp::Min => "minimum",
            BinaryOp::Max => "maximum",
            BinaryOp::Pow => "pow",
            BinaryOp::Equal => "equal",
            BinaryOp::Greater => "greater",
            BinaryOp::GreaterOrEqual => "greater_or_equal",
        };
        let layer = self.unnamed(name);
        let op = Op::Arithmetic(ArithmeticOp::Binary(op));
        self.push(op, layer, vec![a, b])
    }

    /// `a` where the condition is not 0, else `b`; the three shapes are broadcast against each other.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    pub fn select(
        &mut self,
        condition: ValueId,
        a: ValueId,
        b: ValueId,
    ) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("select");
        let op = Op::Arithmetic(ArithmeticOp::Select);
        self.push(op, layer, vec![condition, a, b])
    }

    /// `factor · x`, such as the residual of a block that is to change little at first.
    ///
    /// ```
    /// let mut network = graph::NetworkBuilder::new("scaled", [2, 16, 7, 7]);
    /// let x = network.input();
    /// let y = network.scale(x, 0.1)?;
    /// assert_eq!(network.shape(y)?, [2, 16, 7, 7]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    ///
    /// # Errors
    /// A value of another network.
    pub fn scale(&mut self, x: ValueId, factor: f32) -> Result<ValueId, GraphError> {
        let layer = self.unnamed("scale");
        // As many axes as x has, so that no shape changes where the two are broadcast.
        let (shape, value) = (vec![1; self.shape(x)?.len()], factor);
        let factor = self.push(Op::Fill { shape, value }, layer.clone(), Vec::new())?;
        let op = Op::Arithmetic(ArithmeticOp::Binary(BinaryOp::Mul));
        self.push(op, layer, vec![x, factor])
    }

    /// The sum, mean or maximum over axes, which stay with extent 1; negative axes count from the end.
    ///
    /// # Errors
    /// An axis that does not exist or is named twice.
    pub fn reduce(
        &mut self,
        op: ReduceOp,
        x: ValueId,
        axes: &[i64],
    ) -> Result<ValueId, GraphError> {
        let name = match op {
            ReduceOp::Sum => "sum",
            ReduceOp::Mean => "mean",
            ReduceOp::Max => "amax",
        };
        let layer = self.unnamed(name);
        let axes = axes.to_vec();
        let op = Op::Arithmetic(ArithmeticOp::Reduce { op, axes });
        self.push(op, layer, vec![x])
    }
}
