//! `bench MODEL --profile`: what every step of a network does, by which kernel, and how well.

use runtime::ProfileRow;
use serde_json::{Value, json};

use super::timing::significant;
use crate::table::{self, Align};

/// Characters of a layer's name: with a kernel's and the numbers a line has 120 at most.
const LAYER: usize = 25;
/// Characters of a kernel's name, enough for three convolutions that are made together.
const KERNEL: usize = 31;

/// The steps of a network and the yardstick they are held against.
pub(super) struct Report {
    /// Steps of every run.
    pub(super) run: Vec<ProfileRow>,
    /// Steps that follow a change of the weights, and no others.
    pub(super) once: Vec<ProfileRow>,
    /// GFLOP/s of fused multiply-adds on registers alone.
    pub(super) peak: f64,
}

/// What several steps do together.
#[derive(Clone, Copy, Default)]
struct Sum {
    steps: usize,
    macs: u64,
    bytes: u64,
    milliseconds: f64,
}

impl Sum {
    fn of<'a>(rows: impl IntoIterator<Item = &'a ProfileRow>) -> Self {
        let mut sum = Self::default();
        for row in rows {
            sum.steps += 1;
            sum.macs += row.macs as u64;
            sum.bytes += row.bytes as u64;
            sum.milliseconds += row.milliseconds;
        }
        sum
    }

    /// A number a second, in billions; nothing where there is nothing to count or no time to divide by.
    fn rate(&self, count: u64) -> Option<f64> {
        (count > 0 && self.milliseconds > 0.0).then(|| count as f64 / (self.milliseconds * 1e6))
    }

    fn gflops(&self) -> Option<f64> {
        self.rate(2 * self.macs)
    }

    fn gigabytes(&self) -> Option<f64> {
        self.rate(self.bytes)
    }

    /// The columns that every table has: MACs, MB, ms, share, GFLOP/s, peak, GB/s.
    fn cells(&self, peak: f64, total: f64) -> [String; 7] {
        let gflops = self.gflops();
        [
            match self.macs {
                0 => String::new(),
                macs => format!("{:.1}", macs as f64 / 1e6),
            },
            match self.bytes {
                0 => String::new(),
                bytes => format!("{:.2}", bytes as f64 / 1e6),
            },
            format!("{:.3}", self.milliseconds),
            format!("{:.1}", percent(self.milliseconds, total)),
            shown(gflops, 1),
            shown(gflops.map(|gflops| percent(gflops, peak)), 0),
            shown(self.gigabytes(), 1),
        ]
    }

    fn to_json(self, peak: f64, total: f64) -> Value {
        let gflops = self.gflops();
        json!({
            "macs": self.macs, "bytes": self.bytes, "median_ms": significant(self.milliseconds),
            "share": significant(percent(self.milliseconds, total) / 100.0),
            "gflops": gflops.map(significant),
            "peak_share": gflops.map(|gflops| significant(gflops / peak)),
            "gbytes_per_second": self.gigabytes().map(significant),
        })
    }
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    }
}

fn shown(number: Option<f64>, digits: usize) -> String {
    number.map_or_else(String::new, |number| format!("{number:.digits$}"))
}

/// The kind of operator a step is counted under.
fn kind(row: &ProfileRow) -> &str {
    match row {
        row if row.converts_layout() => "layout conversion",
        row if row.packs() => "packing of weights",
        row => row.op,
    }
}

/// Sums by a name that steps have, the longest first.
fn grouped<'a>(rows: &'a [ProfileRow], name: fn(&'a ProfileRow) -> &'a str) -> Vec<(&'a str, Sum)> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&name(row)) {
            names.push(name(row));
        }
    }
    let of = |wanted| Sum::of(rows.iter().filter(|row| name(row) == wanted));
    let mut groups: Vec<_> = names.into_iter().map(|name| (name, of(name))).collect();
    groups.sort_by(|(_, a), (_, b)| b.milliseconds.total_cmp(&a.milliseconds));
    groups
}

impl Report {
    fn total(&self) -> Sum {
        Sum::of(&self.run)
    }

    /// Multiply-accumulates of a run.
    pub(super) fn macs(&self) -> u64 {
        self.total().macs
    }

