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
    for findings in groups(&diagnosis.findings) {
        lines.extend(paragraph(&findings));
        lines.push(String::new());
    }
    lines.extend(left_out(&diagnosis.left_out));
    lines.push(counted(diagnosis));
    lines.join("\n")
}

/// Findings of one kind together, in the order of their first: what is to be done is the same for all of them.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let alike = |a: &Finding, b: &Finding| {
        (a.check, a.severity, a.advice) == (b.check, b.severity, b.advice)
    };
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| alike(group[0], finding)) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// What was found, the first few layers in full and the others by name, and once what is to be done.
fn paragraph(findings: &[&Finding]) -> Vec<String> {
    let told = findings.iter().take(TOLD).map(|finding| {
        let place = match &finding.layer {
            Some(layer) => format!(" in {layer}"),
            None => String::new(),
        };
        let (severity, check) = (finding.severity.name(), finding.check);
        format!("{severity}: {check}{place}: {}.", finding.evidence)
    });
    let mut told: Vec<String> = told.collect();
    let Some(first) = findings.first() else {
        return told;
    };
    if let [only] = told.as_slice() {
        return wrapped(&format!("{only} {}.", first.advice), "  ");
    }
    let rest = findings.iter().skip(TOLD);
    let rest: Vec<&str> = rest
        .filter_map(|finding| finding.layer.as_deref())
        .collect();
    if !rest.is_empty() {
        let (severity, check, more) = (first.severity.name(), first.check, rest.len());
        let layers = if more == 1 { "layer" } else { "layers" };
        told.push(format!(
            "{severity}: {check} in {more} {layers} more: {}.",
            rest.join(", ")
        ));
    }
    let mut lines: Vec<String> = told.iter().flat_map(|text| wrapped(text, "  ")).collect();
    let advice = format!("For each: {}.", within(first.advice));
    lines.extend(behind("  ", &advice, "  "));
    lines
}

/// A sentence as it goes on behind a colon.
fn within(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
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
    behind("", text, indent)
}

/// The same, with something before the first line.
fn behind(start: &str, text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = start.to_owned();
    for word in text.split(' ') {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.trim().is_empty() && length > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        } else if line.trim().is_empty() {
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
    use explain::doctor::Check;

    use super::*;

    fn finding(layer: &str, severity: Severity, advice: &'static str) -> Finding {
        Finding {
            check: Check::ConstantMaps,
            severity,
            layer: Some(layer.to_owned()),
            channels: Vec::new(),
            evidence: format!("{layer} is off"),
            numbers: Vec::new(),
            advice,
        }
    }

    #[test]
    fn what_is_to_be_done_is_said_once() {
        let [a, b] = ["Do this", "Do that"];
        let findings = [
            finding("r1", Severity::Warning, a),
            finding("r2", Severity::Note, b),
            finding("r3", Severity::Warning, a),
            finding("r4", Severity::Warning, a),
            finding("r5", Severity::Warning, a),
        ];
        let diagnosis = Diagnosis {
            findings: findings.to_vec(),
            ..Diagnosis::default()
        };
        let text = of("net", &diagnosis);
        let expected = "net\n\n\
            warning: constant maps in r1: r1 is off.\n\
            warning: constant maps in r3: r3 is off.\n\
            warning: constant maps in r4: r4 is off.\n\
            warning: constant maps in 1 layer more: r5.\n  \
            For each: do this.\n\n\
            note: constant maps in r2: r2 is off. Do that.\n\n\
            4 warnings, 1 note by 0 checks";
        assert_eq!(text, expected);
    }

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
