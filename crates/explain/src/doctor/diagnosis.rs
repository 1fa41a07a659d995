//! What an examination comes to.

use std::fmt;

use super::{Findings, Score};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Layers that can see no more of the image than the one before.
    FieldsBeyondInput,
    /// Branches that meet and do not lie on each other.
    MisalignedBranches,
    /// Filters that answer nothing.
    DeadFilters,
    /// Filters that answer the same.
    DuplicateFilters,
    /// A first layer whose stride is too large for what its filters let through.
    AliasingStem,
    /// Maps that are the same on every picture.
    ConstantMaps,
    /// Maps at the limits of their activation.
    SaturatedMaps,
    /// Running statistics that are not those of the pictures.
    NormStatistics,
    /// Gradients that explode, vanish or do not arrive.
    Gradients,
    /// Pictures prepared otherwise than the network was trained on.
    Preprocessing,
    /// Classes in another order than that of the logits.
    ClassOrder,
}

impl Check {
    /// All of them, in the order in which they are made.
    pub const ALL: [Self; 11] = [
        Self::FieldsBeyondInput,
        Self::MisalignedBranches,
        Self::DeadFilters,
        Self::DuplicateFilters,
        Self::AliasingStem,
        Self::ConstantMaps,
        Self::SaturatedMaps,
        Self::NormStatistics,
        Self::Gradients,
        Self::Preprocessing,
        Self::ClassOrder,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::FieldsBeyondInput => "fields beyond the input",
            Self::MisalignedBranches => "misaligned branches",
            Self::DeadFilters => "dead filters",
            Self::DuplicateFilters => "duplicate filters",
            Self::AliasingStem => "aliasing stem",
            Self::ConstantMaps => "constant maps",
            Self::SaturatedMaps => "saturated maps",
            Self::NormStatistics => "norm statistics",
            Self::Gradients => "gradients",
            Self::Preprocessing => "preprocessing",
            Self::ClassOrder => "class order",
        }
    }

    /// Whether it says something of trained weights only.
    pub fn needs_weights(self) -> bool {
        !matches!(self, Self::FieldsBeyondInput | Self::MisalignedBranches)
    }

    /// Whether it needs pictures too.
    pub fn needs_pictures(self) -> bool {
        let weights_alone = matches!(
            self,
            Self::DeadFilters | Self::DuplicateFilters | Self::AliasingStem
        );
        self.needs_weights() && !weights_alone
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth changing.
    Warning,
}

impl Severity {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }

    /// A warning, if so.
    pub(super) fn warning_if(serious: bool) -> Self {
        match serious {
            true => Self::Warning,
            false => Self::Note,
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// By which check.
    pub check: Check,
    /// How much it matters.
    pub severity: Severity,
    /// Where, if it is one layer.
    pub layer: Option<String>,
    /// The channels of the layer it is about, where it is about single ones.
    pub channels: Vec<usize>,
    /// What was found, in a sentence with its numbers.
    pub evidence: String,
    /// The numbers.
    pub numbers: Vec<(&'static str, f64)>,
    /// What to change.
    pub advice: &'static str,
}

/// A check that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub check: Check,
    /// Why not.
    pub reason: String,
}

/// What an examination came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnosis {
    /// What was found, check by check.
    pub findings: Vec<Finding>,
    /// The checks that were made.
    pub made: Vec<Check>,
    /// The others.
    pub left_out: Vec<LeftOut>,
    /// How the network does on the pictures, where there were any.
    pub score: Option<Score>,
}

impl Diagnosis {
    /// How many findings matter that much.
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// The findings of a check.
    pub fn of(&self, check: Check) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.check == check)
    }

    pub(super) fn take(&mut self, check: Check, findings: Findings) {
        match findings {
            Ok(findings) => {
                self.made.push(check);
                self.findings.extend(findings);
            }
            Err(reason) => self.left_out.push(LeftOut { check, reason }),
        }
    }
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Some of a layer's channels in words: `3 of 64 filters (5, 8 and 13)`, the first few of them named.
pub(super) fn some_of(channels: &[usize], all: usize, what: &str) -> String {
    const NAMED: usize = 6;
    let named: Vec<String> = channels.iter().take(NAMED).map(usize::to_string).collect();
    let named = match (channels.len(), named.as_slice()) {
        (many, _) if many == all => return format!("all {all} {what}s"),
        (..=NAMED, [front @ .., last]) if !front.is_empty() => {
            format!("{} and {last}", front.join(", "))
        }
        (..=NAMED, _) => named.concat(),
        _ => format!("{}, …", named.join(", ")),
    };
    format!("{} of {all} {what}s ({named})", channels.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_as_long_as_they_are_few() {
        assert_eq!(some_of(&[3], 8, "filter"), "1 of 8 filters (3)");
        assert_eq!(
            some_of(&[1, 2, 7], 8, "filter"),
            "3 of 8 filters (1, 2 and 7)"
        );
        assert_eq!(some_of(&[0, 1], 2, "map"), "all 2 maps");
        let many: Vec<usize> = (0..9).collect();
        assert_eq!(
            some_of(&many, 64, "map"),
            "9 of 64 maps (0, 1, 2, 3, 4, 5, …)"
        );
    }
}
