//! `convolve report`: a run on one page.

mod answers;
mod curves;
mod examples;
mod filters;
mod mistakes;
mod overview;
mod settings;

use std::path::{Path, PathBuf};

use clap::Args;
use figures::html::{self, Block, Page, Section};
use train::{
    Checkpoint, EpochReport, History, Replaced, RunFolder, TrainConfig, TrainError, Weights,
};

use self::answers::Answered;
use super::destination;
use super::engine::Engine;
use super::failure::{Interrupted, one_line, usage};
use super::output::Messages;
use super::printable::printable;

/// What `report` takes.
#[derive(Args)]
#[command(after_help = "\
One page of HTML that needs nothing else: curves, the confusion matrix, the pictures that were answered best and worst, how
the filters of the first layer formed, and all settings. The held-out pictures are classified once for it, by the best
weights of the run. A run that still trains, or was stopped, has a report of what there is.

Examples: convolve report runs/resnet20-shapes-1
          convolve report runs/resnet20-shapes-1 -o report.html")]
pub(crate) struct Arguments {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write: .html [default: report.html in the folder of the run]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the pictures of the run are now, if they have gone elsewhere
    #[arg(long, visible_alias = "data-dir", value_name = "shapes|DIR|FILE")]
    data: Option<String>,
    /// Pictures at once
    #[arg(short, long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
    #[command(flatten)]
    engine: Engine,
}

/// What a run has left behind, as far as it can be read.
struct Run {
    folder: PathBuf,
    config: TrainConfig,
    epochs: Vec<EpochReport>,
    history: Option<History>,
    weights: Option<Weights>,
    /// Where and why it diverged, if it did.
    divergence: Option<String>,
    /// What could not be read, a sentence each.
    missing: Vec<String>,
}

/// Writes the report of a run.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    // Before anything is computed: whether the page can go there.
    if let Some(output) = &arguments.output {
        must_be_page(output)?;
        destination::of(output)?;
    }
    let mut run = Run::open(&arguments.run)?;
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => arguments.run.join("report.html"),
    };
    destination::of(&output)?;
    let mut answered = None;
    if let Some(weights) = &mut run.weights {
        match Answered::of(weights, &run.config, &arguments, messages) {
            Ok(found) => answered = Some(found),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => run.missing.push(format!(
                "The pictures could not be classified: {}.",
                one_line(&super::failure::message(&error))
            )),
        }
    }
    for missing in &run.missing {
        messages.say(format_args!("warning: {}", printable(missing)));
    }
    let page = page(&run, answered.as_ref())?;
    destination::write(&output, html::write(&page).as_bytes())?;
    destination::tell(&output, messages);
    Ok(())
}

/// Refuses a name that says it is something else.
fn must_be_page(output: &Path) -> anyhow::Result<()> {
    let ending = output.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Ok(()),
        _ => Err(usage(format!(
            "{}: the name of a report ends in .html",
            output.display()
        ))),
    }
}

impl Run {
    /// Reads a run folder. Without its settings it is none; all else may be missing.
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let config = RunFolder::config(folder).map_err(|error| match error {
            TrainError::NoRun { path, missing } => {
                usage(format!("{}: no run here (no {missing})", path.display()))
            }
            other => other.into(),
        })?;
        let mut missing = Vec::new();
        let mut note = |what: &str, error: &dyn std::fmt::Display| {
            missing.push(format!("{what}: {}.", one_line(&error.to_string())));
        };
        let epochs = RunFolder::metrics(folder).unwrap_or_else(|error| {
            note("The metrics could not be read", &error);
            Vec::new()
        });
        if RunFolder::has_half_a_line(folder).unwrap_or(false) {
            let torn =
                "its last line is half a line, as a run that was killed leaves it, and is left out";
            note("metrics.jsonl", &torn);
        }
        let history = History::open(folder).unwrap_or_else(|error| {
            note("The history could not be read", &error);
            None
        });
        let weights = Weights::open(folder, None);
        let weights = weights.map_err(|error| note("The weights could not be read", &error));
        let replaced = weights
            .as_ref()
            .ok()
            .and_then(|weights| Replaced::found(folder, weights));
        if let Some(replaced) = replaced {
            note("The weights", &replaced);
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            config,
            epochs,
            history,
            weights: weights.ok(),
            divergence: RunFolder::divergence(folder),
            missing,
        })
    }

    /// The steps of an epoch, where something tells.
    fn steps_per_epoch(&self) -> Option<u64> {
        let history = self.history.as_ref().map(History::steps_per_epoch);
        let last = self.epochs.last();
        history.or_else(|| last.map(|last| last.step / last.epoch.max(1)))
    }

    /// The epoch whose weights are the best.
    fn best(&self) -> Option<&EpochReport> {
        self.epochs.iter().rfind(|epoch| epoch.best)
    }

    /// Whether the weights that were opened are the best ones.
    fn has_best_weights(&self) -> bool {
        let origin = self
            .weights
            .as_ref()
            .map(|weights| Path::new(weights.origin()));
        origin.is_some_and(|origin| origin.ends_with(Checkpoint::BEST))
    }
}

/// The page from top to bottom. A part of which nothing is known says so.
fn page(run: &Run, answered: Option<&Answered>) -> anyhow::Result<Page> {
    let mut sections = vec![section("Curves", curves::blocks(run))];
    let nothing = || {
        vec![Block::Text(
            "No pictures were classified, so there is nothing to show here; what stood in the way is told above."
                .to_owned(),
        )]
    };
    let mistakes = answered.map_or_else(|| Ok(nothing()), mistakes::blocks)?;
    sections.push(section("Confusion matrix", mistakes));
    let (worst, best) = match answered {
        Some(answered) => (examples::worst(answered)?, examples::best(answered)?),
        None => (nothing(), nothing()),
    };
    sections.push(section("Worst examples", worst));
    sections.push(section("Best examples", best));
    sections.push(section("Filters of the first layer", filters::blocks(run)?));
    sections.push(section("Settings", settings::blocks(run)));
    Ok(Page {
        title: overview::title(run),
        lead: overview::blocks(run, answered),
        sections,
    })
}

fn section(heading: &str, blocks: Vec<Block>) -> Section {
    let heading = heading.to_owned();
    Section { heading, blocks }
}

/// A share as it is read: `97.45 %`.
fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
