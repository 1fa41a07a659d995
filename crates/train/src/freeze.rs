//! Parameters that do not learn, by name.
//!
//! | pattern | freezes |
//! |---|---|
//! | `layer1`, `layer1.0.bn1` | all below that name |
//! | `*.bn1`, `layer?.0` | the same, where `*` stands for any letters and `?` for one |
//! | `body` | everything but the head, which knows the classes, and the heads that exist for training only |

use std::collections::HashSet;

use graph::{Graph, Role};
use zoo::Head;

use crate::TrainError;
use crate::weights::auxiliary;

/// Stands for everything but the heads. Those for training only learn with the other, whether or not weights had them:
/// what they read is frozen, so all that a head drawn anew can do is to learn.
const BODY: &str = "body";

/// Freezes what the patterns name.
///
/// # Errors
/// [`TrainError::Config`] for a pattern that names no parameter, or when nothing is left to learn.
pub(crate) fn freeze(
    network: &mut Graph,
    patterns: &[String],
    head: &Head,
) -> Result<(), TrainError> {
    if patterns.is_empty() {
        return Ok(());
    }
    let auxiliary: HashSet<String> = auxiliary::heads(network).into_iter().flatten().collect();
    let names: Vec<String> = (network.parameters().map(|(_, value)| value.name.clone())).collect();
    let names_it = |pattern: &str, name: &str| match pattern {
        BODY => !head.contains(name) && !auxiliary.contains(name),
        _ => is_below(name, pattern),
    };
    for pattern in patterns {
        if !names.iter().any(|name| names_it(pattern, name)) {
            let (first, last) = (names.first(), names.last());
            let known = first
                .zip(last)
                .map(|(first, last)| format!("; they are {first} to {last}"));
            return Err(TrainError::Config(format!(
                "freeze: no parameter of {} is called {pattern:?}{}",
                network.name,
                known.unwrap_or_default()
            )));
        }
    }
    network.freeze(|name| patterns.iter().any(|pattern| names_it(pattern, name)));
    let learns = |role: &Role| matches!(role, Role::Parameter { trainable, .. } if *trainable);
    match network.parameters().any(|(_, value)| learns(&value.role)) {
        true => Ok(()),
        false => Err(TrainError::Config(format!(
            "freeze: nothing of {} is left to learn",
            network.name
        ))),
    }
}

/// Whether a name is that of the pattern or below it: the pattern matches all of it, or what stands before a dot.
fn is_below(name: &str, pattern: &str) -> bool {
    let dots = name.match_indices('.').map(|(place, _)| place);
    dots.chain([name.len()])
        .any(|end| matches(&name.as_bytes()[..end], pattern.as_bytes()))
}

/// Whether a pattern with `*` and `?` matches all of a text. When letters differ, the last `*` takes one more.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((at, of));
                of += 1;
            }
            Some(&letter) if letter == b'?' || letter == text[at] => {
                at += 1;
                of += 1;
            }
            _ => match &mut star {
                Some((taken, place)) => {
                    *taken += 1;
                    (at, of) = (*taken, *place + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_whole_parts_of_names() {
        let name = "layer1.0.bn1.weight";
        for pattern in [
            "layer1",
            "layer1.0",
            "layer1.0.bn1.weight",
            "*.bn1",
            "l*",
            "layer?.0.*.weight",
            "*",
        ] {
            assert!(is_below(name, pattern), "{pattern}");
        }
        for pattern in [
            "layer",
            "layer1.",
            "bn1",
            "layer10",
            "layer?.1",
            "*.bn",
            "",
            "layer1.0.bn1.weights",
        ] {
            assert!(!is_below(name, pattern), "{pattern}");
        }
    }

    #[test]
    fn body_is_all_but_the_head_and_slips_are_named() {
        let found = zoo::find("resnet20:0.25").unwrap();
        let options = found.model.options();
        let head = found.head(&options).unwrap();
        let network = found.build(&options).unwrap();
        let learning = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.into()).collect();
            let mut network = network.clone();
            freeze(&mut network, &patterns, &head)?;
            let learns =
                |role: &Role| matches!(role, Role::Parameter { trainable, .. } if *trainable);
            let names = network
                .parameters()
                .filter(|(_, value)| learns(&value.role));
            Ok(names
                .map(|(_, value)| value.name.clone())
                .collect::<Vec<_>>())
        };
        let fault = |patterns: &[&str]| {
            let error: TrainError = learning(patterns).unwrap_err();
            error.to_string()
        };
        assert_eq!(learning(&["body"]).unwrap(), ["fc.weight", "fc.bias"]);
        assert_eq!(learning(&["body", "*.bias"]).unwrap(), ["fc.weight"]);
        // Whatever the body's state, heads for training only learn.
        let found = zoo::find("googlenet").unwrap();
        let (options, body) = (found.model.options(), ["body".to_owned()]);
        let mut with_heads = found.build(&options).unwrap();
        freeze(&mut with_heads, &body, &found.head(&options).unwrap()).unwrap();
        let learns = |role: &Role| matches!(role, Role::Parameter { trainable, .. } if *trainable);
        for (_, value) in with_heads.parameters() {
            let head = ["aux1.", "aux2.", "fc."]
                .iter()
                .any(|head| value.name.starts_with(head));
            assert_eq!(learns(&value.role), head, "{}", value.name);
        }
        assert_eq!(learning(&[]).unwrap().len(), network.parameters().count());
        assert_eq!(
            fault(&["layer1", "layer9"]),
            "freeze: no parameter of resnet20:0.25 is called \"layer9\"; they are conv1.weight to fc.bias"
        );
        assert_eq!(
            fault(&["*"]),
            "freeze: nothing of resnet20:0.25 is left to learn"
        );
    }
}
