//! `convolve train`: from pictures to a network that names them.

mod dashboard;
mod output_folder;
mod progress;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use formats::onnx::OnnxError;
use formats::{HeldOut, Splits};
use train::{
    Architecture, Loss, OnnxNetworkError, Outcome, RunFolder, TrainConfig, TrainError, Trainer,
    Weights,
};
use zoo::ZooError;

use self::dashboard::Dashboard;
pub(crate) use self::dashboard::give_back as give_back_screen;
use self::settings::Settings;
use super::bar::Bar;
use super::failure::{Interrupted, usage};
use super::guessing;
use super::held_out;
use super::interrupt;
use super::output::{self, Messages};
use super::printable::printable;
use super::table::thousands;
use super::trained;

/// What `train` takes.
#[derive(Args)]
#[command(after_help = "\
Examples: convolve train
          convolve train --data photos/ --val-fraction 0.1 --model resnet20 --epochs 24
          convolve train --data photos/ --weights hf-hub:timm/resnet18.a1_in1k --freeze body
          convolve train --data photos/ --model elsewhere.onnx
          convolve train --resume runs/resnet20-photos-1 --dashboard")]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Go on with an interrupted run; its settings stay, but for --data, --threads and
    /// --checkpoint-steps
    #[arg(long, value_name = "RUN", conflicts_with_all = settings::DECISIVE)]
    resume: Option<PathBuf>,
    /// Show the training on the whole screen: curves, learning rate, throughput, the filters of the first
    /// layer as they form; p pauses, q stops
    #[arg(long)]
    dashboard: bool,
    /// The folder of the run; a new one below runs/ by default
    #[arg(short, long, value_name = "RUN", conflicts_with = "resume")]
    output: Option<PathBuf>,
}

/// Trains to the end, or until Ctrl-C.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    if arguments.dashboard {
        dashboard::check_terminal()?;
    }
    let resumed = arguments.resume.is_some();
    let (mut trainer, folder) = match arguments.resume {
        Some(folder) => {
            let resumed = Trainer::resume(&folder, |config| arguments.settings.adjust(config));
            let trainer = resumed.map_err(|error| match error {
                TrainError::Data(error) if !arguments.settings.names_data() => {
                    trained::own_data_missing(error)
                }
                other => other.into(),
            })?;
            (trainer, folder)
        }
        None => {
            // Ctrl-C ends a download; from there on it ends a training in order.
            let config = arguments.settings.config(messages)?;
            let splits = config.open_data()?;
            if let Some(warning) = learned_before(&config, &splits)? {
                messages.say(warning);
            }
            arguments
                .settings
                .check_classes(splits.train.classes().len())?;
            match arguments.output {
                Some(folder) => (new(config, splits, Some(&folder))?, folder),
                None => {
                    let unnamed = output_folder::candidates(&config.model, &config.data);
                    let mut trainer = new(config, splits, None)?;
                    let folder = output_folder::take(&mut trainer, unnamed)?;
                    (trainer, folder)
                }
            }
        }
    };
    let stop = interrupt::stop_flag();
    introduce(&trainer, &folder, messages);
    // A resumed run keeps its batch.
    if !resumed {
        let hints = [nothing_held_out(&trainer), single_step(&trainer)];
        hints.iter().flatten().for_each(|hint| messages.say(hint));
    }
    if trainer.is_finished() {
        messages.say(finished(&trainer, &folder));
    }
    let whole = match arguments.dashboard && !trainer.is_finished() {
        true => on_screen(&mut trainer, &folder, stop, messages)?,
        false => line_by_line(&mut trainer, stop, messages)?,
    };
    if !whole {
        return Err(Interrupted(format!(
            "stopped in epoch {}; go on with: convolve train --resume {}",
            trainer.progress().epoch + 1,
            printable(folder.display())
        ))
        .into());
    }
    conclude(&trainer, &folder, messages)
}

/// A warning where other pictures are held out than by the run whose weights go on: it has learned them.
fn learned_before(config: &TrainConfig, splits: &Splits) -> anyhow::Result<Option<String>> {
    let (Some(weights), HeldOut::Fraction(_)) = (&config.weights, splits.held_out_from) else {
        return Ok(None);
    };
    let begun = held_out::settings_on(&Weights::locate(weights)?, &config.data)?;
    let other = begun
        .filter(|begun| (begun.val_fraction, begun.seed) != (config.val_fraction, config.seed));
    Ok(other.map(|begun| {
        format!(
            "warning: {} has learned from pictures that are held out now, and will seem better than it is: its own run held \
             out others (--val-fraction {} --seed {})",
            printable(weights),
            begun.val_fraction,
            begun.seed
        )
    }))
}

