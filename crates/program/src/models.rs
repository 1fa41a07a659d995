//! `convolve models`: the networks of the zoo.

use clap::Args;
use serde_json::json;
use zoo::models;

use super::output;
use super::table::{self, Align, extents, thousands};

/// What `models` takes.
#[derive(Args)]
#[command(after_help = "\
A width multiplier may follow a name: resnet20:2, mobilenet_v1:0.5. Other names that are understood:
dcgan (dcgan_generator), shufflenet_v1 (shufflenet_v1_g3), shufflenet_v2 (shufflenet_v2_x1_0).")]
pub(crate) struct Arguments {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Lists every model with its cost on the input it was made for.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for model in models() {
        let network = zoo::build(model.name, &model.options())?;
        let cost = graph::summary(&network);
        if arguments.json {
            let aliases = zoo::aliases().filter(|(_, of)| *of == model.name);
            let aliases: Vec<_> = aliases.map(|(alias, _)| alias).collect();
            output::json(&json!({
                "model": model.name, "aliases": aliases, "task": model.task.to_string(),
                "input": model.input, "classes": model.classes,
                "parameters": cost.parameters, "macs": cost.macs,
                "summary": model.summary, "paper": model.paper,
            }))?;
            continue;
        }
        rows.push([
            model.name.to_owned(),
            extents(&model.input),
            model.classes.to_string(),
            thousands(cost.parameters),
            thousands(cost.macs),
            model.summary.to_owned(),
        ]);
    }
    if !arguments.json {
        let heading = [
            ("model", Align::Left),
            ("input", Align::Right),
            ("classes", Align::Right),
            ("parameters", Align::Right),
            ("MACs", Align::Right),
            ("", Align::Left),
        ];
        output::data(table::lines(heading, &rows).join("\n"))?;
    }
    Ok(())
}
