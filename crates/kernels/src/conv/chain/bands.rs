//! Which rows of every map of a chain are made when.
//!
//! The last map is made in bands of a few rows. A band asks the map before for the rows that its
//! windows read, that one asks the map before it, and so on to the first. Windows of neighbouring bands
//! overlap: rows that are there already are kept, and only new ones are made.

use std::ops::Range;

use geometry::{ConvGeometry, Window};

/// New rows of the target of one link, and what they are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) link: usize,
    /// New rows of the target.
    pub(super) target: Range<usize>,
    /// Rows of the source that they read.
    pub(super) source: Range<usize>,
    /// The rows' window: of a map of these source rows alone.
    pub(super) window: Window,
    /// Rows of the target that are there and still needed; they end where the new ones begin.
    pub(super) kept: usize,
}

/// The links' rows in the order they are made in, for rows `of` of the last target, `most` at a time.
/// Nothing if some rows read nothing but padding: no map has them.
pub(super) fn cut(links: &[ConvGeometry], of: Range<usize>, most: usize) -> Option<Vec<Rows>> {
    let windows: Vec<_> = links.iter().map(|link| &link.windows[1]).collect();
    // The end of what is made of each target.
    let mut made: Vec<Option<usize>> = vec![None; links.len()];
    let mut calls = Vec::new();
    for start in of.clone().step_by(most.max(1)) {
        let mut needed = start..of.end.min(start + most.max(1));
        let mut band = Vec::new();
        for (link, window) in windows.iter().enumerate().rev() {
            let first = made[link].map_or(needed.start, |made| made.max(needed.start));
            let target = first.min(needed.end)..needed.end;
            let kept = target.start - needed.start;
            made[link] = Some(needed.end.max(first));
            if target.is_empty() {
                break;
            }
            let (source, window) = reads(window, &target)?;
            needed = source.clone();
            band.push(Rows {
                link,
                target,
                source,
                window,
                kept,
            });
        }
        calls.extend(band.into_iter().rev());
    }
    Some(calls)
}

/// The source rows that some rows of a target read, and the window over these alone.
fn reads(window: &Window, target: &Range<usize>) -> Option<(Range<usize>, Window)> {
    let first_read = |row: usize| (row * window.stride) as isize - window.before as isize;
    let first = first_read(target.start);
    let last = first_read(target.end - 1) + window.effective_kernel() as isize;
    let (start, end) = (first.max(0) as usize, last.min(window.input as isize));
    let source = start..usize::try_from(end).ok().filter(|&end| end > start)?;
    let window = Window {
        input: source.len(),
        before: (source.start as isize - first) as usize,
        after: (last - source.end as isize) as usize,
        output: target.len(),
        ..*window
    };
    Some((source, window))
}

#[cfg(test)]
mod tests {
    use geometry::ConvDesc;

    use super::*;

    /// Every row is made once and in order, reads what is there, and keeps what is still read.
    #[test]
    fn rows_are_made_once_and_are_there_when_they_are_read() {
        for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (5, 2, 2), (5, 1, 0), (2, 3, 0)] {
            for (height, most) in [(23, 1), (23, 2), (23, 4), (23, 100), (7, 3)] {
                let spatial = ConvDesc::new(4, kernel).groups(4);
                let spatial = spatial.stride(stride).padding(padding);
                let expand = ConvDesc::new(4, 1).resolve(&[1, 2, height, 9]).unwrap();
                let spatial = spatial.resolve(&[1, 4, height, 9]).unwrap();
                let project = ConvDesc::new(3, 1)
                    .resolve(&spatial.output_shape())
                    .unwrap();
                let links = [expand, spatial, project];
                let rows = project.windows[1].output;
                let mut there = [0..0, 0..0, 0..0];
                for call in cut(&links, 0..rows, most).unwrap() {
                    let full = &links[call.link].windows[1];
                    // What the definition reads of the whole map, it reads here.
                    for target in call.target.clone() {
                        let within = target - call.target.start;
                        for tap in 0..full.kernel {
                            let here = call.window.source(within, tap);
                            let here = here.map(|row| row + call.source.start);
                            assert_eq!(here, full.source(target, tap));
                        }
                    }
                    if call.link > 0 {
                        let source = &there[call.link - 1];
                        assert!(source.start <= call.source.start && call.source.end <= source.end);
                    }
                    let target = &mut there[call.link];
                    assert!(call.target.start == target.end || call.kept == 0);
                    assert!(call.target.start >= target.end, "a row is made twice");
                    *target = call.target.start - call.kept..call.target.end;
                }
                assert_eq!(there[2].end, rows);
            }
        }
    }
}
