//! `draw`: pictures of problems, blocks and networks.

use std::fs;
use std::path::Path;

use tensor::write_npy;
use testkit::{ConvCase, Draw, compare};

use crate::fixture::{folder, names, npy, textured};
use crate::invoke::{convolve, fail, succeed};

/// Texts of an SVG, which must be well-formed.
fn texts(path: &Path) -> Vec<String> {
    let svg = fs::read_to_string(path).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| node.text().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_kind_is_drawn_in_every_format() {
    let folder = folder();
    let problems = [
        "conv:n1c1h5w5:o1k3",
        "conv:n1c1w9:o1k3s2p1",
        "conv:n1c2h5w5:o2k3s2p1,reflect",
        "conv:n1c4h4w4:o4k3p1g2",
        "conv:n1c3h4w4:o3k3p1g3",
        "conv:n1c3h3w3:o2k1",
        "conv-transposed:n1c1h3w3:o1k3s2p1a1",
        "conv-transposed:n1c4h2w2:o2k3s2g2",
        "conv-deformable:n1c2h4w4:o1k3p1f2m",
        "conv-separable:n1c2h4w4:o2k3p1m2",
        "conv-separable:n1c2h4w4:o0k3p1m1",
        "pool-max:n1c1h5w5:k3s2p1,ceil",
        "pool-avg:n1c2h4w4:k2s2,nopad",
        "pool-l2:n1c1h4w4:k2s2",
        "shuffle:n1c6h2w2:g3",
    ];
    for problem in problems {
        for (format, begin) in [
            ("svg", &b"<svg"[..]),
            ("png", b"\x89PNG"),
            ("gif", b"GIF89a"),
        ] {
            let name = format!("x.{format}");
            succeed(folder.path(), &["draw", problem, "-o", &name]);
            let bytes = fs::read(folder.path().join(&name)).unwrap();
            assert!(bytes.starts_with(begin), "{problem} as {format}");
        }
        assert!(texts(&folder.path().join("x.svg")).len() > 5, "{problem}");
    }
    let others: [&[&str]; 6] = [
        &["conv:n1c3h3w3:o2k2", "--as", "im2col"],
        &["conv:n2c3h4w4:o1k3p1", "--as", "layout"],
        &["conv:n1c1h9w9:o1k3", "pool-max:n1c1h7w7:k2s2"],
        &[
            "conv:n1c6h8w8:o6k3p1",
            "conv-separable:n1c6h8w8:o6k3p1m1",
            "--as",
            "channels",
        ],
        &["shuffle:n1c6h4w4:g3", "--as", "channels"],
        &["pool-avg:n1c1h4w4:k2s2", "--heat"],
    ];
    for arguments in others {
        let arguments = [&["draw"], arguments, &["-o", "y.svg"]].concat();
        succeed(folder.path(), &arguments);
        assert!(
            texts(&folder.path().join("y.svg")).len() > 5,
            "{arguments:?}"
        );
    }
}

#[test]
fn numbers_in_the_cells_are_the_oracles() {
    let folder = folder();
    let case = ConvCase::new(1, 2, 2, [5, 4], [3, 2])
        .stride([2, 1])
        .padding([1, 0]);
    let mut draw = Draw::new(11);
    let (x, w) = (
        draw.integers(case.input_len()),
        draw.integers(case.weight_len()),
    );
    let wanted = case.forward(&compare::widen(&x), &compare::widen(&w), None);
    let write = |name: &str, dims: &[usize], values: &[f32]| {
        write_npy(&folder.path().join(name), dims, values).unwrap();
    };
    write("x.npy", &[1, 2, 5, 4], &x);
    write("w.npy", &[2, 2, 3, 2], &w);
    let problem = "conv:n1c2h5w4:o2k3x2s2x1p1x0";
    succeed(
        folder.path(),
        &[
            "draw", problem, "--input", "x.npy", "--weight", "w.npy", "-o", "y.svg",
        ],
    );
    let texts = texts(&folder.path().join("y.svg"));
    let sums: Vec<f64> = texts
        .iter()
        .filter(|text| text.starts_with("output["))
        .map(|text| {
            text.rsplit(" = ")
                .next()
                .unwrap()
                .replace('−', "-")
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!(sums, wanted);
}

#[test]
fn a_large_problem_is_drawn_smaller_and_says_so() {
    let folder = folder();
    let problem = "conv:n8c64h56w56:o128k3s2p1";
    let answer = convolve(folder.path(), &["draw", problem, "-o", "x.svg"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let small = "conv:n1c3h6w6:o2k3s2p1";
    assert!(
        answer.err.contains(problem) && answer.err.contains(small),
        "{}",
        answer.err
    );
    let texts = texts(&folder.path().join("x.svg"));
    assert!(texts.iter().any(|text| text == small), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains(problem)));
    // Padding that is wider than the map would be, of zeros and of what the map holds.
    for problem in ["conv:n1c1h13w13:o1k3p3", "conv:n1c1h20w20:o1k13p6,reflect"] {
        let answer = convolve(folder.path(), &["draw", problem, "-o", "x.svg"]);
        assert_eq!(answer.code, 0, "{}", answer.err);
    }
    // No extent helps where the kernel itself is too large.
    fail(
        folder.path(),
        2,
        &["draw", "conv:n1c1h64w64:o1k41", "-o", "y.svg"],
        &["rows or columns", "at most 24"],
    );
    // Nor where padding makes a map that would not fit in memory: that is told before it is computed.
    fail(
        folder.path(),
        2,
        &["draw", "conv:n1c1h4w4:o1k1p500000", "-o", "y.svg"],
        &["numbers", "too many to draw"],
    );
    assert_eq!(names(folder.path()), ["x.svg"]);
}

#[test]
fn blocks_and_networks_are_drawn_from_their_graphs() {
    let folder = folder();
    for block in zoo::blocks::examples() {
        let subject = format!("block:{}", block.name);
        succeed(folder.path(), &["draw", &subject, "-o", "x.svg"]);
        let texts = texts(&folder.path().join("x.svg"));
        let graph = block.graph().unwrap();
        let made = &graph.value(graph.outputs[0]).shape[1..];
        let size: Vec<String> = made.iter().map(usize::to_string).collect();
        let is_sum = texts.iter().any(|text| text == "+" || text == "×");
        assert!(
            is_sum || texts.iter().any(|text| *text == size.join("×")),
            "{}",
            block.name
        );
    }
    succeed(folder.path(), &["draw", "resnet50", "-o", "x.svg"]);
    let texts = texts(&folder.path().join("x.svg"));
    // Blocks that follow the first of each stage.
    for times in ["×2", "×3", "×5"] {
        assert!(texts.iter().any(|text| text == times), "{times}");
    }
    assert!(
        texts.iter().any(|text| text == "layer3.1 to layer3.5"),
        "{texts:?}"
    );
    let list = succeed(folder.path(), &["draw", "--blocks"]);
    assert!(
        list.lines().any(|line| line.starts_with("inception-v4-a ")),
        "{list}"
    );
}

#[test]
fn every_network_of_the_zoo_can_be_drawn() {
    let folder = folder();
    for model in zoo::models() {
        succeed(folder.path(), &["draw", model.name, "-o", "x.svg"]);
        assert!(
            texts(&folder.path().join("x.svg")).len() > 8,
            "{}",
            model.name
        );
    }
}

#[test]
fn the_page_of_figures_has_every_command_and_every_picture_is_as_it_is_drawn() {
    let folder = folder();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = fs::read_to_string(docs.join("figures.md")).unwrap();
    let commands = succeed(folder.path(), &["draw", "--note", "-o", "figures"]);
    let listed: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("convolve draw"))
        .collect();
    assert_eq!(commands.lines().collect::<Vec<_>>(), listed);
    let drawn = names(&folder.path().join("figures"));
    assert_eq!(drawn.len(), 32);
    for name in drawn {
        let [now, kept] = [folder.path().join("figures"), docs.join("figures")]
            .map(|folder| fs::read(folder.join(&name)).unwrap());
        assert!(now == kept, "{name}: draw docs/figures anew");
        assert!(page.contains(&format!("(figures/{name})")), "{name}");
    }
}

#[test]
fn what_cannot_be_drawn_is_one_line_and_no_file() {
    let folder = folder();
    let draw = |arguments: &[&'static str]| [&["draw"], arguments].concat();
    let usage: [(&[&str], &[&str]); 20] = [
        (&["conv:n1c1h5w5", "-o", "x.svg"], &["position"]),
        (
            &["conv:n1c1h5w5:o1k9", "-o", "x.svg"],
            &["kernel larger than padded input"],
        ),
        (&["conv:n1c1d4h5w5:o1k3", "-o", "x.svg"], &["depth"]),
        (
            &["pool-adaptive-max:n1c1h5w5:o2", "-o", "x.svg"],
            &["differ in size"],
        ),
        (&["shuffle:n1c6h2w2:g4", "-o", "x.svg"], &["6", "4"]),
        (&["shuffle:n1c6:g4", "-o", "x.svg"], &["example"]),
        (
            &["block:inception-v4-aa", "-o", "x.svg"],
            &["inception-v4-a"],
        ),
        (&["block:zzz", "-o", "x.svg"], &["--blocks"]),
        (&["resnet51", "-o", "x.svg"], &["resnet50"]),
        (
            &["conv:n1c1h5w5:o1k3", "-o", "x.jpg"],
            &[".svg, .png or .gif"],
        ),
        (
            &["conv:n1c1h5w5:o1k3", "conv:n1c1h5w5:o1k3", "-o", "x.svg"],
            &["[5, 5]", "[3, 3]"],
        ),
        (
            &[
                "conv-transposed:n1c1h5w5:o1k3",
                "-o",
                "x.svg",
                "--as",
                "im2col",
            ],
            &["plain"],
        ),
        (
            &["block:fire", "-o", "x.svg", "--as", "im2col"],
            &["im2col"],
        ),
        (
            &["block:fire", "-o", "x.svg", "--input", "x.npy"],
            &["--input", "no numbers"],
        ),
        (
            &["conv:n1c1h5w5:o1k3", "-o", "x.svg", "--scale", "99"],
            &["0.25 to 8"],
        ),
        (&["conv:n0c1h1w1:o1k1", "-o", "x.svg"], &["nothing to draw"]),
        (
            &["pool-max:n0c1h4w4:k2", "-o", "x.gif"],
            &["nothing to draw"],
        ),
        (
            &["shuffle:n1c6h0w3:g3", "-o", "x.svg"],
            &["nothing to draw"],
        ),
        (
            &["shuffle:n1c6h99999999w3:g3", "-o", "x.svg"],
            &["99999999 are too many to draw"],
        ),
        (
            &["conv:n1c1h5w5:o1k3", "-o", "x.svg", "--input", "none.npy"],
            &["none.npy", "no such file"],
        ),
    ];
    for (arguments, words) in usage {
        fail(folder.path(), 2, &draw(arguments), words);
    }
    fail(
        folder.path(),
        2,
        &draw(&["conv:n1c1h5w5:o1k3", "-o", "missing/x.svg"]),
        &["missing/x.svg", "no such file or folder"],
    );
    fs::create_dir(folder.path().join("x.svg")).unwrap();
    fail(
        folder.path(),
        2,
        &draw(&["conv:n1c1h5w5:o1k3", "-o", "x.svg"]),
        &["x.svg"],
    );
    assert_eq!(names(folder.path()), ["x.svg"]);
}

#[test]
fn what_a_picture_would_say_wrongly_it_does_not_say() {
    let folder = folder();
    let drawn = |arguments: &[&str]| {
        succeed(
            folder.path(),
            &[&["draw"], arguments, &["-o", "x.svg"]].concat(),
        );
        texts(&folder.path().join("x.svg"))
    };
    // A pool in ceil mode has a placement more than rounding down gives.
    let pool = drawn(&["pool-max:n1c1h5w5:k2s2,ceil"]);
    assert!(
        pool.iter()
            .any(|text| text.contains("⌈(5 − 2) / 2⌉ + 1 = 3")),
        "{pool:?}"
    );
    // The cost of channels is that of one image.
    let cost = drawn(&["conv:n2c2h4w4:o2k3", "--as", "channels"]);
    assert!(
        cost.iter().any(|text| text.contains("144 MACs")),
        "{cost:?}"
    );
    // A bias is added to the product of matrices.
    npy(&folder.path().join("b.npy"), &[1], &[100.0]);
    let product = drawn(&["conv:n1c1h4w4:o1k3", "--as", "im2col", "--bias", "b.npy"]);
    for text in ["bias 1×1", "100", "+"] {
        assert!(product.iter().any(|found| found == text), "{product:?}");
    }
    // Sides of padding by their names, in the order of the notation.
    let padded = drawn(&["conv:n1c1h4w4:o1k3p0,1,2,0"]);
    let named = "input 4×4, padding left 1, bottom 2";
    assert!(padded.iter().any(|text| text == named), "{padded:?}");
    for (arguments, words) in [
        (
            ["conv:n1c2d4h4w4:o2k3", "--as", "channels"].as_slice(),
            ["depth"],
        ),
        (
            &["conv:n1c1h4w4:o1k3", "--as", "im2col", "--heat"],
            ["--as moving"],
        ),
        (
            &["shuffle:n1c6h2w2:g3", "--heat"],
            ["colours of their groups"],
        ),
        (&["conv:n1c1h1w1:o1k1p500", "--as", "layout"], ["frames"]),
    ] {
        fail(
            folder.path(),
            2,
            &[&["draw"], arguments, &["-o", "y.svg"]].concat(),
            &words,
        );
    }
}

#[test]
fn a_layer_of_a_network_is_drawn_with_its_numbers_on_a_picture() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 40);
    let layer = ["draw", "a.bmp", "--layer", "conv1", "-o", "x.svg"];
    succeed(path, &layer);
    let drawn = texts(&path.join("x.svg"));
    let begins = "conv1 of resnet20:1.75 on a.bmp · map ";
    assert!(
        drawn.iter().any(|text| text.starts_with(begins)),
        "{drawn:?}"
    );
    let whole = " of conv:n1c3h32w32:o28k3p1";
    assert!(drawn.iter().any(|text| text.contains(whole)), "{drawn:?}");
    // The first weight of the network inside the program, as cells show it, and not one that is made up.
    assert!(drawn.iter().any(|text| text.contains('.')), "{drawn:?}");
    let columns = [
        "draw",
        "a.bmp",
        "--layer",
        "layer1.0.conv1",
        "--as",
        "im2col",
    ];
    succeed(path, &[&columns[..], &["-o", "y.png"]].concat());
    // The neuron that is asked for, and what of the padding its window lies on.
    let corner = [
        "--layer",
        "layer1.0.conv1",
        "--at",
        "0,31",
        "--channel",
        "5",
    ];
    let corner = [&["draw", "a.bmp", "-o", "z.svg"], &corner[..]].concat();
    let answer = convolve(path, &corner);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let told = "drawn as conv:n1c3h4w4:o1k3p1,0,0,1: map 5 around its neuron 0,31, as asked for, of \
                conv:n1c28h32w32:o28k3p1, which sees rows 0–2 and columns 29–31 of the 32×32 read of the picture; \
                of 28 input channels those that say most to it: ";
    assert!(
        answer.err.ends_with("; the other 25 are summed\n"),
        "{}",
        answer.err
    );
    assert!(answer.err.starts_with(told), "{}", answer.err);
    let drawn = texts(&path.join("z.svg"));
    let heading = "layer1.0.conv1 of resnet20:1.75 on a.bmp · map 5 around 0,31";
    assert!(drawn.iter().any(|text| text == heading), "{drawn:?}");
    let places =
        "rows 0–2, columns 29–31 of conv:n1c28h32w32:o28k3p1 · 25 of 28 input channels are summed";
    assert!(drawn.iter().any(|text| text.contains(places)), "{drawn:?}");
    let begins = "framed: neuron 0,31, as asked for: ";
    let framed = drawn.iter().find_map(|text| text.strip_prefix(begins));
    let (value, _) = framed.and_then(|text| text.split_once(' ')).unwrap();
    // The padding of a corner, by its sides.
    let input = "input 3 × 4×4, padding top 1, right 1, 25 more not drawn";
    assert!(drawn.iter().any(|text| text == input), "{drawn:?}");
    // What stands still is the neuron itself, which at a border is not in the middle of the part.
    let svg = std::fs::read_to_string(path.join("z.svg")).unwrap();
    let (_, still) = svg.split_once(" c-still\"").expect("a frame stands still");
    let still = still.split("c-frame ").next().unwrap();
    let line = still
        .split('>')
        .find(|text| text.starts_with("output[5, 0, 31] = "));
    let line = line.and_then(|text| text.split('<').next()).expect(still);
    assert!(line.contains(" (25 other channels) = "), "{line}");
    // What is drawn and what is left out make what the layer makes.
    assert!(line.ends_with(&format!(" = {value}")), "{line}: {value}");
    // A whole plane is averaged.
    let pool = [
        "draw",
        "a.bmp",
        "--layer",
        "global_average_pool",
        "-o",
        "y.svg",
    ];
    succeed(path, &pool);
    let drawn = texts(&path.join("y.svg"));
    assert!(
        drawn
            .iter()
            .any(|text| text.contains(" (sum of 64 numbers) / 64 = ")),
        "{drawn:?}"
    );
    std::fs::remove_file(path.join("y.svg")).unwrap();
    std::fs::remove_file(path.join("z.svg")).unwrap();
    for (arguments, said) in [
        (
            &["a.bmp", "--layer", "conv1", "--at", "32,0"][..],
            "--at 32,0: the maps of conv1 have rows 0 to 31 and columns 0 to 31",
        ),
        (
            &["a.bmp", "--layer", "conv1", "--at", "-1,0"],
            "--at -1,0: the maps of conv1 have rows 0 to 31 and columns 0 to 31",
        ),
        (
            &["a.bmp", "--layer", "conv1", "--channel", "28"],
            "--channel 28: the maps of conv1 are 0 to 27",
        ),
        (
            &["a.bmp", "--layer", "conv1", "--channel", "-1"],
            "--channel -1: the maps of conv1 are 0 to 27",
        ),
        (
            &["a.bmp", "--layer", "conv1", "--as", "channels"],
            "without a layer, convolve draw conv:n1c3h32w32:o28k3p1 --as channels -o FILE draws it",
        ),
        (
            &["a.bmp", "--layer", "fc"],
            "layer fc reads [1, 112], which is no map of an image",
        ),
        (&["a.bmp", "--layer", "conv1", "--at", "3"], "as in 3,4"),
        (&["resnet18", "--at", "3,4"], "--layer"),
        (&["a.bmp"], "a.bmp is a picture: --layer names"),
        (&["a.bmp", "--layer", "conv9"], "did you mean conv1"),
        (&["a.bmp", "--layer", "relu"], "convolutions and pools"),
        (
            &["a.bmp", "--layer", "conv1", "--input", "x.npy"],
            "--input",
        ),
        (&["none.bmp", "--layer", "conv1"], "none.bmp"),
        (
            &["conv:n1c1h5w5:o1k3", "--weights", "w.safetensors"],
            "--layer",
        ),
    ] {
        let all = [&["draw"], arguments, &["-o", "z.svg"]].concat();
        let answer = convolve(path, &all);
        assert_ne!(answer.code, 0, "{all:?}");
        assert!(answer.err.contains(said), "{all:?}: {}", answer.err);
    }
    assert_eq!(names(path), ["a.bmp", "x.svg", "y.png"]);
}

#[cfg(unix)]
#[test]
fn pictures_may_have_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder();
    let path = folder.path();
    let name = OsStr::from_bytes(b"ph\xffto.bmp");
    crate::fixture::textured(&path.join(name), 32);
    let drawn = |more: &[&str]| {
        let mut command = crate::invoke::command(path, &["draw"]);
        command.arg(name).args(more).args(["-o", "x.svg"]);
        command.output().unwrap()
    };
    let answer = drawn(&["--layer", "conv1"]);
    let told = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(
        answer.status.success() && path.join("x.svg").is_file(),
        "{told}"
    );
    // Without a layer it is still known for a picture.
    let told = String::from_utf8(drawn(&[]).stderr).unwrap();
    assert!(told.contains("is a picture: --layer names"), "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_kept_where_the_system_tells_of_itself() {
    let folder = folder();
    let words = ["/proc/x.svg: lies where the system tells of itself, where no file is kept"];
    let arguments = ["draw", "conv:n1c1h5w5:o1k3", "-o", "/proc/x.svg"];
    fail(folder.path(), 2, &arguments, &words);
}
