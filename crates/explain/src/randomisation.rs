//! Whether a map depends on what the network has learned (Adebayo et al. 2018, "Sanity checks for saliency maps").

use tensor::memory::try_copy;

use crate::error::ExplainError;
use crate::map::Map;
use crate::random::shuffle;
use crate::rank_correlation::rank_correlation;
use crate::subject::Subject;

/// What a network has learned is taken away, layer by layer from its end to its beginning, and a map is made each time. A
/// map that explains the network loses its likeness to the first one; one that stays alike shows the image and not what
/// was learned.
///
/// The numbers of every parameter and statistic of a layer are shuffled: they keep their spread, so that activations keep
/// their size, and mean nothing any more. That needs no law by which they were drawn at first, which a file does not tell.
///
/// ```no_run
/// use explain::{ExplainError, Map, Randomisation, Subject, guided};
///
/// fn is_it_honest(subject: &Subject, image: &[f32]) -> Result<(), ExplainError> {
///     let check = Randomisation { stops: 6, seed: 0 };
///     let method = |subject: &Subject| Ok(Map::magnitude(&guided(subject, image, 207)?)?);
///     for row in check.of(subject, method, &mut |_, _| {})? {
///         println!("down to {}: {:.2?}", row.layer, row.correlation);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Randomisation {
    /// Maps to make, spread evenly over the layers; no more than there are layers with weights.
    pub stops: usize,
    /// Seed of the order that weights are put into.
    pub seed: u64,
}

/// The map of a network whose end was made random.
#[derive(Clone, Debug)]
pub struct Randomised {
    /// The first layer that was made random; all behind it are, too.
    pub layer: String,
    /// Layers with weights that are random.
    pub layers: usize,
    /// Spearman's rank correlation with the map of the network as it is; nothing where a map is blank.
    pub correlation: Option<f64>,
    /// The map.
    pub map: Map,
}

impl Randomisation {
    /// Runs the check of a method: a function of the network, which makes the map. `progress` is told how many maps are
    /// done, and of how many.
    ///
    /// # Errors
    /// Those of the method, and memory that cannot be had.
    pub fn of(
        &self,
        subject: &Subject,
        mut method: impl FnMut(&Subject) -> Result<Map, ExplainError>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Randomised>, ExplainError> {
        let original = method(subject)?;
        let layers = weights_by_layer(subject);
        let stops = self.stops.min(layers.len());
        let mut rows = Vec::with_capacity(stops);
        let mut changed = subject.clone();
        let mut first = layers.len();
        progress(0, stops);
        for stop in 1..=stops {
            let random = stop * layers.len() / stops;
            // Those behind are random since the stop before.
            let next = layers.len() - random;
            let mut shuffled = Vec::new();
            for (stream, name) in layers[next..first].iter().flat_map(|(_, names)| names) {
                let mut values = try_copy(subject.weight(name).unwrap_or_default())?;
                shuffle(&mut values, self.seed, *stream);
                shuffled.push((name.clone(), values));
            }
            changed = changed.with_weights(shuffled)?;
            first = next;
            let map = method(&changed)?;
            rows.push(Randomised {
                layer: layers[first].0.clone(),
                layers: random,
                correlation: rank_correlation(&original, &map)?,
                map,
            });
            progress(stop, stops);
        }
        Ok(rows)
    }
}

/// The layers that have weights, in the order of execution, with the names of what they read, each with a number of its
/// own.
fn weights_by_layer(subject: &Subject) -> Vec<(String, Vec<(u64, String)>)> {
    let mut numbers = 0..;
    let nodes = subject.network().nodes.iter();
    let layers = nodes.map(|node| {
        let names = subject.weights_of(node).map(|value| value.name.clone());
        (
            node.layer.clone(),
            (&mut numbers).zip(names).collect::<Vec<_>>(),
        )
    });
    layers.filter(|(_, names)| !names.is_empty()).collect()
}
