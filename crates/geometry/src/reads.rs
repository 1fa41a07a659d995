//! What an output element reads, axis by axis.

use std::ops::Range;

use crate::{
    Bins, ChannelShuffle, Field, GeometryError, IndexSet, PadAxis, PadMode, PaddingMode, Rational,
    Region, ResizeAxis, SliceAxis, Window,
};

/// How the places of an output axis read those of an input axis.
///
/// [`Reads::of`] is exact; [`Reads::field`] is the narrowest pair of straight lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// Each place reads itself.
    Same,
    /// A convolution or pool; padding that is no zeros reads the input too.
    Window(Window, PaddingMode),
    /// A transposed convolution, whose output is the window's input.
    Transposed(Window),
    /// Adaptive pooling; also a map between whole multiples, such as a pixel shuffle's.
    Bins(Bins),
    /// Padding as an operator.
    Pad(PadMode, PadAxis),
    /// A slice.
    Slice(SliceAxis),
    /// Resizing.
    Resize(ResizeAxis),
    /// Channels of groups: an output channel reads the input channels of its group.
    Groups {
        /// Input channels.
        input: usize,
        /// Output channels.
        output: usize,
        /// Groups, which divide both.
        groups: usize,
    },
    /// A channel shuffle: channels in `groups` rows, read by columns.
    Shuffle {
        /// Channels.
        channels: usize,
        /// Groups, which divide them.
        groups: usize,
    },
    /// Every place reads all of so many.
    Whole(usize),
}

impl Reads {
    /// The input places that some output places read. Taps that meet padding read nothing, unless the
    /// padding repeats the input.
    ///
    /// ```
    /// use geometry::{ConvDesc, PaddingMode, Reads};
    ///
    /// // Every other element, for the kernel is dilated; the first tap lies in the padding.
    /// let conv = ConvDesc::new(1, 3).dilation(2).padding(2).resolve(&[1, 1, 8])?;
    /// let reads = Reads::Window(conv.spatial()[0], PaddingMode::Zeros);
    /// assert_eq!(reads.of(0..1)?.runs(), [0..1, 2..3]);
    /// assert_eq!(reads.of(3..5)?.runs(), [1..7]);
    /// # Ok::<(), geometry::GeometryError>(())
    /// ```
    ///
    /// # Errors
    /// [`GeometryError::Overflow`] when more than [`Region::PIECES`] places or taps would have to be
    /// gone through one by one.
    pub fn of(&self, places: Range<usize>) -> Result<IndexSet, GeometryError> {
        if places.is_empty() {
            return Ok(IndexSet::default());
        }
        let last = places.end - 1;
        Ok(match *self {
            Self::Same => places.into(),
            Self::Window(window, mode) => {
                let end = to_signed(window.input) + to_signed(window.after);
                let runs = placements(&window, &places)?.into_iter();
                // Beyond the padding lies the overhang of ceil mode, where there is nothing.
                let runs = runs.map(|run| run.start..run.end.min(end));
                IndexSet::of(runs.flat_map(|run| sources(mode, window.input, run)))
            }
            Self::Transposed(window) => IndexSet::of(receivers(&window, &places)?),
            Self::Bins(bins) => (bins.sources(places.start).start..bins.sources(last).end).into(),
            Self::Pad(mode, axis) => {
                let before = to_signed(axis.before);
                let run = to_signed(places.start) - before..to_signed(places.end) - before;
                let kept = sources(mode.of_convolution(), axis.kept, run).into_iter();
                IndexSet::of(kept.map(|run| run.start + axis.skipped..run.end + axis.skipped))
            }
            Self::Slice(axis) => {
                let at = |o: usize| (to_signed(axis.first) + axis.step * to_signed(o)) as usize;
                match axis.step {
                    1 => (at(places.start)..at(last) + 1).into(),
                    -1 => (at(last)..at(places.start) + 1).into(),
                    _ => IndexSet::of(one_by_one(places)?.map(|o| at(o)..at(o) + 1)),
                }
            }
            Self::Resize(axis) => {
                let each = one_by_one(places)?.map(|o| axis.sources(o));
                IndexSet::of(each.collect::<Result<Vec<_>, _>>()?)
            }
            Self::Groups {
                input,
                output,
                groups,
            } => {
                let (reads, makes) = (input / groups, output / groups);
                (places.start / makes * reads..(last / makes + 1) * reads).into()
            }
            Self::Shuffle { channels, groups } => {
                let shuffle = ChannelShuffle {
                    batch: 1,
                    channels,
                    groups,
                    area: 1,
                };
                let at = |output| shuffle.source(output);
                IndexSet::of(one_by_one(places)?.map(|o| at(o)..at(o) + 1))
            }
            Self::Whole(input) => (0..input).into(),
        })
    }

