//! ONNX models.

use convolve_formats::onnx::{Bindings, Model, OnnxError};
use testkit::counting::peak;

use crate::encode::{Message, ints, model, node, tensor, value, varint};
use crate::limit;

/// Reads a model and makes it a graph, and looks at what that takes at most; the number of nodes, or the error.
#[track_caller]
fn read(what: &str, file: Vec<u8>) -> Result<usize, OnnxError> {
    let len = file.len();
    let (done, peak) = peak(file, |file| {
        let model = Model::from_bytes(file, "hostile")?;
        let import = model.import(&Bindings::batch(1))?;
        Ok(import.graph.nodes.len())
    });
    let limit = limit(len);
    assert!(
        peak <= limit,
        "{what}: {peak} bytes for a file of {len}, {limit} at most"
    );
    if let Err(error) = &done {
        let text = OnnxError::to_string(error);
        assert!(text.len() < 1 << 20, "{what}: {} bytes of text", text.len());
    }
    done
}

#[track_caller]
fn refused(what: &str, file: Vec<u8>, word: &str) {
    let error = read(what, file).expect_err(what).to_string();
    assert!(error.contains(word), "{what}: {error}");
}

/// `count` nodes, each of which reads what the one before makes.
fn chain(op: &str, count: usize, name: impl Fn(usize) -> String) -> Vec<u8> {
    let mut graph = Message::default();
    for at in 0..count {
        let each = Message::default()
            .put(1, format!("v{at}"))
            .put(2, format!("v{}", at + 1))
            .put(3, name(at))
            .put(4, op);
        graph = graph.put(1, each);
    }
    let last = format!("v{count}");
    let graph = graph.put(11, value("v0", &[1, 2, 3, 3]));
    model(graph.put(12, value(&last, &[1, 2, 3, 3])))
}

/// A graph of these fields, and `y`, which it gives.
fn with_output(fields: Message) -> Vec<u8> {
    model(fields.put(12, value("y", &[1])))
}

#[test]
fn a_hundred_thousand_nodes() {
    for (what, op, name) in [
        ("without names", "Relu", ""),
        ("with names", "Relu", "/blocks/blocks.11/mlp/act/Relu"),
        ("of another family", "Sigmoid", "/features/0/Sigmoid"),
    ] {
        let file = chain(op, 100_000, |at| match name {
            "" => String::new(),
            name => format!("{name}_{at}"),
        });
        assert_eq!(read(what, file).unwrap(), 100_000, "{what}");
    }
}

#[test]
fn more_nodes_than_there_may_be() {
    for op in ["Relu", "HardSwish", "GlobalAveragePool", "Celu"] {
        let file = chain(op, 300_000, |_| String::new());
        refused(op, file, "bytes of memory");
    }
    // Nothing is kept of what was known on the way.
    let file = chain("Shape", 300_000, |_| String::new());
    assert_eq!(read("Shape", file).unwrap(), 0);
}

#[test]
fn nodes_of_constants() {
    // Every node is known without a run, and forgotten when it has been read.
    let mut graph = Message::default();
    for at in 0..500_000 {
        let (from, to) = (format!("v{at}"), format!("v{}", at + 1));
        let each = Message::default().put(1, from).put(2, to);
        graph = graph.put(1, each.put(4, "Identity"));
    }
    let graph = graph.put(5, tensor("v0", &[1], &[0; 4]));
    let graph = graph.put(12, value("v500000", &[1]));
    assert_eq!(read("identities", model(graph)).unwrap(), 0);
}

/// A choice whose condition is 0, and what one of its branches holds.
fn with_branch(name: &str, fields: Message) -> Vec<u8> {
    let branch = |name: &str, fields: Message| Message::default().put(1, name).put(6, fields);
    let end = Message::default().put(12, Message::default().put(1, "x"));
    let other = match name {
        "then_branch" => "else_branch",
        _ => "then_branch",
    };
    let choice = node("If", &["c"], &["y"])
        .put(5, branch(name, fields))
        .put(5, branch(other, end));
    let graph = Message::default().put(1, choice);
    let graph = graph.put(5, tensor("c", &[], &[0; 4]));
    with_output(graph.put(11, value("x", &[1, 2, 3, 3])))
}

