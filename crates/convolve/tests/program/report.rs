//! A run on one page, read back.

use std::path::Path;

use roxmltree::Document;

use crate::fixture::{cifar, folder};
use crate::invoke::{convolve, fail};

/// Trains shortly into the folder `run`.
#[track_caller]
fn train(folder: &Path, data: &str, more: &[&str]) {
    let arguments = ["train", "--data", data, "--model", "lenet5", "--lr", "0.01"];
    let output = ["--threads", "1", "--output", "run"];
    let trained = convolve(folder, &[&arguments[..], &output, more].concat());
    assert_eq!(trained.code, 0, "{}", trained.err);
}

/// The page of the run, and what was told before it was written.
#[track_caller]
fn report(folder: &Path) -> (String, String) {
    let answer = convolve(folder, &["report", "run", "-o", "report.html"]);
    assert_eq!(
        (answer.code, answer.out.as_str()),
        (0, ""),
        "{}",
        answer.err
    );
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert_needs_nothing_else(&page);
    let told = answer.err.strip_suffix("wrote report.html\n");
    (page, told.expect("where it went").to_owned())
}

/// No address of another file, no script, and pictures that are whole.
#[track_caller]
fn assert_needs_nothing_else(page: &str) {
    let names = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http:", "https:", "<script", "url(", "@import", "src="] {
        assert!(!names.contains(word), "{word}");
    }
    for link in page.split(" href=\"").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(
            target.starts_with('#') || target.starts_with("data:"),
            "{target}"
        );
    }
}

/// The pictures of a page or a part of it.
fn pictures(page: &str) -> Vec<String> {
    let begun = page.split("<svg ").skip(1);
    begun
        .map(|rest| {
            let (picture, _) = rest.split_once("</svg>").unwrap();
            format!("<svg {picture}</svg>")
        })
        .collect()
}

/// The words of a picture.
fn words(picture: &str) -> Vec<String> {
    let document = Document::parse(picture).unwrap_or_else(|error| panic!("{error}: {picture}"));
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

/// What stands between two headings.
#[track_caller]
fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let heading = format!(">{heading}</h2>");
    let start = page
        .find(&heading)
        .unwrap_or_else(|| panic!("no {heading}"));
    let rest = &page[start..];
    &rest[..rest.find("</section>").unwrap()]
}

