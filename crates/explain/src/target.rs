//! What a picture is made of by going back from it.

/// The neuron whose dependence on the image is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The logit of a class: its score before the softmax, so that no other class speaks into it.
    Class(usize),
    /// A neuron inside the network.
    Neuron {
        /// The layer.
        layer: String,
        /// Its feature map.
        channel: usize,
        /// Row and column; the strongest of the map where there is none (Zeiler and Fergus 2014).
        at: Option<[usize; 2]>,
    },
}
