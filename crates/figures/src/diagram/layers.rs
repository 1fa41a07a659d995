//! Vertices in layers (Sugiyama, Tagawa and Toda 1981): every edge runs from a layer to one below, and an edge that passes
//! layers has a bend in each.

/// A graph in layers.
pub(super) struct Layers {
    /// Vertices of every layer, from left to right. The first `nodes` vertices are nodes, the others bends.
    pub(super) rows: Vec<Vec<usize>>,
    /// Vertices, nodes and bends.
    pub(super) count: usize,
    pub(super) nodes: usize,
    /// For every vertex those of the layer below that it leads to.
    pub(super) below: Vec<Vec<usize>>,
    /// For every vertex those of the layer above that lead to it.
    pub(super) above: Vec<Vec<usize>>,
    /// For every edge the vertices it passes, ends among them.
    pub(super) paths: Vec<Vec<usize>>,
}

impl Layers {
    /// Puts every node as far up as the edges that lead to it allow. Edges that close a circle are left out.
    pub(super) fn new(nodes: usize, edges: &[(usize, usize)]) -> Self {
        let ranks = ranks(nodes, edges);
        let mut layers = Self {
            rows: vec![Vec::new(); ranks.iter().max().map_or(0, |&last| last + 1)],
            count: nodes,
            nodes,
            below: vec![Vec::new(); nodes],
            above: vec![Vec::new(); nodes],
            paths: Vec::new(),
        };
        let mut rank_of = ranks.clone();
        for &(from, to) in edges {
            let mut path = vec![from];
            for rank in ranks[from] + 1..ranks[to] {
                path.push(layers.bend());
                rank_of.push(rank);
            }
            path.push(to);
            if ranks[from] < ranks[to] {
                for pair in path.windows(2) {
                    layers.below[pair[0]].push(pair[1]);
                    layers.above[pair[1]].push(pair[0]);
                }
            }
            layers.paths.push(path);
        }
        layers.begin(&rank_of);
        layers
    }

    fn bend(&mut self) -> usize {
        self.below.push(Vec::new());
        self.above.push(Vec::new());
        self.count += 1;
        self.count - 1
    }

    /// The first order: as a walk in depth meets the vertices, so that branches stand as they were listed.
    fn begin(&mut self, rank_of: &[usize]) {
        let mut seen = vec![false; self.count];
        let tops: Vec<usize> = (0..self.count)
            .filter(|&v| self.above[v].is_empty())
            .collect();
        for top in tops {
            let mut waiting = vec![top];
            while let Some(vertex) = waiting.pop() {
                if std::mem::replace(&mut seen[vertex], true) {
                    continue;
                }
                self.rows[rank_of[vertex]].push(vertex);
                waiting.extend(self.below[vertex].iter().rev());
            }
        }
    }
}

/// The longest way to every node from above.
fn ranks(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0; nodes];
    // As many rounds as the longest way has edges; in a circle they would not end.
    for _ in 0..nodes {
        let mut changed = false;
        for &(from, to) in edges {
            if ranks[to] <= ranks[from] && ranks[from] + 1 < nodes {
                ranks[to] = ranks[from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    ranks
}
