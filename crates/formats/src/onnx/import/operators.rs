//! The operators, by family. Each function reads a node in the form of its operator set and adds what computes it.

mod activation;
mod arithmetic;
mod choice;
mod convolution;
mod cumulative;
mod gather;
mod normalisation;
mod pooling;
mod product;
mod quantised;
mod rearrange;
mod reduction;
mod regions;
mod sampling;
mod window;

use graph::ValueId;

use super::call::Call;
use super::{Tensor, Value, branch, fold};
use crate::onnx::error::Fault;
use crate::onnx::{DOMAIN, Element};

/// What a node makes, in the order of its outputs; nothing where the operator is not known.
pub(super) fn import(mut call: Call<'_, '_>) -> Result<Option<Vec<Value>>, Fault> {
    match call.domain() {
        "" | "ai.onnx" => {}
        DOMAIN => return regions::own(&mut call),
        _ => return Ok(None),
    }
    if let Some(made) = fold::evaluate(&mut call)? {
        return Ok(Some(made));
    }
    let call = &mut call;
    Ok(Some(match call.op() {
        "Conv" => convolution::conv(call)?,
        "ConvTranspose" => convolution::transposed(call)?,
        "DeformConv" => convolution::deformable(call)?,
        "Col2Im" => convolution::col2im(call)?,
        "ConvInteger" => quantised::conv_integer(call)?,
        "QLinearConv" => quantised::conv(call)?,
        "QuantizeLinear" => quantised::quantize(call)?,
        "DequantizeLinear" => quantised::dequantize(call)?,
        "MaxPool" => pooling::max(call)?,
        "AveragePool" => pooling::average(call)?,
        "LpPool" => pooling::lp(call)?,
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => pooling::global(call)?,
        "MaxUnpool" => pooling::unpool(call)?,
        "BatchNormalization" => normalisation::batch(call)?,
        "InstanceNormalization" => normalisation::instance(call)?,
        "GroupNormalization" => normalisation::group(call)?,
        "LayerNormalization" => normalisation::layer(call)?,
        "RMSNormalization" => normalisation::root_mean_square(call)?,
        "MeanVarianceNormalization" => normalisation::mean_variance(call)?,
        "LRN" => normalisation::local_response(call)?,
        "LpNormalization" => normalisation::lp(call)?,
        "Dropout" => activation::dropout(call)?,
        "Clip" => activation::clip(call)?,
        "PRelu" => activation::prelu(call)?,
        "Softmax" | "LogSoftmax" => activation::softmax(call)?,
        "Cast" | "CastLike" => choice::cast(call)?,
        "Where" => choice::select(call)?,
        "Trilu" => choice::triangle(call)?,
        "Equal" | "Less" | "Greater" | "LessOrEqual" | "GreaterOrEqual" => choice::compare(call)?,
        "ArgMax" | "ArgMin" => reduction::place(call)?,
        "IsNaN" | "IsInf" => choice::classify(call)?,
        "Not" | "And" | "Or" | "Xor" => choice::logic(call)?,
        "Gemm" => product::gemm(call)?,
        "MatMul" => product::matmul(call)?,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Sum" | "Mean" | "Min" | "Max" => {
            arithmetic::binary(call)?
        }
        "If" => branch::choose(call)?,
        "Identity" => match call.value(0) {
            Some(value) => vec![value.clone()],
            None => return crate::onnx::error::wrong("input 0 is missing"),
        },
        op if op.starts_with("Reduce") => match reduction::reduce(call)? {
            Some(made) => made,
            None => return Ok(None),
        },
        "Concat" => rearrange::concat(call)?,
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => rearrange::reshape(call)?,
        "Transpose" => rearrange::transpose(call)?,
        "Expand" => rearrange::expand(call)?,
        "Tile" => rearrange::tile(call)?,
        "Slice" => rearrange::slice(call)?,
        "Split" => rearrange::split(call)?,
        "Gather" => gather::along(call)?,
        "GatherND" => gather::blocks(call)?,
        "GatherElements" => gather::elements(call)?,
        "ScatterND" => gather::put_blocks(call)?,
        "ScatterElements" | "Scatter" => gather::put_elements(call)?,
        "CumSum" => cumulative::sums(call)?,
        "Pad" => rearrange::pad(call)?,
        "DepthToSpace" | "SpaceToDepth" => rearrange::blocks(call)?,
        "Resize" | "Upsample" => sampling::resize(call)?,
        "GridSample" => sampling::grid_sample(call)?,
        "AffineGrid" => sampling::affine_grid(call)?,
        "RoiAlign" => regions::align(call)?,
        "MaxRoiPool" => regions::max(call)?,
        _ => match activation::unary(call)? {
            Some(made) => made,
            None => return Ok(None),
        },
    }))
}

/// One value of the graph.
fn one(id: ValueId, element: Element) -> Vec<Value> {
    vec![Value::Tensor(Tensor { id, element })]
}
