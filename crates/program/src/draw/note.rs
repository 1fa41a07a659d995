//! The figures of a well-known study note on convolution, each drawn by the program: the page `docs/figures.md` shows them in
//! the note's order.

use super::As;

/// A figure: what the note calls it, and what `draw` is told.
pub(super) struct Figure {
    /// The name of the note's picture.
    pub(super) name: &'static str,
    pub(super) subjects: &'static [&'static str],
    pub(super) kind: Option<As>,
}

const fn figure(name: &'static str, subjects: &'static [&'static str]) -> Figure {
    Figure {
        name,
        subjects,
        kind: None,
    }
}

const fn shown(name: &'static str, subjects: &'static [&'static str], kind: As) -> Figure {
    Figure {
        name,
        subjects,
        kind: Some(kind),
    }
}

/// All of them, in the note's order.
pub(super) const FIGURES: [Figure; 32] = [
    figure("Basic_conv", &["conv:n1c1h5w5:o1k3"]),
    figure("Basic_convs", &["conv:n1c3h5w5:o2k3s2p1"]),
    shown(
        "Basic_FeatureMap_RF",
        &["conv:n1c1h5w5:o1k3s2p1", "conv:n1c1h3w3:o1k3s2p1"],
        As::Field,
    ),
    figure("Basic_MaxPooling", &["pool-max:n1c1h4w4:k2s2"]),
    shown(
        "Model_conv_calucation",
        &[
            "conv:n1c6h28w28:o6k3p1",
            "conv:n1c6h28w28:o6k1",
            "conv:n1c6h28w28:o6k3p1g2",
            "conv:n1c6h28w28:o6k3p1g6",
            "conv-separable:n1c6h28w28:o6k3p1m1",
            "shuffle:n1c6h28w28:g3",
        ],
        As::Channels,
    ),
    shown("Basic_Data_layout", &["conv:n1c3h4w4:o1k3p1"], As::Layout),
    shown("Basic_Conv_caluation", &["conv:n1c3h3w3:o2k2"], As::Im2col),
    figure("Basic_Conv_strides", &["conv:n1c1h5w5:o1k3s2p1"]),
    figure("Basic_Conv_Transposed_map", &["conv:n1c1h4w4:o1k3"]),
    figure("Basic_Conv_Transposed", &["conv-transposed:n1c1h2w2:o1k3"]),
    figure("Basic_Conv_odd", &["conv:n1c1h6w6:o1k3s2p1"]),
    figure(
        "Basic_Conv_odd_transposed",
        &["conv-transposed:n1c1h3w3:o1k3s2p1a1"],
    ),
    figure("Basic_Conv_Dilated", &["conv:n1c1h7w7:o1k3d2"]),
    figure(
        "Basic_Conv_deformable",
        &["conv-deformable:n1c1h5w5:o1k3p1f1"],
    ),
    figure("Basic_Conv_pointwise_1_1", &["conv:n1c3h3w3:o2k1"]),
    figure(
        "Model_conv_DepthwiseConvolution",
        &["conv:n1c3h4w4:o3k3p1g3"],
    ),
    shown(
        "Basic_Conv_Factorization",
        &[
            "conv:n1c1h5w5:o1k3",
            "conv:n1c1h3w3:o1k1x3",
            "conv:n1c1h3w1:o1k3x1",
        ],
        As::Field,
    ),
    figure("Basic_Conv_group", &["conv:n1c4h3w3:o4k3p1g2"]),
    shown(
        "Basic_Conv_ShuffledGrouped",
        &["shuffle:n1c6h4w4:g3"],
        As::Channels,
    ),
    figure(
        "Model_bottleneck_inception",
        &["block:inception-v1-naive", "block:inception-v1"],
    ),
    figure("Model_bottleneck_resnet", &["block:residual-bottleneck"]),
    figure(
        "Model_conv_Depthwise_seperable_convolution",
        &["conv-separable:n1c3h4w4:o2k3p1m1"],
    ),
    figure("Model_inceptionV1", &["block:inception-v1"]),
    figure(
        "Model_inceptionV4_ModelABC",
        &[
            "block:inception-v4-a",
            "block:inception-v4-b",
            "block:inception-v4-c",
        ],
    ),
    figure(
        "Model_inceptionV4_reduced_blocks",
        &[
            "block:inception-v4-reduction-a",
            "block:inception-v4-reduction-b",
        ],
    ),
    figure(
        "Model_inception-resnetV1_ModelABC",
        &[
            "block:inception-resnet-v1-a",
            "block:inception-resnet-v1-b",
            "block:inception-resnet-v1-c",
        ],
    ),
    figure(
        "Model_inception-resnetV1_reduced_blocks",
        &[
            "block:inception-resnet-v1-reduction-a",
            "block:inception-resnet-v1-reduction-b",
        ],
    ),
    figure(
        "Model_resnet2",
        &["block:residual-basic", "block:residual-bottleneck"],
    ),
    figure(
        "Model_inverted_resnet",
        &["block:residual-bottleneck", "block:inverted-residual"],
    ),
    figure("Model_DenseNet", &["block:dense-block"]),
    figure(
        "Model_Densenet_Bottleneck",
        &["block:dense-layer", "block:dense-bottleneck"],
    ),
    figure(
        "Model_ResNet_Vs_DenseNet",
        &["block:residual-preactivation", "block:dense-layer"],
    ),
];

impl Figure {
    /// The command that draws it.
    pub(super) fn command(&self) -> String {
        let subjects = self.subjects.join(" ");
        match self.kind {
            Some(kind) => format!("convolve draw {subjects} --as {kind} -o {}.svg", self.name),
            None => format!("convolve draw {subjects} -o {}.svg", self.name),
        }
    }
}
