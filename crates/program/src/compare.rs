//! `convolve compare`: two networks side by side.

use clap::Args;
use serde_json::{Value, json};

use super::bench::{gflops, peak_gflops, profile, significant};
use super::engine::Engine;
use super::field;
use super::input_shape::InputShape;
use super::model::Subject;
use super::output::{self, Messages};
use super::table::{self, Align, thousands};
use super::weights::Asked;

/// What `compare` takes.
#[derive(Args)]
#[command(after_help = "\
Each network is built for its own images unless --input says otherwise. field and jump are those of the
last layer that sees a window of the input.

Examples: convolve compare resnet18 mobilenet_v2
          convolve compare resnet50 resnet50.onnx --time")]
pub(crate) struct Arguments {
    /// Networks of `convolve models`, ONNX files, run folders, weights files, or hf-hub:ORG/NAME
    #[arg(value_name = "MODEL", num_args = 2)]
    models: Vec<String>,
    /// Channels, height and width of an image; by default those each network was made for
    #[arg(long, value_name = "CxHxW")]
    input: Option<InputShape>,
    /// Measure both: milliseconds of one image, GFLOP/s and share of the processor's limit
    #[arg(long)]
    time: bool,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What is told of a network.
struct Column {
    name: String,
    image: Vec<usize>,
    parameters: u64,
    macs: u64,
    nodes: usize,
    convolutions: usize,
    bytes: u64,
    activations: u64,
    field: String,
    jump: String,
    /// Milliseconds of a run, and GFLOP/s at that.
    time: Option<[f64; 2]>,
}

/// Shows both networks.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let mut columns = Vec::with_capacity(2);
    for model in &arguments.models {
        let asked = Asked {
            model,
            weights: None,
            classes: None,
            input: arguments.input,
        };
        let mut subject = Subject::open(&asked, 1, messages)?;
        columns.push(column(&mut subject, &arguments)?);
    }
    let peak = match arguments.time {
        true => Some(peak_gflops(&arguments.engine)?),
        false => None,
    };
    if arguments.json {
        let models: Vec<Value> = columns.iter().map(|column| as_json(column, peak)).collect();
        output::json(&json!({ "models": models, "peak_gflops": peak.map(significant) }))?;
    } else {
        output::data(as_text(&columns, peak))?;
    }
    Ok(())
}

fn column(subject: &mut Subject, arguments: &Arguments) -> anyhow::Result<Column> {
    let summary = graph::summary(&subject.network);
    let time = match arguments.time {
        true => Some(time(subject, &arguments.engine)?),
        false => None,
    };
    let network = &subject.network;
    let fields = graph::receptive_fields(network, graph::AxisRoles::image(network));
    let last = fields.as_ref().ok().and_then(|fields| fields.last_local());
    let axes = last.map_or(&[][..], |row| row.axes.as_slice());
    let longest = |number: fn(&geometry::Field) -> geometry::Rational| match &fields {
        Ok(_) => field::of_longest(axes, number),
        Err(_) => "not known".to_owned(),
    };
    let used = || summary.rows.iter().filter(|row| !row.auxiliary);
    Ok(Column {
        name: network.name.clone(),
        image: subject.image.clone(),
        parameters: summary.parameters - summary.auxiliary_parameters,
        macs: summary.macs,
        nodes: used().count(),
        convolutions: used().filter(|row| row.op.contains("conv")).count(),
        bytes: used().map(|row| row.bytes).fold(0, u64::saturating_add),
        activations: graph::Traffic::of(network).peak_activations(),
        field: longest(geometry::Field::size),
        jump: longest(geometry::Field::jump),
        time: time.map(|ms| [ms, gflops(summary.macs, ms)]),
    })
}

/// Milliseconds of a forward run on one image: the sum of the median times of its steps.
fn time(subject: &mut Subject, engine: &Engine) -> anyhow::Result<f64> {
    let steps = profile(subject, engine)?;
    Ok(steps.iter().map(|step| step.milliseconds).sum())
}

fn as_json(column: &Column, peak: Option<f64>) -> Value {
    let mut all = json!({
        "model": column.name, "input": column.image, "parameters": column.parameters,
        "macs": column.macs, "layers": column.nodes, "convolutions": column.convolutions,
        "bytes": column.bytes, "peak_activation_bytes": column.activations,
        "field": column.field, "jump": column.jump,
    });
    if let (Some([ms, gflops]), Some(peak)) = (column.time, peak) {
        all["median_ms"] = significant(ms).into();
        all["gflops"] = significant(gflops).into();
        all["of_peak"] = significant(gflops / peak).into();
    }
    all
}

fn as_text(columns: &[Column], peak: Option<f64>) -> String {
    let count = |what: &str, number: fn(&Column) -> u64| {
        let numbers: Vec<u64> = columns.iter().map(number).collect();
        let ratio = numbers[1] as f64 / numbers[0] as f64;
        [
            what.to_owned(),
            thousands(numbers[0]),
            thousands(numbers[1]),
            match numbers[0] {
                0 => String::new(),
                _ => format!("{ratio:.3}"),
            },
        ]
    };
    let word = |what: &str, word: fn(&Column) -> String| {
        let words = columns.iter().map(word).collect::<Vec<_>>();
        [
            what.to_owned(),
            words[0].clone(),
            words[1].clone(),
            String::new(),
        ]
    };
    let mut rows = vec![
        word("input", |c| table::extents(&c.image)),
        count("parameters", |c| c.parameters),
        count("MACs", |c| c.macs),
        count("layers", |c| c.nodes as u64),
        count("convolutions among them", |c| c.convolutions as u64),
        count("bytes moved, layer by layer", |c| c.bytes),
        count("bytes of feature maps at once", |c| c.activations),
        word("field", |c| c.field.clone()),
        word("jump", |c| c.jump.clone()),
    ];
    if let (Some(a), Some(b), Some(peak)) = (columns[0].time, columns[1].time, peak) {
        let real = |what: &str, [a, b]: [f64; 2], places: usize| {
            let ratio = format!("{:.3}", b / a);
            [
                what.to_owned(),
                format!("{a:.places$}"),
                format!("{b:.places$}"),
                ratio,
            ]
        };
        rows.push(real("ms for one image", [a[0], b[0]], 3));
        rows.push(real("GFLOP/s", [a[1], b[1]], 1));
        rows.push(real("% of peak", [a[1], b[1]].map(|g| 100.0 * g / peak), 1));
    }
    let heading = [
        ("", Align::Left),
        (columns[0].name.as_str(), Align::Right),
        (columns[1].name.as_str(), Align::Right),
        ("ratio", Align::Right),
    ];
    table::lines(heading, &rows).join("\n")
}
