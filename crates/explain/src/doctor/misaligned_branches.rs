//! Branches that meet and do not lie on each other: an element adds up what was seen at two places.

use geometry::Rational;
use graph::ReceptiveFields;

use super::{Check, Finding, Severity};

pub(super) fn check(fields: &ReceptiveFields) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for met in &fields.misaligned {
        // A layer once, however many axes it is about.
        let known = |finding: &Finding| finding.layer.as_deref() == Some(met.layer.as_str());
        if findings.iter().any(known) {
            continue;
        }
        let [one, two] = met.branches;
        let (jumps, centres) = (
            [one.jump(), two.jump()].map(number),
            [one.centre(), two.centre()].map(number),
        );
        let apart = (centres[0] - centres[1]).abs();
        let evidence = match jumps[0] == jumps[1] {
            true => format!(
                "its branches look at places {apart} pixels apart (centres {} and {} of the first element), in steps \
                 of {}",
                one.centre(),
                two.centre(),
                one.jump()
            ),
            false => format!(
                "its branches move over the input in steps of {} and {}",
                one.jump(),
                two.jump()
            ),
        };
        findings.push(Finding {
            check: Check::MisalignedBranches,
            // Half a step off is the least that even windows cannot avoid.
            severity: Severity::warning_if(jumps[0] != jumps[1] || 2.0 * apart > jumps[0].abs()),
            layer: Some(met.layer.clone()),
            channels: Vec::new(),
            evidence,
            numbers: vec![("apart", apart), ("jump", jumps[0]), ("other_jump", jumps[1])],
            advice: "Pad the branches alike, with odd windows and the padding ⌊k/2⌋, so that their centres agree",
        });
    }
    findings
}

fn number(value: Rational) -> f64 {
    value.numerator() as f64 / value.denominator() as f64
}
