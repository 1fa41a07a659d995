//! A number that every step tells, as the curve of a whole run.

/// Places of a curve: more than a screen has columns of dots.
const PLACES: usize = 512;

/// Means over equal parts of a run. However long it is, a curve has so many points and no more.
#[derive(Clone, Debug)]
pub(super) struct Course {
    steps: u64,
    /// Sum and count of each part.
    parts: Vec<(f64, u64)>,
}

impl Course {
    /// The curve of a run of so many steps.
    pub(super) fn new(steps: u64) -> Self {
        Self {
            steps: steps.max(1),
            parts: vec![(0.0, 0); PLACES],
        }
    }

    /// Adds the number of a step, counted from 1.
    pub(super) fn add(&mut self, step: u64, value: f64) {
        if value.is_finite() {
            let last = u128::from(step.saturating_sub(1));
            let place = last * self.parts.len() as u128 / u128::from(self.steps);
            let part = &mut self.parts[(place as usize).min(PLACES - 1)];
            part.0 += value;
            part.1 += 1;
        }
    }

    /// The points so far, over a run that is `length` long.
    pub(super) fn points(&self, length: f64) -> Vec<(f64, f64)> {
        let width = length / self.parts.len() as f64;
        let parts = self.parts.iter().enumerate().filter(|(_, part)| part.1 > 0);
        parts
            .map(|(place, (sum, count))| ((place as f64 + 0.5) * width, sum / *count as f64))
            .collect()
    }
}
