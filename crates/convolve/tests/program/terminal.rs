//! What is shown on a terminal while something takes long, and that nothing of it is written elsewhere.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Stdio;

use crate::fixture::{folder, textured};
use crate::invoke::{command, convolve};

/// Both ends of a new terminal: what reads what is shown on it, and what is written to.
fn terminal() -> (File, OwnedFd) {
    let (mut reader, mut writer) = (-1, -1);
    let size = libc::winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: Both numbers and the size outlive the call, and neither a name nor settings are asked for.
    let made = unsafe {
        libc::openpty(
            &mut reader,
            &mut writer,
            std::ptr::null_mut(),
            std::ptr::null(),
            &size,
        )
    };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: The call made them, and nobody else has them.
    unsafe { (File::from_raw_fd(reader), OwnedFd::from_raw_fd(writer)) }
}

/// What a run shows on a terminal where its messages go.
fn shown(folder: &std::path::Path, arguments: &[&str]) -> String {
    let (mut reader, writer) = terminal();
    let mut program = command(folder, arguments);
    program
        .env("TERM", "xterm")
        .stdout(Stdio::null())
        .stderr(writer);
    let mut running = program.spawn().unwrap();
    // The program alone holds the other end now: it is at its end when that closes.
    drop(program);
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = reader.read(&mut part) {
        bytes.extend(&part[..read]);
    }
    assert!(running.wait().unwrap().success());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn every_step_of_an_explanation_is_named_while_it_is_made() {
    let folder = folder();
    let path = folder.path();
    textured(&path.join("a.bmp"), 40);
    std::fs::create_dir(path.join("photos")).unwrap();
    textured(&path.join("photos/b.bmp"), 40);
    let arguments = [
        "explain",
        "a.bmp",
        "--methods",
        "all",
        "--data",
        "photos",
        "-o",
        "x.svg",
    ];
    let text = shown(path, &arguments);
    for step in [
        "grad-cam [",
        "occlusion [",
        "saliency [",
        "guided [",
        "deconvnet [",
        "deletion by saliency [",
        "saliency with shuffled weights [",
        "filters [",
        "maps [",
        "statistics [",
        "field [",
        "patches [",
        "board [",
    ] {
        assert!(text.contains(step), "no '{step}' in {text:?}");
    }
    // The bar leaves a line without anything, on which stands where the board is.
    let bars = text.strip_suffix("wrote x.svg\r\n").expect("where it went");
    assert!(
        bars.ends_with("\u{1b}[2K") || bars.ends_with('\r'),
        "{text:?}"
    );

    let elsewhere = convolve(path, &arguments);
    assert_eq!(
        (elsewhere.code, elsewhere.err.as_str()),
        (0, "wrote x.svg\n")
    );
    let quiet = shown(path, &[&arguments[..], &["-q"]].concat());
    assert_eq!(quiet, "");
}
