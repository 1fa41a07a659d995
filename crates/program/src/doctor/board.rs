//! The picture of a first layer: its filters, and the frequencies that its steps keep.

use std::path::Path;

use explain::doctor::Stem;
use figures::stem::{Filters, draw as draw_stem};
use figures::{Caption, Theme};

use super::pictures::Examined;
use crate::destination;
use crate::draw::Format;
use crate::failure::usage;

/// Draws it into a file.
///
/// # Errors
/// A network without weights or without a first layer to be drawn, or a file that cannot be written.
pub(super) fn draw(examined: &Examined, path: &Path, format: Format) -> anyhow::Result<()> {
    let network = &examined.network;
    let nothing = |reason: &str| usage(format!("{}: no picture: {reason}", network.name));
    let parameters = examined.parameters.as_ref();
    let parameters = parameters.ok_or_else(|| nothing("a network without weights"))?;
    let stem = Stem::of(network, parameters, examined.sample.as_ref());
    let stem = stem.map_err(|reason| nothing(&reason))?;
    let [_, height, width] = stem.filter;
    let [down, right] = stem.stride;
    let caption = Caption::new(
        format!(
            "{} of {}: {height}×{width} in steps of {}",
            stem.layer,
            network.name,
            match down == right {
                true => down.to_string(),
                false => format!("{down}×{right}"),
            }
        ),
        match (stem.stride, stem.is_noise()) {
            ([1, 1], _) => "below: answers by frequency, zero in the middle; steps of 1 keep all of them".to_owned(),
            (_, true) => "below: answers by frequency, zero in the middle; the filters are still noise, and answer to all of \
                          them, outside of the frame too"
                .to_owned(),
            (_, false) => format!(
                "below: answers by frequency, zero in the middle; outside of the frame aliased: {:.1} % on average",
                100.0 * stem.mean()
            ),
        },
    );
    let filters = Filters {
        shape: stem.filter,
        weights: &stem.weights,
        spectra: &stem.spectra,
        side: stem.side,
        shares: &stem.folded,
        stride: stem.stride,
    };
    let scene = draw_stem(&filters, &caption);
    let bytes = format.bytes(&scene, Theme::Light, None)?;
    destination::write(path, &bytes)
}