/// Trains with a bar for each epoch and a line when it is done; false when it was stopped before the end.
fn line_by_line(
    trainer: &mut Trainer,
    stop: &AtomicBool,
    messages: Messages,
) -> anyhow::Result<bool> {
    let mut told = [0, 0];
    warn(trainer, &mut told, |line| messages.say(line));
    while !trainer.is_finished() {
        let (epoch, epochs) = (trainer.progress().epoch + 1, trainer.config().epochs);
        let bar = Bar::new(messages);
        let outcome = trainer.run_epoch(&mut |now| progress::show(&bar, now, epoch, epochs), stop);
        bar.clear();
        match outcome? {
            Outcome::Done(report) => messages.say(progress::line(&report, epochs)),
            Outcome::Stopped => return Ok(false),
        }
        warn(trainer, &mut told, |line| messages.say(line));
    }
    Ok(true)
}

/// The same on the whole screen. The lines are told when it is given back.
fn on_screen(
    trainer: &mut Trainer,
    folder: &Path,
    stop: &'static AtomicBool,
    messages: Messages,
) -> anyhow::Result<bool> {
    let dashboard = Dashboard::open(trainer, folder, stop)?;
    let (mut told, mut lines) = ([0, 0], Vec::new());
    let mut train = || -> anyhow::Result<bool> {
        while !trainer.is_finished() {
            warn(trainer, &mut told, |line| {
                dashboard.note(line.clone());
                lines.push(line);
            });
            match trainer.run_epoch(&mut |now| dashboard.tell(now), stop)? {
                Outcome::Done(report) => {
                    lines.push(progress::line(&report, trainer.config().epochs));
                    dashboard.end_epoch(&report);
                }
                Outcome::Stopped => return Ok(false),
            }
        }
        Ok(true)
    };
    let whole = train();
    drop(dashboard);
    for line in lines {
        messages.say(line);
    }
    whole
}

/// A training from the start. A size that an ONNX model is not made for is that of `--img-size`, if it was given; one that
/// a network does not fit is that of the pictures, if it was not.
fn new(config: TrainConfig, splits: Splits, folder: Option<&Path>) -> anyhow::Result<Trainer> {
    let sized = config.image_size.is_some();
    let of_size = |error: &TrainError| match error {
        TrainError::Onnx(error) => match &**error {
            OnnxNetworkError::Model { source, .. } => matches!(**source, OnnxError::Input { .. }),
            _ => false,
        },
        _ => false,
    };
    Trainer::new(config, splits, folder).map_err(|error| match &error {
        error if sized && of_size(error) => usage(format!("--img-size: {error}")),
        TrainError::Zoo(ZooError::Graph { .. }) if !sized => usage(format!(
            "{error}; the size is that of the pictures: --img-size asks for another"
        )),
        _ => error.into(),
    })
}

/// Says what is about to be done, and which number stands for which class.
fn introduce(trainer: &Trainer, folder: &Path, messages: Messages) {
    let (config, card) = (trainer.config(), trainer.card());
    let (train, held_out) = trainer.pictures();
    let (height, width) = card.preprocess.input;
    let threads = config.resolved_threads();
    messages.say(format_args!(
        "{} on {}: {} training pictures, {} held out, {}×{height}×{width}, {} parameters, {threads} {}",
        printable(&card.model),
        printable(&config.data),
        thousands(train as u64),
        thousands(held_out as u64),
        card.preprocess.channels,
        thousands(parameters(trainer)),
        if threads == 1 { "thread" } else { "threads" },
    ));
    let classes: Vec<_> = card.classes.iter().enumerate().take(20).collect();
    let named: Vec<String> = classes
        .iter()
        .map(|(index, name)| format!("{index} {}", printable(name)))
        .collect();
    let more = match card.classes.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    messages.say(format_args!("classes: {}{more}", named.join(", ")));
    let own = Architecture::is_onnx(Path::new(&config.model)).then_some(&config.model);
    if let Some(weights) = config.weights.as_ref().or(own) {
        let head = match trainer.head_is_new() {
            true => "; the head starts anew",
            false => "",
        };
        messages.say(format_args!("weights: {}{head}", printable(weights)));
    }
    if let heads @ [_, ..] = trainer.new_auxiliary_heads() {
        messages.say(format_args!(
            "the weights lack heads for training only, which start anew: {}",
            printable(heads.join(", "))
        ));
    }
    let learning = trainer
        .program()
        .slots()
        .iter()
        .filter(|slot| slot.trainable);
    let learning = learning.map(|slot| slot.range.len() as u64).sum();
    if learning != parameters(trainer) {
        messages.say(format_args!(
            "frozen: all but {} parameters",
            thousands(learning)
        ));
    }
    if !config.freeze.is_empty() && config.weights.is_none() && own.is_none() {
        messages.say(
            "warning: what is frozen is random: it was never trained, and --weights names none",
        );
    }
    if trainer.has_auxiliary_heads() {
        messages.say(
            "the training loss adds those of heads for training only, by their weights; the held-out loss does not",
        );
    }
    if let Some(text) = left_out(trainer) {
        messages.say(text);
    }
    messages.say(format_args!("run folder: {}", printable(folder.display())));
}

