//! `summary --csv` (RFC 4180, with line feeds alone).

use graph::Counting;

use super::measured::Taken;
use super::{Row, Told};
use crate::bench::significant;
use crate::field;

/// A heading and a line a layer.
pub(super) fn of(told: &Told<'_>) -> String {
    let mut heading = vec![
        "layer",
        "op",
        "kernel",
        "output",
        "parameters",
        "macs",
        "bytes",
        "intensity",
        "field",
        "jump",
        "start",
        "centre",
        "auxiliary",
    ];
    let counting = told.counting.to_string();
    if told.counting != Counting::Convolve {
        heading.push(&counting);
    }
    if told.measured.is_some() {
        heading.extend(["median_ms", "gflops", "of_peak"]);
    }
    let rows = told.rows().map(|row| line(&cells(told, &row)));
    let mut lines = vec![heading.join(",")];
    lines.extend(rows);
    lines.join("\n")
}

fn cells(told: &Told<'_>, row: &Row<'_>) -> Vec<String> {
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let real = |number: Option<f64>| {
        number
            .map(|n| significant(n).to_string())
            .unwrap_or_default()
    };
    let summary = row.summary;
    let extents: Vec<String> = summary.output.iter().map(usize::to_string).collect();
    let longest =
        |number: fn(&geometry::Field) -> geometry::Rational| field::of_longest(row.axes, number);
    let mut cells = vec![
        summary.layer.clone(),
        summary.op.to_owned(),
        summary.kernel.clone(),
        extents.join("x"),
        summary.parameters.to_string(),
        number(summary.macs),
        summary.bytes.to_string(),
        real(summary.intensity()),
        field::size(row.axes),
        longest(geometry::Field::jump),
        longest(geometry::Field::first),
        longest(geometry::Field::centre),
        summary.auxiliary.to_string(),
    ];
    if told.counting != Counting::Convolve {
        cells.push(number(row.count));
    }
    if let Some(measured) = &told.measured {
        let gflops = row.taken.and_then(Taken::gflops);
        cells.push(real(row.taken.map(|taken| taken.milliseconds)));
        cells.push(real(gflops));
        cells.push(real(gflops.map(|gflops| gflops / measured.peak)));
    }
    cells
}

fn line(cells: &[String]) -> String {
    let quoted = cells
        .iter()
        .map(|cell| match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_quoted() {
        let cells = ["a,b", "c\"d", "e"].map(str::to_owned);
        assert_eq!(line(&cells), "\"a,b\",\"c\"\"d\",e");
    }
}
