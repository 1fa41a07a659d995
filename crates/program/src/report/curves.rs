//! Loss, accuracy, learning rate and throughput over the run.

use figures::chart::{Axis, Series, lines};
use figures::html::{Block, Column, Figure, Table};
use train::{EpochReport, History, Loss, Schedule, Sums};

use super::{Run, percent};

/// Width and height of a chart.
pub(super) const CHART: [f64; 2] = [340.0, 210.0];

/// Places of the learning rate's curve.
const PLACES: u64 = 240;

/// The charts, and their numbers as a table.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let pieces = pieces(run.history.as_ref());
    if run.epochs.is_empty() && pieces.is_empty() {
        return vec![Block::Text(
            "No epoch is done yet: there are no curves.".to_owned(),
        )];
    }
    let mut figures = vec![loss(run, &pieces), accuracy(run, &pieces)];
    figures.extend(learning_rate(run));
    figures.extend(throughput(run));
    let mut blocks = vec![Block::Figures(figures)];
    if !run.epochs.is_empty() {
        blocks.push(Block::Details {
            summary: "The numbers of every epoch".to_owned(),
            blocks: vec![Block::Table(table(&run.epochs))],
        });
    }
    blocks
}

/// A piece of an epoch between two snapshots: where its middle is, in epochs, its mean loss and its accuracy.
struct Piece {
    epochs: f64,
    loss: f64,
    accuracy: f64,
}

/// What the pieces of epochs between snapshots come to.
fn pieces(history: Option<&History>) -> Vec<Piece> {
    let Some(history) = history else {
        return Vec::new();
    };
    let steps = history.steps_per_epoch();
    let mut before = (0, Sums::default());
    let mut pieces = Vec::new();
    for snapshot in history
        .snapshots()
        .iter()
        .filter(|snapshot| snapshot.step > 0)
    {
        // The sums of an epoch begin anew.
        let start = (snapshot.step - 1) / steps * steps;
        if before.0 <= start {
            before = (start, Sums::default());
        }
        let (now, then) = (snapshot.sums, before.1);
        let batches = now.batches.saturating_sub(then.batches);
        let pictures = now.pictures.saturating_sub(then.pictures);
        if batches > 0 && pictures > 0 {
            pieces.push(Piece {
                epochs: f64::midpoint(before.0 as f64, snapshot.step as f64) / steps as f64,
                loss: (now.loss - then.loss) / batches as f64,
                accuracy: now.correct.saturating_sub(then.correct) as f64 / pictures as f64,
            });
        }
        before = (snapshot.step, now);
    }
    pieces
}

/// A chart over epochs.
fn chart(title: &str, unit: Axis, run: &Run, series: &[Series], caption: String) -> Figure {
    let over = Axis::new("epochs").range(0.0, run.config.epochs as f64);
    let mut scene = lines(&[over, unit], series, CHART);
    title.clone_into(&mut scene.title);
    scene.description.clone_from(&caption);
    Figure {
        title: title.to_owned(),
        scene,
        caption,
        wide: false,
    }
}

/// Training pictures as dashes where the held-out ones are a line, so that the two differ without colours too.
fn both(
    run: &Run,
    training: Vec<(f64, f64)>,
    held_out: impl Fn(&EpochReport) -> Option<f64>,
) -> Vec<Series> {
    let held_out: Vec<(f64, f64)> = run
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, held_out(epoch)?)))
        .collect();
    let mut series = vec![Series::new("training, augmented", 0, training).dashed()];
    if !held_out.is_empty() {
        series.push(Series::new("held out", 1, held_out));
    }
    series
}

