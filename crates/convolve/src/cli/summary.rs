//! `convolve summary`: a network layer by layer.

use clap::Args;
use graph::{LayerSummary, Summary};
use serde_json::{Value, json};
use zoo::BuildOptions;

use super::failure::usage;
use super::output;
use super::table::{self, Align, thousands};

/// How the totals are counted, said wherever they are shown.
const CONVENTION: &str = "multiply-accumulates of one image, products with padding counted, biases not; \
                          a FLOP count is twice that";

/// What `summary` takes.
#[derive(Args)]
#[command(after_help = "Example: convolve summary resnet20 --input 3x32x32")]
pub(crate) struct Arguments {
    /// A network of `convolve models`
    #[arg(value_name = "MODEL")]
    model: String,
    /// Channels, height and width of an image; by default those the network was made for
    #[arg(long, value_name = "CxHxW", value_parser = parse_input)]
    input: Option<[usize; 3]>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// `3x224x224` → channels, height, width.
fn parse_input(text: &str) -> Result<[usize; 3], String> {
    let extents: Vec<usize> = text
        .split(['x', '×'])
        .map(|extent| extent.parse().ok().filter(|&extent| extent > 0))
        .collect::<Option<_>>()
        .unwrap_or_default();
    <[usize; 3]>::try_from(extents)
        .map_err(|_| "channels, height and width are wanted, as in 3x224x224".to_owned())
}

/// Shows the table of one network.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let found = zoo::find(&arguments.model).map_err(usage)?;
    let [channels, height, width] = arguments.input.unwrap_or(found.model.input);
    let options = BuildOptions {
        channels,
        height,
        width,
        ..found.model.options()
    };
    let network = found.build(&options).map_err(usage)?;
    let summary = graph::summary(&network);
    let input = [channels, height, width];
    if arguments.json {
        output::json(&as_json(&network.name, input, &summary))?;
    } else {
        output::data(as_text(&network.name, input, &summary))?;
    }
    Ok(())
}

fn as_json(name: &str, input: [usize; 3], summary: &Summary) -> Value {
    let layers: Vec<Value> = summary.rows.iter().map(layer_as_json).collect();
    json!({
        "model": name, "input": input, "layers": layers,
        "parameters": summary.parameters, "macs": summary.macs,
        "convention": CONVENTION, "not_counted": summary.not_counted,
    })
}

fn layer_as_json(row: &LayerSummary) -> Value {
    json!({
        "layer": row.layer, "op": row.op, "output": row.output, "kernel": row.kernel,
        "parameters": row.parameters, "macs": row.macs,
    })
}

fn as_text(name: &str, input: [usize; 3], summary: &Summary) -> String {
    let shape = |extents: &[usize]| {
        let extents: Vec<String> = extents.iter().map(usize::to_string).collect();
        extents.join("×")
    };
    let rows: Vec<_> = summary
        .rows
        .iter()
        .map(|row| {
            [
                row.layer.clone(),
                row.op.to_owned(),
                row.kernel.clone(),
                shape(row.output.get(1..).unwrap_or_default()),
                match row.parameters {
                    0 => String::new(),
                    count => thousands(count),
                },
                row.macs.map(thousands).unwrap_or_default(),
            ]
        })
        .collect();
    let heading = [
        ("layer", Align::Left),
        ("operator", Align::Left),
        ("kernel", Align::Left),
        ("output", Align::Right),
        ("parameters", Align::Right),
        ("MACs", Align::Right),
    ];
    let mut lines = table::lines(heading, &rows);
    lines.push(String::new());
    lines.push(format!(
        "{name} on {}: {} parameters, {} MACs",
        shape(&input),
        thousands(summary.parameters),
        thousands(summary.macs)
    ));
    lines.push(format!("MACs: {CONVENTION}"));
    if !summary.not_counted.is_empty() {
        lines.push(format!("not counted: {}", summary.not_counted.join(", ")));
    }
    lines.join("\n")
}
