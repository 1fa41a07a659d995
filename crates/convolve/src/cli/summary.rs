//! `convolve summary`: a network layer by layer.

use clap::Args;
use graph::{Graph, LayerSummary, Summary};
use serde_json::{Value, json};

use super::input_shape::InputShape;
use super::model::{Origin, Subject};
use super::output::{self, Messages};
use super::table::{self, Align, thousands};
use super::weights::{Asked, Network};

/// How the totals are counted, said wherever they are shown.
const CONVENTION: &str = "multiply-accumulates of one image, products with padding counted, biases not; \
                          a FLOP count is twice that";

/// What `summary` takes.
#[derive(Args)]
#[command(after_help = "\
Examples: convolve summary resnet20 --input 3x32x32
          convolve summary resnet18 --weights resnet18.safetensors")]
pub(crate) struct Arguments {
    /// A network of `convolve models`, an ONNX file, a run folder, a weights file, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL|RUN")]
    model: String,
    /// Weights that must fit the network: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// Classes to tell apart [default: those of the weights or the network]
    #[arg(long, value_name = "N")]
    num_classes: Option<usize>,
    /// Channels, height and width of an image; by default those the network was made for
    #[arg(long, value_name = "CxHxW")]
    input: Option<InputShape>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the table of one network.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let asked = Asked {
        model: &arguments.model,
        weights: arguments.weights.as_deref(),
        classes: arguments.num_classes,
        input: arguments.input,
    };
    let subject = Subject::open(&asked, 1, messages)?;
    let network = &subject.network;
    let summary = graph::summary(network);
    let weights = match &subject.origin {
        Origin::Named(named) => weights_line(named, network)?,
        Origin::Onnx(..) => None,
    };
    if arguments.json {
        output::json(&as_json(
            &network.name,
            &subject.image,
            &summary,
            weights.as_deref(),
        ))?;
    } else {
        output::data(as_text(
            &network.name,
            &subject.image,
            &summary,
            weights.as_deref(),
        ))?;
    }
    Ok(())
}

/// Where the weights are, and what of the network they leave to be learned.
fn weights_line(named: &Network, network: &Graph) -> anyhow::Result<Option<String>> {
    let Some(weights) = &named.weights else {
        return Ok(None);
    };
    let origin = weights.origin();
    // They fit the network they are of; this may be built for other images.
    if !weights.check_body(network)? {
        let missing = match weights.absent_heads().as_slice() {
            [] => "nothing missing".to_owned(),
            heads => format!("without {}", heads.join(" and ")),
        };
        return Ok(Some(format!("{origin}, {missing} and nothing left over")));
    }
    let head = named.architecture.head(&named.options)?;
    let names: Vec<&str> = head.names().collect();
    Ok(Some(format!(
        "{origin}, but for the head, which starts anew ({})",
        names.join(", ")
    )))
}

fn as_json(name: &str, input: &[usize], summary: &Summary, weights: Option<&str>) -> Value {
    let layers: Vec<Value> = summary.rows.iter().map(layer_as_json).collect();
    let mut table = json!({
        "model": name, "input": input, "layers": layers,
        "parameters": summary.parameters, "macs": summary.macs,
        "auxiliary_parameters": summary.auxiliary_parameters, "auxiliary_macs": summary.auxiliary_macs,
        "convention": CONVENTION, "not_counted": summary.not_counted,
    });
    if let Some(weights) = weights {
        table["weights"] = weights.into();
    }
    table
}

fn layer_as_json(row: &LayerSummary) -> Value {
    json!({
        "layer": row.layer, "op": row.op, "output": row.output, "kernel": row.kernel,
        "parameters": row.parameters, "macs": row.macs, "auxiliary": row.auxiliary,
    })
}

fn as_text(name: &str, input: &[usize], summary: &Summary, weights: Option<&str>) -> String {
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
    lines.extend(weights.map(|weights| format!("weights: {weights}")));
    lines.push(format!("MACs: {CONVENTION}"));
    if !summary.not_counted.is_empty() {
        lines.push(format!("not counted: {}", summary.not_counted.join(", ")));
    }
    lines.join("\n")
}
