//! `convolve help`: what `--help` says, for those who ask the other way round.

use clap::Args;

/// What `help` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A verb; all of them by default
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

impl Arguments {
    /// The command line that is answered with the same help.
    pub(crate) fn command_line(self) -> impl Iterator<Item = String> {
        let words = [
            Some("convolve".to_owned()),
            self.verb,
            Some("--help".to_owned()),
        ];
        words.into_iter().flatten()
    }
}
