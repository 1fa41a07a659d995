//! The library's examples in the README and in the pages of `docs/`: compiled and run with the others.
//!
//! `tests/documents.rs` sees to it that no page with an example is missing here.

/// A page, by its path from the root of the repository.
macro_rules! pages {
    ($($name:ident $path:literal)*) => {
        $(
            #[doc = include_str!(concat!("../../../", $path))]
            struct $name;
        )*
    };
}

pages! {
    Readme "README.md"
    ReadmeChinese "README.zh-CN.md"
    Convolution "docs/basics/convolution.md"
    ReceptiveField "docs/basics/receptive_field.md"
    Pooling "docs/basics/pooling.md"
    Explain "docs/seeing/explain.md"
    WatchingATraining "docs/seeing/training.md"
    Doctor "docs/seeing/doctor.md"
    Cost "docs/kinds/cost.md"
    Layouts "docs/kinds/layouts.md"
    TwoWays "docs/kinds/two_ways.md"
    Standard "docs/kinds/standard.md"
    Transposed "docs/kinds/transposed.md"
    Dilated "docs/kinds/dilated.md"
    Deformable "docs/kinds/deformable.md"
    Pointwise "docs/kinds/pointwise.md"
    Depthwise "docs/kinds/depthwise.md"
    Factorised "docs/kinds/factorised.md"
    Grouped "docs/kinds/grouped.md"
    Shuffled "docs/kinds/shuffled.md"
    Bottleneck "docs/blocks/bottleneck.md"
    Separable "docs/blocks/separable.md"
    Inception "docs/blocks/inception.md"
    Residual "docs/blocks/residual.md"
    InvertedResidual "docs/blocks/inverted_residual.md"
    Dense "docs/blocks/dense.md"
    SeparableConvolution2d "docs/blocks/separable_convolution2d.md"
    Zoo "docs/zoo/README.md"
    SqueezeExcite "docs/zoo/squeeze_excite.md"
}