    /// The field over this input axis; nothing where a place reads all of it, or places in no order.
    ///
    /// # Errors
    /// Numbers too large to be kept.
    pub fn field(&self) -> Result<Option<Field>, GeometryError> {
        let whole = |number: isize| Rational::whole(number as i128);
        let over = |number: isize, under: usize| Rational::new(number as i128, under as i128);
        Ok(Some(match *self {
            Self::Same => Field::INPUT,
            Self::Window(window, _) => window.field()?,
            Self::Transposed(window) => {
                let (last, stride) = (to_signed(window.before), window.stride);
                let reach = to_signed(window.effective_kernel()) - 1;
                let ends = (over(last - reach, stride)?, over(last, stride)?);
                Field::new(ends.0, ends.1, over(1, stride)?)?
            }
            Self::Bins(Bins { input, output }) if input == output => Field::INPUT,
            Self::Bins(Bins { output: 1, .. }) => return Ok(None),
            // Every bin holds the only element there is.
            Self::Bins(Bins { input: 1, .. }) => {
                Field::new(Rational::ZERO, Rational::ZERO, Rational::ZERO)?
            }
            Self::Bins(Bins { input, output }) => {
                let jump = over(to_signed(input), output)?;
                // What rounding moves an end by at most.
                let rounding = Rational::ONE.minus(over(1, jump.denominator() as usize)?)?;
                let last = jump.plus(rounding)?.minus(Rational::ONE)?;
                Field::new(Rational::ZERO.minus(rounding)?, last, jump)?
            }
            Self::Pad(_, axis) => {
                let first = whole(to_signed(axis.skipped) - to_signed(axis.before))?;
                Field::new(first, first, Rational::ONE)?
            }
            Self::Slice(axis) => {
                let first = whole(to_signed(axis.first))?;
                Field::new(first, first, whole(axis.step)?)?
            }
            Self::Resize(axis) => axis.field()?,
            Self::Groups { .. } | Self::Shuffle { .. } | Self::Whole(_) => return Ok(None),
        }))
    }
}

/// Sizes are far below half the address space: descriptors are refused beyond it. Strides are not; a window that is placed
/// once may have any, and what is beyond is too large a number for a field.
fn to_signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

/// Places to be gone through one after the other.
fn one_by_one(places: Range<usize>) -> Result<Range<usize>, GeometryError> {
    match places.len() > Region::PIECES {
        true => Err(GeometryError::Overflow {
            what: "the number of places to be gone through one by one",
        }),
        false => Ok(places),
    }
}

/// What the taps of some placements lie on, counted from the first input element.
fn placements(window: &Window, places: &Range<usize>) -> Result<Vec<Range<isize>>, GeometryError> {
    let Window {
        kernel,
        stride,
        dilation,
        ..
    } = *window;
    let at = |output: usize, tap: usize| {
        to_signed(output) * to_signed(stride) + to_signed(tap) * to_signed(dilation)
            - to_signed(window.before)
    };
    let (first, last) = (places.start, places.end - 1);
    let dense = dilation == 1 || kernel == 1;
    if dense && (stride <= kernel || places.len() == 1) {
        return Ok(std::iter::once(at(first, 0)..at(last, kernel - 1) + 1).collect());
    }
    if dense {
        let each = one_by_one(places.clone())?;
        return Ok(each.map(|o| at(o, 0)..at(o, kernel - 1) + 1).collect());
    }
    let taps = one_by_one(0..kernel)?;
    if stride == 1 {
        return Ok(taps.map(|t| at(first, t)..at(last, t) + 1).collect());
    }
    // Both numbers are bounded, and so must be their product.
    one_by_one(0..kernel.saturating_mul(places.len()))?;
    let pairs = places
        .clone()
        .flat_map(|o| (0..kernel).map(move |t| (o, t)));
    Ok(pairs.map(|(o, t)| at(o, t)..at(o, t) + 1).collect())
}

/// The placements of a convolution whose taps lie on some of its input elements.
fn receivers(window: &Window, places: &Range<usize>) -> Result<Vec<Range<usize>>, GeometryError> {
    let stride = to_signed(window.stride);
    let (first, last) = (to_signed(places.start), to_signed(places.end) - 1);
    let run = |near: usize, far: usize| {
        // From the placement whose tap `near` lies at or behind `first`, to the one whose tap `far` lies
        // at or before `last`.
        let shift = |tap: usize| to_signed(window.before) - to_signed(tap * window.dilation);
        let start = -(-(first + shift(near))).div_euclid(stride);
        let end = (last + shift(far)).div_euclid(stride) + 1;
        let bound = |place: isize| place.clamp(0, to_signed(window.output)) as usize;
        bound(start)..bound(end)
    };
    if stride == 1 && window.dilation == 1 {
        return Ok(vec![run(window.kernel - 1, 0)]);
    }
    Ok(one_by_one(0..window.kernel)?.map(|t| run(t, t)).collect())
}

/// The elements of an axis of `input` elements that a run of places stands for, some of which may lie
/// in its padding.
fn sources(mode: PaddingMode, input: usize, run: Range<isize>) -> Vec<Range<usize>> {
    let extent = to_signed(input);
    let (before, inside, after) = (
        run.start..run.end.min(0),
        run.start.max(0)..run.end.min(extent),
        run.start.max(extent)..run.end,
    );
    let mut runs = vec![inside];
    for part in [before, after] {
        if part.is_empty() || extent == 0 {
            continue;
        }
        match mode {
            PaddingMode::Zeros => {}
            // Everything there is the element at that end.
            PaddingMode::Replicate if part.start < 0 => runs.push(0..1),
            PaddingMode::Replicate => runs.push(extent - 1..extent),
            PaddingMode::Reflect if part.start < 0 => runs.push(1 - part.end..1 - part.start),
            PaddingMode::Reflect => {
                let mirror = 2 * (extent - 1);
                runs.push(mirror + 1 - part.end..mirror + 1 - part.start);
            }
            PaddingMode::Circular if part.start < 0 => {
                runs.push(part.start + extent..part.end + extent);
            }
            PaddingMode::Circular => runs.push(part.start - extent..part.end - extent),
        }
    }
    let inside = runs.into_iter().filter(|run| !run.is_empty());
    inside
        .map(|run| run.start.max(0) as usize..run.end.clamp(0, extent) as usize)
        .collect()
}
