//! Seeded numbers and problems: the same seed gives the same draws on every machine.

mod conv;
mod onednn;
mod pool;
mod rearrange;
mod transposed;

pub use conv::{Family, conv_cases};
pub use onednn::onednn_cases;
pub use pool::{adaptive_cases, pool_cases};
pub use transposed::transposed_cases;

/// A source of random draws: the PCG-XSH-RR generator with 64 bits of state (O'Neill 2014), which is small,
/// the same everywhere, and good enough to make tests of.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
    increment: u64,
}

impl Draw {
    /// A source started from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_stream(seed, 54)
    }

    /// A source started from `seed` on one of 2⁶³ unrelated streams.
    #[must_use]
    pub fn with_stream(seed: u64, stream: u64) -> Self {
        let mut draw = Self {
            state: 0,
            increment: (stream << 1) | 1,
        };
        draw.bits();
        draw.state = draw.state.wrapping_add(seed);
        draw.bits();
        draw
    }

    /// 32 random bits.
    pub fn bits(&mut self) -> u32 {
        let old = self.state;
        self.state = old
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(self.increment);
        let folded = (((old >> 18) ^ old) >> 27) as u32;
        folded.rotate_right((old >> 59) as u32)
    }

    /// A number in `0..bound`. The bias, at most `bound`/2³², is of no account to tests.
    ///
    /// # Panics
    /// If `bound` is 0 or passes 2³².
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0 && bound as u64 <= 1 << 32, "bound {bound}");
        ((u64::from(self.bits()) * bound as u64) >> 32) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// `count` different ones of `choices`, in random order.
    ///
    /// # Panics
    /// If there are fewer choices.
    pub fn distinct<T: Copy>(&mut self, choices: &[T], count: usize) -> Vec<T> {
        let mut left = choices.to_vec();
        (0..count)
            .map(|_| left.swap_remove(self.below(left.len())))
            .collect()
    }

    /// Integers from −8 to 8. With at most 2¹⁸ terms, every partial sum of their products is exact in f32, so
    /// that any order of summation must equal the oracle bit for bit.
    pub fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.below(17) as f32 - 8.0).collect()
    }

    /// Reals from [−1, 1), multiples of 2⁻²³.
    pub fn reals(&mut self, len: usize) -> Vec<f32> {
        let unit = 1.0 / (1u32 << 23) as f32;
        (0..len)
            .map(|_| (self.bits() >> 8) as f32 * unit - 1.0)
            .collect()
    }

    /// Class labels in `0..classes`.
    pub fn labels(&mut self, len: usize, classes: usize) -> Vec<usize> {
        (0..len).map(|_| self.below(classes)).collect()
    }

    /// Size and padding (input, before, after) of an axis on which a window of `extent` cells with this
    /// stride fits `outputs` times.
    ///
    /// Made backwards, from the padded length that is wanted to an image and its padding, so that a valid axis
    /// comes out at once and the awkward ones come often: cells left over behind the last window (two or more
    /// in half of the draws, where the stride allows it), and with `short` an image smaller than the window.
    fn axis(
        &mut self,
        extent: usize,
        stride: usize,
        outputs: usize,
        short: bool,
        most_padding: usize,
    ) -> (usize, usize, usize) {
        let left_over = if stride > 2 && self.once_in(2) {
            2 + self.below(stride - 2)
        } else {
            self.below(stride)
        };
        let padded = extent + (outputs - 1) * stride + left_over;
        if short && extent > 1 {
            let input = 1 + self.below(extent - 1);
            let before = self.below(padded - input + 1);
            return (input, before, padded - input - before);
        }
        let before = self.below(padded.min(most_padding + 1));
        let after = if self.once_in(2) && 2 * before < padded {
            before
        } else {
            self.below((padded - before).min(most_padding + 1))
        };
        (padded - before - after, before, after)
    }
}

/// The cells from the first to the last tap.
fn extent(kernel: usize, dilation: usize) -> usize {
    (0..kernel).map(|tap| tap * dilation + 1).max().unwrap_or(0)
}
