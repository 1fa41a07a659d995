//! The verbs that look into networks, each with everything that can be wrong: one line, the right exit code, no file.

use std::fs;
use std::path::Path;

use geometry::ConvDesc;

use crate::fixture::{folder, names, onnx, textured};
use crate::invoke::{fail, succeed};

/// What is there for verbs to look at, with everything that they may be given and that is none.
fn prepare(folder: &Path) {
    textured(&folder.join("a.bmp"), 40);
    fs::write(folder.join("torn.png"), b"\x89PNG\r\n\x1a\nno more").unwrap();
    fs::write(folder.join("empty.jpg"), b"").unwrap();
    fs::write(folder.join("torn.onnx"), b"no model").unwrap();
    fs::write(folder.join("torn.safetensors"), b"no weights").unwrap();
    fs::create_dir(folder.join("folder.svg")).unwrap();
    fs::create_dir(folder.join("folder.html")).unwrap();
    fs::create_dir(folder.join("run")).unwrap();
    onnx(&folder.join("net.onnx"), &[1, 3, 24, 24], |network, x| {
        let x = network.conv("conv1", x, ConvDesc::new(4, 3), true)?;
        let x = network.relu(x)?;
        let x = network.global_average_pool(x)?;
        let x = network.flatten(x)?;
        Ok(vec![network.linear("fc", x, 3)?])
    });
}

/// Runs every case, after which there must be no other files than before.
#[track_caller]
fn refuse(verb: &[&str], cases: &[(i32, &[&str], &[&str])]) {
    let folder = folder();
    prepare(folder.path());
    let before = names(folder.path());
    for (code, arguments, words) in cases {
        fail(folder.path(), *code, &[verb, *arguments].concat(), words);
        assert_eq!(names(folder.path()), before, "{arguments:?}");
    }
}

/// Places where no picture can be written, with what is said of each.
const PLACES: [(&str, &str); 4] = [
    ("no/x.svg", "no/x.svg: no such file or folder"),
    (
        "a.bmp/x.svg",
        "a.bmp/x.svg: a part of the path is no folder",
    ),
    ("folder.svg", "folder.svg: exists and is not a regular file"),
    (
        "/dev/full.svg",
        "/dev/full.svg: lies among devices, where no file is kept",
    ),
];

/// Every verb refuses them with the same words, before it computes anything.
#[cfg(target_os = "linux")]
#[test]
fn places_where_no_file_can_be() {
    let folder = folder();
    let path = folder.path();
    prepare(path);
    let before = names(path);
    for (place, words) in PLACES {
        let page = place.replace(".svg", ".html");
        let weights = place.replace(".svg", ".onnx");
        let array = place.replace(".svg", ".npy");
        let verbs: [&[&str]; 7] = [
            &["explain", "a.bmp", "-o", place],
            &["draw", "net.onnx", "-o", place],
            &["draw", "a.bmp", "--layer", "conv1", "-o", place],
            &["doctor", "net.onnx", "-o", place],
            &["report", "run", "-o", &page],
            &["export", "net.onnx", &weights],
            &[
                "op",
                "conv:n1c1h4w4:o1k3",
                "--input",
                "none.npy",
                "--weight",
                "none.npy",
                "--output",
                &array,
            ],
        ];
        for (verb, ending) in
            std::iter::zip(verbs, ["svg", "svg", "svg", "svg", "html", "onnx", "npy"])
        {
            // What is a folder is one for its own ending alone.
            if place == "folder.svg" && !["svg", "html"].contains(&ending) {
                continue;
            }
            fail(
                path,
                2,
                verb,
                &[&words.replace(".svg", &format!(".{ending}"))],
            );
        }
    }
    assert_eq!(names(path), before);
}

/// A disk that is full leaves what was there, whole, and nothing beside it.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_whole_is_not_there() {
    let folder = folder();
    let path = folder.path();
    prepare(path);
    fs::write(path.join("x.svg"), "of before").unwrap();
    let before = names(path);
    for arguments in [
        &["explain", "a.bmp", "--methods", "saliency", "-o", "x.svg"][..],
        &["draw", "resnet18", "-o", "x.svg"],
        &["draw", "a.bmp", "--layer", "conv1", "-o", "x.svg"],
        &["doctor", "net.onnx", "-o", "x.svg"],
    ] {
        // Files may have one block; what is longer cannot be written.
        let arguments = [arguments, &["-q"]].concat();
        let output = crate::invoke::below_limit(path, "ulimit -f 1", &arguments)
            .output()
            .unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {line}");
        assert!(
            line.starts_with("error: x.svg: ") && line.lines().count() == 1,
            "{line}"
        );
        assert_eq!(fs::read_to_string(path.join("x.svg")).unwrap(), "of before");
        assert_eq!(names(path), before, "{arguments:?}");
    }
}

