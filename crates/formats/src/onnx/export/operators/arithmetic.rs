//! Arithmetic of two tensors, and reductions.

use geometry::Reduction;
use graph::{BinaryOp, ReduceOp};

use super::attribute;
use super::{Draft, ExportError};
use crate::onnx::proto::TensorProto;
use crate::onnx::proto::tensor_proto::DataType;

/// An operator of two operands, which ONNX broadcasts as the graph does.
pub(super) fn operands(d: &mut Draft<'_, '_, '_>, op: &str) -> Result<String, ExportError> {
    let (a, b) = (d.input(0)?, d.input(1)?);
    Ok(d.add(op, &[&a, &b], vec![]))
}

pub(super) fn binary(d: &mut Draft<'_, '_, '_>, op: BinaryOp) -> Result<String, ExportError> {
    let op = match op {
        BinaryOp::Add => "Add",
        BinaryOp::Sub => "Sub",
        BinaryOp::Mul => "Mul",
        BinaryOp::Div => "Div",
        BinaryOp::Min => "Min",
        BinaryOp::Max => "Max",
        BinaryOp::Pow => "Pow",
        BinaryOp::Equal => return compared(d, "Equal"),
        BinaryOp::Greater => return compared(d, "Greater"),
        BinaryOp::GreaterOrEqual => return compared(d, "GreaterOrEqual"),
    };
    operands(d, op)
}

/// A comparison, whose truths are numbers in the graph.
fn compared(d: &mut Draft<'_, '_, '_>, op: &str) -> Result<String, ExportError> {
    let truth = operands(d, op)?;
    Ok(d.cast(&truth, DataType::Float))
}

/// A choice by a condition, which is a number in the graph.
pub(super) fn select(d: &mut Draft<'_, '_, '_>) -> Result<String, ExportError> {
    let (condition, a, b) = (d.input(0)?, d.input(1)?, d.input(2)?);
    let truth = d.cast(&condition, DataType::Bool);
    Ok(d.add("Where", &[&truth, &a, &b], vec![]))
}

/// Axes brought down to extent 1.
pub(super) fn reduce(
    d: &mut Draft<'_, '_, '_>,
    op: ReduceOp,
    axes: &[i64],
) -> Result<String, ExportError> {
    let x = d.input(0)?;
    let reduction = d.resolved(Reduction::resolve(axes, d.shape(0)))?;
    let reduced = (0..d.shape(0).len()).filter(|&axis| reduction.is_reduced(axis));
    let op = match op {
        ReduceOp::Sum => "ReduceSum",
        ReduceOp::Mean => "ReduceMean",
        ReduceOp::Max => "ReduceMax",
    };
    Ok(d.reduce(op, &x, &reduced.collect::<Vec<_>>()))
}

/// The same number everywhere: many of them take no room in the file.
pub(super) fn fill(d: &mut Draft<'_, '_, '_>, shape: &[usize], value: f32) -> String {
    if shape.iter().all(|&extent| extent == 1) {
        return d.filled(shape, value);
    }
    let extents: Vec<_> = shape.iter().map(|&extent| extent as i64).collect();
    let extents = d.ints(&extents);
    let number = TensorProto {
        dims: vec![1],
        data_type: Some(DataType::Float as i32),
        raw_data: Some(value.to_le_bytes().to_vec().into()),
        ..TensorProto::default()
    };
    d.add(
        "ConstantOfShape",
        &[&extents],
        vec![attribute::tensor("value", number)],
    )
}
