//! Matrix products.

use geometry::ConvDesc;
use graph::{BinaryOp, Op, ParameterKind, ValueId};

use super::convolution::convolved;
use super::one;
use crate::onnx::error::{Fault, wrong};
use crate::onnx::import::Value;
use crate::onnx::import::call::Call;
use crate::onnx::import::parameters::Purpose;

/// `Gemm`: `alpha · A · B + beta · C`
pub(super) fn gemm(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    let x = call.tensor(0)?;
    let mut a = x.id;
    if call.flag("transA", false) {
        a = call.permute(a, &[1, 0])?;
    }
    // A linear layer's weight is `[outputs, inputs]`.
    let weight = match call.flag("transB", false) {
        true => call.learned(1, ParameterKind::Weight)?,
        false => call.transposed_weight(1)?,
    };
    let outputs = call.shape(weight).first().copied().unwrap_or(0);
    let fused = alpha == 1.0 && beta == 1.0 && call.given(2) && call.shape_of(2)? == [outputs];
    if fused {
        let bias = call.learned(2, ParameterKind::Bias)?;
        let y = call.push(Op::Linear { bias: true }, vec![a, weight, bias])?;
        return Ok(one(y, x.element));
    }
    let mut y = call.push(Op::Linear { bias: false }, vec![a, weight])?;
    if alpha != 1.0 {
        y = call.scalar(BinaryOp::Mul, y, alpha)?;
    }
    if call.given(2) && beta != 0.0 {
        let mut c = call.learned(2, ParameterKind::Bias)?;
        if beta != 1.0 {
            c = call.scalar(BinaryOp::Mul, c, beta)?;
        }
        y = call.binary(BinaryOp::Add, y, c)?;
    }
    Ok(one(y, x.element))
}

/// `MatMul`, as NumPy's: matrices in the last two axes, those before broadcast; a vector is a row or a column.
pub(super) fn matmul(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Fault> {
    let element = call.element(0)?;
    let (a, b) = (call.shape_of(0)?, call.shape_of(1)?);
    if a.is_empty() || b.is_empty() {
        return wrong(format!("a product of shapes {a:?} and {b:?}"));
    }
    if b.len() == 2 {
        let weight = call.transposed_weight(1)?;
        let x = call.tensor(0)?.id;
        let inner = a[a.len() - 1];
        let rows = a[..a.len() - 1].iter().product();
        let x = call.reshape(x, &[rows, inner])?;
        let y = call.push(Op::Linear { bias: false }, vec![x, weight])?;
        let shape = [&a[..a.len() - 1], &b[1..]].concat();
        return Ok(one(call.reshape(y, &shape)?, element));
    }
    let purpose = Purpose::Learned(ParameterKind::Weight);
    let (mut x, mut y) = (
        call.tensor_for(0, purpose)?.id,
        call.tensor_for(1, purpose)?.id,
    );
    if a.len() == 1 {
        x = call.reshape(x, &[1, a[0]])?;
    }
    if b.len() == 1 {
        y = call.reshape(y, &[b[0], 1])?;
    }
    let product = products(call, x, y)?;
    let mut shape = call.shape(product).to_vec();
    let rank = shape.len();
    if b.len() == 1 {
        shape.remove(rank - 1);
    }
    if a.len() == 1 {
        shape.remove(rank - 2);
    }
    Ok(one(call.reshape(product, &shape)?, element))
}

/// Products of many matrices `[…, m, k]` and `[…, k, n]`: a pointwise convolution over n positions, a group for
/// each pair, its weight the first matrix and its channels the rows of the second.
fn products(call: &mut Call<'_, '_>, a: ValueId, b: ValueId) -> Result<ValueId, Fault> {
    let (left, right) = (call.shape(a).to_vec(), call.shape(b).to_vec());
    let ([outer_a @ .., m, k], [outer_b @ .., k_b, n]) = (&left[..], &right[..]) else {
        return wrong(format!("a product of shapes {left:?} and {right:?}"));
    };
    if k != k_b {
        return wrong(format!("a product of shapes {left:?} and {right:?}"));
    }
    let broadcast = geometry::Broadcast::resolve(outer_a, outer_b)?;
    let outer = broadcast.shape().to_vec();
    let a = call.expand(a, &[&outer[..], &[*m, *k]].concat())?;
    let b = call.expand(b, &[&outer[..], &[*k, *n]].concat())?;
    let pairs: usize = outer.iter().product();
    let weight = call.reshape(a, &[pairs * m, *k, 1])?;
    let x = call.reshape(b, &[1, pairs * k, *n])?;
    let desc = ConvDesc::new(pairs * m, 1).groups(pairs);
    desc.resolve(call.shape(x))?;
    let y = convolved(call, desc, x, weight, None)?;
    call.reshape(y, &[&outer[..], &[*m, *n]].concat())
}
