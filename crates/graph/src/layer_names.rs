//! Layers by their names.

use crate::Graph;

impl Graph {
    /// The names of layers most like one: those that hold it or begin alike, no more than three.
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
        const MOST: usize = 3;
        let mut names: Vec<&str> = self.nodes.iter().map(|node| node.layer.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut ranked: Vec<_> = names
            .into_iter()
            .filter_map(|known| {
                let away = strsim::osa_distance(name, known);
                let near = 2 * away <= name.chars().count().max(known.chars().count());
                (near || known.contains(name)).then_some((away, known))
            })
            .collect();
        ranked.sort_unstable();
        let best = ranked.into_iter().take(MOST);
        best.map(|(_, known)| known.to_owned()).collect()
    }
}
