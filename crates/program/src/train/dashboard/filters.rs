//! Filters of the first layer in half blocks: a letter is two pixels, one above the other.

use figures::Rgb;
use figures::filters::Filters;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::widgets::Block;

use super::colours::{Depth, MUTED};
use super::state::Bank;

/// Draws as many filters as there is room for, in a frame that says how many there are.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, bank: &Bank, depth: Depth) {
    let block = |title: String| {
        let style = Style::new().fg(MUTED);
        Block::bordered().border_style(style).title(title.bold())
    };
    let filters = match Filters::new(&bank.shape, &bank.values) {
        Ok(filters) if !bank.values.is_empty() => filters,
        _ => return frame.render_widget(block(" filters ".to_owned()), area),
    };
    let [height, width] = filters.extents();
    let inner = Block::bordered().inner(area);
    let scale = scale(inner, filters.count(), [height, width]);
    let (rows, columns) = ((height * scale).div_ceil(2), width * scale);
    // A gap of one letter on either side.
    let across = (usize::from(inner.width) + 1) / (columns + 1);
    let down = (usize::from(inner.height) + 1) / (rows + 1);
    let shown = filters.count().min(across * down);
    let title = match shown == filters.count() {
        true => format!(" {shown} filters of {} ", bank.name),
        false => format!(" {shown} of {} filters of {} ", filters.count(), bank.name),
    };
    frame.render_widget(block(title), area);
    for filter in 0..shown {
        let corner = (
            usize::from(inner.x) + filter % across * (columns + 1),
            usize::from(inner.y) + filter / across * (rows + 1),
        );
        let peak = filters.peak(filter);
        let pixel = |row: usize, column: usize| -> Option<Rgb> {
            let inside = row < height * scale;
            inside.then(|| filters.colour(filter, [row / scale, column / scale], peak))
        };
        for row in 0..rows {
            for column in 0..columns {
                let place = Position::new((corner.0 + column) as u16, (corner.1 + row) as u16);
                let Some(cell) = frame.buffer_mut().cell_mut(place) else {
                    continue;
                };
                cell.set_char('▀');
                if let Some(upper) = pixel(2 * row, column) {
                    cell.set_fg(depth.colour(upper));
                }
                if let Some(lower) = pixel(2 * row + 1, column) {
                    cell.set_bg(depth.colour(lower));
                }
            }
        }
    }
}

/// How many pixels of the screen a weight takes a side: as many as leave room for all filters, at most four.
fn scale(inner: Rect, count: usize, [height, width]: [usize; 2]) -> usize {
    let room = |scale: usize| {
        let across = (usize::from(inner.width) + 1) / (width * scale + 1);
        let down = (usize::from(inner.height) + 1) / ((height * scale).div_ceil(2) + 1);
        across * down
    };
    (1..=4)
        .rev()
        .find(|&scale| room(scale) >= count)
        .unwrap_or(1)
}