    pub(super) fn to_json(&self) -> Value {
        let total = self.total();
        let step = |row: &ProfileRow, total: f64| {
            let refused = row.refused.iter();
            let refused = refused.map(|(algorithm, why)| {
                json!({ "algorithm": algorithm.to_string(), "why": why.to_string() })
            });
            let named = json!({
                "layer": row.layer, "op": row.op, "kernel": row.kernel,
                "refused": refused.collect::<Vec<_>>(),
            });
            super::timing::merged(named, Sum::of([row]).to_json(self.peak, total))
        };
        let groups = |name: fn(&ProfileRow) -> &str, key: &str| -> Vec<Value> {
            let groups = grouped(&self.run, name).into_iter();
            let groups = groups.map(|(name, sum)| {
                let named = json!({ key: name, "steps": sum.steps });
                super::timing::merged(named, sum.to_json(self.peak, total.milliseconds))
            });
            groups.collect()
        };
        let once = Sum::of(&self.once);
        json!({
            "peak_gflops": significant(self.peak),
            "profile": self.run.iter().map(|row| step(row, total.milliseconds)).collect::<Vec<_>>(),
            "by_operator": groups(kind, "op"),
            "by_kernel": groups(|row| &row.kernel, "kernel"),
            "total": total.to_json(self.peak, total.milliseconds),
            "once": self.once.iter().map(|row| step(row, once.milliseconds)).collect::<Vec<_>>(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        let total = self.total();
        let mut notes = Notes::default();
        let cells = |name: [String; 2], sum: Sum, last: String| {
            let [macs, bytes, ms, share, gflops, peak, gigabytes] =
                sum.cells(self.peak, total.milliseconds);
            let [first, second] = name;
            [
                first, second, macs, bytes, ms, share, gflops, peak, gigabytes, last,
            ]
        };
        let steps: Vec<_> = self
            .run
            .iter()
            .map(|row| {
                let kernel = row.kernel.replace(" + ", "+");
                let name = [shortened(&row.layer, LAYER), shortened(&kernel, KERNEL)];
                cells(name, Sum::of([row]), notes.letters(row))
            })
            .collect();
        let mut lines = table::lines(heading("layer", "kernel", "why"), &steps);
        let totals = |title, name: fn(&ProfileRow) -> &str| {
            let groups = grouped(&self.run, name);
            let rows = groups.into_iter().chain([("all", total)]);
            let rows: Vec<_> = rows
                .map(|(name, sum)| {
                    let name = name.replace(" + ", "+");
                    let name = [shortened(&name, KERNEL), sum.steps.to_string()];
                    cells(name, sum, String::new())
                })
                .collect();
            table::lines(heading(title, "steps", ""), &rows)
        };
        for block in [
            totals("operator", kind),
            totals("kernel", |row| &row.kernel),
            notes.lines(),
            self.remarks(),
        ] {
            if !block.is_empty() {
                lines.push(String::new());
                lines.extend(block);
            }
        }
        lines.join("\n")
    }

    /// What the numbers mean, and what stands in no row.
    fn remarks(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "peak: per cent of {:.1} GFLOP/s, multiply-adds on registers alone; winograd needs fewer and may pass it",
                self.peak
            ),
            "MB: operands, each read or written once; MACs in millions; ms: medians".to_owned(),
        ];
        if !self.once.is_empty() {
            let once = Sum::of(&self.once);
            lines.push(format!(
                "once, after weights changed: {} steps in {:.3} ms",
                once.steps, once.milliseconds
            ));
            for (name, sum) in grouped(&self.once, |row| row.kernel.as_str()) {
                lines.push(format!("  {name}: {:.3} ms", sum.milliseconds));
            }
        }
        lines
    }
}

fn heading<'a>(first: &'a str, second: &'a str, last: &'a str) -> [(&'a str, Align); 10] {
    let number = |title| (title, Align::Right);
    [
        (first, Align::Left),
        (second, Align::Left),
        number("MACs"),
        number("MB"),
        number("ms"),
        number("%"),
        number("GFLOP/s"),
        number("peak"),
        number("GB/s"),
        (last, Align::Left),
    ]
}

/// The end of a name that is too long: layers differ there.
fn shortened(name: &str, most: usize) -> String {
    let count = name.chars().count();
    match count > most {
        true => std::iter::once('…')
            .chain(name.chars().skip(count - most + 1))
            .collect(),
        false => name.to_owned(),
    }
}

/// Refusals, each said once and referred to by a letter.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn letters(&mut self, row: &ProfileRow) -> String {
        let refused = row.refused.iter();
        let letters = refused.map(|(algorithm, why)| self.letter(format!("{algorithm}: {why}")));
        letters.collect()
    }

    fn letter(&mut self, text: String) -> char {
        let place = self.0.iter().position(|known| *known == text);
        let place = place.unwrap_or_else(|| {
            self.0.push(text);
            self.0.len() - 1
        });
        nth_letter(place)
    }

    fn lines(&self) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let title = "why: better kernels were not taken".to_owned();
        let notes = self.0.iter().enumerate();
        let notes = notes.map(|(place, text)| format!("  {}  {text}", nth_letter(place)));
        std::iter::once(title).chain(notes).collect()
    }
}

