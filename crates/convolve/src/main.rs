//! The program `convolve`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
