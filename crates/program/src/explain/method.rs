//! What can be shown of a network and an image.

use std::ffi::OsStr;
use std::fmt;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

/// A thing to show, in the order in which all of them stand on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Method {
    /// Regions that speak for the class
    GradCam,
    /// What the class loses when a window is covered
    Occlusion,
    /// The gradient of the class by the pixels
    Saliency,
    /// Guided backpropagation
    Guided,
    /// Deconvolutional network from the strongest neuron of a layer, with max-pool switches
    Deconvnet,
    /// How fast the class goes when pixels are taken away in a map's order, beside each map
    Deletion,
    /// Whether a map changes when weights are shuffled, beside each map
    Randomisation,
    /// Filters of the first layers
    Filters,
    /// Feature maps by depth
    Maps,
    /// How activations are spread, layer by layer
    Statistics,
    /// The effective receptive field over the theoretical one
    Field,
    /// The nine patches of --data that excite a filter most
    Patches,
    /// All of them
    All,
}

impl Method {
    /// What a board shows where nothing is asked for.
    const USUAL: [Self; 7] = [
        Self::GradCam,
        Self::Occlusion,
        Self::Saliency,
        Self::Guided,
        Self::Deconvnet,
        Self::Filters,
        Self::Maps,
    ];

    /// Maps over the image.
    const OVER_THE_IMAGE: [Self; 5] = [
        Self::GradCam,
        Self::Occlusion,
        Self::Saliency,
        Self::Guided,
        Self::Deconvnet,
    ];

    /// Whether it looks at a layer's feature maps, which not every network has.
    pub(super) fn needs_maps(self) -> bool {
        matches!(
            self,
            Self::GradCam | Self::Deconvnet | Self::Maps | Self::Field | Self::Patches
        )
    }

    /// What is shown for what was asked, once each and in the order of a board. Patches need data.
    pub(super) fn chosen(asked: &[Self], has_data: bool) -> Vec<Self> {
        let mut chosen = match asked {
            [] if has_data => [Self::USUAL.as_slice(), &[Self::Patches]].concat(),
            [] => Self::USUAL.to_vec(),
            asked if asked.contains(&Self::All) => {
                let mut all = Self::value_variants().to_vec();
                all.retain(|&method| {
                    method != Self::All
                        && (has_data || asked.contains(&method) || method != Self::Patches)
                });
                all
            }
            asked => asked.to_vec(),
        };
        // A check needs maps to check: all of them, where none was named.
        let has = |methods: &[Self]| methods.iter().any(|method| chosen.contains(method));
        if has(&[Self::Deletion, Self::Randomisation]) && !has(&Self::OVER_THE_IMAGE) {
            chosen.extend(Self::OVER_THE_IMAGE);
        }
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

/// Reads the name of a method, with or without space around it: `"saliency, maps"` is a list as well.
#[derive(Clone)]
pub(super) struct Named;

impl TypedValueParser for Named {
    type Value = Method;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Method, clap::Error> {
        let trimmed = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
        EnumValueParser::<Method>::new().parse_ref(command, argument, trimmed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = Method::value_variants().iter();
        Some(Box::new(all.filter_map(Method::to_possible_value)))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        f.write_str(name.as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_stand_in_one_order_and_patches_need_data() {
        let asked = [Method::Maps, Method::Saliency, Method::Maps];
        assert_eq!(
            Method::chosen(&asked, false),
            [Method::Saliency, Method::Maps]
        );
        assert!(!Method::chosen(&[Method::All], false).contains(&Method::Patches));
        assert!(Method::chosen(&[Method::All], true).contains(&Method::Patches));
        assert!(Method::chosen(&[], true).contains(&Method::Patches));
        assert!(!Method::chosen(&[Method::All], true).contains(&Method::All));
        assert_eq!(Method::chosen(&[Method::Deletion], false).len(), 6);
        assert_eq!(Method::GradCam.to_string(), "grad-cam");
    }
}