#[test]
fn branches_of_many_nodes() {
    let count = 50_000;
    let mut chain = Message::default();
    for at in 0..count {
        let from = if at == 0 {
            "x".to_owned()
        } else {
            format!("v{at}")
        };
        let each = Message::default()
            .put(1, from)
            .put(2, format!("v{}", at + 1));
        chain = chain.put(1, each.put(4, "Relu"));
    }
    let last = Message::default().put(1, format!("v{count}"));
    let chain = chain.put(12, last);
    let taken = with_branch("else_branch", chain.clone());
    assert_eq!(read("the one that is taken", taken).unwrap(), count);
    let left = with_branch("then_branch", chain);
    assert_eq!(read("the one that is left", left).unwrap(), 0);
    for (what, tag) in [("nodes", 1), ("initializers", 5), ("outputs", 12)] {
        let empty = Message([tag << 3 | 2, 0].repeat(4 << 20));
        let file = with_branch("else_branch", empty);
        assert!(read(what, file).is_err(), "{what} in a branch");
    }
    // Four million names.
    let names = Message([1 << 3 | 2, 1, b'a'].repeat(4 << 20));
    let reads = with_branch("else_branch", Message::default().put(1, names));
    refused("names in a branch", reads, "bytes of memory");
}

#[test]
fn a_cycle_of_many() {
    let count = 100_000;
    let mut graph = Message::default();
    for at in 0..count {
        let (from, to) = (format!("v{at}"), format!("v{}", (at + 1) % count));
        graph = graph.put(1, node("Relu", &[&from], &[&to]));
    }
    let graph = graph.put(12, value("v7", &[1]));
    refused("a cycle", model(graph), "100000 nodes wait");
}

#[test]
fn small_messages_do_not_become_large_ones() {
    let empty = |tag: u8, count: usize| Message([tag << 3 | 2, 0].repeat(count));
    let count = 4 << 20;
    for (what, tag) in [
        ("nodes", 1),
        ("initializers", 5),
        ("inputs", 11),
        ("outputs", 12),
    ] {
        assert!(
            read(what, with_output(empty(tag, count))).is_err(),
            "{what}"
        );
    }
    // What nobody reads takes nothing.
    for (what, tag) in [("types of values", 13), ("annotations", 14)] {
        refused(what, with_output(empty(tag, count)), "nothing makes");
    }
    for (what, tag) in [("operator sets", 8), ("text entries", 14), ("functions", 7)] {
        let mut file = with_output(Message::default());
        file.extend(empty(tag, count).0);
        assert!(read(what, file).is_err(), "{what}");
    }
    let wide = node("Relu", &["x"], &[]);
    for (what, tag) in [("names read", 1), ("names made", 2), ("attributes", 5)] {
        let wide = Message([&*wide.0, &*empty(tag, count).0].concat());
        let wide = wide.put(2, "y");
        let graph = Message::default().put(1, wide).put(11, value("x", &[1]));
        let _ = read(what, with_output(graph));
    }
}

#[test]
fn many_tensors() {
    // Enough for any network, with all of them read by one node.
    let count = 20_000;
    let mut sum = Message::default();
    let mut graph = Message::default();
    for at in 0..count {
        let name = format!("w{at}");
        sum = sum.put(1, &name);
        graph = graph.put(5, tensor(&name, &[1], &[0; 4]));
    }
    let sum = sum.put(1, "x").put(2, "y").put(4, "Sum");
    let graph = graph.put(1, sum).put(11, value("x", &[1]));
    assert_eq!(read("tensors", with_output(graph)).unwrap(), count);

    let mut graph = Message::default();
    for at in 0..1 << 20 {
        graph = graph.put(5, tensor(&at.to_string(), &[0], &[]));
    }
    refused("a million tensors", with_output(graph), "bytes of memory");
}

#[test]
fn long_lists() {
    let count = 8 << 20;
    let packed = |tag: u64| {
        let mut list = Vec::new();
        varint(tag << 3 | 2, &mut list);
        varint(count as u64, &mut list);
        list.extend(vec![1; count]);
        Message(list)
    };
    let single = |tag: u8| Message([tag << 3, 1].repeat(count / 2));
    let attribute =
        |name: &str, list: Message| Message([Message::default().put(1, name).0, list.0].concat());
    for (kind, list) in [("packed", packed(8)), ("single", single(8))] {
        let pads = node("Conv", &["x", "x"], &["y"]).put(5, attribute("pads", list.clone()));
        let graph = Message::default()
            .put(1, pads)
            .put(11, value("x", &[1, 1, 1]));
        refused(kind, with_output(graph), "has ");
        // Eight bytes in memory for each number, which may be one in the file.
        let known = node("Constant", &[], &["y"]).put(5, attribute("value_ints", list));
        let _ = read(kind, with_output(Message::default().put(1, known)));
    }
    // The elements of a tensor, a byte each in the file and two or eight in memory.
    for (what, tag, element) in [("halves", 5, 10), ("integers", 7, 7)] {
        let list = packed(tag).number(1, count as i64).number(2, element);
        let graph = Message::default().put(5, list.put(8, "y"));
        let _ = read(what, with_output(graph));
    }
    // As many extents.
    let list = packed(1).number(2, 1).put(8, "y");
    refused(
        "extents",
        with_output(Message::default().put(5, list)),
        "64 are the most",
    );
    let shape = Message([10, 0].repeat(count / 2));
    let kind = Message::default().number(1, 1).put(2, shape);
    let input = Message::default()
        .put(1, "x")
        .put(2, Message::default().put(1, kind));
    refused(
        "extents",
        with_output(Message::default().put(11, input)),
        "64 are the most",
    );
}

