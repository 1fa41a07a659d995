//! `train --dashboard` on a terminal: its keys, and the terminal afterwards.

use crate::fixture::{folder, names};
use crate::invoke::fail;

/// Without a terminal there is no dashboard, and nothing has been begun.
#[test]
fn a_dashboard_needs_a_terminal() {
    let folder = folder();
    let path = folder.path();
    fail(
        path,
        2,
        &["train", "--dashboard"],
        &["--dashboard: ", "must be a terminal"],
    );
    assert!(names(path).is_empty());
}

#[cfg(unix)]
#[test]
fn a_training_is_paused_stopped_and_gone_on_with() {
    use crate::fixture::cifar;
    use crate::invoke::command;
    use testkit::terminal::Terminal;

    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    let mut terminal = Terminal::open(100, 30).unwrap();
    let before = terminal.modes().unwrap();
    let began = [
        "train",
        "--data",
        "records.bin",
        "--model",
        "lenet5",
        "-b",
        "16",
    ];
    // Longer than anybody waits.
    let long = ["--epochs", "100000", "--threads", "1", "--output", "run"];
    let resumed = ["train", "--resume", "run"];
    let mut seen = 0;
    for (arguments, last) in [
        ([&began[..], &long].concat(), "q"),
        (resumed.to_vec(), "\x1b"),
    ] {
        let mut program = command(path, &[&arguments[..], &["--dashboard"]].concat());
        program.env("TERM", "xterm-256color");
        program.stdin(terminal.line().unwrap());
        program.stderr(terminal.line().unwrap());
        let mut child = program.spawn().unwrap();
        // The terminal is a screen now.
        let taken = terminal.wait_for("\x1b[?1049h", seen);
        seen = terminal.wait_for("pause or go on", taken);
        assert_ne!(terminal.modes().unwrap(), before);
        for (key, answer) in [("p", "PAUSED"), ("p", "training"), (" ", "PAUSED")] {
            terminal.press(key).unwrap();
            seen = terminal.wait_for(answer, seen);
        }
        terminal.press(last).unwrap();
        let status = terminal.wait(&mut child);
        assert_eq!(status.code(), Some(130), "{}", terminal.written());
        // The lines behind the screen say how to go on.
        let left = terminal.wait_for("\x1b[?1049l", seen);
        seen = terminal.wait_for("go on with: convolve train --resume run", left);
        assert_eq!(terminal.modes().unwrap(), before);
    }
    assert!(path.join("run/config.toml").exists());
}

/// A terminal that is gone gives nothing to read, for ever: the dashboard must not wait for its keys.
#[cfg(unix)]
#[test]
fn a_training_ends_without_its_terminal() {
    use std::time::{Duration, Instant};

    use crate::fixture::cifar;
    use crate::invoke::command;
    use testkit::terminal::Terminal;

    let folder = folder();
    let path = folder.path();
    cifar(path, 60);
    let terminal = Terminal::open(80, 24).unwrap();
    let arguments = [
        &["train", "--data", "records.bin", "--model", "lenet5"][..],
        &[
            "-b",
            "16",
            "--epochs",
            "200",
            "--threads",
            "1",
            "--output",
            "run",
            "--dashboard",
        ],
    ];
    let mut program = command(path, &arguments.concat());
    program.env("TERM", "xterm-256color");
    program.stdin(terminal.line().unwrap());
    program.stderr(terminal.line().unwrap());
    let mut child = program.spawn().unwrap();
    // The child alone has its ends now.
    drop(program);
    terminal.wait_for("pause or go on", 0);
    terminal.hang_up();
    let patience = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > patience {
            child.kill().unwrap();
            panic!("the training does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(path.join("run/best.safetensors").exists());
}
