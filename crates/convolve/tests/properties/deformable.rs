//! Deformable convolutions.

use crate::draws::deformable;
use crate::hold::{Property, is_deformable};

/// The output and the gradients of input, offsets, mask and weights equal the oracle to the bit.
#[test]
fn every_way_equals_the_oracle() {
    let property = Property {
        cases: 256,
        about: is_deformable,
        draws: deformable(20_000),
    };
    property.hold(&every_way_equals_the_oracle, |subject| {
        subject.question().ask()
    });
}
