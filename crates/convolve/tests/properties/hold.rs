//! A property over drawn problems. One that fails is shrunk, and named in the notation together with the
//! command that repeats it.

use std::any::type_name_of_val;
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use convolve::geometry::Problem;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::ways::{Case, Subject};

/// Names one problem, which a property is then asked about instead of drawing any.
const PROBLEM: &str = "CONVOLVE_PROBLEM";

/// What a property is about.
pub(crate) trait Drawn: Clone + Debug {
    /// It in the notation.
    fn notation(&self) -> String;
    /// The other way round.
    fn read(text: &str) -> Result<Self, String>;
}

impl Drawn for Subject {
    fn notation(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::read(text)
    }
}

impl Drawn for Problem {
    fn notation(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| format!("{error}"))
    }
}

/// A text that may be a problem.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) String);

impl Drawn for Text {
    fn notation(&self) -> String {
        self.0.clone()
    }

    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

/// A property: the problems it is about, how they are drawn, and what holds for each of them.
pub(crate) struct Property<T, S> {
    /// How many problems are drawn, where the environment does not say (`PROPTEST_CASES`).
    pub(crate) cases: u32,
    /// Whether it is about a problem at all.
    pub(crate) about: fn(&T) -> bool,
    pub(crate) draws: S,
}

impl<T: Drawn, S: Strategy<Value = T>> Property<T, S> {
    /// Draws problems, the same ones every time, and holds `law` against each; it gives the number of
    /// comparisons it made. `test` is the test that calls.
    #[track_caller]
    #[allow(clippy::print_stdout)] // how much was compared
    pub(crate) fn hold<Test>(self, test: &Test, law: impl Fn(&T) -> Result<usize, String>) {
        // The path of the test: properties::conv::every_way…
        let path = type_name_of_val(test);
        let name = path.split_once("::").map_or(path, |(_, name)| name);
        if let Ok(text) = std::env::var(PROBLEM) {
            let problem = T::read(&text).unwrap_or_else(|error| panic!("{PROBLEM}: {error}"));
            if !(self.about)(&problem) {
                println!("{name} is not about {text}");
                return;
            }
            match law(&problem) {
                Ok(count) => println!("{name} holds for {text}: {count} comparisons"),
                Err(why) => panic!("{}", complaint(name, &text, &why)),
            }
            return;
        }
        let given = |variable| std::env::var_os(variable).is_some();
        let mut config = Config {
            failure_persistence: None,
            max_shrink_iters: 4096,
            ..Config::default()
        };
        if !given("PROPTEST_CASES") {
            config.cases = self.cases;
        }
        if !given("PROPTEST_RNG_SEED") {
            config.rng_seed = RngSeed::Fixed(1603_07285);
        }
        let (cases, count) = (config.cases, Cell::new(0));
        let quiet = Quiet::new();
        let outcome = TestRunner::new(config).run(&self.draws, |problem| {
            // Proptest would catch a panic too, but not tell where it was.
            let made = catch_unwind(AssertUnwindSafe(|| law(&problem)));
            let made = made.unwrap_or_else(|_| Err(LAST_PANIC.take()));
            let made = made.map_err(TestCaseError::fail)?;
            count.set(count.get() + made);
            Ok(())
        });
        drop(quiet);
        match outcome {
            Ok(()) => println!("{name}: {cases} problems, {} comparisons", count.get()),
            Err(TestError::Fail(why, problem)) => {
                panic!("{}", complaint(name, &problem.notation(), why.message()))
            }
            Err(TestError::Abort(why)) => panic!("{name}: too few problems: {why}"),
        }
    }
}

thread_local! {
    /// Whether panics of this thread are caught and told in another way.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The last one of those.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Holds back the messages of panics on this thread: a problem that makes a kernel panic is shrunk by making
/// it panic many times over.
struct Quiet;

impl Quiet {
    fn new() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let loud = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if QUIET.get() {
                    LAST_PANIC.replace(info.to_string());
                } else {
                    loud(info);
                }
            }));
        });
        QUIET.set(true);
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(false);
    }
}

fn complaint(name: &str, problem: &str, why: &str) -> String {
    format!(
        "{name} does not hold\n  problem: {problem}\n  because: {why}\n  repeat:  {PROBLEM}='{problem}' cargo \
         test -p convolve --test properties {name} -- --exact --nocapture\n"
    )
}

pub(crate) fn is_conv(subject: &Subject) -> bool {
    matches!(subject.case, Case::Conv(_))
}

pub(crate) fn is_transposed(subject: &Subject) -> bool {
    matches!(subject.case, Case::Transposed(_))
}

pub(crate) fn is_deformable(subject: &Subject) -> bool {
    matches!(subject.case, Case::Deformable(..))
}

pub(crate) fn is_pool(subject: &Subject) -> bool {
    matches!(subject.case, Case::Pool(..))
}
