//! Operators that move elements: padding, slices, transpositions, shuffles, concatenation.
//!
//! Each is a [`Gather`]: for every element of the result, which element of the input it shows. The lists
//! are built the way the definitions read (lists are cut, turned round and repeated; views are reshaped
//! and transposed), not by the index formulas that production code uses.

/// What each element of a result shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gather {
    /// Extents of the input.
    pub input: Vec<usize>,
    /// Extents of the result.
    pub output: Vec<usize>,
    /// For each element of the result, the element of the input, or none where it is a constant.
    pub sources: Vec<Option<usize>>,
}

impl Gather {
    /// The result for input `x`; `constant` stands where there is no source.
    #[must_use]
    pub fn forward<T: Copy>(&self, x: &[T], constant: T) -> Vec<T> {
        assert_eq!(x.len(), self.input.iter().product(), "length of x");
        let shown = |source: &Option<usize>| source.map_or(constant, |i| x[i]);
        self.sources.iter().map(shown).collect()
    }

    /// The gradient of the input: each element adds up the gradients of its copies.
    #[must_use]
    pub fn backward(&self, dy: &[f64]) -> Vec<f64> {
        assert_eq!(dy.len(), self.sources.len(), "length of dy");
        let mut dx = vec![0.0; self.input.iter().product()];
        for (source, dy) in self.sources.iter().zip(dy) {
            if let Some(source) = source {
                dx[*source] += dy;
            }
        }
        dx
    }

    /// A result whose axes show, each by itself, the elements listed.
    fn of_axes(input: &[usize], axes: &[Vec<Option<usize>>]) -> Self {
        let mut sources = vec![Some(0)];
        for (extent, axis) in input.iter().zip(axes) {
            let outer = sources.iter();
            let both = outer.flat_map(|outer: &Option<usize>| {
                axis.iter()
                    .map(move |inner| Some((*outer)? * extent + (*inner)?))
            });
            sources = both.collect();
        }
        Self {
            input: input.to_vec(),
            output: axes.iter().map(Vec::len).collect(),
            sources,
        }
    }

    /// The same elements seen with other extents.
    #[must_use]
    pub fn reshaped(mut self, input: &[usize], output: &[usize]) -> Self {
        let len = |shape: &[usize]| shape.iter().product::<usize>();
        assert_eq!(len(input), len(&self.input), "elements of the input");
        assert_eq!(len(output), len(&self.output), "elements of the result");
        (self.input, self.output) = (input.to_vec(), output.to_vec());
        self
    }
}

/// What padding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// A constant.
    Constant,
    /// The elements mirrored at the edge, the edge not repeated.
    Reflect,
    /// The edge repeated.
    Replicate,
    /// The elements of the other end.
    Circular,
}

impl Border {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Constant,
        Self::Reflect,
        Self::Replicate,
        Self::Circular,
    ];
}

/// A tensor padded by (before, after) elements on each axis; negative ones crop first, the rest pads what
/// is left.
#[must_use]
pub fn pad(border: Border, shape: &[usize], amounts: &[(i64, i64)]) -> Gather {
    assert_eq!(shape.len(), amounts.len(), "one pair of amounts per axis");
    let size = |amount: i64| usize::try_from(amount).unwrap_or(0);
    let axes = shape
        .iter()
        .zip(amounts)
        .map(|(&extent, &(before, after))| {
            let all: Vec<usize> = (0..extent).collect();
            let kept = &all[size(-before)..extent - size(-after)];
            let (before, after) = (size(before), size(after));
            let turned = |part: &[usize]| part.iter().rev().copied().map(Some).collect::<Vec<_>>();
            let plain = |part: &[usize]| part.iter().copied().map(Some).collect::<Vec<_>>();
            let (front, back) = match border {
                _ if before + after == 0 => (vec![], vec![]),
                Border::Constant => (vec![None; before], vec![None; after]),
                Border::Reflect => (
                    turned(&kept[1..=before]),
                    turned(&kept[kept.len() - 1 - after..kept.len() - 1]),
                ),
                Border::Replicate => (
                    vec![kept.first().copied(); before],
                    vec![kept.last().copied(); after],
                ),
                Border::Circular => (plain(&kept[kept.len() - before..]), plain(&kept[..after])),
            };
            [front, plain(kept), back].concat()
        });
    Gather::of_axes(shape, &axes.collect::<Vec<_>>())
}

