//! What part of an input each layer of a network sees.
//!
//! Fields are walked forwards, from the input to every layer, with the recurrence of Araujo et al. 2019
//! in its affine form ([`geometry::Field`]). Where branches meet, the longest path decides, and a layer
//! is *aligned* exactly when all its paths have the same jump and the same centre. What reads all of a
//! map, such as a global pool, a squeeze-and-excitation or a linear layer, sees the whole input; a path
//! round it stays local, and both are told.

use geometry::{Field, GeometryError};

use crate::axis_roles::{AxisRoleError, AxisRoles};
use crate::reads::{Link, Way, sources};
use crate::{Graph, Node, ValueId};

/// The receptive fields of all layers of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceptiveFields {
    /// Extents of the input along its axes of space, outermost first; fields have one entry for each.
    pub input: Vec<usize>,
    /// A row a layer, in the order of execution.
    pub layers: Vec<LayerField>,
    /// Where branches meet that do not lie on each other, the first of them only: what follows inherits
    /// it.
    pub misaligned: Vec<Misalignment>,
}

/// The receptive field of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerField {
    /// Its name.
    pub layer: String,
    /// Its operator.
    pub op: &'static str,
    /// The shape it makes, batch first.
    pub output: Vec<usize>,
    /// Extents of that along its axes of space, wherever those lie ([`AxisRoles`]).
    pub map: Vec<usize>,
    /// What it sees along each axis of the input; empty for a layer that does not depend on it.
    pub axes: Vec<AxisField>,
    /// It belongs to an auxiliary head.
    pub auxiliary: bool,
}

/// What a layer sees along one axis of the input. An axis along which it sees locally and as a whole has
/// paths of both kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisField {
    /// Paths that see a window; nothing where there is none.
    pub local: Option<Local>,
    /// There is a path that sees all of the input, wherever the element lies.
    pub global: bool,
}

/// The paths from the input that see a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Local {
    /// The axis of the layer's output along which the window moves.
    pub axis: usize,
    /// The path with the largest field; the receptive field is this.
    pub longest: Field,
    /// The path with the smallest field.
    pub shortest: Field,
    /// All paths have the same jump and the same centre.
    pub aligned: bool,
}

/// A layer at which branches meet that do not lie on each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Misalignment {
    /// The layer.
    pub layer: String,
    /// Axis of space of the input, the outermost first.
    pub axis: usize,
    /// The fields of two of its branches.
    pub branches: [Field; 2],
}

