//! Buffers between two strips of NaN: a stray read poisons the result, a stray write is found.

/// A slice of f32 with a frame of NaN before and behind it.
///
/// It catches what a guard page cannot: accesses that miss by less than a page on the side that does not
/// touch the guard, and writes into a neighbour's memory.
#[derive(Clone, Debug)]
pub struct NanFramed {
    cells: Vec<f32>,
    frame: usize,
}

/// A quiet NaN that no arithmetic produces by itself, so that overwriting it with another NaN is seen too.
const FRAME: u32 = 0x7fc0_5eed;

impl NanFramed {
    /// `len` zeros with `frame` NaNs on each side.
    #[must_use]
    pub fn new(len: usize, frame: usize) -> Self {
        Self::from_slice(&vec![0.0; len], frame)
    }

    /// A copy of `values` with `frame` NaNs on each side.
    #[must_use]
    pub fn from_slice(values: &[f32], frame: usize) -> Self {
        let mut cells = vec![f32::from_bits(FRAME); values.len() + 2 * frame];
        cells[frame..frame + values.len()].copy_from_slice(values);
        Self { cells, frame }
    }

    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.cells[self.frame..self.cells.len() - self.frame]
    }

    /// The values, to be written.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        let end = self.cells.len() - self.frame;
        &mut self.cells[self.frame..end]
    }

    /// Frame and values together, for kernels that take a buffer and an offset; the values start at the
    /// frame's width.
    #[must_use]
    pub fn with_frame_mut(&mut self) -> &mut [f32] {
        &mut self.cells
    }

    /// The first cell of the frame that was overwritten, relative to the first value: −1 is the cell just
    /// before it.
    #[must_use]
    pub fn overwritten(&self) -> Option<isize> {
        let values = self.frame..self.cells.len() - self.frame;
        let changed = |&i: &usize| !values.contains(&i) && self.cells[i].to_bits() != FRAME;
        let first = (0..self.cells.len()).find(changed)?;
        Some(first as isize - self.frame as isize)
    }

    /// Checks that the frame is as it was made.
    ///
    /// # Panics
    /// Naming `problem` and the first cell overwritten.
    #[track_caller]
    pub fn assert_frame_untouched(&self, problem: &str) {
        if let Some(cell) = self.overwritten() {
            let len = self.as_slice().len();
            panic!("{problem}: cell {cell} of a buffer of {len} was written");
        }
    }
}
