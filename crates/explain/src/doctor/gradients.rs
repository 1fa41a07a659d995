//! The gradients of one batch: whether they explode, vanish on their way to the first layers, or do not arrive.

use graph::passes::{TrainingOptions, training};
use graph::{Graph, ParameterKind};
use runtime::{Program, Run};

use super::filters::{median, norm};
use super::{Check, Finding, Findings, Parameters, Patient, Sample, Severity};

/// A gradient so many times as long as its weights changes all of them in one step of any usual rate.
const EXPLODING: f64 = 100.0;

/// First layers with so small a part of the last ones' gradient, each relative to its weights, stand still.
const VANISHING: f64 = 1e-4;

/// A loss below which there is nothing left to learn from a batch.
const LEARNED: f64 = 1e-6;

/// Length of the gradient of a weight, relative to the weight's.
struct Pull {
    name: String,
    relative: f64,
}

pub(super) fn check(patient: &Patient<'_>, parameters: &Parameters, sample: &Sample) -> Findings {
    let step = training(patient.network, TrainingOptions::default());
    let step = step.map_err(|error| error.to_string())?;
    let mut program = patient.program(step, parameters)?;
    let batch = patient.batch();
    let images = &sample.images[..batch * sample.picture()];
    program.input_f32(0).copy_from_slice(images);
    program
        .input_index(1)
        .copy_from_slice(&sample.labels[..batch]);
    program.run(Run::default());
    let loss = f64::from(program.output(0)[0]);
    let pulls = pulls(&program);
    let finite = loss.is_finite() && pulls.iter().all(|pull| pull.relative.is_finite());
    if finite && loss < LEARNED {
        return Err(format!(
            "nothing to learn from the batch: its loss is {loss:.1e}"
        ));
    }
    Ok(judge(loss, &pulls, patient.network).into_iter().collect())
}

/// The pull on every weight, in the order of the network.
fn pulls(program: &Program) -> Vec<Pull> {
    let weights = program.slots().iter().filter(|slot| {
        slot.kind == ParameterKind::Weight && slot.trainable && slot.shape.len() >= 2
    });
    weights
        .map(|slot| {
            let length = norm(&program.parameters()[slot.range.clone()]);
            let gradient = norm(&program.gradients()[slot.range.clone()]);
            Pull {
                name: slot.name.clone(),
                relative: match length {
                    0.0 => gradient,
                    length => gradient / length,
                },
            }
        })
        .collect()
}

fn judge(loss: f64, pulls: &[Pull], network: &Graph) -> Option<Finding> {
    let finding = |layer: Option<&Pull>, evidence: String, numbers, advice| {
        Some(Finding {
            check: Check::Gradients,
            severity: Severity::Warning,
            layer: layer.map(|pull| pull.name.trim_end_matches(".weight").to_owned()),
            channels: Vec::new(),
            evidence,
            numbers,
            advice,
        })
    };
    let explodes = "Start from smaller weights, normalise between layers, clip gradients, or lower the learning rate";
    let overflowed = pulls.iter().find(|pull| !pull.relative.is_finite());
    if overflowed.is_some() || !loss.is_finite() {
        let evidence = format!("the gradient of one batch overflows, with a loss of {loss:.1e}");
        return finding(overflowed, evidence, vec![("loss", loss)], explodes);
    }
    let strongest = pulls
        .iter()
        .max_by(|a, b| a.relative.total_cmp(&b.relative))?;
    if strongest.relative > EXPLODING {
        let evidence = format!(
            "the gradient of one batch explodes: it is {:.0} times as long as the weights, with a loss of {loss:.3e}",
            strongest.relative
        );
        let numbers = vec![("relative_gradient", strongest.relative), ("loss", loss)];
        return finding(Some(strongest), evidence, numbers, explodes);
    }
    let vanishes = "Add shortcuts or norms between layers, use rectifiers, and start from weights scaled to their \
                    fan-in (He et al. 2015)";
    // What auxiliary heads and branches without a path to the loss hold is told by name.
    let silent: Vec<&Pull> = pulls.iter().filter(|pull| pull.relative == 0.0).collect();
    if let Some(first) = silent.first() {
        let evidence = format!(
            "no gradient arrives: it is exactly zero in {} of {} layers with weights",
            silent.len(),
            pulls.len()
        );
        let numbers = vec![("layers", silent.len() as f64), ("of", pulls.len() as f64)];
        return finding(Some(first), evidence, numbers, vanishes);
    }
    let third = pulls.len().div_ceil(3);
    let relatives: Vec<f64> = pulls.iter().map(|pull| pull.relative).collect();
    let ends = [&relatives[..third], &relatives[relatives.len() - third..]];
    let [first, last] = ends.map(median);
    if pulls.len() < 3 || first >= VANISHING * last {
        return None;
    }
    let evidence = format!(
        "the gradient vanishes on its way: relative to the weights it is {first:.1e} in the first third of {}'s \
         layers and {last:.1e} in the last",
        network.name
    );
    let numbers = vec![("first_third", first), ("last_third", last)];
    finding(pulls.first(), evidence, numbers, vanishes)
}
