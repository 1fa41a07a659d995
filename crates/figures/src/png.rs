//! A scene as PNG: the frame that stands still.

use png::{BitDepth, ColorType, Encoder};

use crate::raster::{Canvas, Raster};
use crate::scene::Scene;
use crate::{FigureError, Theme};

/// The bytes of the file, `scale` pixels to a unit of the scene.
///
/// # Errors
/// Too many pixels.
pub fn write(scene: &Scene, theme: Theme, scale: f64) -> Result<Vec<u8>, FigureError> {
    encode(&Canvas::new(scene, theme, scale)?.frame(scene.still))
}

/// The bytes of a file of these pixels.
///
/// # Errors
/// What the encoder says.
pub fn encode(raster: &Raster) -> Result<Vec<u8>, FigureError> {
    let pixels = raster.rgba.chunks_exact(4);
    let rgb: Vec<u8> = pixels
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    encode_rgb(raster.width, raster.height, &rgb)
}

/// The bytes of a file of pixels of three bytes.
pub(crate) fn encode_rgb(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>, FigureError> {
    let failed = |error: png::EncodingError| FigureError::Encoding(error.to_string());
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(rgb).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}
