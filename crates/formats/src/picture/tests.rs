use std::fs;
use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};

use super::*;

const FORMATS: [(ImageFormat, &str); 4] = [
    (ImageFormat::Jpeg, "jpg"),
    (ImageFormat::Png, "png"),
    (ImageFormat::WebP, "webp"),
    (ImageFormat::Bmp, "bmp"),
];

/// A picture with enough detail that its coded data is spread over the whole file.
fn detailed(width: u32, height: u32) -> DynamicImage {
    ImageBuffer::from_fn(width, height, |x, y| {
        Rgb([(x * 7 + y * 3) as u8, (x * y) as u8, ((y * 11) ^ x) as u8])
    })
    .into()
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

#[test]
fn lossless_formats_give_back_every_pixel() {
    let image = detailed(19, 13);
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
        let picture = Picture::decode(&encode(&image, format), "x").unwrap();
        assert_eq!(
            (picture.height, picture.width, picture.channels),
            (13, 19, 3)
        );
        assert_eq!(picture.pixels, image.as_bytes(), "{format:?}");
    }
}

#[test]
fn jpeg_gives_back_smooth_colours_nearly() {
    let flat: DynamicImage = ImageBuffer::from_pixel(24, 16, Rgb([200_u8, 90, 30])).into();
    let picture = Picture::decode(&encode(&flat, ImageFormat::Jpeg), "x").unwrap();
    assert_eq!((picture.height, picture.width), (16, 24));
    for pixel in picture.pixels.chunks(3) {
        for (got, want) in pixel.iter().zip([200, 90, 30]) {
            assert!(got.abs_diff(want) <= 3, "{pixel:?}");
        }
    }
}

#[test]
fn every_truncation_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (format, extension) in FORMATS {
        let whole = encode(&detailed(40, 30), format);
        for kept in [
            0,
            1,
            10,
            whole.len() / 4,
            whole.len() / 2,
            whole.len() - whole.len() / 10,
        ] {
            let path = folder.path().join(format!("cut-{kept}.{extension}"));
            fs::write(&path, &whole[..kept]).unwrap();
            let message = Picture::open(&path)
                .expect_err(&format!("{format:?} cut to {kept}"))
                .to_string();
            assert!(
                message.contains(&format!("cut-{kept}.{extension}")),
                "{message}"
            );
            assert!(!message.contains('\n'), "{message}");
        }
    }
}

#[test]
fn the_end_marker_of_a_thumbnail_does_not_count() {
    let inner = encode(&detailed(8, 8), ImageFormat::Jpeg);
    let outer = encode(&detailed(16, 16), ImageFormat::Jpeg);
    let mut bytes = outer[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend((inner.len() as u16 + 2).to_be_bytes());
    bytes.extend(&inner);
    bytes.extend(&outer[2..]);
    assert!(Picture::decode(&bytes, "x").is_ok());
    bytes.truncate(bytes.len() - 40);
    assert!(Picture::decode(&bytes, "x").is_err());
}

#[test]
fn other_content_is_refused_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.jpg");
    fs::write(&path, "<html>404</html>").unwrap();
    assert_eq!(
        Picture::open(&path).unwrap_err().to_string(),
        format!("{}: not a JPEG, PNG, WebP or BMP image", path.display())
    );
    let gif = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";
    assert!(Picture::decode(gif, "x").is_err());
    assert!(matches!(
        Picture::open(&folder.path().join("absent.png")),
        Err(DataError::Missing { .. })
    ));
}

#[test]
fn a_png_under_a_jpeg_name_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misnamed.jpg");
    let image = detailed(5, 4);
    fs::write(&path, encode(&image, ImageFormat::Png)).unwrap();
    assert_eq!(Picture::open(&path).unwrap().pixels, image.as_bytes());
}

#[test]
fn transparency_is_laid_over_white() {
    let image = ImageBuffer::from_raw(
        3,
        1,
        vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 51_u8],
    );
    let image: DynamicImage = image.map(|b: ImageBuffer<Rgba<u8>, _>| b.into()).unwrap();
    let picture = Picture::decode(&encode(&image, ImageFormat::Png), "x").unwrap();
    // 51/255 is a fifth: 0.2·c + 0.8·255.
    assert_eq!(picture.pixels, [10, 20, 30, 255, 255, 255, 204, 224, 255]);
}

