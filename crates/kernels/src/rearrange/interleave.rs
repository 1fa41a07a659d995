//! Channels of several maps in turn.

use crate::Context;
use crate::blocks::for_rows;
use crate::shared::Shared;
use crate::vectorise::vectorised;

/// Some channels of a map, channels last: so many neighbouring ones of every pixel.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a, T> {
    /// The map.
    pub map: &'a [T],
    /// Channels of the map.
    pub channels: usize,
    /// First channel of the band.
    pub first: usize,
}

/// `y[pixel, i·g + j] = part_j[pixel, i]` for `count` channels `i` of each of `g` parts: what a
/// concatenation and a channel shuffle by as many groups make of them (Zhang et al. 2018, *ShuffleNet*).
///
/// ```
/// use kernels::rearrange::{Band, interleave};
/// use kernels::{Context, Isa, Team};
///
/// let team = Team::new(1).unwrap();
/// let context = Context { team: &team, isa: Isa::best() };
/// // Two pixels: two channels of one map, the last two of the three of another.
/// let a = Band { map: &[1, 2, 3, 4], channels: 2, first: 0 };
/// let b = Band { map: &[0, 10, 20, 0, 30, 40], channels: 3, first: 1 };
/// let mut y = [0; 8];
/// interleave(&context, &[a, b], 2, &mut y);
/// assert_eq!(y, [1, 10, 2, 20, 3, 30, 4, 40]);
/// ```
///
/// # Panics
/// When a part has no such channels, or not as many pixels as `y`.
pub fn interleave<T: Copy + Send + Sync>(
    context: &Context,
    parts: &[Band<'_, T>],
    count: usize,
    y: &mut [T],
) {
    let width = parts.len() * count;
    if width == 0 {
        assert!(y.is_empty(), "interleave: elements of no channels");
        return;
    }
    let pixels = y.len() / width;
    assert_eq!(y.len(), pixels * width, "interleave: length of y");
    for part in parts {
        let (len, channels, first) = (part.map.len(), part.channels, part.first);
        assert_eq!(len, pixels * channels, "interleave: length of a part");
        assert!(first + count <= channels, "interleave: channels of a part");
    }
    let y = Shared::new(y);
    for_rows(context.team, pixels, width, |range| {
        vectorised(
            context.isa,
            #[inline(always)]
            || {
                for pixel in range {
                    // SAFETY: a pixel belongs to one task.
                    let y = unsafe { y.slice(pixel * width, width) };
                    // Common numbers as constants, so that the compiler can vectorise them.
                    match *parts {
                        [a, b] => in_turn(pixel, [a, b], count, y),
                        [a, b, c] => in_turn(pixel, [a, b, c], count, y),
                        [a, b, c, d] => in_turn(pixel, [a, b, c, d], count, y),
                        _ => {
                            for (j, part) in parts.iter().enumerate() {
                                let x = part.of(pixel, count);
                                for (y, &x) in y[j..].iter_mut().step_by(parts.len()).zip(x) {
                                    *y = x;
                                }
                            }
                        }
                    }
                }
            },
        );
    });
}

#[inline(always)]
fn in_turn<T: Copy, const G: usize>(
    pixel: usize,
    parts: [Band<'_, T>; G],
    count: usize,
    y: &mut [T],
) {
    let x = parts.map(
        #[inline(always)]
        |part| part.of(pixel, count),
    );
    let (turns, _) = y.as_chunks_mut::<G>();
    for (i, turn) in turns.iter_mut().enumerate().take(count) {
        for (y, x) in turn.iter_mut().zip(&x) {
            // SAFETY: every part has `count` elements.
            *y = unsafe { *x.get_unchecked(i) };
        }
    }
}

impl<'a, T> Band<'a, T> {
    /// The band of a pixel.
    #[inline(always)]
    fn of(&self, pixel: usize, count: usize) -> &'a [T] {
        &self.map[pixel * self.channels + self.first..][..count]
    }
}
