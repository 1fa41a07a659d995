//! The program `convolve`.

fn main() -> std::process::ExitCode {
    program::run()
}
