//! How a feature map lies in memory, and which cache lines a window touches there.

use geometry::Window;
use tensor::Layout;

use crate::FigureError;
use crate::arithmetic::MOST_FRAMES;
use crate::page::{self, BELOW_HEADING, Caption, GAP, MARGIN};
use crate::scene::{Anchor, Item, Point, Scene, at};
use crate::theme::Paint;

/// Numbers of a cache line: 64 bytes of 32-bit floats.
const LINE: usize = 16;
/// The most cache lines of a layout on a page.
const MOST_LINES: usize = 64;
/// Channels that the blocked layout keeps side by side.
const BLOCK: usize = 16;
/// Width and height of a cell.
const CELL: [f64; 2] = [31.0, 20.0];
/// From one layout to the next one below.
const ROOM: f64 = 78.0;

/// A layout: its name, what varies fastest, and for every place in memory the element there, by its number in
/// `[n, c, h, w]` order; nothing where the layout only fills up.
struct Order {
    name: &'static str,
    remark: &'static str,
    places: Vec<Option<usize>>,
}

/// The first window of a problem on three layouts of its input: NCHW, NHWC and NCHW in blocks of 16 channels, a row for each
/// cache line of 16 numbers. A frame for every place of the window.
///
/// Cells say channel, row and column. Windows are those of height and width.
///
/// # Errors
/// A map of more than 64 cache lines, or more than 256 places of the window.
pub fn layouts(
    [batch, channels]: [usize; 2],
    windows: [Window; 2],
    caption: &Caption,
) -> Result<Scene, FigureError> {
    let [down, across] = windows;
    let shape = [batch, channels, down.input, across.input];
    let blocks = channels.div_ceil(BLOCK);
    let lines = shape[0]
        .saturating_mul(blocks)
        .saturating_mul(shape[2])
        .saturating_mul(shape[3]);
    let plain = shape
        .iter()
        .fold(1usize, |all, &extent| all.saturating_mul(extent))
        .div_ceil(LINE);
    for given in [lines, plain] {
        if given > MOST_LINES {
            return Err(FigureError::TooMuch {
                what: "cache lines",
                given,
                most: MOST_LINES,
            });
        }
    }
    let (given, most) = (down.output.saturating_mul(across.output), MOST_FRAMES);
    if given > most {
        return Err(FigureError::TooMuch {
            what: "frames",
            given,
            most,
        });
    }
    let mut scene = page::begin(
        caption,
        "Rows are cache lines of 16 numbers; cells say channel, row and column; the window's cells and the lines that hold them are marked.",
    );
    let orders = orders(shape);
    // The two plain layouts one below the other, the blocked one, which is taller, beside them.
    let wide = CELL[0] * LINE as f64;
    let tall = |order: &Order| order.places.len().div_ceil(LINE) as f64 * CELL[1];
    let top = BELOW_HEADING + 30.0;
    let corners = [
        at(MARGIN, top),
        at(MARGIN, top + tall(&orders[0]) + ROOM),
        at(MARGIN + wide + GAP, top),
    ];
    for (order, &corner) in orders.iter().zip(&corners) {
        draw(&mut scene, order, corner, shape);
        scene.fit(corner.x + wide + MARGIN, corner.y + tall(order) + 32.0);
    }
    for row in 0..down.output {
        for column in 0..across.output {
            let elements = elements(shape, windows, [row, column]);
            let mut items = Vec::new();
            for (order, &corner) in orders.iter().zip(&corners) {
                items.extend(marks(order, &elements, corner));
            }
            scene.frames.push(items);
        }
    }
    scene.seconds = 0.9;
    scene.still = scene.frames.len() / 2;
    Ok(scene)
}