#[test]
fn floats_in_a_list_of_their_own_are_not_copied() {
    let list = tensor("w", &[4 << 20], &[]);
    let list = Message(list.0[..list.0.len()].to_vec()).put(4, vec![0; 16 << 20]);
    // The raw bytes of `tensor` are there and empty, and would count.
    let list = Message::default()
        .put(8, "w")
        .number(2, 1)
        .number(1, 4 << 20)
        .put(4, &list.0[list.0.len() - (16 << 20)..]);
    let graph = Message::default()
        .put(1, node("Add", &["x", "w"], &["y"]))
        .put(5, list)
        .put(11, value("x", &[4 << 20]));
    let file = with_output(graph);
    let len = file.len();
    let (done, peak) = peak(file, |file| {
        let model = Model::from_bytes(file, "floats").unwrap();
        model.import(&Bindings::default()).unwrap().elements
    });
    assert_eq!(done[0].1.len(), 4 << 20);
    assert!(peak < len + (4 << 20), "{peak} bytes for a file of {len}");
}

/// A large weight: as raw bytes, as packed floats, in a node, and beside the model.
fn large_weights(folder: &std::path::Path, bytes: usize) -> Vec<u8> {
    let shaped = |name: &str| {
        let tensor = Message::default().put(8, name).number(2, 1);
        tensor.number(1, bytes as i64 / 4)
    };
    std::fs::write(folder.join("beside"), vec![0; bytes]).unwrap();
    let location = Message::default().put(1, "location").put(2, "beside");
    let value = Message::default().put(1, "value").number(20, 4);
    let constant =
        node("Constant", &[], &["c"]).put(5, value.put(5, shaped("").put(9, vec![0; bytes])));
    let graph = Message::default()
        .put(5, shaped("raw").put(9, vec![0; bytes]))
        .put(5, shaped("floats").put(4, vec![0; bytes]))
        .put(5, shaped("external").number(14, 1).put(13, location))
        .put(1, constant)
        .put(
            1,
            node("Sum", &["x", "raw", "floats", "external", "c"], &["y"]),
        );
    let extents = [bytes as i64 / 4];
    let graph = graph.put(11, crate::encode::value("x", &extents));
    model(graph.put(12, crate::encode::value("y", &extents)))
}

#[test]
fn large_weights_stay_in_their_file_until_they_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.onnx");
    let bytes = 16 << 20;
    std::fs::write(&path, large_weights(folder.path(), bytes)).unwrap();
    let mut place = vec![1.0; bytes / 4];
    let (read, peak) = peak(Vec::new(), |_| {
        let model = Model::open(&path).unwrap();
        let import = model.import(&Bindings::default()).unwrap();
        for (_, elements) in &import.elements {
            elements.write_f32(&mut place).unwrap();
        }
        import.elements.len()
    });
    assert_eq!(read, 4);
    assert!(place.iter().all(|&value| value == 0.0));
    assert!(peak < 1 << 20, "{peak} bytes for four weights of {bytes}");
}

#[test]
fn a_file_of_many_small_tensors_is_in_memory_once() {
    let mut graph = Message::default();
    for at in 0..500 {
        graph = graph.put(5, tensor(&at.to_string(), &[10_000], &[0; 40_000]));
    }
    let file = with_output(graph);
    let len = file.len();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), &file).unwrap();
    drop(file);
    let (model, peak) = peak(Vec::new(), |_| Model::open(path.path()));
    assert!(model.is_ok());
    assert!(peak < len + (1 << 20), "{peak} bytes for a file of {len}");
}

