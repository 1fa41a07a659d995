//! The problem notation.

use convolve::geometry::Problem;
use proptest::prelude::*;
use proptest::sample::select;

use crate::draws::{SMALL, convolutions, deformable, exact_kinds, pools, problems, transposed};
use crate::hold::{Property, Text};
use crate::ways::Subject;

/// Small numbers and those of networks.
fn numbers() -> BoxedStrategy<usize> {
    prop_oneof![0..=9usize, select(vec![17, 64, 224, 1603, usize::MAX])].boxed()
}

/// Every problem is written as one token, and read back as the same problem.
#[test]
fn what_is_written_is_read_back() {
    let property = Property {
        cases: 2048,
        about: |_: &Problem| true,
        draws: problems(numbers()),
    };
    property.hold(&what_is_written_is_read_back, |problem| {
        let text = problem.to_string();
        if text.contains(char::is_whitespace) {
            return Err("it is not one token".to_owned());
        }
        match text.parse::<Problem>() {
            Ok(read) if read == *problem => Ok(1),
            Ok(read) => Err(format!("{problem:?} is read as {read:?}")),
            Err(error) => Err(error.to_string()),
        }
    });
}

/// What the oracle writes, which has a writer of its own, means the same to the engine.
#[test]
fn what_the_oracle_writes_is_read_as_it_is_meant() {
    let property = Property {
        cases: 512,
        about: |_: &Subject| true,
        draws: prop_oneof![
            convolutions(SMALL),
            transposed(SMALL),
            deformable(SMALL),
            pools(exact_kinds())
        ],
    };
    property.hold(&what_the_oracle_writes_is_read_as_it_is_meant, |subject| {
        let read = Subject::read(&subject.to_string())?;
        if read == *subject {
            return Ok(1);
        }
        Err(format!("{:?} is read as {:?}", subject.case, read.case))
    });
}

/// A text with a letter too many, too few or another one is refused with the text, or the beginning of a
/// long one, in the message, or it is another problem, which has one spelling.
#[test]
fn a_wrong_letter_is_refused_or_means_something() {
    let letters: Vec<char> = "0123456789nchwdokspgafmx:,-.+ éreflect".chars().collect();
    let texts = (problems(numbers()), 0..64usize, 0..3usize, select(letters)).prop_map(
        |(problem, at, change, letter)| {
            let mut text: Vec<char> = problem.to_string().chars().collect();
            let at = at % text.len();
            match change {
                0 => text[at] = letter,
                1 => text.insert(at, letter),
                _ => drop(text.remove(at)),
            }
            Text(text.into_iter().collect())
        },
    );
    let property = Property {
        cases: 2048,
        about: |_: &Text| true,
        draws: texts,
    };
    property.hold(
        &a_wrong_letter_is_refused_or_means_something,
        |Text(text)| match text.parse::<Problem>() {
            Err(error) if error.to_string().contains(&beginning(text)) => Ok(1),
            Err(error) => Err(format!("the message does not name it: {error}")),
            Ok(problem) => match problem.to_string().parse::<Problem>() {
                Ok(again) if again == problem => Ok(1),
                other => Err(format!("{problem} is read as {other:?}")),
            },
        },
    );
}

/// As much of a text as a message must quote.
fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}
