//! `convolve summary`: a network layer by layer.

use std::path::Path;

use clap::Args;
use graph::{Graph, LayerSummary, Summary};
use serde_json::{Value, json};
use zoo::BuildOptions;

use super::input_shape::InputShape;
use super::table::{self, Align, thousands};
use super::{model, output, trained};

/// How the totals are counted, said wherever they are shown.
const CONVENTION: &str = "multiply-accumulates of one image, products with padding counted, biases not; \
                          a FLOP count is twice that";

/// What `summary` takes.
#[derive(Args)]
#[command(after_help = "Example: convolve summary resnet20 --input 3x32x32")]
pub(crate) struct Arguments {
    /// A network of `convolve models`, an ONNX file, a run folder or a weights file
    #[arg(value_name = "MODEL|RUN")]
    model: String,
    /// Channels, height and width of an image; by default those the network was made for
    #[arg(long, value_name = "CxHxW")]
    input: Option<InputShape>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the table of one network.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (network, input) = build(&arguments)?;
    let summary = graph::summary(&network);
    if arguments.json {
        output::json(&as_json(&network.name, &input, &summary))?;
    } else {
        output::data(as_text(&network.name, &input, &summary))?;
    }
    Ok(())
}

/// A network of the zoo, of a file or of a training, for one image, and that image's extents.
fn build(arguments: &Arguments) -> anyhow::Result<(Graph, Vec<usize>)> {
    let name = &arguments.model;
    let path = Path::new(name);
    if model::is_onnx(path) {
        let import = model::for_batch(path, 1, arguments.input)?;
        let image = import.inputs.first().and_then(|edge| edge.shape.get(1..));
        let image = image.unwrap_or_default().to_vec();
        return Ok((import.graph, image));
    }
    let (found, mut options) = match zoo::find(name) {
        Ok(found) => (found, found.model.options()),
        Err(_) if path.exists() || trained::is_trained(path) => {
            let card = trained::open(path)?.card;
            let (height, width) = card.preprocess.input;
            let options = BuildOptions {
                batch: 1,
                channels: card.preprocess.channels,
                height,
                width,
                classes: card.classes.len(),
            };
            (zoo::find(&card.model)?, options)
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(InputShape([channels, height, width])) = arguments.input {
        options = BuildOptions {
            channels,
            height,
            width,
            ..options
        };
    }
    let input = vec![options.channels, options.height, options.width];
    Ok((found.build(&options)?, input))
}

fn as_json(name: &str, input: &[usize], summary: &Summary) -> Value {
    let layers: Vec<Value> = summary.rows.iter().map(layer_as_json).collect();
    json!({
        "model": name, "input": input, "layers": layers,
        "parameters": summary.parameters, "macs": summary.macs,
        "auxiliary_parameters": summary.auxiliary_parameters, "auxiliary_macs": summary.auxiliary_macs,
        "convention": CONVENTION, "not_counted": summary.not_counted,
    })
}

fn layer_as_json(row: &LayerSummary) -> Value {
    json!({
        "layer": row.layer, "op": row.op, "output": row.output, "kernel": row.kernel,
        "parameters": row.parameters, "macs": row.macs, "auxiliary": row.auxiliary,
    })
}

fn as_text(name: &str, input: &[usize], summary: &Summary) -> String {
    let shape = |extents: &[usize]| {
        let extents: Vec<String> = extents.iter().map(usize::to_string).collect();
        extents.join("×")
    };
    let rows: Vec<_> = summary
        .rows
        .iter()
        .map(|row| {
            [
                match row.auxiliary {
                    true => format!("{} (training only)", row.layer),
                    false => row.layer.clone(),
                },
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
        shape(input),
        thousands(summary.parameters),
        thousands(summary.macs)
    ));
    if summary.rows.iter().any(|row| row.auxiliary) {
        lines.push(format!(
            "heads for training only: {} of the parameters, {} MACs besides",
            thousands(summary.auxiliary_parameters),
            thousands(summary.auxiliary_macs)
        ));
    }
    lines.push(format!("MACs: {CONVENTION}"));
    if !summary.not_counted.is_empty() {
        lines.push(format!("not counted: {}", summary.not_counted.join(", ")));
    }
    lines.join("\n")
}
