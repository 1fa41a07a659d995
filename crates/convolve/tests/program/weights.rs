//! Weights that must not be used or handed on, under whatever name.

use std::path::{Path, PathBuf};

use formats::weights::{Precision, TensorFile};

use crate::fixture::{bmp, folder, names};
use crate::invoke::{convolve, fail, objects, succeed};

/// The weights of the network inside the program, spoilt.
fn spoilt(path: &Path, spoil: impl FnOnce(&mut TensorFile)) {
    let asset =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../program/assets/classifier.safetensors");
    let mut file = TensorFile::open(&asset).unwrap();
    spoil(&mut file);
    file.save(path, Precision::F32).unwrap();
}

/// What a file holds and how it is refused.
type Case = (fn(&mut TensorFile), &'static str);

#[test]
fn what_cannot_be_used_is_not_exported() {
    let folder = folder();
    let path = folder.path();
    bmp(&path.join("picture.bmp"), 32, [1, 2, 3]);
    let cases: [Case; 5] = [
        (
            |file| {
                file.metadata.insert("model".into(), "resnet21".into());
            },
            "`model` in the metadata: no model is called 'resnet21'",
        ),
        (
            |file| {
                file.metadata.insert("classes".into(), "[]".into());
            },
            "file.safetensors: ",
        ),
        (|file| file.tensors[0].values[0] = f32::NAN, "NaN"),
        (|file| drop(file.tensors.pop()), "1 missing: "),
        (
            |file| {
                file.tensors[0].shape.push(1);
            },
            "1 of another shape: ",
        ),
    ];
    for (spoil, words) in cases {
        spoilt(&path.join("file.safetensors"), spoil);
        let verbs: [&[&str]; 4] = [
            &["export", "file.safetensors", "out.safetensors"],
            &["predict", "file.safetensors", "picture.bmp"],
            &["summary", "file.safetensors"],
            &["eval", "file.safetensors", "--data", "shapes"],
        ];
        for arguments in verbs {
            if words == "NaN" && arguments[0] == "summary" {
                // It reads names and shapes, and no number.
                continue;
            }
            let answer = convolve(path, arguments);
            let last = answer.err.lines().last().unwrap_or_default();
            assert_eq!(answer.code, 1, "{arguments:?}: {}", answer.err);
            assert!(last.contains("file.safetensors"), "{arguments:?}: {last}");
            assert!(
                last.contains(words),
                "{arguments:?}: no '{words}' in: {last}"
            );
        }
    }
    assert_eq!(names(path), ["file.safetensors", "picture.bmp"]);
}

#[test]
fn weights_are_known_by_their_name_or_their_content() {
    let folder = folder();
    let path = folder.path();
    bmp(&path.join("picture.bmp"), 32, [1, 2, 3]);
    spoilt(&path.join("net.safetensors"), |_| {});
    let export = ["export", "net.safetensors", "a.txt"];
    fail(
        path,
        2,
        &export,
        &["a.txt: the name of a weights file ends in .safetensors"],
    );

    spoilt(&path.join("other"), |file| {
        let classes = file.metadata.get_mut("classes").unwrap();
        *classes = classes.replace("cat", "tabby");
    });
    let predict = ["predict", "other", "picture.bmp", "--top", "10"];
    assert!(succeed(path, &predict).contains("tabby"));

    // The network inside the program must not answer for one that cannot be read.
    std::fs::write(path.join("a.txt"), "neither picture nor network").unwrap();
    let words = ["a.txt: neither a picture nor a trained network"];
    fail(path, 2, &["predict", "a.txt", "picture.bmp"], &words);
    fail(path, 1, &["predict", "a.txt"], &["a.txt: not a JPEG"]);
}

/// Every weight is finite, and what becomes of them is not.
#[test]
fn an_answer_that_is_no_number_is_no_answer() {
    let folder = folder();
    let path = folder.path();
    bmp(&path.join("picture.bmp"), 32, [1, 2, 3]);
    spoilt(&path.join("wild.safetensors"), |file| {
        for tensor in &mut file.tensors {
            let weight = !tensor.name.contains("running") && tensor.name.ends_with("weight");
            if weight {
                tensor.values.iter_mut().for_each(|value| *value = 1e38);
            }
        }
    });
    let words = ["picture.bmp: the network's answers are not finite"];
    fail(
        path,
        1,
        &["predict", "wild.safetensors", "picture.bmp"],
        &words,
    );
}

#[test]
fn what_is_wrong_with_a_path_is_said() {
    let folder = folder();
    let path = folder.path();
    if cfg!(unix) {
        let words = ["/dev/null: neither a regular file nor a folder"];
        fail(path, 1, &["summary", "/dev/null"], &words);
    }
    std::fs::write(path.join("old.pt"), b"PK\x03\x04 an archive").unwrap();
    for arguments in [
        &["summary", "old.pt"][..],
        &["eval", "old.pt", "--data", "shapes"],
    ] {
        fail(
            path,
            2,
            arguments,
            &["old.pt: pickled PyTorch weights are not read"],
        );
    }

    let run: PathBuf = path.join("run");
    std::fs::create_dir(&run).unwrap();
    spoilt(&run.join("best.safetensors"), |_| {});
    let words = ["run: a folder without config.toml", "--data is needed"];
    fail(path, 2, &["eval", "run"], &words);
    std::fs::write(run.join("config.toml"), "epochs = 'many'").unwrap();
    fail(path, 1, &["eval", "run"], &["run/config.toml: "]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_can_be_told_apart() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let below = folder.path().join("pictures");
    std::fs::create_dir(&below).unwrap();
    let named = [&b"\xfe.bmp"[..], b"\xff.bmp", b"z.bmp"];
    for name in named {
        bmp(&below.join(std::ffi::OsStr::from_bytes(name)), 8, [1, 2, 3]);
    }
    let answers = objects(&succeed(folder.path(), &["predict", "pictures", "--json"]));
    assert_eq!(answers.len(), 3);
    for answer in answers {
        let image = answer["image"].as_str().unwrap();
        match answer.get("image_bytes") {
            None => assert_eq!(image, "pictures/z.bmp"),
            Some(bytes) => {
                let bytes: Vec<u8> = serde_json::from_value(bytes.clone()).unwrap();
                let name = bytes.strip_prefix(b"pictures/").unwrap();
                assert!(named[..2].contains(&name), "{bytes:?}");
                assert_eq!(image, String::from_utf8_lossy(&bytes));
            }
        }
    }
}
