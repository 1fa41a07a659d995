//! Layout conversion, shapes and `.npy` files against hand-made answers.

use tensor::{Buffer, Layout, NpyError, NpyFile, Shape, ShapeError, Tensor, read_npy, write_npy};

#[test]
fn channels_last_puts_the_channels_of_a_pixel_side_by_side() {
    // Two images, three channels, two pixels; the value names image, channel, pixel.
    let nchw = [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121];
    let mut nhwc = [0; 12];
    Layout::Nhwc.reorder_from_nchw(&nchw, &mut nhwc, 3, 2);
    assert_eq!(nhwc, [0, 10, 20, 1, 11, 21, 100, 110, 120, 101, 111, 121]);
    let mut back = [0; 12];
    Layout::Nhwc.reorder_to_nchw(&nhwc, &mut back, 3, 2);
    assert_eq!(back, nchw);
}

#[test]
fn conversion_round_trips_when_channels_height_and_width_agree() {
    for (channels, area) in [(17, 17), (1, 5), (33, 40), (5, 1), (0, 4)] {
        let nchw: Vec<usize> = (0..2 * channels * area).collect();
        let (mut there, mut back) = (nchw.clone(), nchw.clone());
        Layout::Nhwc.reorder_from_nchw(&nchw, &mut there, channels, area);
        Layout::Nhwc.reorder_to_nchw(&there, &mut back, channels, area);
        assert_eq!(back, nchw);
        if channels > 1 && area > 1 {
            assert_eq!(there[1], area, "second channel of the first pixel");
        }
    }
}

#[test]
fn a_shape_counts_its_elements_or_refuses() {
    assert_eq!(Shape::new(&[2, 3, 4]).unwrap().len(), 24);
    assert_eq!(Shape::new(&[]).unwrap().len(), 1);
    assert_eq!(Shape::new(&[0, 3]).unwrap().len(), 0);
    assert!(Shape::new(&[usize::MAX, 2]).is_err());
    assert!(Shape::new(&[0, usize::MAX, 2]).is_err());
    assert!(Tensor::from_slice(&[2, 2], &[1.0f32; 3]).is_err());
    assert_eq!(Shape::new(&[1, 64, 7]).unwrap().to_string(), "1×64×7");
}

#[test]
fn storage_is_aligned_to_a_cache_line() {
    let tensor = Tensor::<f32>::zeros(&[3, 5]).unwrap();
    assert_eq!(tensor.data().as_ptr() as usize % 64, 0);
    assert_eq!(tensor.data(), [0.0; 15]);
}

#[test]
fn memory_that_is_not_there_is_an_error_with_its_size() {
    // 2⁶¹ bytes: addressable in theory, more than any machine maps.
    let error = Tensor::<f64>::zeros(&[1 << 29, 1 << 29]).unwrap_err();
    let bytes = 1 << 61;
    assert!(
        matches!(error, ShapeError::Memory { bytes: b, .. } if b == bytes),
        "{error}"
    );
    assert_eq!(Buffer::<u16>::try_zeroed(1 << 60).unwrap_err().bytes, bytes);
}

/// A `.npy` file put together by hand from NumPy's format description.
fn npy_bytes(descr: &str, fortran: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

#[test]
fn npy_files_of_several_types_and_orders_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let floats: Vec<u8> = (0..6).flat_map(|v| (v as f32).to_le_bytes()).collect();
    std::fs::write(&path, npy_bytes("<f4", "False", "(2, 3)", &floats)).unwrap();
    let tensor = read_npy(&path).unwrap();
    assert_eq!(
        (tensor.dims(), tensor.data()),
        (&[2, 3][..], &[0., 1., 2., 3., 4., 5.][..])
    );

    std::fs::write(&path, npy_bytes("<f4", "True", "(2, 3)", &floats)).unwrap();
    assert_eq!(
        read_npy::<f32>(&path).unwrap().data(),
        [0., 2., 4., 1., 3., 5.]
    );

    let integers: Vec<u8> = [-1i64, 7].iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&path, npy_bytes("<i8", "False", "(2,)", &integers)).unwrap();
    assert_eq!(read_npy::<f32>(&path).unwrap().data(), [-1., 7.]);

    // Little-endian by name, by the machine, and by default.
    for descr in ["<u2", "=u2", "u2"] {
        std::fs::write(&path, npy_bytes(descr, "False", "(2,)", &[1, 2, 0, 255])).unwrap();
        assert_eq!(read_npy::<f32>(&path).unwrap().data(), [513., 65280.]);
    }
    std::fs::write(&path, npy_bytes(">u2", "False", "(2,)", &[1, 2, 0, 255])).unwrap();
    assert!(matches!(read_npy::<f32>(&path), Err(NpyError::Type { .. })));
}

#[test]
fn fortran_order_is_turned_across_the_pieces_of_a_long_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let [planes, rows, columns] = [7usize, 111, 61];
    // An element's value names its place in C order.
    let mut bytes = Vec::new();
    for column in 0..columns {
        for row in 0..rows {
            for plane in 0..planes {
                bytes.extend((((plane * rows + row) * columns + column) as i32).to_le_bytes());
            }
        }
    }
    let shape = format!("({planes}, {rows}, {columns})");
    std::fs::write(&path, npy_bytes("<i4", "True", &shape, &bytes)).unwrap();
    let read = read_npy::<u32>(&path).unwrap();
    let want: Vec<u32> = (0..(planes * rows * columns) as u32).collect();
    assert_eq!(read.data(), want);
}

