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
    /// The board as one picture, `columns` panels wide.
    pub fn scene(&self, columns: usize) -> Scene {
        let columns = columns.max(1);
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
            for row in part.panels.chunks(columns) {
                let bottom = row_of(&mut scene, row, top);
                top = bottom + BETWEEN;
            }
            top -= BETWEEN;
        }
        scene.fit(width + 2.0 * MARGIN, top + MARGIN);
        scene
    }

    /// The board as a page, its panels as many side by side as there is room for.
    pub fn page(&self) -> Page {
        let sections = self.parts.iter().filter(|part| !part.panels.is_empty());
        let sections = sections.map(|part| {
            let figures = part.panels.iter().map(|panel| Figure {
                title: panel.title.clone(),
                scene: panel.scene.clone(),
                caption: panel.caption.clone(),
                wide: false,
            });
            let figures = Block::Figures(figures.collect());
            let remark = Block::Text(part.remark.clone());
            Section {
                heading: part.heading.clone(),
                blocks: match part.remark.is_empty() {
                    true => vec![figures],
                    false => vec![remark, figures],
                },
            }
        });
        Page {
            title: self.caption.heading.clone(),
            lead: vec![Block::Text(self.caption.remark.clone())],
            sections: sections.collect(),
        }
    }
}

/// Draws panels side by side, their pictures in one line, and gives where they end.
fn row_of(scene: &mut Scene, row: &[Panel], top: f64) -> f64 {
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
