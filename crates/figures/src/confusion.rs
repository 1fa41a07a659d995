//! A confusion matrix: what pictures show against what was answered.

use crate::FigureError;
use crate::colormap::{Colormap, Scale};
use crate::font::{self, Weight};
use crate::scene::{Anchor, Item, Scene, at};
use crate::theme::Paint;

/// The most classes of a matrix on a page.
pub const MOST_CLASSES: usize = 40;

/// Letters of names.
const LETTERS: f64 = 11.0;
/// What the rows are.
const ROWS: &str = "class ↓";
/// The widest name; longer ones are cut.
const NAME: f64 = 150.0;
/// Cells that are smaller hold no number.
const READABLE: f64 = 20.0;
/// Room above: the name of the axis, and numbers of columns.
const ABOVE: f64 = 42.0;

/// A row for each class, a column for each answer: `counts[row · classes + column]` pictures. Colours are shares of the
/// row; the cells of right answers have an outline. Columns bear the numbers that stand before the names of rows.
///
/// ```
/// let names = ["cat".to_owned(), "dog".to_owned()];
/// let scene = figures::confusion::matrix(&names, &[8, 2, 1, 9])?;
/// assert!(figures::svg::write(&scene).contains("0 cat"));
/// # Ok::<(), figures::FigureError>(())
/// ```
///
/// # Errors
/// More than [`MOST_CLASSES`] names, or another number of counts than the square of theirs.
pub fn matrix(names: &[String], counts: &[u64]) -> Result<Scene, FigureError> {
    let classes = names.len();
    if classes > MOST_CLASSES {
        return Err(FigureError::TooMuch {
            what: "classes",
            given: classes,
            most: MOST_CLASSES,
        });
    }
    if counts.len() != classes * classes {
        return Err(FigureError::Shape {
            what: "a confusion matrix",
            given: vec![counts.len()],
            wanted: vec![classes, classes],
        });
    }
    let mut scene = Scene::new("", "");
    let cell = (420.0 / classes.max(1) as f64).clamp(14.0, 46.0);
    let size = (cell * 0.72).min(LETTERS);
    let rows: Vec<String> = names.iter().enumerate().map(row_name).collect();
    let widest = rows
        .iter()
        .map(|name| font::width(name, size, Weight::Regular))
        .fold(0.0, f64::max);
    let beside = widest
        .min(NAME)
        .max(font::width(ROWS, LETTERS, Weight::Regular));
    let (left, side) = (beside + 8.0, cell * classes as f64);
    let muted = |x: f64, y: f64, text: &str, size: f64, anchor| {
        Item::text(at(x, y), text, size, anchor).fill(Paint::Muted)
    };
    let middle = left + side / 2.0;
    scene
        .ground
        .push(muted(left - 8.0, 12.0, ROWS, LETTERS, Anchor::End));
    scene
        .ground
        .push(muted(middle, 12.0, "answer →", LETTERS, Anchor::Middle));
    let scale = Scale::between(Colormap::Viridis, 0.0, 100.0);
    for (row, name) in rows.iter().enumerate() {
        let top = ABOVE + row as f64 * cell;
        let base = top + cell / 2.0 + size * 0.36;
        let name = font::shortened(name, size, Weight::Regular, NAME);
        scene
            .ground
            .push(Item::text(at(left - 8.0, base), name, size, Anchor::End));
        let number = muted(
            left + (row as f64 + 0.5) * cell,
            ABOVE - 7.0,
            &row.to_string(),
            size,
            Anchor::Middle,
        );
        scene.ground.push(number);
        let counts = &counts[row * classes..(row + 1) * classes];
        let pictures: u64 = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let corner = at(left + column as f64 * cell, top);
            let share = 100.0 * count as f64 / pictures.max(1) as f64;
            let square = Item::rectangle(corner, cell, cell);
            scene.ground.push(match count {
                0 => square.fill(Paint::Panel).stroke(Paint::Page, 1.0),
                _ => square.fill(scale.paint(share)).stroke(Paint::Page, 1.0),
            });
            if row == column {
                let inner = Item::rectangle(corner.moved(1.0, 1.0), cell - 2.0, cell - 2.0);
                scene.top.push(inner.stroke(Paint::Ink, 1.5));
            }
            if count > 0 && cell >= READABLE {
                let text = count.to_string();
                let widest = font::width(&text, 1.0, Weight::Regular);
                let size = LETTERS.min((cell - 5.0) / widest);
                let place = corner.moved(cell / 2.0, cell / 2.0 + size * 0.36);
                let text = Item::text(place, text, size, Anchor::Middle);
                scene.top.push(text.fill(scale.ink(share)));
            }
        }
    }
    let below = ABOVE + side + 14.0;
    let width = side.clamp(160.0, 260.0);
    scene.ground.extend(scale.bar(at(left, below), width));
    let unit = "share of the class's pictures, %";
    let place = [left + width / 2.0, below + 38.0];
    scene
        .ground
        .push(muted(place[0], place[1], unit, LETTERS, Anchor::Middle));
    scene.fit(left + side.max(width) + 14.0, below + 44.0);
    Ok(scene)
}

fn row_name((place, name): (usize, &String)) -> String {
    format!("{place} {name}")
}