#[test]
fn explain() {
    refuse(
        &["explain", "-o", "x.svg"],
        &[
            (
                2,
                &["net.onnx", "a.bmp", "--layer", "conv2"],
                &["no layer 'conv2'; did you mean conv1?"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--layer", "fc"],
                &["layer fc", "no feature maps"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--class", "3"],
                &["class 3", "3 classes apart, 0 to 2"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--class", "clas 1"],
                &["'clas 1'", "did you mean class 1"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--class", "-1"],
                &["'-1'", "0 to 2"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--channel", "4"],
                &["no channel 4: it has 4"],
            ),
            (
                2,
                &["net.onnx", "a.bmp", "--window", "25"],
                &["a window of 25", "from 1 to 24"],
            ),
            (
                2,
                &["net.onnx", "none.png"],
                &["none.png: no such file or folder"],
            ),
            (2, &["net.onnx", "a.bmp/b.png"], &["a.bmp/b.png: "]),
            (1, &["net.onnx", "torn.png"], &["torn.png: "]),
            (1, &["net.onnx", "empty.jpg"], &["empty.jpg: "]),
            (2, &["net.onnx", "run"], &["run: no regular file"]),
            (
                1,
                &["torn.onnx", "a.bmp"],
                &["torn.onnx: not a whole ONNX file"],
            ),
            (1, &["torn.safetensors", "a.bmp"], &["torn.safetensors: "]),
            (
                2,
                &["none.onnx", "a.bmp"],
                &["none.onnx: no such file or folder"],
            ),
            (2, &["net.onnx"], &["name a picture"]),
            (
                2,
                &["a.bmp", "--methods", "saliency, magic"],
                &["'magic'", "grad-cam"],
            ),
        ],
    );
}

#[test]
fn draw() {
    refuse(
        &["draw", "-o", "x.svg"],
        &[
            (
                2,
                &["net.onnx", "a.bmp", "--layer", "conv2"],
                &["no layer 'conv2'; did you mean conv1?"],
            ),
            (2, &["net.onnx", "a.bmp", "--layer", "fc"], &["layer fc"]),
            (
                2,
                &["net.onnx", "none.png", "--layer", "conv1"],
                &["none.png: no such file or folder"],
            ),
            (
                1,
                &["net.onnx", "torn.png", "--layer", "conv1"],
                &["torn.png: "],
            ),
            (
                1,
                &["torn.onnx", "a.bmp", "--layer", "conv1"],
                &["torn.onnx: not a whole ONNX file"],
            ),
            (
                2,
                &["alexnet", "--image", "3x8x8"],
                &["model 'alexnet': ", "kernel larger than padded input"],
            ),
            (2, &["net.onnx", "--image", "3x8x8"], &["net.onnx: "]),
            (2, &["resnet19"], &["did you mean resnet18"]),
            (1, &["torn.onnx"], &["torn.onnx: not a whole ONNX file"]),
        ],
    );
}

#[test]
fn doctor() {
    refuse(
        &["doctor", "-o", "x.svg"],
        &[
            (2, &["resnet19"], &["did you mean resnet18"]),
            (2, &["none.onnx"], &["none.onnx: no such file or folder"]),
            (1, &["torn.onnx"], &["torn.onnx: not a whole ONNX file"]),
            (
                2,
                &["alexnet", "--input", "3x8x8"],
                &["model 'alexnet': ", "kernel larger than padded input"],
            ),
            (2, &["net.onnx", "--input", "3x8x8"], &["net.onnx: "]),
            (1, &["net.onnx", "--data", "torn.png"], &["torn.png"]),
            (
                2,
                &["net.onnx", "--data", "none"],
                &["none: no such file or folder"],
            ),
        ],
    );
}

#[test]
fn report() {
    refuse(
        &["report", "-o", "x.html"],
        &[
            (2, &["none"], &["none: no run here"]),
            (2, &["run"], &["run: no run here (no config.toml)"]),
            (2, &["a.bmp"], &["a.bmp: no run here"]),
            (2, &["net.onnx"], &["net.onnx: no run here"]),
        ],
    );
}

#[test]
fn receptive_fields() {
    refuse(
        &["rf"],
        &[
            (
                2,
                &["net.onnx", "--at", "conv2[1,1]"],
                &["no layer 'conv2'; did you mean conv1?"],
            ),
            (
                2,
                &["net.onnx", "--at", "conv1[22,0]"],
                &["[22, 0]", "[22, 22]"],
            ),
            (2, &["net.onnx", "--at", "conv1[-1,0]"], &["conv1[3,4]"]),
            (2, &["net.onnx", "--at", "conv1[1,1,1]"], &["[1, 1, 1]"]),
            (
                2,
                &["alexnet", "--input", "3x8x8"],
                &["model 'alexnet': ", "kernel larger than padded input"],
            ),
            (2, &["net.onnx", "--input", "3x8x8"], &["net.onnx: "]),
            (1, &["torn.onnx"], &["torn.onnx: not a whole ONNX file"]),
            (2, &["none.onnx"], &["none.onnx: no such file or folder"]),
        ],
    );
}

/// The picture that is looked at is not lost for one that is made of it.
#[test]
fn a_picture_is_not_written_over() {
    let folder = folder();
    let path = folder.path();
    prepare(path);
    fs::rename(path.join("a.bmp"), path.join("a.png")).unwrap();
    let before = fs::read(path.join("a.png")).unwrap();
    for (arguments, what) in [
        (&["explain", "a.png", "-o", "run/../a.png"][..], "board"),
        (
            &["draw", "a.png", "--layer", "conv1", "-o", "run/../a.png"],
            "drawing",
        ),
    ] {
        let words = format!("run/../a.png: the {what} would take the place of the picture");
        fail(path, 2, arguments, &[&words]);
    }
    assert_eq!(fs::read(path.join("a.png")).unwrap(), before);
}

#[test]
fn space_after_a_comma_is_no_fault() {
    let folder = folder();
    prepare(folder.path());
    let json = |methods| {
        let arguments = [
            "explain",
            "net.onnx",
            "a.bmp",
            "--methods",
            methods,
            "--json",
        ];
        succeed(folder.path(), &arguments)
    };
    assert_eq!(json("saliency, maps"), json("saliency,maps"));
}
