//! Layers by their names.

use geometry::names;

use crate::Graph;

impl Graph {
    /// The names of the layers most like one: [`names::like`].
    ///
    /// ```
    /// use geometry::ConvDesc;
    /// use graph::NetworkBuilder;
    ///
    /// let mut network = NetworkBuilder::new("one layer", [1, 3, 8, 8]);
    /// let x = network.input();
    /// let y = network.conv("conv1", x, ConvDesc::new(4, 3), false)?;
    /// assert_eq!(network.finish(y)?.layers_like("conv"), ["conv1"]);
    /// # Ok::<(), graph::GraphError>(())
    /// ```
    pub fn layers_like(&self, name: &str) -> Vec<String> {
        let mut layers: Vec<&str> = self.nodes.iter().map(|node| node.layer.as_str()).collect();
        layers.sort_unstable();
        layers.dedup();
        let like = names::like(name, layers);
        like.into_iter().map(str::to_owned).collect()
    }
}
