//! Chains of convolutions: bitwise what the layers are, one after the other.

use geometry::{ConvDesc, ConvGeometry};
use kernels::conv::{ChainLink, ChainPlan, ConvOptions, ConvPlan, Direction, Epilogue};
use kernels::{Activation, Context, Isa};
use testkit::draw::Draw;
use testkit::guard::GuardedF32;

use crate::plans::teams;

/// Descriptors of the links on an input `[n, c, h, w]`.
fn resolve(input: [usize; 4], links: &[ConvDesc]) -> Vec<ConvGeometry> {
    let mut shape = input.to_vec();
    let mut resolved = Vec::new();
    for link in links {
        let geometry = link.resolve(&shape).unwrap();
        shape = geometry.output_shape();
        resolved.push(geometry);
    }
    resolved
}

fn depthwise(channels: usize, kernel: usize, stride: usize, padding: usize) -> ConvDesc {
    let desc = ConvDesc::new(channels, kernel).groups(channels);
    desc.stride(stride).padding(padding)
}

/// Inverted residuals of both strides and widths, halves of them, kernels of five taps, dilated ones, more rows than a
/// band and fewer, maps of a single row.
fn chains() -> Vec<Vec<ConvGeometry>> {
    let pointwise = |channels| ConvDesc::new(channels, 1);
    vec![
        resolve(
            [1, 8, 23, 17],
            &[pointwise(48), depthwise(48, 3, 1, 1), pointwise(8)],
        ),
        resolve(
            [3, 16, 22, 30],
            &[pointwise(96), depthwise(96, 3, 2, 1), pointwise(24)],
        ),
        resolve([2, 20, 19, 9], &[depthwise(20, 5, 2, 2), pointwise(33)]),
        resolve([1, 5, 40, 7], &[pointwise(7), depthwise(7, 5, 1, 0)]),
        resolve(
            [2, 9, 31, 12],
            &[depthwise(9, 3, 1, 1), pointwise(40), depthwise(40, 3, 2, 1)],
        ),
        resolve(
            [1, 16, 30, 8],
            &[
                pointwise(32),
                depthwise(32, 3, 1, 2).dilation(2),
                pointwise(16),
            ],
        ),
        resolve([5, 3, 1, 6], &[pointwise(4), depthwise(4, 3, 1, 1)]),
        // Rows so long that a band is a single one.
        resolve(
            [1, 32, 6, 500],
            &[pointwise(192), depthwise(192, 3, 1, 1), pointwise(32)],
        ),
    ]
}

#[test]
fn a_chain_is_bitwise_its_layers() {
    let teams = teams();
    for (seed, links) in chains().into_iter().enumerate() {
        let mut draw = Draw::new(seed as u64);
        let len = |shape: Vec<usize>| shape.iter().product::<usize>();
        let x = draw.reals(len(links[0].input_shape()));
        let last = &links[links.len() - 1];
        let residual = draw.reals(len(last.output_shape()));
        let weights: Vec<_> = (links.iter().map(|link| draw.reals(link.weight_count()))).collect();
        let biases: Vec<_> = (links.iter().map(|link| draw.reals(link.out_channels))).collect();
        let epilogue = |link: usize| Epilogue {
            bias: Some(&biases[link]),
            residual: (link + 1 == links.len()).then_some(&residual[..]),
            activation: (link == 0).then_some(Activation::Relu),
        };
        for isa in Isa::available() {
            let options = ConvOptions {
                isa,
                strict: true,
                ..ConvOptions::default()
            };
            let ctx = |team| Context { team, isa };
            let mut want = x.clone();
            for (index, link) in links.iter().enumerate() {
                let plan = ConvPlan::new(link, Direction::Forward, options).unwrap();
                let mut packed = vec![0.0; plan.packed_len()];
                plan.pack(&ctx(&teams[0]), &weights[index], &mut packed);
                let mut y = vec![f32::NAN; len(link.output_shape())];
                let mut scratch = vec![f32::NAN; plan.scratch_len(1)];
                let ctx = ctx(&teams[0]);
                plan.forward(&ctx, &want, &packed, epilogue(index), &mut y, &mut scratch);
                want = y;
            }
            let chain = ChainPlan::new(&links, options).unwrap();
            let packed: Vec<_> = (weights.iter().enumerate())
                .map(|(index, weight)| {
                    let plan = chain.plan(index);
                    let mut packed = vec![f32::NAN; plan.packed_len()];
                    plan.pack(&ctx(&teams[0]), weight, &mut packed);
                    GuardedF32::from_slice(&packed)
                })
                .collect();
            let arguments: Vec<_> = (packed.iter().enumerate())
                .map(|(index, packed)| ChainLink {
                    packed,
                    bias: epilogue(index).bias,
                    activation: epilogue(index).activation,
                })
                .collect();
            for team in &teams {
                let x = GuardedF32::from_slice(&x);
                let nan = |len| GuardedF32::from_slice(&vec![f32::NAN; len]);
                let (mut y, mut scratch) =
                    (nan(want.len()), nan(chain.scratch_len(team.threads())));
                chain.forward(
                    &ctx(team),
                    &x,
                    &arguments,
                    Some(&residual),
                    &mut y,
                    &mut scratch,
                );
                let same = y.iter().zip(&want).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "chain {seed} {isa} --threads {}", team.threads());
            }
        }
    }
}

#[test]
fn what_is_no_chain_is_none() {
    let none = |links: &[ConvGeometry]| ChainPlan::new(links, ConvOptions::default()).is_none();
    let dense = resolve([1, 8, 9, 9], &[ConvDesc::new(8, 3), ConvDesc::new(8, 1)]);
    assert!(none(&dense));
    let mut unrelated = resolve([1, 8, 9, 9], &[ConvDesc::new(8, 1), ConvDesc::new(8, 1)]);
    unrelated[1].in_channels = 4;
    assert!(none(&unrelated));
    assert!(none(&unrelated[..1]));
    let empty = resolve([0, 8, 9, 9], &[ConvDesc::new(8, 1), ConvDesc::new(8, 1)]);
    assert!(none(&empty));
    // Rows of padding alone.
    let padded = resolve(
        [1, 8, 2, 9],
        &[
            ConvDesc::new(8, 1),
            depthwise(8, 1, 1, 12),
            ConvDesc::new(8, 1),
        ],
    );
    assert!(none(&padded));
}