/// The cells of a layout, with its name above.
fn draw(scene: &mut Scene, order: &Order, corner: Point, [_, channels, height, width]: [usize; 4]) {
    let (middle, area) = (CELL[0] * LINE as f64 / 2.0, height * width);
    let name = Item::text(
        corner.moved(middle, -24.0),
        order.name,
        13.0,
        Anchor::Middle,
    );
    scene.ground.push(name.bold());
    page::title(scene, corner.x + middle, corner.y - 8.0, order.remark);
    for (place, element) in order.places.iter().enumerate() {
        let corner = corner.moved(
            (place % LINE) as f64 * CELL[0],
            (place / LINE) as f64 * CELL[1],
        );
        let cell = Item::rectangle(corner, CELL[0], CELL[1]);
        let Some(element) = *element else {
            let blank = cell.fill(Paint::Blank).stroke(Paint::BlankEdge, 0.7);
            scene.ground.push(blank.dashed());
            continue;
        };
        let (channel, pixel) = (element / area % channels, element % area);
        let group = (channel % 250) as u8;
        scene.ground.push(
            cell.fill(Paint::Group(group))
                .stroke(Paint::GroupEdge(group), 0.7),
        );
        let text = format!("{channel},{},{}", pixel / width, pixel % width);
        let place = corner.moved(CELL[0] / 2.0, CELL[1] * 0.66);
        scene.top.push(Item::text(place, text, 9.0, Anchor::Middle));
    }
}

/// The elements of the first image under a window, all channels.
fn elements(
    [_, channels, height, width]: [usize; 4],
    [down, across]: [Window; 2],
    [row, column]: [usize; 2],
) -> Vec<usize> {
    let rows = || (0..down.kernel).filter_map(move |tap| down.source(row, tap));
    let columns = move || (0..across.kernel).filter_map(move |tap| across.source(column, tap));
    (0..channels)
        .flat_map(|channel| rows().map(move |y| (channel * height + y) * width))
        .flat_map(|start| columns().map(move |x| start + x))
        .collect()
}

/// Marks of a window in one layout, and how many lines it touches.
fn marks(order: &Order, elements: &[usize], corner: Point) -> Vec<Item> {
    let mut items = Vec::new();
    let mut touched = Vec::new();
    for (place, element) in order.places.iter().enumerate() {
        if !element.is_some_and(|element| elements.contains(&element)) {
            continue;
        }
        let line = place / LINE;
        if touched.last() != Some(&line) {
            touched.push(line);
        }
        let cell = corner.moved((place % LINE) as f64 * CELL[0], line as f64 * CELL[1]);
        let mark = Item::rectangle(cell, CELL[0], CELL[1]);
        items.push(mark.fill(Paint::Ink).opacity(0.28));
    }
    for &line in &touched {
        let row = corner.moved(-2.0, line as f64 * CELL[1]);
        let frame = Item::rounded(row, CELL[0] * LINE as f64 + 4.0, CELL[1], 3.0);
        items.push(frame.stroke(Paint::Ink, 2.0));
    }
    let text = format!(
        "{} numbers in {} cache lines",
        elements.len(),
        touched.len()
    );
    let lines = order.places.len().div_ceil(LINE) as f64;
    let place = corner.moved(CELL[0] * LINE as f64 / 2.0, lines * CELL[1] + 18.0);
    items.push(Item::text(place, text, 12.0, Anchor::Middle));
    items
}

fn orders(shape: [usize; 4]) -> [Order; 3] {
    let [batch, channels, height, width] = shape;
    let len: usize = shape.iter().product();
    let plain: Vec<Option<usize>> = (0..len).map(Some).collect();
    let mut last = vec![None; len];
    Layout::Nhwc.reorder_from_nchw(&plain, &mut last, channels, height * width);
    let mut blocked = Vec::new();
    for image in 0..batch {
        for block in 0..channels.div_ceil(BLOCK) {
            for pixel in 0..height * width {
                blocked.extend((block * BLOCK..(block + 1) * BLOCK).map(|channel| {
                    let element = (image * channels + channel) * height * width + pixel;
                    (channel < channels).then_some(element)
                }));
            }
        }
    }
    [
        Order {
            name: "NCHW",
            remark: "columns vary fastest, channels lie apart",
            places: plain,
        },
        Order {
            name: "NHWC",
            remark: "channels vary fastest, pixels lie together",
            places: last,
        },
        Order {
            name: "nChw16c",
            remark: "blocks of 16 channels: one pixel, one line",
            places: blocked,
        },
    ]
}
