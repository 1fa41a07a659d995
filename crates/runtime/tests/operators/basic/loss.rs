use graph::Op;
use testkit::loss::{CrossEntropy, softmax};

use super::case::Case;

const LABELS: [usize; 5] = [6, 0, 2, 2, 5];

/// The gradient of a loss that something is done with: the upstream gradient is not one.
#[test]
fn cross_entropies() {
    let labels = LABELS.map(|label| label as u32);
    for label_smoothing in [0.0, 0.1] {
        let oracle = CrossEntropy {
            classes: 7,
            labels: &LABELS,
            smoothing: f64::from(label_smoothing),
        };
        let case = Case::of(Op::CrossEntropy { label_smoothing });
        let case = case.around(&[5, 7], 0.0, 4.0).index(&[5], &labels);
        let loss = oracle.loss(case.values(0));
        case.check(&[vec![loss]]);

        for upstream in [false, true] {
            let case = Case::of(Op::CrossEntropyBackward {
                label_smoothing,
                upstream,
            });
            let mut case = case.given(&[5, 7], 0.0, 4.0).index(&[5], &labels);
            let mut factor = 1.0;
            if upstream {
                case = case.given(&[], 3.0, 1.0);
                factor = case.values(2)[0];
            }
            let gradient = oracle.gradient(case.values(0));
            case.check(&[gradient.iter().map(|g| factor * g).collect()]);
        }
    }
}

#[test]
fn probabilities() {
    let case = Case::of(Op::Softmax).given(&[5, 7], 0.0, 4.0);
    let y = softmax(case.values(0), 7);
    case.check(&[y]);
}