/// What an epoch leaves out, if anything.
fn left_out(trainer: &Trainer) -> Option<String> {
    let (pictures, batch) = (trainer.pictures().0, trainer.config().batch_size);
    let batches = trainer.batches_per_epoch();
    let seen = batches * batch;
    (seen < pictures).then(|| {
        format!(
            "an epoch sees {} of the training pictures, others each time: {batches} whole {} of {batch}",
            thousands(seen as u64),
            if batches == 1 { "batch" } else { "batches" }
        )
    })
}

/// A hint where pictures were to be held out and none are.
fn nothing_held_out(trainer: &Trainer) -> Option<String> {
    let ((_, held_out), part) = (trainer.pictures(), trainer.config().val_fraction);
    (held_out == 0 && part > 0.0).then(|| {
        "hint: no pictures are held out, as no class has two: accuracy and loss are those of the training pictures"
            .to_owned()
    })
}

/// Parts that the pictures are cut into by the batch that is proposed where an epoch is a single step.
const STEPS: usize = 8;

/// The smallest batch that is proposed: the statistics of a norm over fewer pictures are not those of the rest.
const LEAST: usize = 8;

/// A hint where all pictures together are one step: a network that learns once an epoch hardly learns.
fn single_step(trainer: &Trainer) -> Option<String> {
    let (pictures, batch) = (trainer.pictures().0, trainer.config().batch_size);
    let smaller = LEAST.max(1 << (pictures / STEPS).max(1).ilog2());
    let steps = pictures / smaller;
    let way_out = match steps {
        0 | 1 => "more pictures, or more --epochs, make more steps".to_owned(),
        _ => format!("--batch-size {smaller} makes {steps} steps of them"),
    };
    (trainer.batches_per_epoch() == 1).then(|| {
        format!(
            "hint: an epoch is a single step, as {} training pictures fill one batch of {batch}; {way_out}",
            thousands(pictures as u64)
        )
    })
}

/// A run with nothing left to do, and how to train longer. Its epochs cannot be changed: its learning rate has
/// come to its end with them.
fn finished(trainer: &Trainer, folder: &Path) -> String {
    let config = trainer.config();
    format!(
        "finished: all of its {} epochs are done; a new run goes on from its weights: \
         convolve train --data {} --weights {} --epochs {} --batch-size {}{}",
        config.epochs,
        printable(&config.data),
        printable(folder.display()),
        config.epochs,
        config.batch_size,
        frozen(&config.freeze)
    )
}

/// The flag that freezes again what was frozen; patterns that a shell would fill in are quoted.
fn frozen(patterns: &[String]) -> String {
    let quoted = patterns.iter().map(|pattern| match pattern {
        plain
            if plain
                .chars()
                .all(|c| c.is_alphanumeric() || "._-:".contains(c)) =>
        {
            plain.clone()
        }
        other => format!("'{}'", printable(other)),
    });
    match quoted.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        patterns => format!(" --freeze {}", patterns.join(" ")),
    }
}

fn parameters(trainer: &Trainer) -> u64 {
    let slots = trainer.program().slots().iter();
    slots.map(|slot| slot.range.len() as u64).sum()
}

/// Tells of pictures that could not be read, when there are more than told before.
fn warn(trainer: &Trainer, told: &mut [usize; 2], mut tell: impl FnMut(String)) {
    let (train, held_out) = trainer.skipped();
    for (skipped, told) in [train, held_out].into_iter().zip(told) {
        if skipped.count > *told {
            tell(format!("warning: {skipped}"));
        }
        *told = skipped.count;
    }
}

/// Says what came of it and what to type next.
fn conclude(trainer: &Trainer, folder: &Path, messages: Messages) -> anyhow::Result<()> {
    if let Some((epoch, score)) = trainer.progress().best {
        let on = match trainer.pictures().1 {
            0 => "training",
            _ => "held-out",
        };
        output::data(format_args!(
            "best: {:.2} % of the {on} pictures right after epoch {epoch}, loss {}",
            100.0 * score.accuracy,
            Loss(score.loss)
        ))?;
    }
    // Nothing is lost where the metrics cannot be read again.
    let epochs = RunFolder::metrics(folder).unwrap_or_default();
    let classes = trainer.card().classes.len();
    if let Some(hint) = guessing::hint(&epochs, classes, trainer.config()) {
        messages.say(format_args!("hint: {hint}"));
    }
    let folder = printable(folder.display());
    messages.say(format_args!(
        "next: convolve eval {folder}\n      convolve predict {folder} PICTURE"
    ));
    Ok(())
}
