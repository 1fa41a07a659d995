//! A scene as GIF, which moves anywhere.

use std::borrow::Cow;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::palette::Palette;
use crate::raster::{Canvas, Raster};
use crate::scene::Scene;
use crate::{FigureError, Theme};

/// The longest side that the format has.
const LONGEST: usize = u16::MAX as usize;

/// The bytes of the file, `scale` pixels to a unit of the scene; it runs for ever.
///
/// # Errors
/// Too many pixels in a frame or in all of them together.
pub fn write(scene: &Scene, theme: Theme, scale: f64) -> Result<Vec<u8>, FigureError> {
    let canvas = Canvas::new(scene, theme, scale)?;
    let count = scene.frames.len().max(1);
    let first = canvas.frame(0);
    // Frames wait for the table of colours that they share.
    let all = first.width.saturating_mul(first.height * count);
    if all > crate::raster::MOST_PIXELS * 4 || first.width.max(first.height) > LONGEST {
        return Err(FigureError::TooManyPixels {
            width: first.width,
            height: first.height * count,
            most: crate::raster::MOST_PIXELS * 4,
        });
    }
    let mut frames = vec![first];
    frames.extend((1..count).map(|place| canvas.frame(place)));
    encode(&frames, scene.seconds)
}

fn encode(frames: &[Raster], seconds: f64) -> Result<Vec<u8>, FigureError> {
    let failed = |error: gif::EncodingError| FigureError::Encoding(error.to_string());
    let palette = Palette::of(frames);
    let (width, height) = (frames[0].width as u16, frames[0].height as u16);
    let mut file = Vec::new();
    let mut encoder =
        Encoder::new(&mut file, width, height, &palette.colours.concat()).map_err(failed)?;
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    let delay = (seconds * 100.0).round().clamp(2.0, f64::from(u16::MAX)) as u16;
    let mut before: Option<&Raster> = None;
    for frame in frames {
        let changed = before.map_or([0, 0, frame.width, frame.height], |before| {
            changes(before, frame)
        });
        let [left, top, right, bottom] = changed;
        let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
        // What stays is let through: runs of one entry pack well.
        let stays = |x: usize, y: usize| {
            before.is_some_and(|before| before.pixel(x, y) == frame.pixel(x, y))
        };
        let buffer: Vec<u8> = pixels
            .map(|(x, y)| match stays(x, y) {
                true => palette.through(),
                false => palette.place(frame.pixel(x, y)),
            })
            .collect();
        let part = Frame {
            delay,
            dispose: DisposalMethod::Keep,
            left: left as u16,
            top: top as u16,
            width: (right - left) as u16,
            height: (bottom - top) as u16,
            transparent: before.map(|_| palette.through()),
            buffer: Cow::Owned(buffer),
            ..Frame::default()
        };
        encoder.write_frame(&part).map_err(failed)?;
        before = Some(frame);
    }
    drop(encoder);
    Ok(file)
}

/// The smallest rectangle that holds all that differs, at least a pixel: left, top, right, bottom.
fn changes(before: &Raster, after: &Raster) -> [usize; 4] {
    let bytes = after.width * 4;
    let rows = || {
        before
            .rgba
            .chunks_exact(bytes)
            .zip(after.rgba.chunks_exact(bytes))
    };
    let differs: Vec<bool> = rows().map(|(a, b)| a != b).collect();
    let Some(top) = differs.iter().position(|&differs| differs) else {
        return [0, 0, 1, 1];
    };
    let bottom = differs.iter().rposition(|&differs| differs).unwrap_or(top) + 1;
    let (mut left, mut right) = (after.width, 0);
    for (a, b) in rows().take(bottom).skip(top) {
        let differs = |x: &usize| a[x * 4..x * 4 + 4] != b[x * 4..x * 4 + 4];
        let first = (0..left).find(differs);
        left = first.unwrap_or(left);
        let last = (right..after.width).rev().find(differs);
        right = last.map_or(right, |x| x + 1);
    }
    [left, top, right, bottom]
}
