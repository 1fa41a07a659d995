//! Bugs that escaped in other engines, each as a test by its report: nearly all of them passed tests whose
//! parameters were square and equal, or that looked at shapes only.

mod convolution;
mod deformable;
mod large;
mod normalisation;
mod plans;
mod pooling;
mod refusals;
mod sampling;
mod transposed;
#[path = "../ways/mod.rs"]
mod ways;

use ways::listing::{Source, tests};

const SOURCES: &[Source] = &[
    ("convolution", include_str!("convolution.rs")),
    ("deformable", include_str!("deformable.rs")),
    ("large", include_str!("large.rs")),
    ("normalisation", include_str!("normalisation.rs")),
    ("pooling", include_str!("pooling.rs")),
    ("refusals", include_str!("refusals.rs")),
    ("sampling", include_str!("sampling.rs")),
    ("transposed", include_str!("transposed.rs")),
];

/// Reports of one bug each, and the tests that would have found it.
const BUGS: &[(&[&str], &[&str])] = &[
    (
        &["pytorch#19912"],
        &["convolution::grouped_pointwise_is_not_all_zeros"],
    ),
    (
        &["pytorch#21597"],
        &["convolution::fewer_channels_than_a_vector_holds"],
    ),
    (
        &["modular#6129"],
        &["convolution::sixteen_groups_of_forty_eight_channels"],
    ),
    (
        &["pytorch#50042"],
        &["convolution::depthwise_weight_gradient_of_24_channels"],
    ),
    (
        &["pytorch#84488", "mlx#3248"],
        &[
            "large::convolutions_beyond_32_bits",
            "large::pools_beyond_32_bits",
            "large::plans_beyond_32_bits_do_not_wrap",
        ],
    ),
    (
        &["candle#3735", "candle#3853"],
        &["convolution::a_kernel_that_is_a_transposed_view"],
    ),
    (
        &["pytorch#82060"],
        &["convolution::a_channels_last_weight_of_one_channel"],
    ),
    (
        &["pytorch PR#60460"],
        &["convolution::depthwise_with_a_multiplier"],
    ),
    (
        &["burn PR#4806"],
        &["convolution::elements_in_no_window_have_a_gradient"],
    ),
    (
        &["burn PR#1891"],
        &["convolution::depthwise_weight_gradient_of_4_channels"],
    ),
    (
        &["burn#5791"],
        &["pooling::no_window_lies_wholly_in_the_padding"],
    ),
    (
        &["burn#5604", "burn#5450"],
        &[
            "pooling::gradients_of_averages_have_the_divisor_of_their_window",
            "pooling::divisors_of_asymmetric_padding",
        ],
    ),
    (
        &["candle PR#2337", "candle#1212", "candle#633"],
        &[
            "transposed::gradients_with_stride_2",
            "convolution::gradients_of_a_stem",
            "convolution::patches_of_sixteen",
        ],
    ),
    (
        &["candle#3404"],
        &["convolution::as_many_channels_as_rows_and_columns"],
    ),
    (&["tract#2847"], &["pooling::dilation_is_not_ignored"]),
    (&["ORT#4086"], &["transposed::same_keeps_two_by_two"]),
    (
        &["ORT#9370", "ORT#11927", "ORT#14208"],
        &[
            "transposed::the_odd_row_of_same_padding_is_on_its_side",
            "transposed::same_with_output_padding_doubles",
            "transposed::output_padding_with_stride_one",
        ],
    ),
    (
        &["rten PR#1398", "rten PR#1399", "rten PR#1378"],
        &[
            "transposed::padding_never_writes_beyond_the_output",
            "transposed::same_of_an_unequal_kernel",
            "transposed::another_number_of_channels_is_an_error",
        ],
    ),
    (
        &["tinygrad PR#17805"],
        &["convolution::same_padding_of_an_unequal_dilated_kernel"],
    ),
    (
        &["pytorch#37844"],
        &["convolution::circular_padding_of_columns_only"],
    ),
    (
        &["pytorch PR#9640"],
        &["refusals::a_negative_size_is_an_error"],
    ),
    (
        &["onnx#4958"],
        &["pooling::ceil_mode_makes_no_empty_window"],
    ),
    (
        &["onnx#7721"],
        &[
            "convolution::padding_of_rows_only",
            "pooling::padding_of_rows_only",
        ],
    ),
    (
        &["ORT#26669"],
        &["convolution::other_channels_between_two_runs"],
    ),
    (
        &["vision#2817", "vision#2598"],
        &[
            "deformable::batches_of_33_and_64",
            "deformable::a_long_map_twice",
        ],
    ),
    (
        &["ncnn PR#1891", "ACL PR#395"],
        &[
            "convolution::remainders_of_tiles",
            "convolution::a_padding_of_a_hundred",
        ],
    ),
    (
        &["pytorch#85111", "TF#42208"],
        &[
            "refusals::no_groups_is_an_error",
            "refusals::an_empty_batch_gives_an_empty_result",
            "refusals::a_zero_size_filter_is_an_error",
        ],
    ),
    (
        &["pytorch#183523"],
        &["sampling::resized_to_a_single_pixel"],
    ),
    (
        &["ORT#29790", "onnxscript PR#1289"],
        &[
            "normalisation::the_output_in_training_does_not_depend_on_the_momentum",
            "normalisation::momentum_is_the_part_of_the_batch",
        ],
    ),
    (
        &["convolve, ceil mode"],
        &["pooling::ceil_mode_has_one_window_of_a_kernel_larger_than_the_map"],
    ),
];

#[test]
#[allow(clippy::print_stdout)] // the count is what the list is about
fn every_report_has_its_test_and_every_test_its_report() {
    let mut tests = tests(SOURCES);
    let count = tests.len();
    for (reports, names) in BUGS {
        let docs: Vec<String> = names
            .iter()
            .map(|name| {
                tests
                    .remove(*name)
                    .unwrap_or_else(|| panic!("no test {name}, or twice"))
            })
            .collect();
        for report in *reports {
            let told = docs.iter().any(|doc| doc.contains(report));
            assert!(told, "none of {names:?} tells of {report}");
        }
    }
    assert!(tests.is_empty(), "tests of no bug: {:?}", tests.keys());
    println!("known bugs: {} rows, {count} tests", BUGS.len());
}