/// Of each axis the elements that Python's `start:stop:step` takes, or all of them.
#[must_use]
pub fn slice(shape: &[usize], ranges: &[Option<(i64, i64, i64)>]) -> Gather {
    let axes = shape.iter().zip(ranges).map(|(&extent, range)| {
        let n = extent as i64;
        let Some((start, stop, step)) = *range else {
            return (0..extent).map(Some).collect();
        };
        let from_front = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
        let (mut at, stop) = (from_front(start), from_front(stop));
        // Start at the end of the axis that the walk comes to first.
        at = if step > 0 { at.max(0) } else { at.min(n - 1) };
        let mut taken = Vec::new();
        while (0..n).contains(&at) && if step > 0 { at < stop } else { at > stop } {
            taken.push(Some(at as usize));
            at = at.saturating_add(step);
        }
        taken
    });
    Gather::of_axes(shape, &axes.collect::<Vec<_>>())
}

/// Axis `i` of the result is axis `axes[i]` of the input.
#[must_use]
pub fn permute(shape: &[usize], axes: &[usize]) -> Gather {
    let output: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
    let len: usize = shape.iter().product();
    let sources = (0..len).map(|element| {
        let place = unravel(element, &output);
        let mut source = vec![0; shape.len()];
        for (&axis, at) in axes.iter().zip(place) {
            source[axis] = at;
        }
        Some(ravel(&source, shape))
    });
    Gather {
        input: shape.to_vec(),
        sources: sources.collect(),
        output,
    }
}

/// Channels of `[n, C·f₀·f₁·f₂, d, h, w]` turned into pixels of `[n, C, d·f₀, h·f₁, w·f₂]`, by reshaping
/// and transposing as PyTorch's `pixel_shuffle` and, with `block_major`, ONNX's DepthToSpace of mode DCR are
/// defined.
#[must_use]
pub fn pixel_shuffle(deep: &[usize; 5], factors: [usize; 3], block_major: bool) -> Gather {
    let [n, channels, d, h, w] = *deep;
    let [a, b, c] = factors;
    let wide = channels / (a * b * c);
    let (view, axes) = if block_major {
        ([n, a, b, c, wide, d, h, w], [0, 4, 5, 1, 6, 2, 7, 3])
    } else {
        ([n, wide, a, b, c, d, h, w], [0, 1, 5, 2, 6, 3, 7, 4])
    };
    permute(&view, &axes).reshaped(deep, &[n, wide, d * a, h * b, w * c])
}

/// Channels of `[n, c, area]` shuffled between groups: seen as `[groups, c / groups]` and transposed.
#[must_use]
pub fn channel_shuffle(shape: [usize; 3], groups: usize) -> Gather {
    let [n, channels, area] = shape;
    let view = [n, groups, channels / groups, area];
    permute(&view, &[0, 2, 1, 3]).reshaped(&shape, &shape)
}

/// Tensors joined on an axis. All extents but that one agree.
#[must_use]
pub fn concat<T: Copy>(axis: usize, parts: &[(&[usize], &[T])]) -> Vec<T> {
    let outer: usize = parts[0].0[..axis].iter().product();
    let mut joined = Vec::new();
    for row in 0..outer {
        for (shape, values) in parts {
            let width: usize = shape[axis..].iter().product();
            joined.extend_from_slice(&values[row * width..(row + 1) * width]);
        }
    }
    joined
}

/// The index on each axis of an element.
pub(crate) fn unravel(mut element: usize, shape: &[usize]) -> Vec<usize> {
    let mut place = vec![0; shape.len()];
    for (at, extent) in place.iter_mut().zip(shape).rev() {
        *at = element % extent;
        element /= extent;
    }
    place
}

/// The element at an index on each axis.
pub(crate) fn ravel(place: &[usize], shape: &[usize]) -> usize {
    let axes = place.iter().zip(shape);
    axes.fold(0, |element, (at, extent)| element * extent + at)
}
