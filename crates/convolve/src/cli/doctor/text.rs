//! A diagnosis as text: a paragraph a finding, and what was found in all.

use explain::doctor::{Diagnosis, Finding, LeftOut, Severity};

/// Letters of a line.
const WIDTH: usize = 100;

/// Layers of one check that are told in full.
const TOLD: usize = 3;

pub(super) fn of(name: &str, diagnosis: &Diagnosis) -> String {
    let mut lines = Vec::new();
    lines.push(match diagnosis.score {
        Some(score) => format!(
            "{name}: {:.1} % of {} pictures right",
            100.0 * score.accuracy,
            score.pictures
        ),
        None => name.to_owned(),
    });
    lines.push(String::new());
    let alike = |a: &Finding, b: &Finding| (a.check, a.severity) == (b.check, b.severity);
    for findings in diagnosis.findings.chunk_by(alike) {
        for finding in findings.iter().take(TOLD) {
            lines.extend(paragraph(finding));
            lines.push(String::new());
        }
        let rest: Vec<&str> = (findings.iter().skip(TOLD))
            .filter_map(|finding| finding.layer.as_deref())
            .collect();
        if let Some(first) = findings.first()
            && !rest.is_empty()
        {
            let text = format!(
                "{}: {}, in {} layers more: {}",
                first.severity.name(),
                first.check,
                rest.len(),
                rest.join(", ")
            );
            lines.extend(wrapped(&text, ""));
            lines.push(String::new());
        }
    }
    lines.extend(left_out(&diagnosis.left_out));
    lines.push(counted(diagnosis));
    lines.join("\n")
}

fn paragraph(finding: &Finding) -> Vec<String> {
    let place = match &finding.layer {
        Some(layer) => format!(" in {layer}"),
        None => String::new(),
    };
    let text = format!(
        "{}: {}{place}: {}. {}.",
        finding.severity.name(),
        finding.check,
        finding.evidence,
        finding.advice
    );
    wrapped(&text, "  ")
}

/// Checks that were left out, those with one reason together.
fn left_out(left_out: &[LeftOut]) -> Vec<String> {
    let alike = |a: &LeftOut, b: &LeftOut| a.reason == b.reason;
    let groups = left_out.chunk_by(alike);
    groups
        .flat_map(|group| {
            let names: Vec<&str> = group.iter().map(|left_out| left_out.check.name()).collect();
            let reason = group.first().map_or("", |left_out| &left_out.reason);
            wrapped(
                &format!("not checked ({reason}): {}", names.join(", ")),
                "  ",
            )
        })
        .collect()
}

fn counted(diagnosis: &Diagnosis) -> String {
    let count = |severity| {
        let count = diagnosis.count(severity);
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {}{plural}", severity.name())
    };
    format!(
        "{}, {} by {} checks",
        count(Severity::Warning),
        count(Severity::Note),
        diagnosis.made.len()
    )
}

/// Lines of whole words, all but the first behind an indent.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.trim().is_empty() && length > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        } else if line.is_empty() {
            line.push_str(word);
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let text = "word ".repeat(39);
        let lines = wrapped(text.trim(), "  ");
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines[1].starts_with("  word"));
        let long = "x".repeat(150);
        assert_eq!(wrapped(&format!("a {long} b"), ""), ["a", &*long, "b"]);
    }
}
