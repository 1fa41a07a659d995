//! Pictures as text, looked at once and kept. `CONVOLVE_SNAPSHOTS=write cargo test -p convolve-figures` writes them anew; the
//! difference is then for review.

use std::path::Path;

use figures::arithmetic::{Colouring, Convolution, convolution};
use figures::diagram::{Diagram, Node, Panel, Role, draw};
use figures::field::{Layer, field};
use figures::{Caption, Scene, Theme, svg};
use geometry::ConvDesc;
use tensor::Tensor;

use crate::drawn::Picture;

#[track_caller]
pub(crate) fn check(name: &str, scene: &Scene) {
    let drawn = svg::write(scene);
    Picture::read(&drawn);
    check_text(name, &drawn);
}

/// The same of any text.
#[track_caller]
pub(crate) fn check_text(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("CONVOLVE_SNAPSHOTS").is_some_and(|value| value == "write") {
        std::fs::write(&path, drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        drawn == kept,
        "{name} is drawn in another way than in {}",
        path.display()
    );
}

fn small() -> Scene {
    let geometry = ConvDesc::new(1, 2)
        .padding([1, 0])
        .resolve(&[1, 1, 2, 3])
        .unwrap();
    let problem = Convolution {
        geometry: &geometry,
        input: &Tensor::from_slice(&[1, 1, 2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap(),
        weight: &Tensor::from_slice(&[1, 1, 2, 2], &[1.0, 0.0, -1.0, 0.5]).unwrap(),
        bias: Some(&Tensor::from_slice(&[1], &[2.0]).unwrap()),
        output: &Tensor::from_slice(&[1, 1, 3, 2], &[2.0, 1.5, 1.5, 2.0, 6.0, 7.0]).unwrap(),
        excerpt: None,
    };
    convolution(
        &problem,
        &Caption::new("conv: a <small> one & more", ""),
        Colouring::Role,
    )
    .unwrap()
}

#[test]
fn a_convolution() {
    check("convolution.svg", &small());
}

#[test]
fn a_residual_block() {
    let node = |title: &str, line: &str, role| Node {
        title: title.to_owned(),
        lines: if line.is_empty() {
            Vec::new()
        } else {
            vec![line.to_owned()]
        },
        role,
    };
    let diagram = Diagram {
        nodes: vec![
            node("input", "64×56×56", Role::Edge),
            node("conv 3×3", "64 → 64", Role::Convolution),
            node("conv 3×3", "64 → 64", Role::Convolution),
            node("+", "", Role::Join),
        ],
        edges: vec![(0, 1), (1, 2), (2, 3), (0, 3)],
    };
    check(
        "residual.svg",
        &draw(
            &[Panel::of("residual", diagram)],
            &Caption::new("A residual block", "two ways"),
        ),
    );
}

#[test]
fn a_field() {
    let windows = |side: usize| {
        ConvDesc::new(1, 3)
            .stride(2)
            .padding(1)
            .resolve(&[1, 1, side, side])
            .unwrap()
            .windows
    };
    let layers = [5, 3].map(|side| Layer {
        name: "conv k3s2p1".to_owned(),
        windows: windows(side),
    });
    check(
        "field.svg",
        &field(&layers, &Caption::new("Two layers", "")).unwrap(),
    );
}

#[test]
fn pixels_are_those_of_the_theme_and_the_formats_can_be_read() {
    let scene = small();
    for (theme, corner) in [(Theme::Light, [255; 3]), (Theme::Dark, [0x0f, 0x14, 0x19])] {
        let bytes = figures::png::write(&scene, theme, 1.0).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(
            [frame.width, frame.height],
            [scene.width as u32, scene.height as u32]
        );
        assert_eq!(pixels[..3], corner);
        assert!(pixels.chunks_exact(3).any(|pixel| pixel != corner));

        let bytes = figures::gif::write(&scene, theme, 1.0).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes.as_slice()).unwrap();
        let mut frames = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            if frames == 0 {
                assert_eq!(frame.buffer[..3], corner);
            }
            frames += 1;
        }
        assert_eq!(frames, scene.frames.len());
    }
}
