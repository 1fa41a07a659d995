use std::fs;

use super::*;

/// Writes 1×1 PNG files; a path without an extension becomes a folder.
fn tree(paths: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in paths {
        let path = folder.path().join(path);
        if path.extension().is_none() {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            image::RgbImage::new(1, 1)
                .save_with_format(path, image::ImageFormat::Png)
                .unwrap();
        }
    }
    folder
}

fn open_path(path: &Path, val_fraction: Option<f64>) -> Result<Splits, DataError> {
    let options = OpenOptions {
        val_fraction,
        ..OpenOptions::default()
    };
    open(&Source::Path(path.to_path_buf()), &options)
}

fn refusal(folder: &Path) -> String {
    let Err(error) = open_path(folder, None) else {
        panic!("accepted")
    };
    let message = error.to_string();
    assert!(message.contains(&folder.display().to_string()), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

fn names(set: &dyn Dataset) -> Vec<String> {
    let short = |name: String| name.rsplit('/').next().unwrap().to_owned();
    (0..set.len()).map(|index| short(set.name(index))).collect()
}

#[test]
fn train_and_each_name_of_the_held_out_folder() {
    for held in ["val", "valid", "validation", "test"] {
        let inside = |name: &str| format!("{held}/{name}");
        let [b, extra] = [inside("b/4.png"), inside("b/deep/5.PNG")];
        let folder = tree(&[
            "train/b/3.jpg",
            "train/a/1.jpg",
            "train/Z/2.png",
            "train/none",
            &b,
            &extra,
        ]);
        fs::write(folder.path().join("train/a/notes.txt"), "not an image").unwrap();
        let splits = open_path(folder.path(), Some(0.5)).unwrap();
        let held_out = splits.held_out.unwrap();
        assert_eq!(splits.held_out_from, HeldOut::Own);
        // Sorted by bytes: capitals first. A folder without images is no class.
        assert_eq!(splits.train.classes(), ["Z", "a", "b"]);
        assert_eq!(held_out.classes(), ["Z", "a", "b"]);
        assert_eq!(names(&*splits.train), ["2.png", "1.jpg", "3.jpg"]);
        assert_eq!(names(&*held_out), ["4.png", "5.PNG"]);
        assert_eq!((held_out.label(0), held_out.label(1)), (2, 2));
        assert_eq!(held_out.picture(0).unwrap().pixels, [0, 0, 0]);
        assert!(matches!(
            held_out.picture(2),
            Err(DataError::Index { index: 2, len: 2 })
        ));
    }
}

#[test]
fn class_folders_alone_are_divided_by_the_fraction() {
    let files: Vec<String> = (0..40)
        .map(|i| format!("{}/{i}.png", ["cat", "dog"][i % 2]))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let folder = tree(&files);
    let splits = open_path(folder.path(), Some(0.25)).unwrap();
    let held_out = splits.held_out.unwrap();
    assert_eq!(splits.held_out_from, HeldOut::Fraction(0.25));
    assert_eq!((splits.train.len(), held_out.len()), (30, 10));
    let cats = (0..10).filter(|index| held_out.label(*index) == 0).count();
    assert_eq!(cats, 5);

    // The same files under `train/`, elsewhere, are divided alike.
    let prefixed: Vec<String> = files.iter().map(|file| format!("train/{file}")).collect();
    let prefixed: Vec<&str> = prefixed.iter().map(String::as_str).collect();
    let again = open_path(tree(&prefixed).path(), Some(0.25)).unwrap();
    assert_eq!(names(&*again.held_out.unwrap()), names(&*held_out));

    let whole = open_path(folder.path(), None).unwrap();
    assert!(whole.held_out.is_none());
    assert_eq!(
        (whole.train.len(), whole.held_out_from),
        (40, HeldOut::None)
    );
}

#[test]
fn folders_that_cannot_be_trained_on_say_why() {
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).ends_with("the folder is empty"));
    assert!(refusal(&empty.path().join("absent")).ends_with("no such file or folder"));
    assert!(refusal(tree(&["a", "b"]).path()).contains("no images"));
    assert!(refusal(tree(&["1.png", "2.png"]).path()).contains("one folder per class"));
    assert!(refusal(tree(&["cat/1.png", "cat/2.png"]).path()).contains("only one class (`cat`)"));
    assert!(refusal(tree(&["train/a/1.png"]).path()).contains("only one class (`a`)"));
    assert!(
        refusal(tree(&["train/a/1.png", "train/b/1.png", "val"]).path())
            .ends_with("the folder is empty")
    );
    let unknown = tree(&[
        "train/a/1.png",
        "train/b/1.png",
        "val/a/1.png",
        "val/c/1.png",
    ]);
    assert!(
        refusal(unknown.path())
            .ends_with("class `c` is not among the 2 classes of the training folder")
    );
}

#[test]
fn a_fraction_out_of_range_is_refused() {
    let folder = tree(&["a/1.png", "b/1.png"]);
    assert!(matches!(
        open_path(folder.path(), Some(1.0)),
        Err(DataError::Fraction { .. })
    ));
}

