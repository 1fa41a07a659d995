//! Logits of every network, of the main head and of auxiliary ones.

use graph::Graph;
use graph::passes::inference;
use runtime::Run;

use crate::fixture::{Fixture, Settings, norm};

/// Relative error that rounding in 32 bits may leave, in the sense of L2.
const BOUND: f64 = 1e-5;

/// Auxiliary heads made outputs, so that a network that predicts computes them too.
fn with_heads(mut network: Graph) -> Graph {
    let heads = std::mem::take(&mut network.auxiliary);
    network.outputs.extend(heads.iter().map(|&(head, _)| head));
    network
}

/// Holds the outputs of a network against PyTorch's; what is wrong with them, if something is.
fn compare(name: &str, settings: &Settings, fixture: &Fixture) -> Result<String, String> {
    let Some((shape, _)) = fixture.tensor(name) else {
        return Err("no logits in the file".to_owned());
    };
    let graph = with_heads(settings.build(name, shape[1]));
    let graph = inference(&graph).map_err(|error| error.to_string())?;
    let shapes: Vec<_> = graph
        .outputs
        .iter()
        .map(|&id| graph.value(id).shape.clone())
        .collect();
    let mut program = settings.program(graph);
    program.run(Run::default());
    let mut errors = Vec::new();
    for (place, ours) in shapes.iter().enumerate() {
        let key = match place {
            0 => name.to_owned(),
            _ => format!("{name}.aux{}", place - 1),
        };
        let (theirs, wanted) = fixture
            .tensor(&key)
            .ok_or(format!("no {key} in the file"))?;
        if *ours != theirs {
            return Err(format!("{key}: shape {ours:?} instead of {theirs:?}"));
        }
        let found = program.output(place);
        let differences = found.iter().zip(&wanted).map(|(&a, &b)| f64::from(a) - b);
        let error = norm(differences) / norm(wanted.iter().copied());
        // The first axis is the batch, the second the classes; what else there is are places, each with its own best.
        let inner: usize = ours[2..].iter().product();
        let found: Vec<_> = found.iter().map(|&x| f64::from(x)).collect();
        let agree = best(&found, ours[1], inner) == best(&wanted, ours[1], inner);
        if !(error <= BOUND && agree) {
            return Err(format!(
                "{key}: relative error {error:.2e}, best classes equal: {agree}"
            ));
        }
        errors.push(format!("{error:.1e}"));
    }
    let extra = format!("{name}.aux{}", shapes.len() - 1);
    match fixture.tensor(&extra) {
        Some(_) => Err(format!("no head for {extra}")),
        None => Ok(errors.join(", ")),
    }
}

/// The best of the classes at every place of every image.
fn best(logits: &[f64], classes: usize, inner: usize) -> Vec<usize> {
    let images = logits.chunks(classes * inner);
    images
        .flat_map(|image| (0..inner).map(move |place| (image, place)))
        .map(|(image, place)| {
            let logit = |class: usize| image[class * inner + place];
            (0..classes)
                .max_by(|&a, &b| logit(a).total_cmp(&logit(b)))
                .unwrap()
        })
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "a summary for those who ask for it")]
fn every_network_has_the_logits_that_pytorch_gives_it() {
    let fixture = Fixture::read("logits.safetensors");
    let mut wrong = Vec::new();
    for model in zoo::models() {
        let found = match fixture.networks.get(model.name) {
            Some(settings) => compare(model.name, settings, &fixture),
            None => Err("not in the file".to_owned()),
        };
        match found {
            Ok(errors) => println!("{}: {errors}", model.name),
            Err(reason) => wrong.push(format!("{}: {reason}", model.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in fixture.networks.keys() {
        assert!(zoo::find(name).is_ok(), "{name} is in the file only");
    }
    for name in fixture.names() {
        let network = name.split('.').next().unwrap();
        assert!(fixture.networks.contains_key(network), "{name}");
    }
}
