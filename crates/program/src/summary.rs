//! `convolve summary`: a network layer by layer.

mod csv;
mod json;
mod measured;
mod text;

use clap::Args;
use graph::{
    AxisField, AxisRoles, Count, Counting, Graph, LayerSummary, ReceptiveFieldError, Summary,
    Traffic,
};

use self::measured::{Measured, Taken};
use super::engine::Engine;
use super::input_shape::InputShape;
use super::model::{Origin, Subject};
use super::output::{self, Messages};
use super::weights::{Asked, Network};

/// What `summary` takes.
#[derive(Args)]
#[command(after_help = "\
field: input elements that one element of the layer sees along an axis; jump: how far the fields of two
neighbours lie apart (`convolve rf` tells more). bytes: what the layer reads and writes if it is computed
by itself; FLOP/B: two operations for every multiply-accumulate, to a byte. --json and --csv have every
number in full.

Examples: convolve summary resnet20 --input 3x32x32
          convolve summary resnet18 --weights resnet18.safetensors
          convolve summary resnet50 --time
          convolve summary resnet50 --count-like ptflops")]
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
    /// Measure every layer too: milliseconds, GFLOP/s and share of the processor's limit. Layers that are
    /// computed with the one before them have no time of their own
    #[arg(long)]
    time: bool,
    /// Count as another program does: fvcore, torchinfo, ptflops or torch
    #[arg(long, value_name = "PROGRAM", default_value_t)]
    count_like: Counting,
    /// Names in full, however long the lines become
    #[arg(long)]
    wide: bool,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// A line a layer, separated by commas
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Everything that is told of a network.
struct Told<'a> {
    name: &'a str,
    image: &'a [usize],
    summary: Summary,
    /// What each layer sees of the input, in the order of the rows.
    fields: Result<Vec<Vec<AxisField>>, ReceptiveFieldError>,
    counting: Counting,
    count: Count,
    /// The most bytes of feature maps that are alive at once.
    activations: u64,
    measured: Option<Measured>,
    weights: Option<String>,
}

/// One layer of all that.
struct Row<'a> {
    summary: &'a LayerSummary,
    axes: &'a [AxisField],
    count: Option<u64>,
    taken: Option<Taken>,
}

impl Told<'_> {
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let fields = self.fields.as_deref().unwrap_or_default();
        let rows = self.summary.rows.iter().enumerate();
        rows.map(|(place, summary)| Row {
            summary,
            axes: fields.get(place).map_or(&[], Vec::as_slice),
            count: self.count.nodes.get(place).copied().flatten(),
            taken: self.measured.as_ref().and_then(|m| m.layers[place]),
        })
    }
}

/// Shows the table of one network.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let asked = Asked {
        model: &arguments.model,
        weights: arguments.weights.as_deref(),
        classes: arguments.num_classes,
        input: arguments.input,
    };
    let mut subject = Subject::open(&asked, 1, messages)?;
    let weights = match &subject.origin {
        Origin::Named(named) => weights_line(named, &subject.network)?,
        Origin::Onnx(..) => None,
    };
    let summary = graph::summary(&subject.network);
    let measured = match arguments.time {
        true => Some(Measured::of(&mut subject, &summary, &arguments.engine)?),
        false => None,
    };
    let network = &subject.network;
    let told = Told {
        name: &network.name,
        image: &subject.image,
        summary,
        fields: fields(network),
        counting: arguments.count_like,
        count: arguments.count_like.count(network),
        activations: Traffic::of(network).peak_activations(),
        measured,
        weights,
    };
    match (arguments.json, arguments.csv) {
        (true, _) => output::json(&json::of(&told))?,
        (_, true) => output::data(csv::of(&told))?,
        _ => output::data(text::of(&told, arguments.wide))?,
    }
    Ok(())
}

/// What each layer sees. That it cannot be told is no reason to tell nothing else.
fn fields(network: &Graph) -> Result<Vec<Vec<AxisField>>, ReceptiveFieldError> {
    let layers = graph::receptive_fields(network, AxisRoles::image(network))?.layers;
    Ok(layers.into_iter().map(|row| row.axes).collect())
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
