//! Tokens in the prose are problems.

use convolve::geometry::Problem;

use crate::pages::all;

#[test]
fn every_token_names_a_problem() {
    let mut parsed = 0;
    for page in all() {
        for line in page.prose() {
            // Every second piece stands between backquotes.
            for token in line.split('`').skip(1).step_by(2) {
                let named = token.split_once(':').is_some_and(|(kind, rest)| {
                    let window = kind.starts_with("conv") || kind.starts_with("pool");
                    window && rest.starts_with('n')
                });
                if named && !token.contains(['…', ' ']) {
                    if let Err(error) = token.parse::<Problem>() {
                        panic!("{}: {error}", page.path);
                    }
                    parsed += 1;
                }
            }
        }
    }
    assert!(parsed >= 20, "{parsed}");
}
