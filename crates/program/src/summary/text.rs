//! `summary` for a terminal.

use graph::Counting;

use super::measured::Taken;
use super::{Row, Told};
use crate::bench::gflops;
use crate::field;
use crate::rf;
use crate::table::{self, Align, compact, extents, thousands};

/// What a line is kept to, unless names are wanted in full.
const WIDTH: usize = 100;

/// The table, and totals below it.
pub(super) fn of(told: &Told<'_>, wide: bool) -> String {
    let counting = match told.counting {
        Counting::Convolve => "MACs".to_owned(),
        other => other.to_string(),
    };
    let mut heading = vec![("layer", Align::Left), ("operator", Align::Left)];
    let columns: &[&str] = match told.measured {
        None => &[
            "output", "weights", &counting, "field", "jump", "bytes", "FLOP/B",
        ],
        Some(_) => &[
            "output", &counting, "bytes", "FLOP/B", "ms", "share", "GFLOP/s", "of peak",
        ],
    };
    heading.extend(columns.iter().map(|&column| (column, Align::Right)));
    heading.push(("", Align::Left));
    let mut rows: Vec<Vec<String>> = told.rows().map(|row| cells(told, &row)).collect();
    let names = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let whole = names(&rows);
    if !wide {
        shorten(&mut rows, &heading);
    }
    let mut lines = table::columns(&heading, &rows);
    lines.push(String::new());
    lines.extend(totals(told, &counting));
    if names(&rows) != whole {
        lines.push("names are shortened; --wide shows them whole".to_owned());
    }
    lines.join("\n")
}

fn cells(told: &Told<'_>, row: &Row<'_>) -> Vec<String> {
    let summary = row.summary;
    let some = |count: Option<u64>| count.map(compact).unwrap_or_default();
    let positive = |count: u64| some(Some(count).filter(|&count| count > 0));
    let operator = match summary.kernel.as_str() {
        "" => summary.op.to_owned(),
        kernel => format!("{} {kernel}", summary.op),
    };
    let count = match told.counting {
        Counting::Convolve => summary.macs,
        _ => row.count,
    };
    let intensity = summary.intensity().map(|each| format!("{each:.1}"));
    let mut cells = vec![summary.layer.clone(), operator, extents(&summary.of_image)];
    match &told.measured {
        None => cells.extend([
            positive(summary.parameters),
            some(count),
            field::size(row.axes),
            field::of_longest(row.axes, geometry::Field::jump),
            positive(summary.bytes),
            intensity.unwrap_or_default(),
        ]),
        Some(measured) => {
            let gflops = row.taken.and_then(Taken::gflops);
            let percent = |part: f64| format!("{:.1} %", 100.0 * part);
            let time = row.taken.map(|taken| taken.milliseconds);
            cells.extend([
                some(count),
                positive(summary.bytes),
                intensity.unwrap_or_default(),
                time.map(|ms| format!("{ms:.4}")).unwrap_or_default(),
                time.map(|ms| percent(ms / measured.total()))
                    .unwrap_or_default(),
                gflops
                    .map(|gflops| format!("{gflops:.1}"))
                    .unwrap_or_default(),
                gflops
                    .map(|gflops| percent(gflops / measured.peak))
                    .unwrap_or_default(),
            ]);
        }
    }
    cells.push(match summary.auxiliary {
        true => "training only".to_owned(),
        false => String::new(),
    });
    cells
}

/// Makes lines fit as far as that goes: first names leave out what they share with the one above, then
/// letters are taken out of the middle of long operators and names.
fn shorten(rows: &mut [Vec<String>], heading: &[(&str, Align)]) {
    const LEAST: usize = 14;
    // What is said of a few layers behind the table stands outside of it.
    let columns = heading.len() - 1;
    let over = |rows: &[Vec<String>]| {
        let width = |column: usize| width_of(rows, column).max(heading[column].0.chars().count());
        let total = (0..columns).map(width).sum::<usize>() + 2 * (columns - 1);
        total.saturating_sub(WIDTH)
    };
    if over(rows) > 0 {
        let names: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
        for (pair, row) in names.windows(2).zip(&mut rows[1..]) {
            row[0] = below(&pair[0], &pair[1]);
        }
    }
    for column in [1, 0] {
        let now = width_of(rows, column);
        let most = now.saturating_sub(over(rows)).max(LEAST.min(now));
        rows.iter_mut()
            .for_each(|row| row[column] = elided(&row[column], most));
    }
}