/// A number of the training: of each piece where pieces were kept, else of each epoch.
fn training(
    run: &Run,
    pieces: &[Piece],
    of_piece: impl Fn(&Piece) -> f64,
    of_epoch: impl Fn(&EpochReport) -> f64,
) -> Vec<(f64, f64)> {
    match pieces {
        [] => run
            .epochs
            .iter()
            .map(|epoch| (epoch.epoch as f64, of_epoch(epoch)))
            .collect(),
        pieces => pieces
            .iter()
            .map(|piece| (piece.epochs, of_piece(piece)))
            .collect(),
    }
}

fn loss(run: &Run, pieces: &[Piece]) -> Figure {
    let training = training(run, pieces, |piece| piece.loss, |epoch| epoch.train_loss);
    let series = both(run, training, |epoch| Some(epoch.held_out?.loss));
    let losses = series.iter().flat_map(|series| &series.points);
    let losses = losses.map(|point| point.1).filter(|loss| loss.is_finite());
    let classes = run
        .weights
        .as_ref()
        .map(|weights| weights.card().classes.len());
    let (end, beyond) = end_of_losses(losses.collect(), classes);
    let smoothing = match run.config.label_smoothing {
        0.0 => String::new(),
        _ => " The training loss contains label smoothing, the held-out loss does not.".to_owned(),
    };
    let beyond = match beyond {
        0 => String::new(),
        1 => " One value lies above the axis: the line leaves at an arrowhead with its number."
            .to_owned(),
        many => format!(
            " {many} values lie above the axis: lines leave at arrowheads, with the numbers of the peaks."
        ),
    };
    let caption = format!(
        "Mean cross-entropy a picture (natural logarithm); lower is better.{beyond}{smoothing}"
    );
    let axis = Axis::new("loss").range(0.0, end);
    chart("Loss", axis, run, &series, caption)
}

/// Where the axis of losses ends, and how many lie above it.
///
/// A step that goes wrong makes a loss that flattens all others. It is left above the axis where it is more than twice
/// as high as both the upper quartile of all losses and the loss of an answer that knows nothing, `ln(classes)`: a
/// training that only begins badly is shown whole.
fn end_of_losses(mut losses: Vec<f64>, classes: Option<usize>) -> (f64, usize) {
    losses.sort_by(f64::total_cmp);
    let highest = losses.last().copied().unwrap_or(0.0);
    let quartile = losses.get(losses.len() * 3 / 4).copied().unwrap_or(0.0);
    let most = classes.map_or(f64::INFINITY, |classes| {
        2.0 * quartile.max((classes as f64).ln())
    });
    let (end, beyond) = match losses.partition_point(|&loss| loss <= most) {
        0 => (highest, 0),
        within => (losses[within - 1], losses.len() - within),
    };
    (if end > 0.0 { end * 1.05 } else { 1.0 }, beyond)
}

fn accuracy(run: &Run, pieces: &[Piece]) -> Figure {
    let training = training(
        run,
        pieces,
        |piece| 100.0 * piece.accuracy,
        |epoch| 100.0 * epoch.train_accuracy,
    );
    let series = both(run, training, |epoch| {
        Some(100.0 * epoch.held_out?.accuracy)
    });
    let best = run.best().map_or(String::new(), |best| {
        let accuracy = best
            .held_out
            .map_or(best.train_accuracy, |score| score.accuracy);
        format!(
            " The best weights are those of epoch {}: {}.",
            best.epoch,
            percent(accuracy)
        )
    });
    let caption = format!("Pictures whose class is the likeliest answer; higher is better.{best}");
    let axis = Axis::new("accuracy, %").range(0.0, 100.0);
    chart("Accuracy", axis, run, &series, caption)
}

