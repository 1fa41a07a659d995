//! How the filters of the first layer formed.

use figures::chart::{Axis, Series, lines};
use figures::filters::Filters;
use figures::html::{Block, Figure};
use figures::panel::{Legend, Tile, tiles};
use train::{History, Snapshot};

use super::Run;
use super::curves::CHART;

/// Moments on the page.
const MOST_MOMENTS: usize = 9;
/// Filters of a moment.
const MOST_FILTERS: usize = 64;

/// The filters at some moments, and how far they went.
pub(super) fn blocks(run: &Run) -> anyhow::Result<Vec<Block>> {
    let text = |text: &str| Ok(vec![Block::Text(text.to_owned())]);
    let Some(history) = &run.history else {
        return text(
            "This run kept no history of its filters: it is of an earlier version of the program, or the file is gone.",
        );
    };
    let kept: Vec<(&Snapshot, Filters<'_>)> = history
        .snapshots()
        .iter()
        .filter_map(|snapshot| {
            let bank = history.filters(snapshot)?;
            Some((snapshot, Filters::new(bank.shape, bank.values).ok()?))
        })
        .collect();
    let Some(&(first, filters)) = kept.first() else {
        return text(
            "The first layer of this network has no filters that could be drawn: it is no convolution over rows and columns, \
             or too large to be kept over and over.",
        );
    };
    let name = history.filters(first).map_or("", |bank| bank.name);
    let [height, width] = filters.extents();
    let drawn = match filters.are_coloured() {
        true => "as pictures in red, green and blue, grey where the weight is nothing",
        false => {
            "from blue, negative, over white to orange, positive; of several channels their mean"
        }
    };
    let shown = match filters.count() > MOST_FILTERS {
        true => format!("the first {MOST_FILTERS} of {}", filters.count()),
        false => format!("all {}", filters.count()),
    };
    let said = format!(
        "{name}: {shown} filters of {height}×{width}, drawn {drawn}. Each is as strong as its largest weight at any of these moments."
    );
    let figures = spread(kept.len())
        .into_iter()
        .map(|place| moment(history, &kept, place));
    let mut blocks = vec![Block::Text(said)];
    blocks.push(Block::Figures(figures.collect::<anyhow::Result<_>>()?));
    if kept.len() > 2 {
        blocks.push(Block::Figures(vec![distance(run, history)]));
    }
    Ok(blocks)
}

/// Places of at most so many moments, the first and the last among them.
fn spread(count: usize) -> Vec<usize> {
    let most = MOST_MOMENTS.min(count);
    let place = |number: usize| (number * (count - 1) + (most - 1) / 2) / (most - 1).max(1);
    (0..most).map(place).collect()
}

fn moment(
    history: &History,
    kept: &[(&Snapshot, Filters<'_>)],
    place: usize,
) -> anyhow::Result<Figure> {
    let (snapshot, filters) = &kept[place];
    let count = filters.count().min(MOST_FILTERS);
    let peak = |filter: usize| {
        let peaks = kept.iter().map(|(_, filters)| filters.peak(filter));
        peaks.fold(0.0, f64::max)
    };
    let shown: Result<Vec<Tile>, _> = (0..count)
        .map(|filter| {
            let bitmap = filters.bitmap(filter, peak(filter))?;
            let label = String::new();
            Ok::<_, figures::FigureError>(Tile { label, bitmap })
        })
        .collect();
    let legend = (!filters.are_coloured()).then(|| {
        Legend::new(
            Filters::scale(),
            "weight, in shares of the filter's largest",
        )
    });
    let columns = (count as f64).sqrt().ceil() as usize;
    let mut scene = tiles(&shown?, columns.clamp(2, 8), false, legend.as_ref());
    let title = match snapshot.step {
        0 => "before the first step".to_owned(),
        step => {
            let epochs = step as f64 / history.steps_per_epoch() as f64;
            match epochs {
                1.0 => "after 1 epoch".to_owned(),
                epochs => format!("after {} epochs", figures::short(epochs)),
            }
        }
    };
    scene.title.clone_from(&title);
    let caption = format!("step {}", snapshot.step);
    scene.description.clone_from(&caption);
    Ok(Figure {
        title,
        scene,
        caption,
        wide: false,
    })
}

/// How far the weights are from where they began, and from the snapshot before.
fn distance(run: &Run, history: &History) -> Figure {
    let banks: Vec<(f64, &[f32])> = history
        .snapshots()
        .iter()
        .filter_map(|snapshot| {
            let epochs = snapshot.step as f64 / history.steps_per_epoch() as f64;
            Some((epochs, history.filters(snapshot)?.values))
        })
        .collect();
    let norm = |values: &[f32]| {
        values
            .iter()
            .map(|&w| f64::from(w).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let apart = |a: &[f32], b: &[f32]| {
        let squares = a
            .iter()
            .zip(b)
            .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let start = norm(banks[0].1).max(f64::MIN_POSITIVE);
    let from_start = banks
        .iter()
        .map(|&(at, now)| (at, apart(now, banks[0].1) / start));
    let from_before = banks
        .windows(2)
        .map(|pair| (pair[1].0, apart(pair[1].1, pair[0].1) / start));
    let series = [
        Series::new("from the beginning", 0, from_start.collect()),
        Series::new("from the moment before", 1, from_before.collect()).dashed(),
    ];
    let axes = [
        Axis::new("epochs").range(0.0, run.config.epochs as f64),
        Axis::new("distance, in lengths of the first weights"),
    ];
    let mut scene = lines(&axes, &series, CHART);
    let title = "How far the filters went".to_owned();
    let caption =
        "Euclidean distance of all weights of the layer, divided by the length of the first ones. Filters that \
         have formed stand still: the dashes come down to zero."
            .to_owned();
    scene.title.clone_from(&title);
    scene.description.clone_from(&caption);
    Figure {
        title,
        scene,
        caption,
        wide: false,
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn moments_are_spread_from_the_first_to_the_last() {
        assert_eq!(spread(1), [0]);
        assert_eq!(spread(3), [0, 1, 2]);
        assert_eq!(spread(8), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(spread(33), [0, 4, 8, 12, 16, 20, 24, 28, 32]);
    }
}
