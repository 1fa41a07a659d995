//! What the names of the cases mean here.

mod convolutions;
mod functions;
mod norms;
mod pooling;
mod rearrange;
mod sampling;

use graph::Op;

use crate::cases::Case;

/// The operator of a case.
pub(crate) fn operator(case: &Case) -> Op {
    [
        convolutions::operator,
        functions::operator,
        norms::operator,
        pooling::operator,
        rearrange::operator,
        sampling::operator,
    ]
    .iter()
    .find_map(|operator| operator(case))
    .unwrap_or_else(|| panic!("{}: no such operator", case.name))
}
