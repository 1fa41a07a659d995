//! The patches of a folder's pictures that excite a filter most.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use explain::TopPatches;
use figures::panel::{Panel, Tile, tiles};
use figures::short;
use formats::{Picture, images_below};
use serde_json::{Value, json};

use super::case::{Case, Watched};
use super::method::Method;
use super::photo::{patch, prepared};
use super::progress::Progress;
use super::shown::{Row, Shown};

/// Patches that are shown.
const COUNT: usize = 9;
/// Tiles of a row.
const COLUMNS: usize = 3;

/// Nine patches, each of another picture. Pictures that cannot be read are left out, and counted.
pub(super) fn nine(case: &Case, folder: &Path) -> anyhow::Result<Shown> {
    let paths = images_below(folder)?;
    let Watched { layer, channel } = case.watched()?;
    let mut search = TopPatches::new(&case.subject, layer, &[*channel], COUNT)?;
    let progress = Progress::new("patches", case.messages);
    let mut tell = progress.teller();
    let mut read: Vec<&PathBuf> = Vec::new();
    let mut first_fault = None;
    for (done, path) in paths.iter().enumerate() {
        tell(done, paths.len());
        match numbers_of(case, path) {
            Ok(numbers) => {
                search.push(&numbers)?;
                read.push(path);
            }
            Err(error) => first_fault = first_fault.or(Some(error)),
        }
    }
    drop(tell);
    progress.clear();
    let left_out = paths.len() - read.len();
    match first_fault {
        Some(error) if read.is_empty() => return Err(error),
        Some(error) => case.messages.say(format_args!(
            "{left_out} of {} pictures left out, the first: {error}",
            paths.len()
        )),
        None => {}
    }
    let found = search.finish()?;
    let patches = found.first().map(Vec::as_slice).unwrap_or_default();
    let mut shown_tiles = Vec::new();
    let mut numbers = Vec::new();
    for found in patches {
        let image = numbers_of(case, read[found.image])?;
        let (pixels, extents) = cut(case, &image, &found.region);
        shown_tiles.push(Tile {
            label: short(found.activation.into()),
            bitmap: patch(&pixels, case.preprocess(), extents)?,
        });
        numbers.push(json!({
            "image": read[found.image].to_string_lossy(),
            "at": found.at,
            "activation": found.activation,
            "rows": [found.region[0].start, found.region[0].end],
            "columns": [found.region[1].start, found.region[1].end],
        }));
    }
    let mut shown = Shown::new(Method::Patches, Value::Array(numbers));
    let title = format!("What excites map {channel} of {layer}");
    let caption = format!(
        "The strongest patch of each of the {} pictures that excite it most, of {} below {}; numbers: the activation.",
        patches.len(),
        read.len(),
        folder.display()
    );
    let scene = tiles(&shown_tiles, COLUMNS, true, None);
    shown.panels.push(Panel::new(&title, caption, scene));
    let of = |patch: Option<&explain::Patch>| patch.map_or(0.0, |patch| patch.activation.into());
    let range = (of(patches.last()), of(patches.first()));
    shown.rows.push(Row::new(title, range, "activation"));
    Ok(shown)
}

fn numbers_of(case: &Case, path: &Path) -> anyhow::Result<Vec<f32>> {
    let picture = Picture::open(path)?;
    prepared(&picture, case.preprocess()).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// The pixels of a region, channels first, with its rows and columns; one pixel where it is empty.
fn cut(case: &Case, image: &[f32], region: &[Range<usize>; 2]) -> (Vec<f32>, [usize; 2]) {
    let [height, width] = case.extents();
    let inside = |range: &Range<usize>, extent: usize| {
        let start = range.start.min(extent - 1);
        start..range.end.clamp(start + 1, extent)
    };
    let (rows, columns) = (inside(&region[0], height), inside(&region[1], width));
    let extents = [rows.len(), columns.len()];
    let channels = image.chunks_exact(height * width);
    let pixels = channels.flat_map(|channel| {
        let columns = &columns;
        rows.clone()
            .flat_map(move |row| channel[row * width..][columns.clone()].iter().copied())
    });
    (pixels.collect(), extents)
}
