//! A board: panels under headings, as one picture or as one page.

use crate::font::Weight;
use crate::html::{Block, Figure, Page, Section};
use crate::page::{Caption, MARGIN};
use crate::panel::{Panel, WIDTH};
use crate::paragraph::Letters;
use crate::scene::{Item, Scene, at};
use crate::theme::Paint;

/// Between panels side by side.
const BESIDE: f64 = 30.0;
/// Between rows of panels.
const BETWEEN: f64 = 26.0;

const HEADING: Letters = Letters::new(20.0, 26.0, Weight::Bold, Paint::Ink);
const REMARK: Letters = Letters::new(12.0, 17.0, Weight::Regular, Paint::Muted);
const PART: Letters = Letters::new(15.0, 20.0, Weight::Bold, Paint::Ink);
const TITLE: Letters = Letters::new(12.0, 16.0, Weight::Bold, Paint::Ink);

/// Panels under a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The heading.
    pub heading: String,
    /// What there is to say of all of them.
    pub remark: String,
    /// The panels.
    pub panels: Vec<Panel>,
}

/// Parts from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// What stands above all.
    pub caption: Caption,
    /// The parts.
    pub parts: Vec<Part>,
}

impl Board {
    /// The board as one picture, at most `columns` panels wide.
    pub fn scene(&self, columns: usize) -> Scene {
        let columns = columns.max(1);
        let longest = self
            .parts
            .iter()
            .flat_map(|part| rows(&part.panels, columns));
        let longest = longest.map(<[Panel]>::len).max().unwrap_or(0);
        // Headings need some room too.
        let columns = longest.max(columns.min(2));
        let width = columns as f64 * (WIDTH + BESIDE) - BESIDE;
        let titles = self.parts.iter().flat_map(|part| &part.panels);
        let titles: Vec<&str> = titles.map(|panel| panel.title.as_str()).collect();
        let mut scene = Scene::new(
            &self.caption.heading,
            format!("{} Panels: {}.", self.caption.remark, titles.join("; ")),
        );
        let mut top = MARGIN;
        let write = |scene: &mut Scene, letters: Letters, text: &str, top: &mut f64| {
            letters.write(scene, at(MARGIN, *top), text, width);
            *top += letters.height(text, width);
        };
        write(&mut scene, HEADING, &self.caption.heading, &mut top);
        write(&mut scene, REMARK, &self.caption.remark, &mut top);
        for part in self.parts.iter().filter(|part| !part.panels.is_empty()) {
            top += 18.0;
            let rule = Item::line([at(MARGIN, top), at(MARGIN + width, top)]);
            scene.ground.push(rule.stroke(Paint::Rule, 1.0));
            top += 10.0;
            write(&mut scene, PART, &part.heading, &mut top);
            write(&mut scene, REMARK, &part.remark, &mut top);
            top += 12.0;
            for row in rows(&part.panels, columns) {
                let bottom = draw(&mut scene, row, top);
                top = bottom + BETWEEN;
            }
            top -= BETWEEN;
        }
        scene.fit(width + 2.0 * MARGIN, top + MARGIN);
        scene
    }

    /// The board as a page, its panels as many side by side as there is room for. Those that belong together begin a row.
    pub fn page(&self) -> Page {
        let sections = self.parts.iter().filter(|part| !part.panels.is_empty());
        let sections = sections.map(|part| {
            let figure = |panel: &Panel| Figure {
                title: panel.title.clone(),
                scene: panel.scene.clone(),
                caption: panel.caption.clone(),
                wide: false,
            };
            let remark = (!part.remark.is_empty()).then(|| Block::Text(part.remark.clone()));
            let figures = blocks(&part.panels).into_iter();
            let figures = figures.map(|panels| panels.into_iter().map(figure).collect());
            Section {
                heading: part.heading.clone(),
                blocks: remark
                    .into_iter()
                    .chain(figures.map(Block::Figures))
                    .collect(),
            }
        });
        Page {
            title: self.caption.heading.clone(),
            lead: vec![Block::Text(self.caption.remark.clone())],
            sections: sections.collect(),
        }
    }
}

/// Panels with those that follow them.
fn groups(panels: &[Panel]) -> impl Iterator<Item = &[Panel]> {
    panels.chunk_by(|_, next| next.follows)
}

/// Rows of at most so many panels. A group that the rest of a row has no room for begins the next one.
fn rows(panels: &[Panel], columns: usize) -> Vec<&[Panel]> {
    let mut rows = Vec::new();
    let (mut start, mut end) = (0, 0);
    for piece in groups(panels).flat_map(|group| group.chunks(columns)) {
        if end + piece.len() > start + columns {
            rows.push(&panels[start..end]);
            start = end;
        }
        end += piece.len();
    }
    if start < end {
        rows.push(&panels[start..]);
    }
    rows
}

/// Panels that a page lays out together: a group, or single ones in a row.
fn blocks(panels: &[Panel]) -> Vec<Vec<&Panel>> {
    let mut blocks: Vec<Vec<&Panel>> = Vec::new();
    let mut alone = false;
    for group in groups(panels) {
        match blocks.last_mut() {
            Some(block) if alone && group.len() == 1 => block.extend(group),
            _ => blocks.push(group.iter().collect()),
        }
        alone = group.len() == 1;
    }
    blocks
}

/// Draws panels side by side, their pictures in one line, and gives where they end.
fn draw(scene: &mut Scene, row: &[Panel], top: f64) -> f64 {
    let heights = row.iter().map(|panel| TITLE.height(&panel.title, WIDTH));
    let pictures = top + heights.fold(0.0, f64::max) + 6.0;
    let mut bottom = pictures;
    for (place, panel) in row.iter().enumerate() {
        let left = MARGIN + place as f64 * (WIDTH + BESIDE);
        TITLE.write(scene, at(left, top), &panel.title, WIDTH);
        scene.insert(panel.scene.clone(), at(left, pictures));
        let words = pictures + panel.scene.height + 8.0;
        Letters::NOTE.write(scene, at(left, words), &panel.caption, WIDTH);
        bottom = bottom.max(words + Letters::NOTE.height(&panel.caption, WIDTH));
    }
    bottom
}
