//! `shuffle:n1c6h2w3:g3`: a channel shuffle, and the grouped convolutions between which it stands.

use std::str::FromStr;

use figures::channels::{Row, Stage};
use figures::{Caption, Scene};
use geometry::{ChannelShuffle, ConvDesc, Problem};
use runtime::Eager;

use super::numbers::Files;
use crate::failure::usage;
use crate::op::{Array, refused};

/// What such a problem begins with.
pub(super) const PREFIX: &str = "shuffle:";

/// A channel shuffle on a map.
pub(super) struct Shuffle {
    dims: Vec<usize>,
    groups: usize,
}

impl FromStr for Shuffle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("problem '{text}': expected a map and groups (example: shuffle:n1c6h2w3:g3)")
        };
        let (shape, groups) = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once(":g"))
            .ok_or_else(wrong)?;
        let groups = groups.parse().map_err(|_| wrong())?;
        // The map is written as in any other problem.
        match format!("pool-max:{shape}:k1").parse() {
            Ok(Problem::Pool(shape, _)) if shape.dims.len() == 4 => Ok(Self {
                dims: shape.dims,
                groups,
            }),
            _ => Err(wrong()),
        }
    }
}

impl Shuffle {
    fn resolve(&self, text: &str) -> anyhow::Result<ChannelShuffle> {
        let resolved = ChannelShuffle::resolve(self.groups, &self.dims);
        resolved.map_err(|error| usage(format!("problem '{text}': {error}")))
    }

    /// The shuffle with its numbers.
    pub(super) fn moving(&self, text: &str, eager: &Eager, files: &Files) -> anyhow::Result<Scene> {
        let shuffle = self.resolve(text)?;
        let refuse = |error| usage(format!("problem '{text}': {error}"));
        // Before there are numbers for it.
        if let Ok(extents) = self.dims.as_slice().try_into() {
            figures::shuffle::check(extents).map_err(refuse)?;
        }
        let input = files.array(Array::Input, &self.dims, &self.dims)?;
        let output = eager
            .channel_shuffle(&input, self.groups)
            .map_err(refused)?;
        let scene = figures::shuffle::shuffle(shuffle, &input, &output, &Caption::new(text, ""));
        scene.map_err(refuse)
    }

    /// The shuffle between two grouped convolutions, as channels.
    pub(super) fn row(&self, text: &str) -> anyhow::Result<Row> {
        let shuffle = self.resolve(text)?;
        let desc = ConvDesc::new(self.dims[1], 3)
            .padding(1)
            .groups(self.groups);
        let conv = desc.resolve(&self.dims);
        let conv = conv.map_err(|error| usage(format!("problem '{text}': {error}")))?;
        Ok(Row {
            name: "grouped, shuffled".to_owned(),
            stages: vec![
                Stage::Conv(conv),
                Stage::Shuffle(shuffle),
                Stage::Conv(conv),
            ],
        })
    }
}