#[test]
fn long_names() {
    let long = "n".repeat(16 << 20);
    let x = value("x", &[1]);
    for (what, node) in [
        ("read", node("Relu", &[&long], &["y"])),
        ("made", node("Relu", &["x"], &["y", &long])),
        ("of an operator", node(&long, &["x"], &["y"])),
        (
            "of a node",
            Message::default()
                .put(1, "x")
                .put(2, "y")
                .put(4, "Relu")
                .put(3, &long),
        ),
        ("of a domain", node("Relu", &["x"], &["y"]).put(7, &long)),
        (
            "of an attribute",
            node("Relu", &["x"], &["y"]).put(5, Message::default().put(1, &long)),
        ),
    ] {
        let graph = Message::default().put(1, node).put(11, x.clone());
        refused(what, with_output(graph), "bytes, more than 65536");
    }
    for (what, graph) in [
        (
            "of a tensor",
            Message::default().put(5, tensor(&long, &[1], &[0; 4])),
        ),
        (
            "of an input",
            Message::default().put(11, value(&long, &[1])),
        ),
        (
            "of an output",
            Message::default().put(12, value(&long, &[1])),
        ),
    ] {
        refused(what, with_output(graph), "bytes, more than 65536");
    }
    // Nodes of names as long as they may be, in what is made of each of them.
    let name = "n".repeat(60_000);
    let file = chain("Relu", 2_000, |_| name.clone());
    refused("many", file, "bytes of memory");
}

#[test]
fn graphs_within_graphs() {
    // A node with an attribute that is a graph with a node …, from the innermost on.
    let depth = 200_000;
    let mut headers: Vec<Vec<u8>> = Vec::with_capacity(3 * depth);
    let mut len = 0;
    for _ in 0..depth {
        for tag in [6_u64, 5, 1] {
            let mut header = Vec::new();
            varint(tag << 3 | 2, &mut header);
            varint(len as u64, &mut header);
            len += header.len();
            headers.push(header);
        }
    }
    let nested: Vec<u8> = headers.into_iter().rev().flatten().collect();
    let mut graph = Message(nested);
    graph = graph.put(11, value("x", &[1]));
    refused("nested", with_output(graph), "more than 16 graphs");
}

#[test]
fn constants_that_grow() {
    let shape = |dims: &[i64]| {
        let list = Message::default().put(8, "s").number(2, 7);
        let bytes: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
        list.number(1, dims.len() as i64).put(9, bytes)
    };
    for (op, dims) in [
        ("ConstantOfShape", &[1 << 30_i64][..]),
        ("ConstantOfShape", &[i64::MAX, i64::MAX]),
        ("Expand", &[1 << 29]),
        ("Tile", &[1 << 40]),
        ("Range", &[1 << 50]),
    ] {
        let inputs: &[&str] = match op {
            "ConstantOfShape" => &["s"],
            "Range" => &["zero", "s0", "one"],
            _ => &["w", "s"],
        };
        let graph = Message::default()
            .put(1, node(op, inputs, &["y"]))
            .put(5, shape(dims))
            .put(5, tensor("w", &[1], &[0; 4]))
            .put(5, tensor("zero", &[], &0_f32.to_le_bytes()))
            .put(5, tensor("one", &[], &1_f32.to_le_bytes()))
            .put(5, tensor("s0", &[], &(dims[0] as f32).to_le_bytes()));
        assert!(read(op, with_output(graph)).is_err(), "{op} {dims:?}");
    }
    // Twice as much with every node.
    for op in ["Concat", "Add"] {
        let mut graph = Message::default().put(5, tensor("v0", &[1, 1 << 12], &[0; 4 << 12]));
        for at in 0..40 {
            let (from, to) = (format!("v{at}"), format!("v{}", at + 1));
            let joined = node(op, &[&from, &from], &[&to])
                .put(5, Message::default().put(1, "axis").number(3, 0));
            graph = graph.put(1, joined);
        }
        let done = read(op, model(graph.put(12, value("v40", &[1]))));
        assert_eq!(done.is_err(), op == "Concat", "{op}");
    }
    // Many slices, each of nearly all.
    let mut graph = Message::default().put(5, tensor("v0", &[1 << 20], &[0; 4 << 20]));
    for at in 0..100 {
        let (from, to) = (format!("v{at}"), format!("v{}", at + 1));
        let cut = node("Slice", &[&from], &[&to]);
        let cut = cut
            .put(5, ints("starts", &[1]))
            .put(5, ints("ends", &[i64::MAX]));
        graph = graph.put(1, cut);
    }
    let file = model(graph.put(12, value("v100", &[1])));
    assert_eq!(read("slices", file).unwrap(), 0);
}
