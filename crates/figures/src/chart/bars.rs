//! Bars side by side, such as the likeliest classes.

use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// Letters of names and numbers.
const LETTERS: f64 = 10.5;
/// From bar to bar.
const STEP: f64 = 30.0;

/// A name with a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// Its length, as a share of the whole width from 0 to 1.
    pub share: f64,
    /// Its number as it is printed.
    pub text: String,
    /// It is the one that matters.
    pub marked: bool,
}

/// Bars one below the other, each under its name with its number at the right.
pub fn bars(bars: &[Bar], width: f64) -> Scene {
    let mut scene = Scene::new("", "");
    for (place, bar) in bars.iter().enumerate() {
        let top = place as f64 * STEP;
        let room = width - font::width(&bar.text, LETTERS, Weight::Bold) - 10.0;
        let name = Item::text(
            at(0.0, top + 11.0),
            shortened(&bar.name, room),
            LETTERS,
            Anchor::Start,
        );
        let number = Item::text(at(width, top + 11.0), &bar.text, LETTERS, Anchor::End);
        let (fill, edge) = match bar.marked {
            true => (Paint::Kernel, Paint::KernelEdge),
            false => (Paint::Input, Paint::InputEdge),
        };
        for text in [name, number] {
            scene
                .ground
                .push(if bar.marked { text.bold() } else { text });
        }
        let track = Item::rounded(at(0.0, top + 16.0), width, 7.0, 3.5);
        scene.ground.push(track.fill(Paint::Panel));
        let long = bar.share.clamp(0.0, 1.0) * width;
        if long > 0.5 {
            let filled = Item::rounded(at(0.0, top + 16.0), long, 7.0, 3.5);
            scene.ground.push(filled.fill(fill).stroke(edge, 1.0));
        }
    }
    scene.fit(width, bars.len() as f64 * STEP);
    scene
}

/// A name that fits, its end left out where it must be.
fn shortened(name: &str, room: f64) -> String {
    if font::width(name, LETTERS, Weight::Bold) <= room {
        return name.to_owned();
    }
    let mut letters: Vec<char> = name.chars().collect();
    loop {
        letters.pop();
        let shorter: String = letters.iter().chain(['…'].iter()).collect();
        if letters.is_empty() || font::width(&shorter, LETTERS, Weight::Bold) <= room {
            return shorter;
        }
    }
}