#[test]
fn a_run_is_shown_on_one_page() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    train(
        path,
        "records.bin",
        &["--val-fraction", "0.2", "--epochs", "3", "-b", "16"],
    );
    let (page, told) = report(path);
    assert_eq!(told, "");
    // Where nothing says where it goes, it lies in the run's folder.
    let own = convolve(path, &["report", "run"]);
    let place = std::path::MAIN_SEPARATOR;
    assert_eq!(own.err, format!("wrote run{place}report.html\n"));
    let same = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    assert_eq!((own.code, own.out.as_str(), same), (0, "", page.clone()));
    assert!(
        page.contains("<h1>lenet5 on records.bin</h1>"),
        "{}",
        &page[..3000]
    );
    assert!(page.contains("finished: all of its 3 epochs are done"));

    let curves = part(&page, "Curves");
    let drawn = pictures(curves);
    assert_eq!(drawn.len(), 4);
    let axes = [
        ["loss", "epochs", "held out"],
        ["accuracy, %", "epochs", "held out"],
        ["learning rate", "epochs", "3"],
        ["images/s", "epochs", "0"],
    ];
    for (picture, axes) in drawn.iter().zip(axes) {
        let words = words(picture);
        for axis in axes {
            assert!(
                words.iter().any(|word| word == axis),
                "no {axis} in {words:?}"
            );
        }
    }
    // A row for each epoch, below the headings.
    let rows = curves.matches("<tr>").count();
    assert_eq!(rows, 4);

    // Twelve pictures are held out, of two classes; `eval` says how many are right.
    let matrix = words(&pictures(part(&page, "Confusion matrix"))[0]);
    assert!(matrix.contains(&"0 airplane".to_owned()), "{matrix:?}");
    let eval = convolve(path, &["eval", "run", "--json", "-q"]).out;
    let eval: serde_json::Value = serde_json::from_str(&eval).unwrap();
    let (right, all) = (
        eval["correct"].as_u64().unwrap(),
        eval["pictures"].as_u64().unwrap(),
    );
    assert_eq!(all, 12);
    assert!(page.contains(&format!(
        "({right} of {all} pictures, the 20 % that were held out)"
    )));
    let said = format!(
        "Answered wrongly: {} of {all} pictures, the 20 % that were held out.",
        all - right
    );
    assert!(page.contains(&said), "no {said}");

    let best = part(&page, "Best examples");
    assert_eq!(pictures(best).len() as u64, right.min(14));
    assert!(best.contains("data:image/png;base64,"));
    let worst = part(&page, "Worst examples");
    assert_eq!(pictures(worst).len() as u64, all - right);

    // Nine of ten moments, and how far the filters went.
    let filters = part(&page, "Filters of the first layer");
    assert_eq!(pictures(filters).len(), 9 + 1);
    assert!(filters.contains("before the first step") && filters.contains("after 3 epochs"));
    for picture in pictures(&page) {
        words(&picture);
    }

    let settings = part(&page, "Settings");
    for (name, value) in [
        ("model", "lenet5"),
        ("batch_size", "16"),
        ("augment.flip", "false"),
    ] {
        let row = format!("<th scope=\"row\">{name}</th><td>{value}</td>");
        assert!(settings.contains(&row), "no {row}");
    }
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_shown() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    train(
        path,
        "records.bin",
        &["--val-fraction", "0.2", "--epochs", "1", "-b", "16"],
    );
    std::fs::rename(path.join("records.bin"), path.join("moved.bin")).unwrap();
    let (page, told) = report(path);
    let words = "The pictures could not be classified: ";
    assert!(told.starts_with(&format!("warning: {words}")), "{told}");
    assert!(page.contains(words) && page.contains("--data says where it is now"));
    assert_eq!(pictures(part(&page, "Curves")).len(), 4);
    assert!(part(&page, "Worst examples").contains("No pictures were classified"));
    // Found again, they are classified.
    let moved = ["report", "run", "-o", "moved.html", "--data", "moved.bin"];
    let answer = convolve(path, &moved);
    assert_eq!(
        (answer.code, answer.err.as_str()),
        (0, "wrote moved.html\n")
    );

    // Weights of another run of the same network.
    let best = path.join("run/best.safetensors");
    let own = std::fs::read(&best).unwrap();
    let other = [
        "train",
        "--data",
        "moved.bin",
        "--model",
        "lenet5",
        "--lr",
        "0.02",
        "--epochs",
        "1",
        "--threads",
        "1",
        "--output",
        "other",
    ];
    assert_eq!(convolve(path, &other).code, 0);
    std::fs::copy(path.join("other/best.safetensors"), &best).unwrap();
    let words = "best.safetensors is not of epoch 1, the best of metrics.jsonl, which reached ";
    for verb in [
        &["report", "run", "-o", "x.html", "--data", "moved.bin"][..],
        &["eval", "run", "--data", "moved.bin"],
    ] {
        let answer = convolve(path, verb);
        assert!(
            answer.code == 0 && answer.err.contains(words),
            "{verb:?}: {}",
            answer.err
        );
        assert!(
            answer
                .err
                .contains("; it was replaced, or the run was killed"),
            "{}",
            answer.err
        );
    }
    std::fs::write(&best, own).unwrap();

    // A run of before, one that was killed in the middle of a line, and one without anything.
    std::fs::remove_file(path.join("run/history.safetensors")).unwrap();
    let metrics = path.join("run/metrics.jsonl");
    let mut text = std::fs::read_to_string(&metrics).unwrap();
    text.push_str("{\"epoch\":2,");
    std::fs::write(&metrics, &text).unwrap();
    let (page, told) = report(path);
    let torn = "warning: metrics.jsonl: its last line is half a line, as a run that was killed leaves it, and is left out.\n";
    assert!(told.starts_with(torn), "{told}");
    assert!(part(&page, "Filters of the first layer").contains("kept no history of its filters"));
    assert_eq!(pictures(part(&page, "Curves")).len(), 4);
    std::fs::write(&metrics, "nonsense\n").unwrap();
    std::fs::write(path.join("run/best.safetensors"), "nonsense").unwrap();
    let (page, told) = report(path);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.contains("metrics.jsonl: line 1: ") && told.contains("best.safetensors"),
        "{told}"
    );
    assert!(part(&page, "Curves").contains("No epoch is done yet"));
    assert!(part(&page, "Settings").contains("lenet5"));
}

#[test]
fn what_is_no_run_or_no_page_is_refused() {
    let folder = folder();
    let path = folder.path();
    let refused = |arguments: &[&str], words: &[&str]| fail(path, 2, arguments, words);
    refused(
        &["report", "none", "-o", "r.html"],
        &["none: no run here (no config.toml)"],
    );
    refused(
        &["report", "none", "-o", "r.pdf"],
        &["r.pdf: the name of a report ends in .html"],
    );
    refused(&["report", "none"], &["none: no run here (no config.toml)"]);
    fail(
        path,
        2,
        &["report", "none", "-o", "no/where/r.html"],
        &["no/where/r.html: "],
    );
}
