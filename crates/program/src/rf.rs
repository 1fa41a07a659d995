//! `convolve rf`: what each layer of a network sees of its input, and what a single neuron sees.

mod neuron;

use clap::Args;
use graph::{AxisField, AxisRoles, Graph, LayerField, Misalignment, ReceptiveFields};
use serde_json::{Value, json};

use self::neuron::Place;
use super::failure::usage;
use super::field;
use super::input_shape::InputShape;
use super::model::Subject;
use super::output::{self, Messages};
use super::table::{self, Align};
use super::weights::Asked;

/// What `rf` takes.
#[derive(Args)]
#[command(after_help = "\
field: input elements that one element of the layer sees along an axis, by the longest path; `all` where
a path sees the whole input, such as behind a global pool. jump: how far the fields of two neighbours
lie apart. start, centre: the first element that the first one sees (negative in the padding), and the
middle of what it sees. shortest: the field by the shortest path, where branches were joined.

Examples: convolve rf resnet18
          convolve rf vgg16 --at features.28[3,3]
          convolve rf model.onnx --json")]
pub(crate) struct Arguments {
    /// A network of `convolve models`, an ONNX file, a run folder, a weights file, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL|RUN")]
    model: String,
    /// The exact pixels that a neuron of a layer sees, in all channels; the middle one by default
    #[arg(long, value_name = "LAYER[y,x]")]
    at: Option<Place>,
    /// Channels, height and width of an image; by default those the network was made for
    #[arg(long, value_name = "CxHxW")]
    input: Option<InputShape>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the receptive fields of one network.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let asked = Asked {
        model: &arguments.model,
        weights: None,
        classes: None,
        input: arguments.input,
    };
    let network = Subject::open(&asked, 1, messages)?.network;
    let input = AxisRoles::image(&network);
    let fields = graph::receptive_fields(&network, input).map_err(usage)?;
    if fields.input.is_empty() {
        return Err(usage(format!(
            "{}: its input has no axes of space to see along",
            arguments.model
        )));
    }
    if let Some(place) = &arguments.at {
        return neuron::run(&network, input, &fields, place, arguments.json);
    }
    if arguments.json {
        output::json(&as_json(&network, input, &fields))?;
    } else {
        output::data(as_text(&network, input, &fields))?;
    }
    Ok(())
}

fn as_json(network: &Graph, input: usize, fields: &ReceptiveFields) -> Value {
    let layers: Vec<Value> = fields.layers.iter().map(layer_as_json).collect();
    let apart: Vec<Value> = fields
        .misaligned
        .iter()
        .map(|found| {
            let centres = found.branches.map(|branch| field::number(branch.centre()));
            let jumps = found.branches.map(|branch| field::number(branch.jump()));
            json!({ "layer": found.layer, "axis": found.axis, "centres": centres, "jumps": jumps })
        })
        .collect();
    let mut answer = json!({
        "model": network.name, "input": fields.input, "layers": layers, "misaligned": apart,
    });
    if let Some(name) = one_of_several(network, input) {
        answer["input_name"] = name.into();
    }
    answer
}

fn layer_as_json(row: &LayerField) -> Value {
    json!({
        "layer": row.layer, "op": row.op, "output": row.output, "axes": field::as_json(&row.axes),
        "auxiliary": row.auxiliary,
    })
}

/// The name of the input over which fields are told, where there are others.
pub(super) fn one_of_several(network: &Graph, input: usize) -> Option<&str> {
    let several = network.inputs.len() > 1;
    several.then(|| network.value(network.inputs[input]).name.as_str())
}

fn as_text(network: &Graph, input: usize, fields: &ReceptiveFields) -> String {
    let name = &network.name;
    let rows: Vec<_> = fields.layers.iter().map(row).collect();
    let heading = [
        ("layer", Align::Left),
        ("operator", Align::Left),
        ("map", Align::Right),
        ("field", Align::Right),
        ("jump", Align::Right),
        ("start", Align::Right),
        ("centre", Align::Right),
        ("shortest", Align::Right),
        ("", Align::Left),
    ];
    let mut lines = table::lines(heading, &rows);
    lines.push(String::new());
    let input = match one_of_several(network, input) {
        Some(one) => format!("{} of its input '{one}'", extents(&fields.input)),
        None => extents(&fields.input),
    };
    lines.push(match fields.last_local() {
        Some(row) => format!(
            "{name} on {input}: {} sees {} in steps of {}, padding {}",
            row.layer,
            field::of_longest(&row.axes, geometry::Field::size),
            field::of_longest(&row.axes, geometry::Field::jump),
            field::of_longest(&row.axes, geometry::Field::padding),
        ),
        None => format!("{name} on {input}: no layer sees a window of its own"),
    });
    lines.extend(fields.misaligned.iter().map(apart));
    lines.join("\n")
}

/// Sizes along the axes of space; `1` for what has none.
pub(crate) fn extents(extents: &[usize]) -> String {
    match extents {
        [] => "1".to_owned(),
        extents => table::extents(extents),
    }
}

fn row(row: &LayerField) -> [String; 9] {
    let longest =
        |number: fn(&geometry::Field) -> geometry::Rational| field::of_longest(&row.axes, number);
    let branched = |axis: &AxisField| axis.local.is_some_and(|l| l.shortest != l.longest);
    let shortest = match row.axes.iter().any(branched) {
        true => field::by_axis(row.axes.iter().map(|axis| {
            let size = axis.local.map(|local| local.shortest.size().to_string());
            size.unwrap_or_else(|| field::ALL.to_owned())
        })),
        false => String::new(),
    };
    let apart = |axis: &AxisField| axis.local.is_some_and(|local| !local.aligned);
    [
        row.layer.clone(),
        row.op.to_owned(),
        extents(&row.map),
        match row.axes.is_empty() {
            true => "none".to_owned(),
            false => field::size(&row.axes),
        },
        longest(geometry::Field::jump),
        longest(geometry::Field::first),
        longest(geometry::Field::centre),
        shortest,
        match row.axes.iter().any(apart) {
            true => "misaligned".to_owned(),
            false => String::new(),
        },
    ]
}

/// Where branches meet that lie apart, in words.
fn apart(found: &Misalignment) -> String {
    let [one, two] = found.branches;
    let why = match one.jump() == two.jump() {
        true => format!("centred on {} and on {}", one.centre(), two.centre()),
        false => format!("in steps of {} and of {}", one.jump(), two.jump()),
    };
    format!(
        "misaligned: the branches that meet in {} lie {why} (axis {} of the input)",
        found.layer, found.axis
    )
}
