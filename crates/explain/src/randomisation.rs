//! Whether a map depends on what the network has learned (Adebayo et al. 2018, "Sanity checks for saliency maps").

use std::collections::HashSet;

use graph::passes::inference;
use runtime::initialise_where;

use crate::error::ExplainError;
use crate::map::Map;
use crate::rank_correlation::rank_correlation;
use crate::subject::Subject;

/// The weights of a network are drawn anew, layer by layer from its end to its beginning, and a map is made each time. A
/// map that explains the network loses its likeness to the first one; one that stays alike shows the image and not what was learned.
///
/// ```no_run
/// use explain::{ExplainError, Map, Randomisation, Subject, guided};
///
/// fn is_it_honest(subject: &Subject, image: &[f32]) -> Result<(), ExplainError> {
///     let check = Randomisation { stops: 6, seed: 0 };
///     let method = |subject: &Subject| Ok(Map::magnitude(&guided(subject, image, 207)?)?);
///     for row in check.of(subject, method, &mut |_, _| {})? {
///         println!("down to {}: {:.2}", row.layer, row.correlation);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Randomisation {
    /// Maps to make, spread evenly over the layers; no more than there are layers with weights.
    pub stops: usize,
    /// Seed of the weights.
    pub seed: u64,
}

/// The map of a network whose end was drawn anew.
#[derive(Clone, Debug)]
pub struct Randomised {
    /// The first layer that was drawn anew; all behind it were, too.
    pub layer: String,
    /// Layers with weights that were drawn anew.
    pub layers: usize,
    /// Spearman's rank correlation with the map of the network as it is.
    pub correlation: f64,
    /// The map.
    pub map: Map,
}

impl Randomisation {
    /// Runs the check of a method. Parameters are drawn as they start before training, and statistics of norms are set
    /// to their start.
    ///
    /// # Errors
    /// Those of the method, and a network that cannot be run.
    pub fn of(
        &self,
        subject: &Subject,
        mut method: impl FnMut(&Subject) -> Result<Map, ExplainError>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Randomised>, ExplainError> {
        let original = method(subject)?;
        let layers = weights_by_layer(subject);
        let stops = self.stops.min(layers.len());
        let mut drawn = subject.program(inference(subject.network())?)?;
        initialise_where(&mut drawn, self.seed, |_| true);
        let mut rows = Vec::with_capacity(stops);
        progress(0, stops);
        for stop in 1..=stops {
            let anew = stop * layers.len() / stops;
            let first = layers.len() - anew;
            let names: HashSet<&str> = layers[first..]
                .iter()
                .flat_map(|(_, names)| names.iter().map(String::as_str))
                .collect();
            let slots = drawn
                .slots()
                .iter()
                .filter(|slot| names.contains(&*slot.name));
            let parameters = slots.map(|slot| {
                let values = &drawn.parameters()[slot.range.clone()];
                (slot.name.clone(), values.to_vec())
            });
            let states = drawn
                .states()
                .iter()
                .filter(|slot| names.contains(&*slot.name));
            let states = states.map(|slot| {
                let values = &drawn.state()[slot.range.clone()];
                (slot.name.clone(), values.to_vec())
            });
            let changed = subject.with_weights(parameters.chain(states))?;
            let map = method(&changed)?;
            rows.push(Randomised {
                layer: layers[first].0.clone(),
                layers: anew,
                correlation: rank_correlation(&original, &map)?,
                map,
            });
            progress(stop, stops);
        }
        Ok(rows)
    }
}

/// The layers that have weights, in the order of execution, with the names of what they read.
fn weights_by_layer(subject: &Subject) -> Vec<(String, Vec<String>)> {
    let nodes = subject.network().nodes.iter();
    let layers = nodes.map(|node| {
        let names = subject.weights_of(node).map(|value| value.name.clone());
        (node.layer.clone(), names.collect::<Vec<_>>())
    });
    layers.filter(|(_, names)| !names.is_empty()).collect()
}
