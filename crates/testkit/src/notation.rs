//! Cases written in the problem notation of the system, so that a failing test names a problem which the
//! program and the benchmarks understand: `conv:n1c96h112w112:o96k3s2p1g96`.
//!
//! Only writing is here. Reading it back is production code, and a case that survives the round trip proves
//! that both sides mean the same problem.

use crate::{ConvCase, DeformableCase, PoolCase, TransposedCase};
use std::fmt;

impl fmt::Display for ConvCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "conv:{}:o{}k{}{}",
            shape(self.batch, self.in_channels, &self.input),
            self.out_channels,
            per_axis(&self.kernel),
            window(&self.stride, &self.before, &self.after, &self.dilation),
        )?;
        match self.groups {
            1 => Ok(()),
            groups => write!(f, "g{groups}"),
        }
    }
}

impl fmt::Display for TransposedCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "conv-transposed:{}:o{}k{}{}",
            shape(self.batch, self.in_channels, &self.input),
            self.out_channels,
            per_axis(&self.kernel),
            window(&self.stride, &self.before, &self.after, &self.dilation),
        )?;
        if self.groups != 1 {
            write!(f, "g{}", self.groups)?;
        }
        if self.output_padding.iter().any(|&a| a != 0) {
            write!(f, "a{}", per_axis(&self.output_padding))?;
        }
        Ok(())
    }
}

impl DeformableCase {
    /// The case as a problem, `conv-deformable:n1c64h28w28:o64k3p1f1m`; `m` where a mask multiplies the samples.
    #[must_use]
    pub fn problem(&self, modulated: bool) -> String {
        let conv = self.conv.to_string();
        let (_, conv) = conv.split_once(':').expect("a colon behind the name");
        let mask = if modulated { "m" } else { "" };
        format!("conv-deformable:{conv}f{}{mask}", self.offset_groups)
    }
}

impl PoolCase {
    /// The case as a max-pooling problem, `pool-max:n1c64h112w112:k3s2p1,ceil`.
    #[must_use]
    pub fn max_problem(&self) -> String {
        format!("pool-max:{}", self.problem(true))
    }

    /// The case as an average-pooling problem; `,nopad` where padding does not count.
    #[must_use]
    pub fn average_problem(&self, count_padding: bool) -> String {
        format!("pool-avg:{}", self.problem(count_padding))
    }

    /// The case as a pooling by the norm of order `p`, `pool-l2:n1c64h112w112:k3s2p1`.
    #[must_use]
    pub fn lp_problem(&self, p: f64) -> String {
        format!("pool-l{p}:{}", self.problem(true))
    }

    fn problem(&self, count_padding: bool) -> String {
        let mut text = format!(
            "{}:k{}{}",
            shape(self.batch, self.channels, &self.input),
            per_axis(&self.kernel),
            window(&self.stride, &self.before, &self.after, &self.dilation),
        );
        for (flag, set) in [(",ceil", self.ceil), (",nopad", !count_padding)] {
            if set {
                text.push_str(flag);
            }
        }
        text
    }
}

/// `n1c64h56w56`; the innermost axis is always `w`.
fn shape(batch: usize, channels: usize, input: &[usize]) -> String {
    let letters = &["d", "h", "w"][3 - input.len()..];
    let sizes = letters.iter().zip(input).map(|(l, n)| format!("{l}{n}"));
    format!("n{batch}c{channels}{}", sizes.collect::<String>())
}

/// Stride, padding and dilation, each left out where it is the default.
fn window(stride: &[usize], before: &[usize], after: &[usize], dilation: &[usize]) -> String {
    let mut text = String::new();
    if stride.iter().any(|&s| s != 1) {
        text += &format!("s{}", per_axis(stride));
    }
    if before != after {
        let sides: Vec<String> = before.iter().chain(after).map(usize::to_string).collect();
        text += &format!("p{}", sides.join(","));
    } else if before.iter().any(|&p| p != 0) {
        text += &format!("p{}", per_axis(before));
    }
    if dilation.iter().any(|&d| d != 1) {
        text += &format!("d{}", per_axis(dilation));
    }
    text
}

/// `3` where all axes agree, else `1x7`.
fn per_axis(values: &[usize]) -> String {
    if values.iter().all(|v| *v == values[0]) {
        return values[0].to_string();
    }
    let values: Vec<String> = values.iter().map(usize::to_string).collect();
    values.join("x")
}
