//! A file that is opened, and of which large tensors are read when they are wanted, against the same file in memory.

use std::fs::{OpenOptions, write};

use convolve_formats::onnx::{Bindings, Element, Import, Model, OnnxError};

use crate::encode::{Message, ints, model, node, tensor, value};

/// Rows and columns of the weights: 128 KiB.
const SIDES: [i64; 2] = [256, 128];

fn numbers(count: usize, scale: f32) -> Vec<f32> {
    (0..count).map(|at| (at % 1021) as f32 * scale).collect()
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A tensor of large extents, with its elements in a field of this kind.
fn shaped(name: &str, element: i64) -> Message {
    let tensor = Message::default().put(8, name).number(2, element);
    SIDES
        .iter()
        .fold(tensor, |tensor, &dim| tensor.number(1, dim))
}

/// `x [1, 256, 128]` plus large tensors in every form that a file has for them, and some that are computed with.
fn every_form() -> Vec<u8> {
    let count = (SIDES[0] * SIDES[1]) as usize;
    let of = |scale| bytes(&numbers(count, scale));
    let halves: Vec<u8> = (0..count).flat_map(|at| [0, (at % 64) as u8]).collect();
    let quarters = of(0.25);
    let (first, second) = quarters.split_at(4 * 20_000);
    let doubles = numbers(count, 0.5).into_iter();
    let doubles: Vec<u8> = doubles.flat_map(|x| f64::from(x).to_le_bytes()).collect();
    let constant = node("Constant", &[], &["constant"]).put(
        5,
        Message::default()
            .put(1, "value")
            .number(20, 4)
            .put(5, shaped("", 1).put(9, of(0.75))),
    );
    let cast = |from: &str, to: &str| {
        node("Cast", &[from], &[to]).put(5, Message::default().put(1, "to").number(3, 1))
    };
    let mut graph = Message::default()
        .put(5, shaped("raw", 1).put(9, of(1.0)))
        .put(5, tensor("small", &[1], &1.5_f32.to_le_bytes()))
        .put(5, shaped("floats", 1).put(4, of(2.0)))
        .put(5, shaped("pieces", 1).put(4, first).put(4, second))
        .put(5, shaped("half", 10).put(9, halves))
        .put(5, shaped("double", 11).put(10, doubles))
        .put(5, tensor("turned", &[SIDES[1], SIDES[0]], &of(3.0)))
        // Raw elements that come twice: the last ones count.
        .put(5, shaped("twice", 1).put(9, of(7.0)).put(9, of(4.0)))
        .put(1, constant)
        .put(1, cast("half", "half32"))
        .put(1, cast("double", "double32"))
        .put(1, node("Transpose", &["turned"], &["straight"]))
        .put(1, node("Identity", &["raw"], &["same"]))
        .put(1, node("Neg", &["floats"], &["less"]));
    let mut sum = "x".to_owned();
    let terms = [
        "raw", "small", "floats", "pieces", "half32", "double32", "straight", "twice", "constant",
        "same", "less",
    ];
    for term in terms {
        let next = format!("plus {term}");
        graph = graph.put(1, node("Add", &[&sum, term], &[&next]));
        sum = next;
    }
    let x = value("x", &[1, SIDES[0], SIDES[1]]);
    let y = value(&sum, &[1, SIDES[0], SIDES[1]]);
    model(graph.put(11, x).put(12, y))
}

fn elements(import: &Import) -> Vec<(String, Element, Vec<usize>, Vec<f64>)> {
    let all = import.elements.iter().map(|(name, elements)| {
        let array = elements.read().unwrap();
        let mut written = vec![0.0; elements.len()];
        elements.write_f32(&mut written).unwrap();
        let reals: Vec<f64> = array.reals().collect();
        let same = |(&a, &b): (&f64, &f32)| (a as f32).to_bits() == b.to_bits();
        assert!(reals.iter().zip(&written).all(same), "{name}");
        (
            name.clone(),
            elements.element(),
            elements.shape().to_vec(),
            reals,
        )
    });
    all.collect()
}

#[test]
fn a_file_holds_what_its_bytes_hold() {
    let file = every_form();
    let path = tempfile::NamedTempFile::new().unwrap();
    write(path.path(), &file).unwrap();
    let bindings = Bindings::batch(1);
    let opened = Model::open(path.path()).unwrap().import(&bindings).unwrap();
    let whole = Model::from_bytes(file, "whole").unwrap();
    let whole = whole.import(&bindings).unwrap();
    let (opened, whole) = (elements(&opened), elements(&whole));
    assert_eq!(opened, whole);
    let of = |wanted: &str| {
        let found = opened.iter().find(|(name, ..)| name == wanted);
        &found.unwrap_or_else(|| panic!("no {wanted}")).3
    };
    for (name, scale) in [("raw", 1.0), ("pieces", 0.25), ("twice", 4.0)] {
        let want: Vec<f64> = numbers(of(name).len(), scale)
            .iter()
            .map(|&x| x.into())
            .collect();
        assert!(*of(name) == want, "{name}");
    }
}

/// What is wrong with a file in memory, and with the same one opened.
fn faults(file: &[u8]) -> [Option<String>; 2] {
    let path = tempfile::NamedTempFile::new().unwrap();
    write(path.path(), file).unwrap();
    let models = [
        Model::from_bytes(file.to_vec(), "whole"),
        Model::open(path.path()),
    ];
    models.map(|model| {
        let import = model.and_then(|model| model.import(&Bindings::batch(1)));
        import.err().map(|error| error.to_string())
    })
}

#[test]
fn a_file_that_ends_early_is_damaged() {
    let file = every_form();
    let steps = (0..file.len())
        .step_by(9973)
        .chain(file.len() - 40..file.len());
    for len in steps {
        let [whole, opened] = faults(&file[..len]);
        let (whole, opened) = (whole.unwrap(), opened.unwrap());
        assert!(whole.starts_with("not a whole ONNX file"), "{len}: {whole}");
        assert_eq!(opened, whole, "{len} bytes");
    }
}

#[test]
fn changed_bytes_around_large_tensors_are_judged_alike() {
    let file = every_form();
    let path = tempfile::NamedTempFile::new().unwrap();
    let mut judged = [0, 0];
    for name in [
        "raw", "floats", "pieces", "half", "double", "turned", "twice", "value",
    ] {
        let at = file
            .windows(name.len())
            .position(|part| part == name.as_bytes());
        let at = at.unwrap();
        for place in at.saturating_sub(12)..at + name.len() + 12 {
            for change in [1, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[place] ^= change;
                write(path.path(), &changed).unwrap();
                let import = |model: Result<Model, OnnxError>| model?.import(&Bindings::batch(1));
                let opened = import(Model::open(path.path()));
                let whole = import(Model::from_bytes(changed, "whole"));
                let problem = format!("byte {place} of `{name}` changed by {change}");
                match (opened, whole) {
                    (Ok(opened), Ok(whole)) => {
                        assert!(elements(&opened) == elements(&whole), "{problem}");
                        judged[0] += 1;
                    }
                    (Err(_), Err(_)) => judged[1] += 1,
                    (opened, whole) => panic!("{problem}: {:?}, {:?}", opened.err(), whole.err()),
                }
            }
        }
    }
    assert!(judged.iter().all(|&count| count > 50), "{judged:?}");
}

#[test]
fn tensors_of_other_lengths_than_their_shapes() {
    for (what, tensor) in [
        ("raw", shaped("w", 1).put(9, vec![0; 70_000])),
        ("floats", shaped("w", 1).put(4, vec![0; 70_000])),
        ("half a float", shaped("w", 1).put(4, vec![0; 70_001])),
        ("no message", Message(vec![0xff; 70_000])),
        (
            "raw as a number",
            shaped("w", 1).number(9, 5).put(15, vec![0; 70_000]),
        ),
    ] {
        let graph = Message::default()
            .put(1, node("Add", &["x", "w"], &["y"]))
            .put(5, tensor)
            .put(11, value("x", &[1]))
            .put(12, value("y", &[1]));
        let [whole, opened] = faults(&model(graph));
        assert!(whole.is_some(), "{what}");
        assert_eq!(whole, opened, "{what}");
    }
}

#[test]
fn a_file_that_is_cut_short_after_it_was_opened() {
    let path = tempfile::NamedTempFile::new().unwrap();
    write(path.path(), every_form()).unwrap();
    let model = Model::open(path.path()).unwrap();
    let import = model.import(&Bindings::batch(1)).unwrap();
    let file = OpenOptions::new().write(true).open(path.path()).unwrap();
    file.set_len(1000).unwrap();
    let (_, raw) = import
        .elements
        .iter()
        .find(|(name, _)| name == "raw")
        .unwrap();
    let mut place = vec![0.0; raw.len()];
    for error in [raw.write_f32(&mut place).err(), raw.read().err()] {
        let error = error.unwrap();
        assert!(matches!(error, OnnxError::Io { .. }));
        let text = error.to_string();
        assert!(text.contains("bytes when it was opened"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
    // Constants that the import computes with are read then.
    let error = model.import(&Bindings::batch(1)).unwrap_err();
    assert!(matches!(error, OnnxError::Io { .. }), "{error}");
}

#[test]
fn another_file_of_the_same_name_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    write(&path, every_form()).unwrap();
    let model = Model::open(&path).unwrap();
    std::fs::rename(&path, folder.path().join("old.onnx")).unwrap();
    write(&path, b"another").unwrap();
    let import = model.import(&Bindings::batch(1)).unwrap();
    assert!(
        import
            .elements
            .iter()
            .all(|(_, elements)| elements.read().is_ok())
    );
}

#[test]
fn pads_in_a_large_node_are_still_read() {
    // A node that is looked into, as it is large, with an attribute that is not.
    let doc = "d".repeat(100_000);
    let conv = node("Conv", &["x", "w"], &["y"])
        .put(6, doc)
        .put(5, ints("pads", &[1, 1, 1, 1]));
    let graph = Message::default()
        .put(1, conv)
        .put(
            5,
            tensor("w", &[128, 128, 3, 3], &vec![0; 4 * 128 * 128 * 9]),
        )
        .put(11, value("x", &[1, 128, 8, 8]))
        .put(12, value("y", &[1, 128, 8, 8]));
    assert_eq!(faults(&model(graph)), [None, None]);
}
