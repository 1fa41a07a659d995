//! The terminal after a panic: as it was, with the message on it.

use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use testkit::terminal::Terminal;

use super::Dashboard;
use super::screen::{Screen, Surface};
use super::state::State;

/// Says to a test that it is the one on the terminal, and where it is to panic.
const WHERE: &str = "CONVOLVE_PANICS_WHILE";
const MESSAGE: &str = "out of the blue";

const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";
const HIDE: &str = "\x1b[?25l";
const SHOW: &str = "\x1b[?25h";

/// What runs on the terminal.
fn panic_while(doing: &str) {
    static STOP: AtomicBool = AtomicBool::new(false);
    let mut screen = Screen::open().unwrap();
    if doing == "drawing" {
        screen.draw(|_| panic!("{MESSAGE}"));
    }
    let state = State::new("lenet5 on shapes".to_owned(), 4, 200, 32);
    let _dashboard = Dashboard::on(screen, state, &STOP).unwrap();
    // Some pictures are drawn, and one may be half done.
    std::thread::sleep(super::PAUSE.mul_f64(2.5));
    panic!("{MESSAGE}");
}

#[test]
fn a_panic_gives_the_terminal_back() {
    if let Ok(doing) = std::env::var(WHERE) {
        return panic_while(&doing);
    }
    for doing in ["training", "drawing"] {
        let terminal = Terminal::open(80, 24).unwrap();
        let before = terminal.modes().unwrap();
        // This test again, alone.
        let name = "train::dashboard::given_back::a_panic_gives_the_terminal_back";
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
        program.env(WHERE, doing).env("TERM", "xterm-256color");
        program
            .stdin(terminal.line().unwrap())
            .stdout(Stdio::null());
        program.stderr(terminal.line().unwrap());
        let mut child = program.spawn().unwrap();
        let taken = terminal.wait_for(ENTER, 0);
        assert!(!terminal.wait(&mut child).success(), "{doing}");
        let told = terminal.wait_for(MESSAGE, taken);
        let all = terminal.written();
        let last = all.rfind(HIDE);
        let order = [last, all.find(LEAVE), all.find(SHOW), all.find(MESSAGE)];
        assert!(order.is_sorted() && last.is_some(), "{doing}: {all:?}");
        // Nothing is drawn on what is a terminal again; its cursor may be shown once more.
        let rest = all[told..].replace(SHOW, "");
        assert!(!rest.contains("\x1b["), "{doing}: {rest:?}");
        assert_eq!(terminal.modes().unwrap(), before, "{doing}");
    }
}