/// The schedule as it was planned; it is a function of the step alone.
fn learning_rate(run: &Run) -> Option<Figure> {
    let steps = run.steps_per_epoch().filter(|&steps| steps > 0)?;
    let schedule = Schedule::of(&run.config, steps);
    let last = schedule.total_steps.saturating_sub(1);
    let done = run.epochs.last().map_or(0, |epoch| epoch.step);
    let points = |from: u64, to: u64| -> Vec<(f64, f64)> {
        let count = PLACES.min(to.saturating_sub(from)).max(1);
        let step = |place: u64| {
            from + (u128::from(to - from) * u128::from(place) / u128::from(count)) as u64
        };
        (0..=count)
            .map(|place| {
                (
                    step(place) as f64 / steps as f64,
                    schedule.rate(step(place)),
                )
            })
            .collect()
    };
    let end = done.min(last);
    let mut series = vec![Series::new("done", 2, points(0, end))];
    if end < last {
        series.push(Series::new("planned", 2, points(end, last)).dashed());
    }
    let warm_up = match schedule.warm_up_steps {
        0 => String::new(),
        steps => format!(" after {steps} steps of warm-up"),
    };
    let steps = match steps {
        1 => "1 step".to_owned(),
        steps => format!("{steps} steps"),
    };
    let caption = format!(
        "The {} schedule{warm_up}: {steps} an epoch, peak {}.",
        schedule.shape, schedule.peak
    );
    let axis = Axis::new("learning rate").range(0.0, schedule.peak * 1.05);
    Some(chart("Learning rate", axis, run, &series, caption))
}

fn throughput(run: &Run) -> Option<Figure> {
    let points: Vec<(f64, f64)> = run
        .epochs
        .iter()
        .map(|epoch| (epoch.epoch as f64, epoch.images_per_second))
        .collect();
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    (highest > 0.0).then(|| {
        let series = [Series::new("training", 3, points)];
        let caption = "Training pictures a second, without the evaluation at the end of an epoch.";
        let axis = Axis::new("images/s").range(0.0, highest * 1.15);
        chart("Throughput", axis, run, &series, caption.to_owned())
    })
}

fn table(epochs: &[EpochReport]) -> Table {
    let columns = [
        "epoch",
        "steps",
        "learning rate",
        "training loss",
        "training accuracy",
        "held-out loss",
        "held-out accuracy",
        "images/s",
        "time, s",
        "",
    ];
    let none = || "–".to_owned();
    let row = |epoch: &EpochReport| {
        vec![
            epoch.epoch.to_string(),
            epoch.step.to_string(),
            figures::short(epoch.learning_rate),
            Loss(epoch.train_loss).to_string(),
            percent(epoch.train_accuracy),
            epoch
                .held_out
                .map_or_else(none, |score| Loss(score.loss).to_string()),
            epoch
                .held_out
                .map_or_else(none, |score| percent(score.accuracy)),
            format!("{:.0}", epoch.images_per_second),
            format!("{:.1}", epoch.seconds),
            if epoch.best { "best so far" } else { "" }.to_owned(),
        ]
    };
    Table {
        caption: "A row an epoch".to_owned(),
        columns: columns.map(Column::numbers).into(),
        rows: epochs.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::end_of_losses;

    #[test]
    fn a_spike_lies_above_the_axis_and_a_bad_beginning_does_not() {
        let falling = vec![2.31, 1.2, 0.6, 0.4, 0.3, 0.25, 0.2, 0.2];
        assert_eq!(end_of_losses(falling.clone(), Some(10)), (2.31 * 1.05, 0));
        let spiked = [falling.clone(), vec![41.0, 60.0]].concat();
        assert_eq!(end_of_losses(spiked.clone(), Some(10)), (2.31 * 1.05, 2));
        // How many classes there are is not known: nothing says what is high.
        assert_eq!(end_of_losses(spiked, None), (60.0 * 1.05, 0));
        // A training that diverges is shown as it is.
        let diverged = vec![2.3, 40.0, 55.0, 60.0];
        assert_eq!(end_of_losses(diverged, Some(10)), (60.0 * 1.05, 0));
        assert_eq!(end_of_losses(Vec::new(), Some(10)), (1.0, 0));
        assert_eq!(end_of_losses(vec![0.0], Some(1)), (1.0, 0));
    }
}
