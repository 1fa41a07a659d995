//! The head of a network: the layers that know how many classes there are.

use graph::Graph;

use crate::{BuildOptions, Found, ZooError};

/// The parameters and states whose shape follows the number of classes, such as `fc.weight` and `fc.bias`. All others
/// are the body, which serves other classes as well.
///
/// ```
/// let found = zoo::find("resnet18")?;
/// let head = found.head(&found.model.options())?;
/// assert_eq!(head.names().collect::<Vec<_>>(), ["fc.weight", "fc.bias"]);
/// assert!(head.contains("fc.bias") && !head.contains("layer4.1.bn2.bias"));
/// # Ok::<(), zoo::ZooError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Names, each with the axis along which the classes lie.
    tensors: Vec<(String, usize)>,
}

impl Found {
    /// The head of the network on such an input: what changes when it is built for one class more.
    ///
    /// # Errors
    /// As [`Found::build`].
    pub fn head(&self, options: &BuildOptions) -> Result<Head, ZooError> {
        let small = |classes: usize| BuildOptions {
            batch: 1,
            classes,
            ..options.clone()
        };
        // Two numbers that no layer of a body has for other reasons in one place.
        let (one, other) = (self.build(&small(2))?, self.build(&small(3))?);
        Ok(Head::between(&one, &other))
    }
}

impl Head {
    /// The head of a network that was built twice, for different numbers of classes.
    pub fn between(one: &Graph, other: &Graph) -> Self {
        let tensors = tensors(one).zip(tensors(other));
        let follows = |((name, one), (_, other)): ((&String, &Vec<usize>), (_, &Vec<usize>))| {
            let axis = one
                .iter()
                .zip(other)
                .position(|(one, other)| one != other)?;
            Some((name.clone(), axis))
        };
        Self {
            tensors: tensors.filter_map(follows).collect(),
        }
    }
}

fn tensors(network: &Graph) -> impl Iterator<Item = (&String, &Vec<usize>)> {
    let values = network.parameters().chain(network.states());
    values.map(|(_, value)| (&value.name, &value.shape))
}

impl Head {
    /// Names of its parameters and states.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a parameter or state is part of it.
    pub fn contains(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// How many classes tensors of such shapes tell apart, if one of them is part of the head.
    pub fn classes<'a>(&self, shape: impl Fn(&str) -> Option<&'a [usize]>) -> Option<usize> {
        self.tensors
            .iter()
            .find_map(|(name, axis)| shape(name)?.get(*axis).copied())
    }
}
