//! Prepared pictures for a trained network, and the network built for batches of them.

use std::time::Instant;

use anyhow::anyhow;
use explain::doctor::{Parameters, Sample};
use graph::{Graph, Role, passes};
use runtime::{Program, RuntimeOptions};
use train::{ClassPlaces, Job, Loader, ModelCard, TrainError, Transform, Weights, permutation};

use crate::bar::{Bar, clock};
use crate::held_out::{self, Pictures};
use crate::output::Messages;
use crate::printable::printable;
use crate::table::thousands;

/// A network, what it learned, and pictures in whole batches of it, where there are any.
pub(super) struct Examined {
    pub(super) network: Graph,
    pub(super) parameters: Option<Parameters>,
    pub(super) sample: Option<Sample>,
}

/// Elements of all maps of a batch: half a gigabyte, which a step of training takes a few times.
const MOST_ELEMENTS: usize = 1 << 27;

/// Pictures of a batch at most.
const LARGEST_BATCH: usize = 32;

/// Brings pictures, and builds the network for them.
pub(super) fn examined(
    mut weights: Weights,
    pictures: Pictures,
    count: usize,
    options: &RuntimeOptions,
    messages: Messages,
) -> anyhow::Result<Examined> {
    let card = weights.card().clone();
    let found = ClassPlaces::of(pictures.dataset.classes(), &card.classes)?;
    held_out::say_order(&found, messages);
    let places = found.places;
    let all = pictures.dataset.len();
    let mut sample = read(&pictures, &card, count, &places, options.threads, messages)?;
    messages.say(format_args!(
        "looking at {} of {} {}, from {}",
        thousands(sample.len() as u64),
        thousands(all as u64),
        pictures.part,
        printable(&pictures.data)
    ));
    if let Some(caution) = pictures.trained_on() {
        messages.say(caution);
    }
    let single = weights.architecture().build(&card.options(1))?;
    // Batches of one size that leave out as few as they can.
    let batches = sample.len().div_ceil(largest_batch(&single));
    let batch = (sample.len() / batches).max(2);
    let kept = sample.len() - sample.len() % batch;
    sample
        .images
        .truncate(sample.images.len() / sample.len() * kept);
    sample.labels.truncate(kept);
    let network = weights.architecture().build(&card.options(batch))?;
    let mut program = Program::new(passes::inference(&single)?, options)?;
    weights.restore(&mut program)?;
    Ok(Examined {
        network,
        parameters: Some(Parameters::of(&program)),
        sample: Some(sample),
    })
}

/// Reads pictures drawn from all of them.
fn read(
    pictures: &Pictures,
    card: &ModelCard,
    count: usize,
    places: &[usize],
    threads: usize,
    messages: Messages,
) -> anyhow::Result<Sample> {
    let mut order = permutation(0, 0, pictures.dataset.len());
    order.truncate(count);
    let wanted = order.len();
    let job = Job {
        dataset: pictures.dataset.clone(),
        transform: Transform::Evaluation(card.preprocess.clone()),
        order,
        batch: LARGEST_BATCH,
        first: 0,
        tolerated: 0,
    };
    let values = card.preprocess.check().map_err(TrainError::from)?;
    let mut sample = Sample {
        images: tensor::memory::try_room(wanted.saturating_mul(values))?,
        labels: Vec::new(),
        mean: card.preprocess.mean.clone(),
        std: card.preprocess.std.clone(),
        classes: card.classes.clone(),
    };
    let (bar, start) = (Bar::new(messages), Instant::now());
    let mut unreadable = Vec::new();
    let mut loader = Loader::new(job, threads)?;
    while let Some(batch) = loader.next() {
        sample.images.extend(&batch.images[..batch.count * values]);
        let labels = batch.labels[..batch.count].iter();
        sample
            .labels
            .extend(labels.map(|&label| places[label as usize] as u32));
        unreadable.extend(batch.unreadable.iter().map(|(_, reason)| reason.clone()));
        bar.show(
            "reading".to_owned(),
            sample.len() + unreadable.len(),
            wanted,
            clock(start.elapsed().as_secs_f64()),
        );
        loader.recycle(batch);
    }
    bar.clear();
    loader.end()?;
    match (unreadable.first(), sample.len()) {
        (Some(reason), 0 | 1) => Err(anyhow!("none of {wanted} pictures can be read: {reason}")),
        (None, 0 | 1) => Err(anyhow!("one picture says little; 2 are needed")),
        (Some(reason), _) => {
            let count = unreadable.len();
            messages.say(format_args!(
                "warning: {count} of {wanted} pictures cannot be read: {reason}"
            ));
            Ok(sample)
        }
        _ => Ok(sample),
    }
}

/// So many pictures at once that a step of training still fits an ordinary memory.
fn largest_batch(single: &Graph) -> usize {
    let computed = single
        .values()
        .iter()
        .filter(|value| value.role == Role::Computed);
    let elements: usize = computed
        .map(|value| value.shape.iter().product::<usize>())
        .sum();
    (MOST_ELEMENTS / elements.max(1)).clamp(2, LARGEST_BATCH)
}
