//! `convolve eval`: how well a trained network does.

use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};
use train::{Evaluation, Evaluator, Loss, Replaced, Weights};

use super::bar::{Bar, clock};
use super::engine::Engine;
use super::failure::Interrupted;
use super::held_out::{self, Pictures, Wanted};
use super::output::Messages;
use super::printable::printable;
use super::table::{self, Align};
use super::{interrupt, output, weights};

/// What `eval` takes.
#[derive(Args)]
#[command(after_help = "\
Measured on the held-out pictures of the data the run was trained on, unless --data names others.
Of those the held-out part (val/, t10k-…, test_batch.bin, or --val-fraction) is taken, or all
pictures where there is none. Where the run's own data have gone elsewhere, --data says where.

Examples: convolve eval runs/resnet20-shapes-1
          convolve eval hf-hub:timm/resnet18.a1_in1k --data imagenet/")]
pub(crate) struct Arguments {
    /// A run folder, whose best weights are taken, a weights file, an ONNX file, hf-hub:ORG/NAME, or with
    /// --weights a network of `convolve models`
    #[arg(value_name = "RUN|MODEL")]
    run: String,
    /// The network's weights: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// A folder of images, an IDX file, CIFAR-10 binary, or shapes
    #[arg(long, visible_alias = "data-dir", value_name = "shapes|DIR|FILE")]
    data: Option<String>,
    /// The part of --data that was held out of training
    #[arg(long, value_name = "PART", value_parser = parse_fraction)]
    val_fraction: Option<f64>,
    /// The seed that chose the held-out part
    #[arg(long)]
    seed: Option<u64>,
    /// Pictures at once
    #[arg(short, long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object, with the confusion matrix (a row a class, a column an answer); `classes` are those
    /// that pictures have or that were answered, `class` their places in the network
    #[arg(long)]
    json: bool,
}

fn parse_fraction(text: &str) -> Result<f64, String> {
    let fraction = text.parse().ok();
    fraction
        .filter(|&fraction| 0.0 < fraction && fraction < 1.0)
        .ok_or_else(|| "a number in (0, 1) is wanted, both ends left out".to_owned())
}

/// Classifies a data set and compares.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let (reference, model) = match &arguments.weights {
        None if weights::lacks_weights(arguments.run.as_ref()) => {
            return Err(weights::lacking(&arguments.run));
        }
        Some(weights) => (weights, Some(arguments.run.as_str())),
        None => (&arguments.run, None),
    };
    if model.is_some() {
        weights::must_need_weights(&arguments.run)?;
    }
    let place = weights::locate(reference, messages)?;
    let mut weights = Weights::open(&place, model)?;
    if let Some(replaced) = Replaced::found(&place, &weights) {
        messages.say(format_args!("warning: {replaced}"));
    }
    let wanted = Wanted {
        data: arguments.data.as_deref(),
        val_fraction: arguments.val_fraction,
        seed: arguments.seed,
    };
    let pictures = wanted.open(&place)?;
    let caution = pictures.caution();
    let Pictures { dataset, part, .. } = pictures;
    let batch = dataset.len().clamp(1, arguments.batch_size.into());
    let options = arguments.engine.options();
    let mut evaluator = Evaluator::from_weights(&mut weights, batch, &options)?;
    held_out::say_order(&evaluator.class_places(&*dataset)?, messages);
    messages.say(format_args!(
        "{} {part}",
        table::thousands(dataset.len() as u64)
    ));
    if let Some(caution) = caution {
        messages.say(caution);
    }

    let stop = interrupt::stop_flag();
    let (bar, start) = (Bar::new(messages), Instant::now());
    let mut show = |done: usize, total: usize| {
        let rate = done as f64 / start.elapsed().as_secs_f64();
        let left = clock((total - done) as f64 / rate);
        let details = format!("{rate:.0} images/s  ETA {left}");
        bar.show("classifying".to_owned(), done, total, details);
    };
    let evaluation = evaluator.evaluate_until(dataset, &mut show, stop);
    bar.clear();
    let evaluation = evaluation?.ok_or_else(|| Interrupted("interrupted".to_owned()))?;
    if !evaluation.skipped.is_empty() {
        messages.say(format_args!("warning: {}", evaluation.skipped));
    }
    let classes = &weights.card().classes;
    if arguments.json {
        output::json(&as_json(&evaluation, classes))?;
    } else {
        output::data(as_text(&evaluation, classes))?;
    }
    Ok(())
}

fn as_json(evaluation: &Evaluation, labels: &[String]) -> Value {
    // A class that no picture has and that was never answered says nothing, and there may be a thousand.
    let shown = met(evaluation);
    let classes: Vec<Value> = shown
        .iter()
        .map(|&class| {
            let (pictures, correct) = evaluation.class(class);
            json!({
                "class": class, "label": labels[class], "pictures": pictures, "correct": correct,
            })
        })
        .collect();
    let rows = shown.iter().map(|&class| {
        let row = &evaluation.confusion[class * evaluation.classes..];
        shown.iter().map(|&answer| row[answer]).collect()
    });
    let confusion: Vec<Vec<u64>> = rows.collect();
    json!({
        "pictures": evaluation.pictures, "correct": evaluation.correct(),
        "accuracy": evaluation.accuracy(), "top5_accuracy": evaluation.top5_accuracy(),
        "loss": evaluation.loss(), "skipped": evaluation.skipped.count,
        "classes": classes, "confusion": confusion,
    })
}

/// Classes that pictures have or that were answered, in the order of the network.
fn met(evaluation: &Evaluation) -> Vec<usize> {
    let classes = evaluation.classes;
    let mut met = vec![false; classes];
    for (place, &pictures) in evaluation.confusion.iter().enumerate() {
        if pictures > 0 {
            met[place / classes] = true;
            met[place % classes] = true;
        }
    }
    (0..classes).filter(|&class| met[class]).collect()
}

fn as_text(evaluation: &Evaluation, labels: &[String]) -> String {
    let percent = |part: f64| format!("{:.2} %", 100.0 * part);
    let rows: Vec<_> = labels
        .iter()
        .enumerate()
        .map(|(class, label)| (label, evaluation.class(class)))
        .filter(|(_, (pictures, _))| *pictures > 0)
        .map(|(label, (pictures, correct))| {
            [
                printable(label),
                pictures.to_string(),
                correct.to_string(),
                percent(correct as f64 / pictures as f64),
            ]
        })
        .collect();
    let heading = [
        ("class", Align::Left),
        ("pictures", Align::Right),
        ("correct", Align::Right),
        ("accuracy", Align::Right),
    ];
    let mut lines = table::lines(heading, &rows);
    match labels.len() - rows.len() {
        0 => {}
        1 => lines.push("1 class more, without pictures".to_owned()),
        rest => lines.push(format!("{rest} classes more, without pictures")),
    }
    lines.push(String::new());
    // Of five classes the right one is always among the first five.
    let top5 = match labels.len() {
        0..=5 => String::new(),
        _ => format!(", top-5 {}", percent(evaluation.top5_accuracy())),
    };
    lines.push(format!(
        "accuracy {} ({} of {}){top5}, loss {}",
        percent(evaluation.accuracy()),
        evaluation.correct(),
        evaluation.pictures,
        Loss(evaluation.loss())
    ));
    lines.join("\n")
}
