//! What was found, as a board, a page, lines of a terminal, or JSON.

use std::path::Path;

use figures::board::{Board, Part};
use figures::html::{Block, Column, Page, Section, Table};
use figures::{Caption, Scene, short};
use serde_json::{Value, json};

use super::answer::{self, percent, percents};
use super::case::Case;
use super::method::Method;
use super::shown::{LeftOut, Shown, sentences};
use crate::printable::printable;
use crate::table::{self, Align, extents};

/// Panels side by side.
const COLUMNS: usize = 5;
/// The same where some belong together: two maps, each with both of its checks.
const COLUMNS_OF_GROUPS: usize = 6;
/// Classes that are named in text.
const TOP: usize = 5;

/// A network's answer with everything that was shown of it.
pub(super) struct Report<'a> {
    pub(super) case: &'a Case,
    /// The picture's file.
    pub(super) image: &'a Path,
    /// The network, in words.
    pub(super) network: &'a str,
    pub(super) shown: &'a [Shown],
    pub(super) left_out: &'a [LeftOut],
    /// The layer that was asked for.
    pub(super) layer: Option<&'a str>,
    /// Panels side by side, where they were chosen.
    pub(super) columns: Option<usize>,
}

impl Report<'_> {
    /// The panels by what they are about.
    pub(super) fn board(&self) -> Board {
        let case = self.case;
        let name = self.image.file_name().unwrap_or(self.image.as_os_str());
        let heading = format!(
            "{}: {} {}",
            printable(name.to_string_lossy()),
            case.own_label(),
            percent(case.probabilities[case.class])
        );
        let input: Vec<usize> = case.subject.image().to_vec();
        let remark = format!(
            "By {}: {} reads {} and {}; explained is class {}, {}.",
            self.network,
            case.card.model,
            extents(&input),
            match case.probabilities.len() {
                1 => "says how likely one class is".to_owned(),
                classes => format!("tells {classes} classes apart"),
            },
            case.class,
            case.own_label(),
        );
        let about = |about: About| {
            let shown = self
                .shown
                .iter()
                .filter(move |shown| about.holds(shown.method));
            shown.flat_map(|shown| shown.panels.iter().cloned())
        };
        let mut where_it_looks = answer::panels(case);
        where_it_looks.extend(about(About::Image));
        let part = |heading: &str, remark: &str, panels| Part {
            heading: heading.to_owned(),
            remark: remark.to_owned(),
            panels,
        };
        let (maps, said_of_maps) = match self.layer {
            Some(layer) => (
                format!("Feature maps of {layer}"),
                "What this layer makes of the image, the strongest map first. Numbers below maps are channels.",
            ),
            None => (
                "Feature maps by depth".to_owned(),
                "The last layer of each size of map, from the image on: edges first, then parts, then what the classes are \
                 told by. Numbers below maps are channels.",
            ),
        };
        Board {
            caption: Caption::new(heading, remark),
            parts: vec![
                part(
                    "Where the network looks",
                    &sentences(self.left_out).join(" "),
                    where_it_looks,
                ),
                part(
                    "Filters of the first layers",
                    "",
                    about(About::Filters).collect(),
                ),
                part("What layers make of it", "", about(About::Layers).collect()),
                part(&maps, said_of_maps, about(About::Maps).collect()),
            ],
        }
    }

    /// The board as a picture.
    pub(super) fn scene(&self) -> Scene {
        let mut panels = self.shown.iter().flat_map(|shown| &shown.panels);
        let usual = match panels.any(|panel| panel.follows) {
            true => COLUMNS_OF_GROUPS,
            false => COLUMNS,
        };
        self.board().scene(self.columns.unwrap_or(usual))
    }

    /// The board as a page, with the numbers below it.
    pub(super) fn page(&self) -> Page {
        let mut page = self.board().page();
        // What has a table of its own needs no line here.
        let ranges = self.shown.iter().filter(|shown| shown.tables.is_empty());
        let ranges = ranges.flat_map(rows);
        let ranges = Table {
            caption: "Raw ranges of what is shown".to_owned(),
            columns: vec![
                Column::words("shown"),
                Column::numbers("from"),
                Column::numbers("to"),
                Column::words("what is measured"),
            ],
            rows: ranges.map(Vec::from).collect(),
        };
        let others = self.shown.iter().flat_map(|shown| shown.tables.iter());
        let tables = std::iter::once(&ranges).chain(others);
        page.sections.push(Section {
            heading: "Numbers".to_owned(),
            blocks: tables.cloned().map(Block::Table).collect(),
        });
        page
    }

    /// Lines for a terminal.
    pub(super) fn lines(&self) -> Vec<String> {
        let case = self.case;
        let classes = case.top(TOP);
        let shares: Vec<f32> = classes
            .iter()
            .map(|&class| case.probabilities[class])
            .collect();
        let named = classes.iter().zip(percents(&shares));
        let top: Vec<String> = named
            .map(|(&class, share)| format!("{} {share}", printable(case.label(class))))
            .collect();
        let mut lines = vec![
            format!("{}: {}", printable(self.image.display()), top.join(", ")),
            format!(
                "explained: class {}, {}",
                case.class,
                printable(case.own_label())
            ),
        ];
        let rows: Vec<_> = self.shown.iter().flat_map(rows).collect();
        let heading = [
            ("shown", Align::Left),
            ("from", Align::Right),
            ("to", Align::Right),
            ("what is measured", Align::Left),
        ];
        lines.extend(table::lines(heading, &rows));
        lines
    }

    /// Everything for programs.
    pub(super) fn json(&self, output: Option<&Path>) -> Value {
        let case = self.case;
        let class = |class: usize| {
            json!({
                "class": class,
                "label": case.label(class),
                "probability": case.probabilities[class],
            })
        };
        let shown: serde_json::Map<String, Value> = self
            .shown
            .iter()
            .map(|shown| (shown.method.to_string(), shown.numbers.clone()))
            .collect();
        let top: Vec<Value> = case.top(TOP).into_iter().map(class).collect();
        let left_out = self.left_out.iter();
        let left_out: Vec<Value> = left_out
            .map(|left_out| json!({ "method": left_out.method.to_string(), "reason": left_out.reason }))
            .collect();
        json!({
            "image": self.image.to_string_lossy(),
            "model": case.card.model,
            "input": case.subject.image(),
            "activation": case.subject.activation().name(),
            "layer": case.watched.as_ref().map(|watched| &watched.layer),
            "channel": case.watched.as_ref().map(|watched| watched.channel),
            "explained": class(case.class),
            "top": top,
            "shown": shown,
            "left_out": left_out,
            "output": output.map(|path| path.to_string_lossy()),
        })
    }
}

/// What was measured, from where to where it goes.
fn rows(shown: &Shown) -> impl Iterator<Item = [String; 4]> + '_ {
    shown.rows.iter().map(|row| {
        [
            row.what.clone(),
            short(row.low),
            short(row.high),
            row.unit.clone(),
        ]
    })
}

/// What a panel is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Image,
    Filters,
    Layers,
    Maps,
}

impl About {
    fn holds(self, method: Method) -> bool {
        let about = match method {
            Method::Maps => Self::Maps,
            Method::Filters => Self::Filters,
            Method::Statistics | Method::Field | Method::Patches => Self::Layers,
            _ => Self::Image,
        };
        about == self
    }
}