/// A name below another: whole parts that both begin with are a `…`.
fn below(above: &str, name: &str) -> String {
    let both = above.split_inclusive('.').zip(name.split_inclusive('.'));
    let shared: usize = both.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    match shared {
        0 => name.to_owned(),
        shared => format!("…{}", &name[shared - 1..]),
    }
}

fn width_of(rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().map(|row| row[column].chars().count());
    cells.max().unwrap_or(0)
}

/// A name of no more than so many letters; what was left out of its middle is a `…`.
fn elided(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= most || most == 0 {
        return name.to_owned();
    }
    let front = (most - 1) / 2;
    let back = most - 1 - front;
    let start = letters[..front].iter();
    let end = letters[letters.len() - back..].iter();
    start.chain(['…'].iter()).chain(end).collect()
}

fn totals(told: &Told<'_>, counting: &str) -> Vec<String> {
    let summary = &told.summary;
    let operations = match told.counting {
        Counting::Convolve => format!("{} MACs", thousands(summary.macs)),
        _ => format!(
            "{} operations as {counting} counts",
            thousands(told.count.total)
        ),
    };
    let mut lines = vec![format!(
        "{} on {}: {} parameters, {operations}",
        told.name,
        rf::extents(told.image),
        thousands(summary.parameters),
    )];
    if summary.rows.iter().any(|row| row.auxiliary) {
        lines.push(format!(
            "heads for training only: {} of the parameters, {} MACs besides",
            thousands(summary.auxiliary_parameters),
            thousands(summary.auxiliary_macs)
        ));
    }
    lines.push(format!(
        "feature maps: {}B at the most at once, for one image in f32",
        compact(told.activations)
    ));
    if let Some(measured) = &told.measured {
        let gflops = gflops(summary.macs, measured.total());
        lines.push(format!(
            "time: {:.3} ms, {gflops:.1} GFLOP/s, {:.1} % of {:.1}; {:.4} ms of it into and out of the \
             network",
            measured.total(),
            100.0 * gflops / measured.peak,
            measured.peak,
            measured.edges,
        ));
        let shares = told
            .rows()
            .filter_map(|row| row.taken.and_then(Taken::gflops));
        if shares.into_iter().any(|gflops| gflops > measured.peak) {
            lines.push(
                "of peak: more than 100 % where a short convolution (Winograd) needs fewer products than are counted"
                    .to_owned(),
            );
        }
    }
    lines.extend(
        told.weights
            .iter()
            .map(|weights| format!("weights: {weights}")),
    );
    lines.extend((told.fields.as_ref().err()).map(|why| format!("fields: not known, as {why}")));
    lines.push(format!("{counting}: {}", told.counting.convention()));
    if told.counting == Counting::Convolve && !summary.not_counted.is_empty() {
        lines.push(format!("not counted: {}", summary.not_counted.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(elided("layer1.0.conv1", 20), "layer1.0.conv1");
        assert_eq!(elided("layer1.0.conv1", 10), "laye…conv1");
        assert_eq!(elided("αβγδ", 3), "α…δ");
    }

    #[test]
    fn names_leave_out_what_stands_above() {
        assert_eq!(below("layer1.0.conv1", "layer1.0.bn1"), "….bn1");
        assert_eq!(below("layer1.0.conv1", "layer1.1.conv1"), "….1.conv1");
        assert_eq!(below("layer1.0.conv1", "layer2.0.conv1"), "layer2.0.conv1");
        assert_eq!(below("conv1", "conv10"), "conv10");
        assert_eq!(below("a.b", "a.b.c"), "….b.c");
    }
}
