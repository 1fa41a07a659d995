//! The main job in small: train, stop, go on, measure, hand on, use.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::fixture::{bmp, cifar, folder, names, weights_with_class};
use crate::invoke::{Answer, command, convolve, fail, objects, succeed};

/// Enough epochs that the program is still at it when a signal comes after the first.
const EPOCHS: &str = "60";

fn arguments(output: &'static str) -> Vec<&'static str> {
    let data = [
        "train",
        "--data",
        "records.bin",
        "--val-fraction",
        "0.2",
        "--model",
        "lenet5",
    ];
    let how = [
        "--batch-size",
        "16",
        "--lr",
        "0.01",
        "--threads",
        "1",
        "--seed",
        "3",
    ];
    let end = ["--epochs", EPOCHS, "--output", output];
    [&data[..], &how, &end].concat()
}

/// Waits until the first epoch is told.
fn after_first_epoch(child: &mut Child) -> BufReader<std::process::ChildStderr> {
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch") {
        line.clear();
        assert_ne!(
            messages.read_line(&mut line).unwrap(),
            0,
            "it ended before the first epoch"
        );
    }
    messages
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = command(folder, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Every run without a folder of its own gets one, also when several begin at once.
#[test]
fn runs_that_begin_together_do_not_meet() {
    let folder = folder();
    cifar(folder.path(), 60);
    let data = ["train", "--data", "records.bin", "--model", "lenet5"];
    let how = [
        "--epochs",
        "1",
        "--batch-size",
        "16",
        "--lr",
        "0.01",
        "-j",
        "1",
    ];
    let runs: Vec<Child> = (0..4)
        .map(|_| start(folder.path(), &[&data[..], &how].concat()))
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
    let expected: Vec<_> = (1..=4)
        .map(|number| format!("lenet5-records-{number}"))
        .collect();
    assert_eq!(names(&folder.path().join("runs")), expected);
}

/// Ctrl-C leaves a checkpoint and says how to go on, a kill leaves the one before; either way the resumed run ends
/// as one that nobody disturbed, bit for bit.
#[cfg(unix)]
#[test]
fn a_stopped_run_goes_on_as_if_nothing_had_been() {
    let folder = folder();
    cifar(folder.path(), 60);
    let whole = convolve(folder.path(), &arguments("whole"));
    assert_eq!(whole.code, 0, "{}", whole.err);
    let epochs = whole
        .err
        .lines()
        .filter(|line| line.starts_with("epoch"))
        .count();
    assert_eq!(epochs.to_string(), EPOCHS);
    assert!(
        whole.err.contains("next: convolve eval whole"),
        "{}",
        whole.err
    );

    let mut child = start(folder.path(), &arguments("stopped"));
    let messages = after_first_epoch(&mut child);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let last = messages.lines().last().unwrap().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{last}");
    assert!(
        last.ends_with("go on with: convolve train --resume stopped"),
        "{last}"
    );

    let mut child = start(folder.path(), &arguments("killed"));
    let messages = after_first_epoch(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(messages);

    for run in ["stopped", "killed"] {
        let resumed = convolve(folder.path(), &["train", "--resume", run, "--threads", "2"]);
        assert_eq!(resumed.code, 0, "{}", resumed.err);
        for file in ["last.safetensors", "best.safetensors"] {
            let read = |run: &str| std::fs::read(folder.path().join(run).join(file)).unwrap();
            assert!(read(run) == read("whole"), "{run}/{file} differs");
        }
        let metrics = std::fs::read_to_string(folder.path().join(run).join("metrics.jsonl"));
        assert_eq!(objects(&metrics.unwrap()).len().to_string(), EPOCHS);
    }
    // Of 48 training pictures none are left over by batches of 16.
    assert!(!whole.err.contains("whole batches"), "{}", whole.err);
    let finished = convolve(folder.path(), &["train", "--resume", "whole"]);
    assert_eq!(finished.code, 0, "{}", finished.err);
    let words = format!(
        "finished: all of its {EPOCHS} epochs are done; a new run goes on from its weights: "
    );
    assert!(finished.err.contains(&words), "{}", finished.err);
    fail(
        folder.path(),
        2,
        &["train", "--resume", "whole", "--lr", "1"],
        &["--resume", "--lr"],
    );
    fail(
        folder.path(),
        2,
        &["-q", "train", "--data", "records.bin", "--output", "whole"],
        &["whole: holds a run already"],
    );
}

/// Trains for an epoch, into the folder `run`.
#[track_caller]
fn train_shortly(folder: &Path, data: &str, more: &[&str]) -> String {
    let arguments = [
        "train", "--data", data, "--model", "lenet5", "--epochs", "1", "--lr", "0.01",
    ];
    let output = ["--threads", "1", "--output", "run"];
    let trained = convolve(folder, &[&arguments[..], &output, more].concat());
    assert_eq!(trained.code, 0, "{}", trained.err);
    trained.err
}

#[test]
fn a_run_finds_its_data_from_any_folder() {
    let folder = folder();
    let path = folder.path();
    std::fs::create_dir(path.join("data")).unwrap();
    cifar(&path.join("data"), 60);
    train_shortly(path, "data/records.bin", &["--val-fraction", "0.2"]);
    let elsewhere = path.join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let held_out = |arguments: &[&str]| {
        let answer = convolve(
            &elsewhere,
            &[&["eval", "../run", "--json"], arguments].concat(),
        );
        assert_eq!(answer.code, 0, "{}", answer.err);
        (
            objects(&answer.out)[0]["pictures"].as_u64().unwrap(),
            answer.err,
        )
    };
    // A fifth of sixty, wherever the program is started and however the place is written.
    assert_eq!(held_out(&[]).0, 12);
    assert_eq!(held_out(&["--data", "../data/records.bin"]).0, 12);
    let resumed = convolve(&elsewhere, &["train", "--resume", "../run"]);
    assert_eq!(resumed.code, 0, "{}", resumed.err);

    // Other pictures may have been learned from; those held out of them were not.
    std::fs::copy(path.join("data/records.bin"), path.join("other.bin")).unwrap();
    let (pictures, told) = held_out(&["--data", "../other.bin"]);
    assert_eq!(pictures, 60);
    assert!(
        told.contains("pictures that the network was trained on may be among them"),
        "{told}"
    );
    let (pictures, told) = held_out(&["--data", "../other.bin", "--val-fraction", "0.2"]);
    assert_eq!(pictures, 12);
    assert!(!told.contains("among them"), "{told}");

    // Moved away, they are asked for, and found again by their name.
    std::fs::rename(path.join("data"), path.join("moved")).unwrap();
    let words = "the run was trained on it: --data says where it is now";
    fail(
        &elsewhere,
        2,
        &["eval", "../run"],
        &["data/records.bin: no such file or folder; ", words],
    );
    fail(&elsewhere, 2, &["train", "--resume", "../run"], &[words]);
    assert_eq!(held_out(&["--data", "../moved/records.bin"]).0, 12);
    assert_eq!(held_out(&["--data", "../other.bin"]).0, 60);

    // A run of before, whose settings hold a path that leads there from one folder alone.
    let settings = path.join("run/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("data = "))
        .unwrap();
    std::fs::write(
        &settings,
        text.replace(line, "data = \"moved/records.bin\""),
    )
    .unwrap();
    let old = objects(&succeed(path, &["eval", "run", "--json", "-q"]));
    assert_eq!(old[0]["pictures"], 12);
    assert_eq!(held_out(&["--data", "../moved/records.bin"]).0, 12);
}

#[test]
fn a_run_says_what_it_leaves_out_and_what_it_held_back() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    let how = ["--val-fraction", "0", "--batch-size", "16"];
    let told = train_shortly(path, "records.bin", &how);
    let words =
        "an epoch sees 48 of the training pictures, others each time: 3 whole batches of 16";
    assert!(told.contains(words) && !told.contains("hint"), "{told}");
    let measured = convolve(path, &["eval", "run"]);
    let words = "the network was trained on these pictures: none were held out";
    assert!(measured.err.contains(words), "{}", measured.err);
    assert!(measured.out.contains(", top-5 "), "{}", measured.out);
}

#[test]
fn the_first_five_of_few_classes_are_not_told() {
    let folder = folder();
    let path = folder.path();
    for (class, colour) in [("dark", [10; 3]), ("light", [200; 3])] {
        std::fs::create_dir_all(path.join("data").join(class)).unwrap();
        for index in 0..4 {
            bmp(&path.join(format!("data/{class}/{index}.bmp")), 32, colour);
        }
    }
    train_shortly(path, "data", &[]);
    let text = succeed(path, &["eval", "run"]);
    assert!(
        text.contains("accuracy ") && !text.contains("top-5"),
        "{text}"
    );
}

#[test]
fn a_trained_network_is_measured_handed_on_and_used() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    let mut training = arguments("unused");
    training.truncate(training.len() - 4);
    training.extend(["--epochs", "20", "-q"]);
    let trained = convolve(path, &training);
    assert_eq!((trained.code, trained.err.as_str()), (0, ""));
    assert!(trained.out.starts_with("best: "), "{}", trained.out);
    let run = "runs/lenet5-records-1";
    let mut files = names(&path.join(run));
    files.retain(|name| !name.starts_with("events.out.tfevents"));
    assert_eq!(
        files,
        [
            ".lock",
            "best.safetensors",
            "config.toml",
            "history.safetensors",
            "last.safetensors",
            "metrics.jsonl"
        ]
    );

    // Dark and bright are told apart by any network that learns. The run's own held-out fifth is measured.
    let own = &objects(&succeed(path, &["eval", run, "--json", "-q"]))[0];
    assert_eq!(
        (&own["pictures"], &own["accuracy"]),
        (&12.into(), &1.0.into())
    );
    let named = [
        "eval",
        run,
        "--data",
        "./records.bin",
        "--json",
        "-q",
        "--layout",
        "nchw",
    ];
    assert_eq!(objects(&succeed(path, &named))[0]["pictures"], 12);

    succeed(path, &["export", run, "half.safetensors", "--half"]);
    let all = [
        "eval",
        "half.safetensors",
        "--data",
        "records.bin",
        "--json",
        "-q",
    ];
    let all = &objects(&succeed(path, &all))[0];
    assert_eq!(
        (&all["pictures"], &all["accuracy"]),
        (&60.into(), &1.0.into())
    );
    fail(
        path,
        2,
        &["eval", "half.safetensors"],
        &["--data is needed"],
    );

    bmp(&path.join("dark.bmp"), 32, [40; 3]);
    bmp(&path.join("bright.bmp"), 64, [170; 3]);
    for network in [run, "half.safetensors"] {
        let arguments = [
            "predict",
            network,
            "dark.bmp",
            "bright.bmp",
            "--json",
            "--top",
            "1",
        ];
        let answers = objects(&succeed(path, &arguments));
        let labels: Vec<_> = answers
            .iter()
            .map(|answer| &answer["top"][0]["label"])
            .collect();
        assert_eq!(labels, ["airplane", "automobile"]);
    }
    let summary = &objects(&succeed(path, &["summary", run, "--json"]))[0];
    assert_eq!(summary["input"], serde_json::json!([3, 32, 32]));
    assert_eq!(summary["model"], "lenet5");
}

#[test]
fn only_classes_that_were_met_are_told() {
    let folder = folder();
    let path = folder.path();
    weights_with_class(&path.join("w.safetensors"), "cat");
    for class in ["cat", "ship"] {
        std::fs::create_dir_all(path.join("data").join(class)).unwrap();
        for index in 0..3 {
            bmp(
                &path.join(format!("data/{class}/{index}.bmp")),
                32,
                [90 * index; 3],
            );
        }
    }
    let eval = ["eval", "w.safetensors", "--data", "data"];
    let text = succeed(path, &eval);
    assert!(
        text.contains("\n8 classes more, without pictures\n"),
        "{text}"
    );
    assert!(!text.contains("airplane"), "{text}");

    let answer = &objects(&succeed(path, &[&eval[..], &["--json"]].concat()))[0];
    let classes = answer["classes"].as_array().unwrap();
    let confusion: Vec<Vec<u64>> = serde_json::from_value(answer["confusion"].clone()).unwrap();
    assert_eq!(classes.len(), confusion.len());
    for (row, class) in std::iter::zip(&confusion, classes) {
        let pictures = class["pictures"].as_u64().unwrap();
        assert_eq!(row.len(), classes.len());
        assert_eq!(row.iter().sum::<u64>(), pictures);
        let index = classes.iter().position(|other| other == class).unwrap();
        let answered: u64 = confusion.iter().map(|row| row[index]).sum();
        assert!(pictures + answered > 0, "{class}");
        assert_eq!(row[index], class["correct"].as_u64().unwrap());
    }
    let places = ["cat", "ship"].map(|label| {
        let class = classes.iter().find(|class| class["label"] == label);
        class.unwrap()["class"].as_u64().unwrap()
    });
    assert_eq!(places, [3, 8]);

    // What fails says nothing of what it was about to do.
    std::fs::rename(path.join("data/ship"), path.join("data/sheep")).unwrap();
    fail(path, 1, &eval, &["class `sheep` of the data set"]);
}

#[test]
fn what_is_frozen_and_was_never_trained_is_told() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    let train = "train --data records.bin --val-fraction 0.5 --model lenet5 --epochs 1 -b 19 --threads 1 \
                 -o run --freeze body";
    let train: Vec<&str> = train.split_whitespace().collect();
    let answer = convolve(path, &train);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let words = [
        "warning: what is frozen is random: it was never trained, and --weights names none",
        "others each time: 1 whole batch of 19\n",
        "hint: an epoch is a single step, as 20 training pictures fill one batch of 19; --batch-size 8 makes 2 steps",
    ];
    for words in words {
        assert!(answer.err.contains(words), "{words}: {}", answer.err);
    }
    let again = convolve(path, &["train", "--resume", "run"]);
    assert!(!again.err.contains("hint"), "{}", again.err);
    let words = "--weights run --epochs 1 --batch-size 19 --freeze body\n";
    assert!(again.err.contains(words), "{}", again.err);
}

/// Folders of two classes with some pictures each, all of one colour.
fn classes(folder: &Path, colours: [(&str, [u8; 3]); 2], count: usize) {
    for (class, colour) in colours {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for picture in 0..count {
            bmp(&folder.join(format!("{class}/{picture}.bmp")), 32, colour);
        }
    }
}

/// Trains on the folder `data`, and gives what was told.
fn told_of(path: &Path, more: &[&str]) -> String {
    let train = "train --data data --model lenet5 --lr 0.01 --no-augment --threads 1";
    let train: Vec<&str> = train.split(' ').chain(more.iter().copied()).collect();
    let answer = convolve(path, &train);
    assert_eq!(answer.code, 0, "{}", answer.err);
    answer.err
}

/// A failure that is told with all of these words.
#[track_caller]
fn fails_with(answer: &Answer, words: &[&str]) {
    assert_eq!(answer.code, 1, "{}", answer.err);
    for word in words {
        assert!(answer.err.contains(word), "no `{word}`: {}", answer.err);
    }
}

/// Pictures that are all the same say nothing of their class.
#[test]
fn a_training_that_comes_to_nothing_says_so_and_so_does_its_report() {
    let folder = folder();
    let path = folder.path();
    classes(
        &path.join("data"),
        [("dark", [90; 3]), ("light", [90; 3])],
        32,
    );
    let told = told_of(path, &["--epochs", "3", "-b", "8", "-o", "guessed"]);
    let words = "hint: epochs 1 to 3 did no better than guessing among 2 classes: training loss 0.";
    assert!(told.contains(words), "{told}");
    let causes = "a learning rate too high or too low (peak 0.01; try --lr 1e-3 or 0.1), \
                  too few steps (21; more --epochs or a smaller --batch-size make more), labels";
    assert!(told.contains(causes), "{told}");
    assert!(told.contains("(a guess: ln 2 = 0.6931)"), "{told}");
    let report = convolve(path, &["report", "guessed", "-o", "r.html"]);
    assert_eq!((report.code, report.err.as_str()), (0, "wrote r.html\n"));
    let page = || std::fs::read_to_string(path.join("r.html")).unwrap();
    assert!(page().contains("<p>Hint: epochs 1 to 3 did no better than guessing"));

    classes(
        &path.join("data"),
        [("dark", [20; 3]), ("light", [230; 3])],
        32,
    );
    let told = told_of(path, &["--epochs", "6", "-b", "8", "-o", "learned"]);
    assert!(!told.contains("hint"), "{told}");
    succeed(path, &["report", "learned", "-o", "r.html"]);
    assert!(!page().contains("Hint"));
}

#[test]
fn a_training_that_diverges_says_so_and_so_does_its_report() {
    let folder = folder();
    let path = folder.path();
    classes(
        &path.join("data"),
        [("dark", [20; 3]), ("light", [230; 3])],
        32,
    );
    let train = "train --data data --model lenet5 --epochs 2 -b 8 --threads 1 -o run --lr";
    let train = |rate| train.split(' ').chain([rate]).collect::<Vec<_>>();
    let words = ["step ", " of epoch 1: ", "; a lower learning rate may help"];
    fails_with(&convolve(path, &train("1e30")), &words);
    let report = convolve(path, &["report", "run", "-o", "r.html"]);
    assert_eq!(report.code, 0, "{}", report.err);
    let page = std::fs::read_to_string(path.join("r.html")).unwrap();
    let words = "<p>Hint: the training diverged at step ";
    let advice = "a lower learning rate may help (peak 1e30; try --lr 1e29).</p>";
    assert!(page.contains(words) && page.contains(advice), "{page}");
}

#[test]
fn pictures_too_few_to_hold_out_are_told() {
    let folder = folder();
    let path = folder.path();
    classes(
        &path.join("data"),
        [("dark", [20; 3]), ("light", [230; 3])],
        1,
    );
    let words = "hint: no pictures are held out, as no class has two";
    let told = told_of(path, &["--epochs", "1", "-b", "2", "-o", "one"]);
    assert_eq!(told.matches(words).count(), 1, "{told}");
    // Whoever wants none held out need not be told.
    let none = [
        "--epochs",
        "1",
        "-b",
        "2",
        "--val-fraction",
        "0",
        "-o",
        "none",
    ];
    let told = told_of(path, &none);
    assert!(!told.contains(words), "{told}");
    classes(
        &path.join("data"),
        [("dark", [20; 3]), ("light", [230; 3])],
        2,
    );
    let told = told_of(path, &["--epochs", "1", "-b", "2", "-o", "two"]);
    assert!(
        told.contains(" 2 held out") && !told.contains(words),
        "{told}"
    );
}

/// A run that goes on from another's weights holds out what that one did, and says so where it is told otherwise.
#[test]
fn pictures_that_were_held_out_stay_held_out() {
    let folder = folder();
    let path = folder.path();
    cifar(path, 40);
    let train = |more: &str| {
        let all =
            format!("train --data records.bin --model lenet5 --epochs 1 -b 8 --threads 1 {more}");
        let answer = convolve(path, &all.split(' ').collect::<Vec<_>>());
        assert_eq!(answer.code, 0, "{}", answer.err);
        answer.err
    };
    let split = |run: &str| {
        let settings = std::fs::read_to_string(path.join(run).join("config.toml")).unwrap();
        let of = |name: &str| {
            let line = settings.lines().find(|line| line.starts_with(name));
            line.unwrap().to_owned()
        };
        [of("val_fraction"), of("seed")]
    };
    train("--val-fraction 0.25 --seed 5 -o first");
    let told = train("--weights first -o second");
    assert!(!told.contains("warning"), "{told}");
    assert_eq!(split("second"), ["val_fraction = 0.25", "seed = 5"]);
    let told = train("--weights first --seed 6 -o third");
    let words = "first has learned from pictures that are held out now";
    let own = "(--val-fraction 0.25 --seed 5)";
    assert!(told.contains(words) && told.contains(own), "{told}");
}