#[test]
fn a_damaged_picture_is_an_error_of_its_own_only() {
    let folder = tree(&["a/1.png", "b/1.png"]);
    fs::write(folder.path().join("a/1.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let train = open_path(folder.path(), None).unwrap().train;
    assert!(
        train
            .picture(0)
            .unwrap_err()
            .to_string()
            .contains("a/1.png")
    );
    assert!(train.picture(1).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tree(&["a/1.png", "b/1.png"]);
    let odd = OsStr::from_bytes(b"\xff\xfe.png");
    fs::copy(
        folder.path().join("a/1.png"),
        folder.path().join("a").join(odd),
    )
    .unwrap();
    let train = open_path(folder.path(), None).unwrap().train;
    assert_eq!(train.len(), 3);
    assert!(train.picture(1).is_ok(), "a file name may be any bytes");
    fs::create_dir(folder.path().join(OsStr::from_bytes(b"c\xff"))).unwrap();
    fs::copy(
        folder.path().join("a/1.png"),
        folder.path().join(OsStr::from_bytes(b"c\xff/1.png")),
    )
    .unwrap();
    assert!(matches!(
        open_path(folder.path(), None),
        Err(DataError::ClassName { .. })
    ));
}

fn idx(dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(
        dimensions
            .iter()
            .flat_map(|dimension| dimension.to_be_bytes()),
    );
    bytes.extend(elements);
    bytes
}

#[test]
fn mnist_folders_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "train-images-idx3-ubyte",
        idx(&[4, 1, 1], &[10, 11, 12, 13]),
    );
    write("train-labels-idx1-ubyte", idx(&[4], &[0, 1, 0, 1]));
    let file = folder.path().join("train-images-idx3-ubyte");
    let divided = open_path(&file, Some(0.5)).unwrap();
    assert_eq!(
        (divided.train.len(), divided.held_out.unwrap().len()),
        (2, 2)
    );

    write("t10k-images-idx3-ubyte", idx(&[1, 1, 1], &[14]));
    write("t10k-labels-idx1-ubyte", idx(&[1], &[2]));
    for path in [folder.path(), &file] {
        let splits = open_path(path, None).unwrap();
        let held_out = splits.held_out.unwrap();
        // The third class occurs in the held-out part only.
        assert_eq!(splits.train.classes(), ["0", "1", "2"]);
        assert_eq!(held_out.classes(), ["0", "1", "2"]);
        assert_eq!(
            (splits.train.len(), held_out.len(), held_out.label(0)),
            (4, 1, 2)
        );
    }
    write("train-labels-idx1-ubyte", idx(&[4], &[1, 1, 1, 1]));
    assert!(matches!(
        open_path(&file, None),
        Err(DataError::OneClass { .. })
    ));
}

#[test]
fn cifar_folders_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let records = |labels: &[u8]| -> Vec<u8> {
        labels
            .iter()
            .flat_map(|label| [vec![*label], vec![0; 3072]].concat())
            .collect()
    };
    fs::write(folder.path().join("data_batch_1.bin"), records(&[3, 5])).unwrap();
    fs::write(folder.path().join("test_batch.bin"), records(&[7])).unwrap();
    let splits = open_path(folder.path(), None).unwrap();
    assert_eq!(
        (splits.train.len(), splits.held_out.unwrap().label(0)),
        (2, 7)
    );
    let single = open_path(&folder.path().join("data_batch_1.bin"), None).unwrap();
    assert!(single.held_out.is_none());
    assert_eq!(single.train.len(), 2);
}

#[test]
fn shapes_is_a_word_and_everything_else_a_path() {
    assert_eq!("shapes".parse(), Ok(Source::Shapes));
    assert_eq!("./shapes".parse(), Ok(Source::Path("./shapes".into())));
    let options = OpenOptions {
        shapes_train: 30,
        shapes_held_out: 20,
        ..OpenOptions::default()
    };
    let splits = open(&Source::Shapes, &options).unwrap();
    assert_eq!(
        (splits.train.len(), splits.held_out.unwrap().len()),
        (30, 20)
    );
    let none = OpenOptions {
        shapes_train: 0,
        ..options
    };
    assert!(matches!(
        open(&Source::Shapes, &none),
        Err(DataError::NoPictures { .. })
    ));
}

/// One picture a class leaves none to hold out, which is not a held-out part without pictures.
#[test]
fn no_held_out_pictures_are_no_held_out_part() {
    let folder = tree(&["a/1.png", "b/2.png"]);
    let splits = open_path(folder.path(), Some(0.1)).unwrap();
    assert_eq!(splits.train.len(), 2);
    assert!(splits.held_out.is_none());
    assert_eq!(splits.held_out_from, HeldOut::None);
}

#[cfg(unix)]
#[test]
fn links_do_not_pull_pictures_from_one_class_into_another() {
    use std::os::unix::fs::symlink;
    let folder = tree(&["root/a/1.png", "root/b/2.png", "store/c/3.png"]);
    let at = |path: &str| folder.path().join(path);
    symlink("..", at("root/a/up")).unwrap();
    symlink("../b", at("root/a/b")).unwrap();
    symlink("../../store/c/3.png", at("root/a/4.png")).unwrap();
    symlink("../store/c", at("root/c")).unwrap();
    symlink("..", at("root/all")).unwrap();
    let splits = open_path(&at("root"), None).unwrap();
    assert_eq!(splits.train.classes(), ["a", "b", "c"]);
    assert_eq!(names(&*splits.train), ["1.png", "4.png", "2.png", "3.png"]);
}

#[cfg(unix)]
#[test]
fn class_names_with_control_characters_are_refused() {
    let folder = tree(&["a/1.png", "b\u{1b}[31m/2.png"]);
    let Err(error) = open_path(folder.path(), None) else {
        panic!("accepted")
    };
    let message = error.to_string();
    assert!(matches!(error, DataError::ClassName { .. }), "{message}");
    assert!(message.contains(r"b\u{1b}[31m"), "{message}");
}
