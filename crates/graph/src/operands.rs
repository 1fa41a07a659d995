//! Reading the inputs of an operator one by one, with errors that name them.

use geometry::AxisError;

use crate::{ElementType, OpError, Value};

/// The inputs of one operator, in its order.
pub(crate) struct Operands<'a> {
    op: &'static str,
    values: &'a [&'a Value],
    next: usize,
}

/// One input of an operator.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    op: &'static str,
    name: &'static str,
    /// Its shape.
    pub(crate) shape: &'a [usize],
}

impl<'a> Operands<'a> {
    pub(crate) fn new(op: &'static str, values: &'a [&'a Value]) -> Self {
        Self {
            op,
            values,
            next: 0,
        }
    }

    /// The next input, of floating-point elements.
    pub(crate) fn float(&mut self, name: &'static str) -> Result<Operand<'a>, OpError> {
        self.read(name, ElementType::Real)
    }

    /// The next input, of indices.
    pub(crate) fn index(&mut self, name: &'static str) -> Result<Operand<'a>, OpError> {
        self.read(name, ElementType::Index)
    }

    /// Whether inputs are left.
    pub(crate) fn more(&self) -> bool {
        self.next < self.values.len()
    }

    /// Checks that every input was read.
    pub(crate) fn finish(&self) -> Result<(), OpError> {
        if self.more() {
            return Err(OpError::ExtraInputs {
                op: self.op,
                expected: self.next,
                given: self.values.len(),
            });
        }
        Ok(())
    }

    fn read(&mut self, name: &'static str, expected: ElementType) -> Result<Operand<'a>, OpError> {
        let value = self.values.get(self.next).ok_or(OpError::MissingInput {
            op: self.op,
            input: name,
            given: self.values.len(),
        })?;
        self.next += 1;
        if value.element != expected {
            return Err(OpError::Element {
                op: self.op,
                input: name,
                expected,
                given: value.element,
            });
        }
        Ok(Operand {
            op: self.op,
            name,
            shape: &value.shape,
        })
    }
}

impl<'a> Operand<'a> {
    /// Checks the shape against the one that `other` asks for.
    pub(crate) fn must_be(&self, expected: &[usize], other: Operand<'_>) -> Result<(), OpError> {
        if self.shape == expected {
            return Ok(());
        }
        Err(self.mismatch(expected, other.name, other.shape))
    }

    /// Checks the shape against the one that follows from the operator's own setting.
    pub(crate) fn must_fit(
        &self,
        expected: &[usize],
        setting: &'static str,
        setting_shape: &[usize],
    ) -> Result<(), OpError> {
        if self.shape == expected {
            return Ok(());
        }
        Err(self.mismatch(expected, setting, setting_shape))
    }

    fn mismatch(&self, expected: &[usize], other: &'static str, other_shape: &[usize]) -> OpError {
        OpError::Mismatch {
            op: self.op,
            input: self.name,
            shape: self.shape.to_vec(),
            other,
            other_shape: other_shape.to_vec(),
            expected: expected.to_vec(),
        }
    }

    /// Puts the operator and the shape of this input to a refusal of `geometry`.
    pub(crate) fn refused(&self, source: AxisError) -> OpError {
        OpError::Axes {
            op: self.op,
            input: self.shape.to_vec(),
            source,
        }
    }

    /// Rows and columns of a matrix.
    pub(crate) fn matrix(&self, expected: &'static str) -> Result<(usize, usize), OpError> {
        match self.shape {
            &[rows, columns] => Ok((rows, columns)),
            _ => Err(self.rank(expected)),
        }
    }

    /// Batch, channels and the axes of space, of which there may be none.
    pub(crate) fn feature_map(&self) -> Result<(usize, usize, &'a [usize]), OpError> {
        match self.shape {
            [batch, channels, spatial @ ..] => Ok((*batch, *channels, spatial)),
            _ => Err(self.rank("[n, c, spatial…]")),
        }
    }

    /// Checks that there is an axis `axis`, counted from the outermost.
    pub(crate) fn must_have_axis(&self, axis: usize) -> Result<(), OpError> {
        if axis < self.shape.len() {
            return Ok(());
        }
        Err(OpError::NoSuchAxis {
            op: self.op,
            input: self.name,
            shape: self.shape.to_vec(),
            axis,
        })
    }

    /// The error of another number of axes than the operator reads.
    pub(crate) fn rank(&self, expected: &'static str) -> OpError {
        OpError::Rank {
            op: self.op,
            input: self.name,
            shape: self.shape.to_vec(),
            expected,
        }
    }
}