#[test]
fn grey_and_sixteen_bit_samples_become_eight_bit_rgb() {
    let grey = ImageBuffer::from_raw(2, 1, vec![0_u16, 65535]).unwrap();
    let grey: DynamicImage = (grey as ImageBuffer<Luma<u16>, _>).into();
    let picture = Picture::decode(&encode(&grey, ImageFormat::Png), "x").unwrap();
    assert_eq!(picture.channels, 3);
    assert_eq!(picture.pixels, [0, 0, 0, 255, 255, 255]);
}

/// A white left half and a black right half, stored with orientation 6 (turn 90° clockwise to view): a viewer
/// shows white above black.
#[test]
fn exif_orientation_is_applied() {
    let image: DynamicImage =
        ImageBuffer::from_fn(32, 16, |x, _| Luma([if x < 16 { 255_u8 } else { 0 }])).into();
    let plain = encode(&image, ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08".to_vec();
    exif.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(&exif);
    bytes.extend(&plain[2..]);

    let picture = Picture::decode(&bytes, "x").unwrap();
    assert_eq!((picture.height, picture.width), (32, 16));
    assert!(picture.pixels[0] > 250);
    assert!(picture.pixels[picture.pixels.len() - 1] < 5);
}

/// A BMP header may declare any size; nothing may be allocated for it.
#[test]
fn too_many_pixels_are_refused_before_decoding() {
    let mut bytes = encode(&detailed(4, 4), ImageFormat::Bmp);
    bytes[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bytes[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    let error = Picture::decode(&bytes, "vast.bmp").unwrap_err();
    assert!(
        matches!(error, DataError::TooManyPixels { width: 20_000, .. }),
        "{error}"
    );
    assert!(
        error.to_string().starts_with("vast.bmp: 20000×20000"),
        "{error}"
    );
}

#[test]
fn channels_convert_both_ways() {
    let grey = Picture {
        height: 1,
        width: 2,
        channels: 1,
        pixels: vec![7, 9],
    };
    assert_eq!(grey.to_channels(3).unwrap().pixels, [7, 7, 7, 9, 9, 9]);
    let rgb = Picture {
        height: 1,
        width: 2,
        channels: 3,
        pixels: vec![255, 0, 0, 10, 200, 100],
    };
    // 0.299·255 = 76.2; 2.99 + 117.4 + 11.4 = 131.8.
    assert_eq!(rgb.to_channels(1).unwrap().pixels, [76, 132]);
    assert_eq!(*rgb.to_channels(3).unwrap(), rgb);
}

#[test]
fn images_below_a_folder_are_sorted_and_only_images() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "b/2.JPG",
        "b/1.webp",
        "a.Png",
        "c.bmp",
        "notes.txt",
        ".hidden.png",
        ".git/x.png",
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let found: Vec<_> = images_below(folder.path())
        .unwrap()
        .iter()
        .map(|path| {
            path.strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(found, ["a.Png", "b/1.webp", "b/2.JPG", "c.bmp"]);
    let file = folder.path().join("notes.txt");
    assert_eq!(images_below(&file).unwrap(), [file]);
}

#[test]
fn folders_without_images_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        images_below(folder.path()),
        Err(DataError::EmptyFolder { .. })
    ));
    fs::write(folder.path().join("notes.txt"), "").unwrap();
    assert!(matches!(
        images_below(folder.path()),
        Err(DataError::NoImages { .. })
    ));
    assert!(matches!(
        images_below(&folder.path().join("absent")),
        Err(DataError::Missing { .. })
    ));
}

#[cfg(unix)]
#[test]
fn circles_of_links_end_and_links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("far.png"), "").unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/near.png"), "").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("around")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.png")).unwrap();
    let found = images_below(folder.path()).unwrap();
    assert_eq!(
        found,
        [
            folder.path().join("a/near.png"),
            folder.path().join("link/far.png")
        ]
    );
}

/// A changed byte may still give a picture; it must never be a panic.
#[test]
fn damage_anywhere_never_panics() {
    for (format, _) in FORMATS {
        let whole = encode(&detailed(24, 17), format);
        for place in 0..whole.len() {
            for change in [0x01, 0x10, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] ^= change;
                let _ = Picture::decode(&bytes, "x");
            }
        }
    }
}
