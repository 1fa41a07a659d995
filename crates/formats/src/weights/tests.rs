use super::*;

fn sample() -> TensorFile {
    let mut file = TensorFile::default();
    file.push(
        "b.weight",
        &[2, 2],
        vec![1.5, -0.0, f32::MIN_POSITIVE, 65504.0],
    )
    .unwrap();
    file.push("a.bias", &[3], vec![0.1, f32::INFINITY, -2.0])
        .unwrap();
    file.push("scalar", &[], vec![7.0]).unwrap();
    file.push("none", &[0, 5], vec![]).unwrap();
    for entry in ["epoch", "model", "zoo", "classes", "format"] {
        file.metadata
            .insert(entry.into(), format!("text of {entry} \"é\""));
    }
    file
}

/// A file by hand: header and content.
fn by_hand(header: &str, content: &[u8]) -> Vec<u8> {
    [
        &(header.len() as u64).to_le_bytes(),
        header.as_bytes(),
        content,
    ]
    .concat()
}

fn read(bytes: &[u8]) -> Result<TensorFile, WeightsError> {
    TensorFile::from_bytes(bytes, "x.safetensors")
}

#[test]
fn a_file_is_byte_for_byte_what_the_format_says() {
    let mut file = TensorFile::default();
    file.push("w", &[1, 2], vec![1.0, -2.0]).unwrap();
    file.metadata.insert("b".into(), "2".into());
    file.metadata.insert("a".into(), "1".into());
    let mut header = String::from(
        r#"{"__metadata__":{"a":"1","b":"2"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}}"#,
    );
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    let expected = by_hand(&header, &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
    assert_eq!(file.to_bytes(Precision::F32).unwrap(), expected);
}

#[test]
fn everything_comes_back_sorted_by_name() {
    let file = sample();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    file.save(&path, Precision::F32).unwrap();
    let again = TensorFile::open(&path).unwrap();
    assert_eq!(again.metadata, file.metadata);
    assert_eq!(again.tensors.len(), 4);
    for tensor in &file.tensors {
        let read = again.get(&tensor.name).unwrap();
        assert_eq!(read.shape, tensor.shape);
        let bits = |tensor: &NamedTensor| {
            tensor
                .values
                .iter()
                .map(|v| v.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(read), bits(tensor));
    }
    let names: Vec<_> = again
        .tensors
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    let filled: Vec<_> = names.iter().filter(|name| **name != "none").collect();
    assert_eq!(filled, [&"a.bias", &"b.weight", &"scalar"]);
    assert!(again.get("absent").is_none());
}

#[test]
fn half_precision_rounds_and_refuses_what_does_not_fit() {
    let mut file = TensorFile::default();
    // 2049 lies between two halves and goes to the even one; 1/3 = 0x3555.
    file.push("w", &[3], vec![2049.0, 1.0 / 3.0, -65504.0])
        .unwrap();
    let bytes = file.to_bytes(Precision::F16).unwrap();
    assert_eq!(
        bytes[bytes.len() - 6..],
        [0x00, 0x68, 0x55, 0x35, 0xff, 0xfb]
    );
    assert_eq!(
        read(&bytes).unwrap().tensors[0].values,
        [2048.0, 0.33325195, -65504.0]
    );
    file.push("big", &[], vec![7e4]).unwrap();
    let error = file.to_bytes(Precision::F16).unwrap_err().to_string();
    assert_eq!(
        error,
        "tensor `big` holds 70000, which 16-bit floats cannot hold"
    );
}

#[test]
fn bf16_and_exact_integers_are_read() {
    let header = r#"{"h":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
    let content = |count: i64| [&count.to_le_bytes()[..], &[0x80, 0x3f, 0x49, 0xc0]].concat();
    let file = read(&by_hand(header, &content(100_000))).unwrap();
    assert_eq!(file.get("h").unwrap().values, [1.0, -3.140625]);
    assert_eq!(file.get("n").unwrap().values, [100_000.0]);
    assert_eq!(file.tensors[0].name, "n", "in the order of the file");
    for value in [16_777_217, i64::MAX] {
        let error = read(&by_hand(header, &content(value))).unwrap_err();
        assert!(matches!(error, WeightsError::Integer { .. }), "{error}");
    }
}

#[test]
fn other_element_types_and_ranks_are_refused_by_name() {
    let bytes = by_hand(
        r#"{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
        &[1, 2],
    );
    assert_eq!(
        read(&bytes).unwrap_err().to_string(),
        "x.safetensors: tensor `w` holds U8; F32, F16, BF16 and I64 can be read"
    );
    let bytes = by_hand(
        r#"{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#,
        &[0; 4],
    );
    assert!(matches!(
        read(&bytes),
        Err(WeightsError::Rank { rank: 9, .. })
    ));
}

#[test]
fn damage_is_reported_and_never_panics() {
    let whole = sample().to_bytes(Precision::F32).unwrap();
    for kept in 0..whole.len() {
        let error = read(&whole[..kept]).unwrap_err();
        assert!(
            matches!(error, WeightsError::Damaged { .. }),
            "cut to {kept}: {error}"
        );
        assert!(
            error
                .to_string()
                .starts_with("x.safetensors: not a whole safetensors file: ")
        );
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(read(&longer).is_err());
    // A changed byte may still be a valid file; it must never be a panic.
    for place in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= change;
            let _ = read(&bytes);
        }
    }
}

/// Were memory taken for what these declare, the test process would die.
#[test]
fn hostile_headers_take_no_memory() {
    let hostile = [
        r#"{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#,
        r#"{"w":{"dtype":"F32","shape":[9007199254740992,4096],"data_offsets":[0,8]}}"#,
        r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}"#,
        r#"{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        r#"{"w":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
        "[1,2,3]",
    ];
    for header in hostile {
        assert!(
            matches!(
                read(&by_hand(header, &[0; 8])),
                Err(WeightsError::Damaged { .. })
            ),
            "{header}"
        );
    }
    let axes = vec!["1"; 1_000_000].join(",");
    let flat = format!(r#"{{"w":{{"dtype":"F32","shape":[{axes}],"data_offsets":[0,4]}}}}"#);
    let text = read(&by_hand(&flat, &[0; 4])).unwrap_err().to_string();
    assert!(text.contains("1000000 axes") && text.len() < 200, "{text}");
    let mut vast = u64::MAX.to_le_bytes().to_vec();
    vast.extend([b'{'; 64]);
    assert!(read(&vast).is_err());
    let deep = "[".repeat(100_000);
    assert!(read(&by_hand(&format!("{{\"w\":{deep}"), &[])).is_err());
    assert!(read(b"<html>not found</html>").is_err());
}

/// Overlaps, holes, two tensors of one name, and headers that claim more than there is, by name and number.
#[test]
fn broken_headers_are_told_apart() {
    let tensor = |name: &str, start: usize, end: usize| {
        let count = (end - start) / 4;
        format!(r#""{name}":{{"dtype":"F32","shape":[{count}],"data_offsets":[{start},{end}]}}"#)
    };
    let two = |one: String, other: String| by_hand(&format!("{{{one},{other}}}"), &[0; 16]);
    let cases = [
        (two(tensor("a", 0, 8), tensor("b", 4, 16)), "b"),
        (two(tensor("a", 0, 8), tensor("b", 12, 16)), "b"),
        (
            two(tensor("a", 0, 8), tensor("a", 8, 16)),
            "two tensors are called `a`",
        ),
        (
            two(tensor("a", 0, 16), tensor("a", 0, 16)),
            "two tensors are called `a`",
        ),
        (
            two(tensor("a", 0, 4), tensor("b", 4, 12)),
            "take 12 bytes, but 16 follow",
        ),
        (
            by_hand(r#"{"__metadata__":{},"__metadata__":{}}"#, &[]),
            "duplicate field `__metadata__`",
        ),
        (
            [u64::MAX.to_le_bytes(), [b'{'; 8]].concat(),
            "18446744073709551615 bytes in a file of 16",
        ),
        (vec![1, 0, 0], "ends within the header"),
        (Vec::new(), "ends within the header"),
    ];
    for (bytes, words) in cases {
        let error = read(&bytes).unwrap_err();
        assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(words), "no {words} in {error}");
    }
    // A long header is refused before it is read, however long the file is.
    let mut long = ((9 << 20) as u64).to_le_bytes().to_vec();
    long.resize(10 << 20, b' ');
    let error = read(&long).unwrap_err().to_string();
    assert!(
        error.contains("more than the 8388608 that are allowed"),
        "{error}"
    );
}

#[test]
fn pickles_are_refused_with_the_way_out() {
    let zip = b"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl";
    let bare = b"\x80\x02}q\0(X\x0a\0\0\0";
    let legacy = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    for bytes in [&zip[..], bare, legacy] {
        let error = read(bytes).unwrap_err();
        assert!(matches!(error, WeightsError::Pickle { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("save_file") && text.contains("weights_only=True"),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
        // A name may hold quotes, so it stands outside the command.
        assert!(text.contains("(\"FILE.pth\""), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.PTH");
    std::fs::write(&path, "some text").unwrap();
    assert!(matches!(
        TensorFile::open(&path),
        Err(WeightsError::Pickle { .. })
    ));
    // The content decides where it is clear.
    sample().save(&path, Precision::F32).unwrap();
    assert!(TensorFile::open(&path).is_ok());
    // A header of 66176 bytes begins with the bytes of a pickle, and is none.
    let header = format!("{{{}}}", " ".repeat(66174));
    assert_eq!(by_hand(&header, &[])[..2], [0x80, 2]);
    assert!(read(&by_hand(&header, &[])).is_ok());
}

#[test]
fn a_reader_fills_places_of_the_right_size_only() {
    let bytes = sample().to_bytes(Precision::F16).unwrap();
    let mut reader = WeightsReader::new(Cursor::new(bytes), "x").unwrap();
    let names: Vec<_> = reader.tensors().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["a.bias", "b.weight", "none", "scalar"]);
    assert_eq!(reader.shape("b.weight"), Some(&[2, 2][..]));
    assert_eq!(
        (reader.shape("scalar"), reader.shape("absent")),
        (Some(&[][..]), None)
    );
    let mut values = [9.0; 4];
    reader.read_into("b.weight", &mut values).unwrap();
    assert_eq!((values[0], values[3]), (1.5, 65504.0));
    let wrong = reader.read_into("a.bias", &mut values).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "tensor `a.bias` of shape [3] with 4 values"
    );
    let absent = reader.read_into("absent", &mut values).unwrap_err();
    assert_eq!(absent.to_string(), "x: no tensor `absent`");
}

/// More values than are converted at once.
#[test]
fn long_tensors_are_read_in_pieces() {
    let values: Vec<f32> = (0..100_003).map(|at| (at % 2048) as f32).collect();
    let mut file = TensorFile::default();
    file.push("w", &[values.len()], values.clone()).unwrap();
    for precision in [Precision::F16, Precision::F32] {
        let again = read(&file.to_bytes(precision).unwrap()).unwrap();
        assert!(again.tensors[0].values == values, "{precision:?}");
    }
}

#[test]
fn names_and_counts_are_checked_before_writing() {
    let mut file = sample();
    assert!(matches!(
        file.push("scalar", &[], vec![0.0]),
        Err(WeightsError::Name { .. })
    ));
    assert!(matches!(
        file.push("__metadata__", &[], vec![0.0]),
        Err(WeightsError::Name { .. })
    ));
    assert_eq!(
        file.push("w", &[2, 3], vec![0.0; 5])
            .unwrap_err()
            .to_string(),
        "tensor `w` of shape [2, 3] with 5 values"
    );
    assert!(file.push("w", &[usize::MAX, 2], vec![]).is_err());
    let twin = file.tensors[0].clone();
    file.tensors.push(twin);
    assert!(matches!(
        file.to_bytes(Precision::F32),
        Err(WeightsError::Name { .. })
    ));
}

#[test]
fn a_failed_save_leaves_the_former_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let mut file = sample();
    file.save(&path, Precision::F32).unwrap();
    let before = std::fs::read(&path).unwrap();
    file.tensors[0].values[0] = 1e30;
    assert!(file.save(&path, Precision::F16).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let absent = folder.path().join("absent/w.safetensors");
    assert!(matches!(
        file.save(&absent, Precision::F32),
        Err(WeightsError::Io { .. })
    ));
    assert!(matches!(
        TensorFile::open(&absent),
        Err(WeightsError::Io { .. })
    ));
}

#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.safetensors");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    // With a writer that has nothing to say, a reader would find the end at once.
    let end = path.clone();
    std::thread::spawn(move || drop(std::fs::File::options().write(true).open(end)));
    let error = TensorFile::open(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("not a regular file; only those are read"),
        "{error}"
    );
    // Both ends at once wait for nobody, and let the writer go.
    drop(std::fs::File::options().read(true).write(true).open(&path));
}
