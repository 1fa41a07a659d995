//! `convolve cost`: the kinds of convolution side by side.

use std::str::FromStr;

use clap::Args;
use geometry::{BlockCost, CostDesc, InputShape, Problem};
use serde_json::{Value, json};

use super::failure::usage;
use super::output;
use super::table::{self, Align, thousands};

/// What `cost` takes.
#[derive(Args)]
#[command(after_help = "\
I input channels, O output channels, k kernel. Weights by the formula; multiply-accumulates are that times
height and width. Stride 1, `same` padding, no biases.

Example: convolve cost --channels-in 256 --channels-out 256 --kernel 3 --size 14")]
pub(crate) struct Arguments {
    /// Input channels, I
    #[arg(long, value_name = "N")]
    channels_in: usize,
    /// Output channels, O
    #[arg(long, value_name = "N")]
    channels_out: usize,
    /// Taps of the kernel along an axis, k
    #[arg(long, value_name = "K", default_value_t = 3)]
    kernel: usize,
    /// Height and width of the map, or one number for both
    #[arg(long, value_name = "HxW", default_value = "14")]
    size: Size,
    /// Groups of the grouped and the shuffled kind, g
    #[arg(long, value_name = "G", default_value_t = 2)]
    groups: usize,
    /// By what a bottleneck narrows its output, r
    #[arg(long, value_name = "R", default_value_t = 4)]
    reduction: usize,
    /// By what an inverted residual widens its input, t
    #[arg(long, value_name = "T", default_value_t = 6)]
    expansion: usize,
    /// One JSON object a line, one for each kind
    #[arg(long)]
    json: bool,
}

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size([usize; 2]);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sizes: Option<Vec<usize>> = text
            .split(['x', '×'])
            .map(|size| size.parse().ok().filter(|&size| size > 0))
            .collect();
        match sizes.as_deref() {
            Some(&[both]) => Ok(Self([both, both])),
            Some(&[height, width]) => Ok(Self([height, width])),
            _ => Err("a height and a width are wanted, as in 14x14".to_owned()),
        }
    }
}

/// Shows the table.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Size(size) = arguments.size;
    let desc = CostDesc::new(
        arguments.channels_in,
        arguments.channels_out,
        arguments.kernel,
        size,
    )
    .groups(arguments.groups)
    .reduction(arguments.reduction)
    .expansion(arguments.expansion);
    let kinds = desc.table().map_err(usage)?;
    if arguments.json {
        for kind in &kinds {
            match kind {
                Ok(kind) => output::json(&as_json(kind, &desc)?)?,
                Err(refused) => output::json(&json!({
                    "kind": refused.name, "refused": refused.source.to_string(),
                }))?,
            }
        }
        return Ok(());
    }
    let made: Vec<&BlockCost> = kinds.iter().flatten().collect();
    let heading = [
        ("kind", Align::Left),
        ("weights", Align::Right),
        ("MACs", Align::Right),
        ("ratio", Align::Right),
        ("field", Align::Right),
        ("formula", Align::Left),
    ];
    let rows: Vec<_> = made.iter().map(|kind| row(kind)).collect();
    output::data(table::lines(heading, &rows).join("\n"))?;
    output::data("")?;
    for kind in &made {
        let Cost { weights, .. } = Cost::of(kind);
        output::data(format_args!("{}: {} = {weights}", kind.name, kind.numbers))?;
    }
    let refused = kinds.iter().filter_map(|kind| kind.as_ref().err());
    for refused in refused {
        output::data(format_args!("{refused}"))?;
    }
    output::data(format_args!(
        "{} → {} channels, {}×{} kernel, {}×{} map; ratio: to the standard convolution",
        desc.channels_in, desc.channels_out, desc.kernel, desc.kernel, size[0], size[1]
    ))?;
    Ok(())
}

/// The numbers of a kind as they are shown.
struct Cost {
    weights: String,
    macs: String,
}

impl Cost {
    fn of(kind: &BlockCost) -> Self {
        Self {
            weights: thousands(kind.cost.parameters as u64),
            macs: thousands(kind.cost.macs as u64),
        }
    }
}

fn row(kind: &BlockCost) -> [String; 6] {
    let Cost { weights, macs } = Cost::of(kind);
    let (over, under) = kind.ratio;
    let field: Vec<String> = kind
        .cost
        .receptive_field
        .iter()
        .map(usize::to_string)
        .collect();
    [
        kind.name.to_owned(),
        weights,
        macs,
        format!("{:.4}", over as f64 / under as f64),
        super::field::by_axis(field),
        kind.formula.to_owned(),
    ]
}

fn as_json(kind: &BlockCost, desc: &CostDesc) -> anyhow::Result<Value> {
    let mut shape = vec![1, desc.channels_in, desc.size[0], desc.size[1]];
    let mut stages = Vec::with_capacity(kind.stages.len());
    for stage in &kind.stages {
        let problem = Problem::Conv(InputShape::new(&shape)?, stage.clone());
        shape = stage.resolve(&shape)?.output_shape();
        stages.push(problem.to_string());
    }
    Ok(json!({
        "kind": kind.name, "formula": kind.formula, "numbers": kind.numbers, "stages": stages,
        "parameters": kind.cost.parameters, "macs": kind.cost.macs,
        "ratio": [kind.ratio.0, kind.ratio.1], "field": kind.cost.receptive_field,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_one_number_or_two() {
        assert_eq!("14".parse(), Ok(Size([14, 14])));
        assert_eq!("7x9".parse(), Ok(Size([7, 9])));
        for text in ["", "0", "7x0", "1x2x3", "a"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