/// Fields that cannot be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceptiveFieldError {
    /// No input at that place, or one whose axes of space are not known.
    #[error(transparent)]
    Axes(#[from] AxisRoleError),
    /// Numbers too large to be counted.
    #[error(transparent)]
    TooLarge(#[from] GeometryError),
}

/// Walks the fields of all layers over the input at place `input` of [`Graph::inputs`].
///
/// ```
/// use geometry::ConvDesc;
/// use graph::{NetworkBuilder, receptive_fields};
///
/// let mut network = NetworkBuilder::new("residual", [1, 3, 32, 32]);
/// let x = network.input();
/// let y = network.conv("a", x, ConvDesc::new(3, 3).padding(1), false)?;
/// let y = network.conv("b", y, ConvDesc::new(3, 3).padding(1), false)?;
/// let y = network.add(x, y)?;
/// let fields = receptive_fields(&network.finish(y)?, 0).unwrap();
/// let local = fields.layers[2].axes[0].local.unwrap();
/// assert_eq!(local.longest.size().to_string(), "5");
/// assert_eq!(local.shortest.size().to_string(), "1");
/// assert!(local.aligned);
/// # Ok::<(), graph::GraphError>(())
/// ```
///
/// # Errors
/// See [`ReceptiveFieldError`].
pub fn receptive_fields(
    network: &Graph,
    input: usize,
) -> Result<ReceptiveFields, ReceptiveFieldError> {
    let roles = AxisRoles::of(network, input)?;
    let image = network.inputs[input];
    let map = |id: ValueId| -> Vec<usize> {
        let space = roles.space(network, id).into_iter();
        space.map(|axis| network.value(id).shape[axis]).collect()
    };
    let mut fields = ReceptiveFields {
        input: map(image),
        layers: Vec::new(),
        misaligned: Vec::new(),
    };
    let mut seen: Vec<Option<Vec<AxisField>>> = vec![None; network.values().len()];
    let space = roles.space(network, image).into_iter();
    let axes = space.map(|axis| AxisField {
        local: Some(Local {
            axis,
            longest: Field::INPUT,
            shortest: Field::INPUT,
            aligned: true,
        }),
        global: false,
    });
    seen[image.index()] = Some(axes.collect());
    let auxiliary = crate::summary::only_auxiliary(network);
    for (node, auxiliary) in network.nodes.iter().zip(auxiliary) {
        let mut first = None;
        for (made, &output) in node.outputs.iter().enumerate() {
            let mut met = Vec::new();
            let axes = of_output(network, node, made, &seen, &mut met)?;
            if made == 0 {
                fields.misaligned.append(&mut met);
                first.clone_from(&axes);
            }
            seen[output.index()] = axes;
        }
        let output = node.outputs.first().copied();
        let shape = output.map(|id| network.value(id).shape.clone());
        fields.layers.push(LayerField {
            layer: node.layer.clone(),
            op: node.op.name(),
            output: shape.unwrap_or_default(),
            map: output.map(map).unwrap_or_default(),
            axes: first.unwrap_or_default(),
            auxiliary,
        });
    }
    Ok(fields)
}

/// What an output sees, of all it reads.
fn of_output(
    network: &Graph,
    node: &Node,
    made: usize,
    seen: &[Option<Vec<AxisField>>],
    misaligned: &mut Vec<Misalignment>,
) -> Result<Option<Vec<AxisField>>, GeometryError> {
    let mut all: Option<Vec<AxisField>> = None;
    for (input, ways) in sources(network, node, made, |id| seen[id.index()].is_some()) {
        let Some(before) = &seen[input.index()] else {
            continue;
        };
        for way in ways {
            let along = before.iter().map(|axis| axis.along(&way));
            let along = along.collect::<Result<Vec<_>, _>>()?;
            let Some(all) = &mut all else {
                all = Some(along);
                continue;
            };
            for (axis, (sum, new)) in all.iter_mut().zip(along).enumerate() {
                if let Some(branches) = sum.meet(new) {
                    misaligned.push(Misalignment {
                        layer: node.layer.clone(),
                        axis,
                        branches,
                    });
                }
            }
        }
    }
    Ok(all)
}

impl AxisField {
    /// What is seen of the input by what reads this in such a way.
    fn along(&self, way: &Way) -> Result<Self, GeometryError> {
        let Some(local) = self.local else {
            return Ok(*self);
        };
        let lost = Self {
            local: None,
            global: true,
        };
        let Some(&Link::By(axis, reads)) = way.0.get(local.axis) else {
            return Ok(lost);
        };
        let Some(field) = reads.field()? else {
            return Ok(lost);
        };
        let local = Local {
            axis,
            longest: local.longest.then(&field)?,
            shortest: local.shortest.then(&field)?,
            aligned: local.aligned,
        };
        Ok(Self {
            local: Some(local),
            global: self.global,
        })
    }

    /// Adds the paths of another branch; gives two of them where they begin to lie apart.
    fn meet(&mut self, other: Self) -> Option<[Field; 2]> {
        self.global |= other.global;
        let (Some(one), Some(two)) = (&mut self.local, other.local) else {
            self.local = self.local.or(other.local);
            return None;
        };
        if one.axis != two.axis {
            // A map and its transpose: an element sees a row and a column, which no window is.
            (self.local, self.global) = (None, true);
            return None;
        }
        let branches = [one.longest, two.longest];
        let apart = !branches[0].is_aligned_with(&branches[1]);
        let begins = apart && one.aligned && two.aligned;
        one.aligned &= two.aligned && !apart;
        if two.longest.size() > one.longest.size() {
            one.longest = two.longest;
        }
        if two.shortest.size() < one.shortest.size() {
            one.shortest = two.shortest;
        }
        begins.then_some(branches)
    }
}

impl ReceptiveFields {
    /// The field of the network: of the last layer that sees a window, where there is one, heads for
    /// training left out.
    pub fn last_local(&self) -> Option<&LayerField> {
        let local = |row: &&LayerField| {
            !row.auxiliary
                && !row.axes.is_empty()
                && row.axes.iter().all(|axis| axis.local.is_some())
        };
        self.layers.iter().rev().find(local)
    }
}

/// The values that depend on one, itself among them.
pub(crate) fn dependents(network: &Graph, on: ValueId) -> Vec<bool> {
    let mut depends = vec![false; network.values().len()];
    depends[on.index()] = true;
    for node in &network.nodes {
        if node.inputs.iter().any(|id| depends[id.index()]) {
            node.outputs
                .iter()
                .for_each(|id| depends[id.index()] = true);
        }
    }
    depends
}
