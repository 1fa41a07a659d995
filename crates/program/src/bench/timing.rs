//! The clock: warm-up, repetition, median.

use std::time::Instant;

use serde_json::{Value, json};

/// Runs that are not measured: caches, branch predictors and clock rates settle.
const WARM_UPS: usize = 2;
/// Runs that are measured at least, however long they take.
const RUNS: usize = 3;

/// Milliseconds of repeated runs.
pub(super) struct Timing {
    pub(super) median_ms: f64,
    pub(super) min_ms: f64,
    pub(super) runs: usize,
}

/// Billions of floating-point operations a second, two for every multiply-accumulate.
pub(crate) fn gflops(macs: u64, milliseconds: f64) -> f64 {
    2.0 * macs as f64 / (milliseconds * 1e6)
}

impl Timing {
    /// Runs `work` over and over for `seconds`.
    pub(super) fn measure(seconds: f64, mut work: impl FnMut()) -> Self {
        Self::of_samples(seconds, || {
            let begin = Instant::now();
            work();
            begin.elapsed().as_secs_f64() * 1e3
        })
    }

    /// Takes samples, in milliseconds, over and over for `seconds`.
    pub(super) fn of_samples(seconds: f64, mut sample: impl FnMut() -> f64) -> Self {
        for _ in 0..WARM_UPS {
            sample();
        }
        let (start, mut times) = (Instant::now(), Vec::new());
        while times.len() < RUNS || start.elapsed().as_secs_f64() < seconds {
            times.push(sample());
        }
        Self::of(times)
    }

    /// What times in milliseconds, one at least, come to.
    pub(super) fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median_ms = if times.len() % 2 == 1 {
            times[middle]
        } else {
            (times[middle - 1] + times[middle]) / 2.0
        };
        Self {
            median_ms,
            min_ms: times[0],
            runs: times.len(),
        }
    }

    /// Billions of floating-point operations a second, two for every multiply-accumulate, by the median time.
    pub(super) fn gflops(&self, macs: u64) -> f64 {
        gflops(macs, self.median_ms)
    }

    /// The fields that every answer of `bench --json` has; no `gflops` where nothing is multiplied.
    pub(super) fn to_json(&self, macs: u64) -> Value {
        json!({
            "median_ms": significant(self.median_ms), "min_ms": significant(self.min_ms),
            "runs": self.runs,
            "gflops": (macs > 0).then(|| significant(self.gflops(macs))),
        })
    }
}

/// Rounded to six significant digits: no clock tells more.
pub(crate) fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The fields of both objects.
pub(super) fn merged(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Value::Object(first)
        }
        (first, _) => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        let odd = Timing::of(vec![5.0, 1.0, 100.0]);
        assert_eq!((odd.median_ms, odd.min_ms, odd.runs), (5.0, 1.0, 3));
        assert_eq!(Timing::of(vec![4.0, 1.0, 2.0, 100.0]).median_ms, 3.0);
    }

    #[test]
    fn a_billion_products_in_a_second_are_two_gflops() {
        assert_eq!(Timing::of(vec![1000.0]).gflops(1_000_000_000), 2.0);
    }

    #[test]
    fn six_digits_are_significant() {
        for (value, rounded) in [
            (0.0, 0.0),
            (1_234_567.0, 1_234_570.0),
            (0.000_123_456_789, 0.000_123_457),
            (0.062_5, 0.062_5),
        ] {
            assert_eq!(significant(value), rounded);
        }
    }

    #[test]
    fn work_is_done_at_least_five_times() {
        let mut count = 0;
        let timing = Timing::measure(0.0, || count += 1);
        assert_eq!((count, timing.runs), (WARM_UPS + RUNS, RUNS));
    }
}