/// `a` to `z`, `A` to `Z`; there are fewer algorithms times reasons than that.
fn nth_letter(place: usize) -> char {
    ('a'..='z').chain('A'..='Z').nth(place).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use kernels::conv::{Algorithm, Refusal};

    use super::*;

    fn row(op: &'static str, kernel: &str, macs: usize, milliseconds: f64) -> ProfileRow {
        ProfileRow {
            layer: "a.layer.with.a.name.that.is.far.too.long.conv1".to_owned(),
            op,
            kernel: kernel.to_owned(),
            refused: vec![
                (Algorithm::Depthwise, Refusal::NotDepthwise),
                (Algorithm::Winograd4, Refusal::Slower),
            ],
            macs,
            bytes: 2_000_000,
            milliseconds,
        }
    }

    fn report() -> Report {
        Report {
            run: vec![
                row("conv", "reorder nchw to nhwc", 0, 1.0),
                row("conv", "direct forward", 50_000_000, 2.0),
                row("conv", "winograd-2 forward", 50_000_000, 1.0),
                row("flatten", ProfileRow::IDLE, 0, 0.0),
            ],
            once: vec![row("conv", "pack", 0, 0.5)],
            peak: 100.0,
        }
    }

    #[test]
    fn rates_are_of_the_time_and_shares_of_the_whole() {
        let json = report().to_json();
        let direct = &json["profile"][1];
        assert_eq!(direct["gflops"], 50.0);
        assert_eq!(direct["peak_share"], 0.5);
        assert_eq!(direct["gbytes_per_second"], 1.0);
        assert_eq!(direct["share"], 0.5);
        assert_eq!(direct["refused"][1]["algorithm"], "winograd-4");
        assert!(json["profile"][0]["gflops"].is_null());
        assert!(json["profile"][3]["gbytes_per_second"].is_null());
    }

    #[test]
    fn groups_add_up_and_the_longest_is_first() {
        let json = report().to_json();
        let names = |list: &str, key: &str| -> Vec<String> {
            let groups = json[list].as_array().unwrap().iter();
            groups
                .map(|group| group[key].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(
            names("by_operator", "op"),
            ["conv", "layout conversion", "flatten"]
        );
        assert_eq!(names("by_kernel", "kernel")[0], "direct forward");
        assert_eq!(json["by_operator"][0]["macs"], 100_000_000);
        assert_eq!(json["by_operator"][0]["steps"], 2);
        assert_eq!(json["total"]["median_ms"], 4.0);
        assert_eq!(json["total"]["bytes"], 8_000_000);
    }

    #[test]
    fn a_refusal_is_explained_once_below_the_table() {
        let text = report().to_text();
        assert_eq!(text.matches("another algorithm is expected").count(), 1);
        assert!(text.lines().nth(2).unwrap().ends_with("ab"), "{text}");
        assert!(
            text.contains("once, after weights changed: 1 steps in 0.500 ms\n  pack: 0.500 ms")
        );
    }

    #[test]
    fn a_line_has_120_characters_at_most() {
        let mut large = report();
        for row in &mut large.run {
            row.kernel = "local response norm backward and more".to_owned();
            (row.macs, row.bytes, row.milliseconds) = (99_999_900_000, 9_999_000_000, 9_999.0);
        }
        for line in large.to_text().lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
