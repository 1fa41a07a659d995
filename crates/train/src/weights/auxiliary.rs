//! Weights without the heads that exist for training only.
//!
//! torchvision publishes GoogLeNet and Inception v3 with their auxiliary heads, and whoever builds them with
//! `aux_logits=False` saves them without. Both are the weights of one network.

use std::collections::HashSet;

use graph::{Graph, passes};

use super::needed;
use super::tensors::Tensors;
use crate::state_dict::Mismatch;

/// Compares tensors with all parameters and states of a network, of which whole auxiliary heads may be missing. Gives
/// the names of the tensors of those that are, head by head.
pub(super) fn compare(
    network: &Graph,
    tensors: &Tensors,
) -> Result<Vec<Vec<String>>, Box<Mismatch>> {
    let Some(mut mismatch) = Mismatch::between(needed(network), tensors.named()) else {
        return Ok(Vec::new());
    };
    let missing = mismatch.missing.iter().map(|tensor| tensor.name.as_str());
    let missing: HashSet<&str> = missing.collect();
    let absent: Vec<Vec<String>> = (heads(network).into_iter())
        .filter(|head| !head.is_empty() && head.iter().all(|name| missing.contains(name.as_str())))
        .collect();
    let excused: HashSet<&str> = absent.iter().flatten().map(String::as_str).collect();
    let unexcused = (mismatch.missing.iter()).any(|tensor| !excused.contains(&*tensor.name));
    if !unexcused && mismatch.extra.is_empty() && mismatch.reshaped.is_empty() {
        return Ok(absent);
    }
    // What is told is what must change.
    mismatch
        .missing
        .retain(|tensor| !absent.iter().flatten().any(|name| *name == tensor.name));
    Err(Box::new(mismatch))
}

/// Names of the parameters and states that only an auxiliary head reads, for each of them.
pub(crate) fn heads(network: &Graph) -> Vec<Vec<String>> {
    let names = |graph: &Graph| -> Vec<String> {
        let graph = passes::remove_dead(graph);
        needed(&graph).map(|(name, _)| name.to_owned()).collect()
    };
    let mut body = network.clone();
    let heads = std::mem::take(&mut body.auxiliary);
    if heads.is_empty() {
        return Vec::new();
    }
    let of_body: HashSet<String> = names(&body).into_iter().collect();
    let with = heads.into_iter().map(|head| {
        body.auxiliary = vec![head];
        let names = names(&body).into_iter();
        names.filter(|name| !of_body.contains(name)).collect()
    });
    with.collect()
}

/// What a head is called: the part of its tensors' names up to a dot that all of them share.
pub(super) fn name(head: &[String]) -> String {
    let parts = |name: &str| name.split('.').map(str::to_owned).collect::<Vec<_>>();
    let first = head.first().map(|name| parts(name)).unwrap_or_default();
    let shared = |count: &usize| {
        let mut all = head.iter();
        all.all(|name| parts(name).get(..*count) == first.get(..*count))
    };
    let count = (1..first.len()).rev().find(shared).unwrap_or(1);
    first.get(..count).unwrap_or_default().join(".")
}
