//! A channel shuffle with its numbers.

use geometry::ChannelShuffle;
use tensor::Tensor;

use crate::FigureError;
use crate::page::{self, BELOW_HEADING, Caption, MARGIN};
use crate::plane::{self, Grid, Look, Plane};
use crate::scene::{Item, Scene, at};
use crate::theme::Paint;

/// The most channels on a page.
const MOST: usize = 16;
/// The longest row or column.
const LONGEST: usize = 12;

/// Whether a map of such extents can be drawn.
///
/// # Errors
/// An empty one, or more than a page shows.
pub fn check([batch, channels, rows, columns]: [usize; 4]) -> Result<(), FigureError> {
    if [batch, channels, rows, columns].contains(&0) {
        return Err(FigureError::Empty { what: "a map" });
    }
    for (what, given, most) in [
        ("channels", channels, MOST),
        ("rows or columns", rows.max(columns), LONGEST),
    ] {
        if given > most {
            return Err(FigureError::TooMuch { what, given, most });
        }
    }
    Ok(())
}

/// The channels before and after, in the colours of their groups, with an arrow for each; a frame a channel.
///
/// # Errors
/// Arrays of another shape, or more than a page shows.
pub fn shuffle(
    problem: ChannelShuffle,
    input: &Tensor<f64>,
    output: &Tensor<f64>,
    caption: &Caption,
) -> Result<Scene, FigureError> {
    let &[batch, channels, rows, columns] = input.dims() else {
        return Err(FigureError::Depth);
    };
    if output.dims() != input.dims()
        || [batch, channels, rows * columns] != [problem.batch, problem.channels, problem.area]
    {
        return Err(FigureError::Shape {
            what: "output",
            given: output.dims().to_vec(),
            wanted: input.dims().to_vec(),
        });
    }
    check([batch, channels, rows, columns])?;
    let mut scene = page::begin(
        caption,
        "Channels before and after the shuffle, in the colours of their groups; arrows show where each goes.",
    );
    let cell = if channels * rows > 20 { 19.0 } else { 26.0 };
    let planes = |tensor: &Tensor<f64>| -> Vec<Plane> {
        let all = tensor.data().chunks(rows * columns).take(channels);
        all.map(|values| Plane::given(rows, columns, values))
            .collect()
    };
    let (before, after) = (planes(input), planes(output));
    let top = BELOW_HEADING + 12.0;
    let apart = 150.0;
    let lefts = [MARGIN + 20.0, MARGIN + 20.0 + columns as f64 * cell + apart];
    let grids = lefts.map(|left| plane::stack(&before, at(left, top), cell, 10.0));
    let each = channels / problem.groups;
    let look = |channel: usize| {
        let group = (channel / each % 250) as u8;
        Look::new(Paint::Group(group), Paint::GroupEdge(group))
    };
    let source = |channel| problem.source(channel);
    for channel in 0..channels {
        grids[0][channel].draw(&mut scene, &before[channel], look(channel));
        grids[1][channel].draw(&mut scene, &after[channel], look(source(channel)));
        let arrow = arrow(&grids, source(channel), channel);
        let group = (source(channel) / each % 250) as u8;
        scene
            .ground
            .push(arrow.stroke(Paint::GroupEdge(group), 1.3).arrow());
        scene.frames.push(vec![
            grids[0][source(channel)].outline(Paint::Ink, 2.5),
            self::arrow(&grids, source(channel), channel)
                .stroke(Paint::Ink, 2.2)
                .arrow(),
            grids[1][channel].outline(Paint::Ink, 2.5),
        ]);
    }
    for (left, name) in lefts.into_iter().zip([
        format!("{} groups of {each}", problem.groups),
        "in turn".to_owned(),
    ]) {
        page::title(
            &mut scene,
            left + columns as f64 * cell / 2.0,
            top - 9.0,
            &name,
        );
    }
    let bottom = top + plane::height(&before, cell, 10.0);
    scene.fit(
        lefts[1] + columns as f64 * cell + 20.0 + MARGIN,
        bottom + MARGIN,
    );
    Ok(scene)
}

fn arrow(grids: &[Vec<Grid>; 2], from: usize, to: usize) -> Item {
    let [from, to] = [&grids[0][from], &grids[1][to]];
    let start = from.corner.moved(from.width() + 4.0, from.height() / 2.0);
    let end = to.corner.moved(-4.0, to.height() / 2.0);
    let bend = (end.x - start.x) / 2.0;
    Item::new(crate::Shape::Curve(
        start,
        vec![[start.moved(bend, 0.0), end.moved(-bend, 0.0), end]],
    ))
}
