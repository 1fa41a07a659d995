//! The exact meaning of the operators: published answers, and the fifteen relationships of convolution
//! arithmetic.

mod accuracy;
mod cost;
mod deformable;
mod map;
mod normalisation;
mod relationships;
mod sizes;
mod transposed;
#[path = "../ways/mod.rs"]
mod ways;

use ways::listing::{Source, tests};

/// The files here, and those of other rooms in which an answer is tested already.
const SOURCES: &[Source] = &[
    ("accuracy", include_str!("accuracy.rs")),
    ("cost", include_str!("cost.rs")),
    ("deformable", include_str!("deformable.rs")),
    ("normalisation", include_str!("normalisation.rs")),
    ("relationships", include_str!("relationships.rs")),
    ("sizes", include_str!("sizes.rs")),
    ("transposed", include_str!("transposed.rs")),
];
const ELSEWHERE: &[Source] = &[
    (
        "geometry/sizes",
        include_str!("../../../geometry/tests/sizes.rs"),
    ),
    (
        "geometry/transposed",
        include_str!("../../../geometry/tests/transposed.rs"),
    ),
    (
        "geometry/arithmetic",
        include_str!("../../../geometry/tests/arithmetic.rs"),
    ),
    (
        "geometry/deformable",
        include_str!("../../../geometry/tests/deformable.rs"),
    ),
    (
        "kernels/transposed",
        include_str!("../../../kernels/tests/conv/transposed.rs"),
    ),
    (
        "kernels/directions",
        include_str!("../../../kernels/tests/conv/directions.rs"),
    ),
    (
        "zoo/reference",
        include_str!("../../../zoo/tests/reference.rs"),
    ),
    (
        "testkit/adjoint",
        include_str!("../../../testkit/tests/oracle/adjoint.rs"),
    ),
    (
        "runtime/deformable",
        include_str!("../../../runtime/tests/operators/deformable.rs"),
    ),
    (
        "known_bugs/refusals",
        include_str!("../known_bugs/refusals.rs"),
    ),
    (
        "known_bugs/transposed",
        include_str!("../known_bugs/transposed.rs"),
    ),
    (
        "known_bugs/deformable",
        include_str!("../known_bugs/deformable.rs"),
    ),
    (
        "known_bugs/normalisation",
        include_str!("../known_bugs/normalisation.rs"),
    ),
    (
        "properties/adjoint",
        include_str!("../properties/adjoint.rs"),
    ),
    ("properties/conv", include_str!("../properties/conv.rs")),
];

/// What is laid down, and the tests of it.
const ANSWERS: &[(&str, &[&str])] = &[
    (
        "output sizes, and errors where they are negative",
        &[
            "geometry/sizes::published_networks_have_their_published_sizes",
            "geometry/sizes::meaningless_combinations_say_their_numbers",
        ],
    ),
    (
        "SAME, and which side the odd element is on",
        &[
            "geometry/sizes::same_padding_divides_by_the_stride_and_rounds_up",
            "known_bugs/transposed::the_odd_row_of_same_padding_is_on_its_side",
        ],
    ),
    (
        "what the padding holds",
        &["sizes::what_same_padding_holds"],
    ),
    (
        "valid, half and full padding",
        &["sizes::names_of_paddings"],
    ),
    ("ceil mode", &["sizes::ceil_mode"]),
    (
        "divisors of averages",
        &[
            "sizes::pytorch_average",
            "geometry/sizes::average_divisors_follow_pytorch",
        ],
    ),
    ("Keras' answers", &["sizes::keras_answers"]),
    (
        "an empty batch",
        &["known_bugs/refusals::an_empty_batch_gives_an_empty_result"],
    ),
    (
        "transposed sizes, output padding, weights",
        &[
            "geometry/transposed::explicit_padding_follows_the_formula",
            "geometry/transposed::output_padding_must_stay_below_stride_or_dilation",
            "transposed::output_padding_is_at_the_far_side",
            "transposed::layout_of_the_weight",
        ],
    ),
    (
        "a transposed convolution as a direct one",
        &["kernels/transposed::it_equals_the_direct_convolution_over_the_stretched_input"],
    ),
    (
        "ONNX output_shape",
        &[
            "geometry/transposed::an_output_shape_decides_the_padding",
            "transposed::onnx_output_shape",
            "transposed::onnx_output_shape_smaller",
        ],
    ),
    (
        "Keras' transposed sizes",
        &[
            "geometry/transposed::keras_leaves_no_row_out",
            "transposed::keras_valid",
            "transposed::keras_same",
        ],
    ),
    (
        "costs",
        &[
            "cost::transposed_convolutions_count_at_their_input",
            "cost::the_ratio_of_a_separable_convolution",
            "zoo/reference::costs_are_those_of_the_papers",
        ],
    ),
    (
        "deformable convolution",
        &[
            "deformable::order_of_the_offsets",
            "deformable::samples_at_and_beyond_the_border",
            "deformable::the_mask_is_used_as_given",
            "geometry/deformable::offsets_have_two_numbers_and_masks_one_for_each_sample",
            "known_bugs/deformable::batches_of_33_and_64",
        ],
    ),
    (
        "batch norm and its momentum",
        &[
            "normalisation::variance_is_biased_in_the_batch_and_unbiased_in_the_running_value",
            "known_bugs/normalisation::momentum_is_the_part_of_the_batch",
        ],
    ),
    (
        "integers are exact",
        &[
            "accuracy::the_largest_exact_sum",
            "properties/conv::every_way_equals_the_oracle",
        ],
    ),
    (
        "the adjoint identity",
        &[
            "testkit/adjoint::drawn_convolutions",
            "properties/adjoint::of_convolutions",
        ],
    ),
    (
        "bounds of reals",
        &[
            "accuracy::reals_stay_within_their_bound",
            "kernels/directions::reals_stay_within_the_bound_of_a_direct_sum",
        ],
    ),
    (
        "gradients are differences",
        &["runtime/deformable::double_precision_gradients_are_differences"],
    ),
];

#[test]
#[allow(clippy::print_stdout)] // the count is what the list is about
fn every_answer_has_its_tests() {
    let (here, elsewhere) = (tests(SOURCES), tests(ELSEWHERE));
    let mut listed = 0;
    let mut named: Vec<&str> = Vec::new();
    for (answer, names) in ANSWERS {
        for name in *names {
            let there = here.contains_key(*name) || elsewhere.contains_key(*name);
            assert!(there, "{answer}: there is no test {name}");
            named.push(name);
            listed += 1;
        }
    }
    // Sizes of the relationships are tested on the geometry alone, what is computed here.
    for number in 1..=15 {
        let sizes = format!("geometry/arithmetic::relationship_{number}_");
        assert!(
            elsewhere.keys().any(|name| name.starts_with(&sizes)),
            "{sizes}"
        );
        let values = format!("relationships::relationship_{number}");
        let doc = here
            .get(&values)
            .unwrap_or_else(|| panic!("no test {values}"));
        assert!(
            doc.contains(&format!("Relationship {number},")),
            "{values}: {doc}"
        );
    }
    let relationships = here
        .keys()
        .filter(|name| name.starts_with("relationships::"));
    assert_eq!(relationships.count(), 15);
    for name in here
        .keys()
        .filter(|name| !name.starts_with("relationships::"))
    {
        assert!(named.contains(&name.as_str()), "{name} stands in no row");
    }
    println!(
        "semantics: {} answers by {listed} tests, 15 relationships",
        ANSWERS.len()
    );
}