#[test]
fn the_shape_is_known_before_memory_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    // As large as no memory, and on the disk a few bytes.
    let bytes = npy_bytes("|u1", "False", "(1, 4000000000000)", &[]);
    std::fs::write(&path, &bytes).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    if file
        .set_len(bytes.len() as u64 + 4_000_000_000_000)
        .is_err()
    {
        return; // A file system without holes.
    }
    let file = NpyFile::open(&path).unwrap();
    assert_eq!(file.dims(), [1, 4_000_000_000_000]);
}

#[test]
fn bytes_are_counted_from_the_end_of_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.npy");
    let first = npy_bytes("<f4", "False", "(2, 3)", &[0; 24]);
    // Version 2 has four bytes for the length of the header, version 1 has two.
    let second = [b"\x93NUMPY\x02\x00", &first[8..10], &[0, 0], &first[10..]].concat();
    for whole in [first, second] {
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(read_npy::<f32>(&path).unwrap().data(), [0.0; 6]);
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let error = read_npy::<f32>(&path).unwrap_err().to_string();
        let words = "short.npy: the header promises 24 bytes of elements, the file holds 23";
        assert!(error.ends_with(words), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn devices_have_no_length_and_are_not_read() {
    let error = read_npy::<f32>(std::path::Path::new("/dev/zero")).unwrap_err();
    let words = "/dev/zero: not a regular file; only those are read";
    assert_eq!(error.to_string(), words);
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    for dims in [&[2usize, 2][..], &[0, 3], &[]] {
        let elements: Vec<f32> = (0..dims.iter().product()).map(|v| v as f32 - 1.5).collect();
        write_npy(&path, dims, &elements).unwrap();
        let tensor = read_npy(&path).unwrap();
        assert_eq!((tensor.dims(), tensor.data()), (dims, &elements[..]));
    }
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.npy");
    let good = npy_bytes("<f4", "False", "(2, 3)", &[0; 24]);
    for length in 0..good.len() {
        std::fs::write(&path, &good[..length]).unwrap();
        let error = read_npy::<f32>(&path).unwrap_err().to_string();
        assert!(error.contains("bad.npy"), "{error}");
    }
    std::fs::write(
        &path,
        npy_bytes("<f4", "False", "(99999999999, 99)", &[0; 24]),
    )
    .unwrap();
    assert!(matches!(
        read_npy::<f32>(&path),
        Err(NpyError::Truncated { .. })
    ));
    std::fs::write(
        &path,
        npy_bytes("<f4", "False", "(9999999999999, 9999999999)", &[]),
    )
    .unwrap();
    assert!(matches!(
        read_npy::<f32>(&path),
        Err(NpyError::Shape { .. })
    ));
    std::fs::write(&path, npy_bytes("<c8", "False", "(1,)", &[0; 8])).unwrap();
    assert!(matches!(read_npy::<f32>(&path), Err(NpyError::Type { .. })));
}

#[test]
fn doubles_keep_their_digits_and_indices_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.npy");
    write_npy(&path, &[3], &[0.1f64, -2.5, 1e300]).unwrap();
    assert_eq!(read_npy::<f64>(&path).unwrap().data(), [0.1, -2.5, 1e300]);
    let error = read_npy::<u32>(&path).unwrap_err().to_string();
    assert!(error.contains("type <f8"), "{error}");

    write_npy(&path, &[2, 1], &[7u32, u32::MAX]).unwrap();
    let indices = read_npy::<u32>(&path).unwrap();
    assert_eq!(indices.dims(), [2, 1]);
    assert_eq!(indices.data(), [7, u32::MAX]);
    assert_eq!(read_npy::<f64>(&path).unwrap().data(), [7.0, 4294967295.0]);
}

#[test]
fn an_index_below_zero_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.npy");
    write_npy(&path, &[1], &[7u32]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let error = read_npy::<u32>(&path).unwrap_err().to_string();
    assert!(error.contains("negative or larger"), "{error}");
}

#[test]
fn npy_elements_of_any_type_go_through_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let halves: Vec<u8> = (0..12).collect();
    tensor::write_npy_bytes(&path, "<f2", &[2, 3], &halves).unwrap();
    let file = tensor::NpyFile::open(&path).unwrap();
    assert_eq!((file.descr(), file.dims()), ("<f2", &[2, 3][..]));
    assert_eq!(file.read_bytes(2).unwrap(), halves);

    // Column by column in the file, row by row in memory.
    let text = std::fs::read(&path).unwrap();
    let at = text.windows(5).position(|part| part == b"False").unwrap();
    let mut turned = text.clone();
    turned[at..at + 5].copy_from_slice(b"True ");
    std::fs::write(&path, turned).unwrap();
    let file = tensor::NpyFile::open(&path).unwrap();
    let rows = [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11];
    assert_eq!(file.read_bytes(2).unwrap(), rows);

    std::fs::write(&path, &text[..text.len() - 1]).unwrap();
    let cut = tensor::NpyFile::open(&path).unwrap().read_bytes(2);
    assert!(matches!(
        cut,
        Err(tensor::NpyError::Truncated {
            promised: 12,
            held: 11,
            ..
        })
    ));
}
