//! What the outputs of an operator read of its inputs, axis by axis.

use geometry::{
    Bins, ConcatGeometry, ConvGeometry, GeometryError, PadAxis, PadMode, PaddingMode, PoolDesc,
    Reads, Region, ResizeAxis, ResizeCoordinates, SliceGeometry, Window,
};

use crate::families::{
    ArithmeticOp, DeformableOp, NormOp, PoolingOp, RearrangeOp, Resizing, SamplingOp, SoftmaxOp,
    TransposedOp, UnaryOp,
};
use crate::row_by_row;
use crate::{Graph, Node, Op, Value, ValueId};

/// How one axis of an input is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    /// All of it, wherever the output element lies.
    Whole,
    /// By the place along an axis of the output.
    By(usize, Reads),
}

/// One way in which an input is read: a link for each of its axes, outermost first. What is read is the
/// product of what the links say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way(pub(crate) Vec<Link>);

/// The ways in which the output at place `made` of a node reads the input at place `read`. An element
/// is read by any of them. Operators that choose by the values themselves where they read, such as
/// deformable convolutions, read everything, and by a way of its own what they read on the spot.
pub(crate) fn ways(graph: &Graph, node: &Node, made: usize, read: usize) -> Vec<Way> {
    let input = graph.value(node.inputs[read]);
    let output = graph.value(node.outputs[made]);
    let whole = || vec![Way::whole(input)];
    let side_by_side = matches!(node.op, Op::Pool { .. } | Op::Pooling(_));
    if made > 0 && !side_by_side {
        return whole();
    }
    let reader = Reader {
        graph,
        node,
        read,
        input: &input.shape,
        output: &output.shape,
    };
    reader.ways().unwrap_or_else(whole)
}

/// What the output at place `made` of a node reads of the values that are `wanted`, and in which ways. Rows that a reshape
/// takes apart again are those of the value that they were made of.
pub(crate) fn sources(
    graph: &Graph,
    node: &Node,
    made: usize,
    wanted: impl Fn(ValueId) -> bool,
) -> Vec<(ValueId, Vec<Way>)> {
    if let Some(places) = row_by_row::source(graph, node) {
        let axes = graph.value(places).shape.len();
        let mut way = Way((0..axes).map(|axis| Link::By(axis, Reads::Same)).collect());
        way.0
            .last_mut()
            .into_iter()
            .for_each(|channels| *channels = Link::Whole);
        return vec![(places, vec![way])];
    }
    let inputs = node.inputs.iter().enumerate();
    let wanted = inputs.filter(|&(_, &input)| wanted(input));
    wanted
        .map(|(read, &input)| (input, ways(graph, node, made, read)))
        .collect()
}

impl Way {
    fn whole(input: &Value) -> Self {
        Self(vec![Link::Whole; input.shape.len()])
    }

    /// What is read, for some elements of the output.
    pub(crate) fn image(&self, output: &Region, input: &[usize]) -> Result<Region, GeometryError> {
        if output.is_empty() {
            return Ok(Region::empty());
        }
        let in_place = self.0.iter().enumerate().all(|(axis, link)| match link {
            Link::Whole => true,
            Link::By(by, _) => *by == axis,
        });
        let axes = || self.0.iter().zip(input);
        // Where the output has more axes, the last of them are read by nothing here.
        if in_place && output.axes() == input.len() {
            let sources: Vec<_> = axes()
                .map(|(&link, &extent)| {
                    move |places| match link {
                        Link::Whole => Ok((0..extent).into()),
                        Link::By(_, reads) => reads.of(places),
                    }
                })
                .collect();
            let sources: Vec<&geometry::Source<'_>> =
                sources.iter().map(|source| source as _).collect();
            return output.image(&sources);
        }
        let images = output.boxes().into_iter().map(|places| {
            let sets = axes().map(|(link, &extent)| match link {
                Link::Whole => Ok((0..extent).into()),
                Link::By(by, reads) => reads.of(places[*by].clone()),
            });
            Region::product(&sets.collect::<Result<Vec<_>, _>>()?)
        });
        Region::unite(images.collect::<Result<_, _>>()?)
    }
}

/// One input of a node, and its first output.
struct Reader<'a> {
    graph: &'a Graph,
    node: &'a Node,
    read: usize,
    input: &'a [usize],
    output: &'a [usize],
}

impl Reader<'_> {
    /// The ways, or nothing where everything is read.
    fn ways(&self) -> Option<Vec<Way>> {
        let first = self.read == 0;
        let last = self.read + 1 == self.node.inputs.len();
        let one = |way: Option<Way>| Some(vec![way?]);
        match &self.node.op {
            Op::Conv { residual, .. } if *residual && last && !first => one(self.each()),
            Op::Conv { desc, .. } if first => one(self.conv(&desc.resolve(self.input).ok()?)),
            Op::Pool { desc, .. } if first => {
                let windows = desc.resolve(self.input).ok()?.windows;
                one(self.spatial(Reads::Same, |axis| {
                    Reads::Window(windows[axis], PaddingMode::Zeros)
                }))
            }
            Op::BatchNorm { .. } if first => one(self.each()),
            Op::BatchNormInference { residual, .. } if first || (*residual && last) => {
                one(self.each())
            }
            // The statistics are of the batch.
            Op::BatchNormTraining { residual, .. } => match first {
                true => self.each_and_whole(),
                false if *residual && last => one(self.each()),
                false => None,
            },
            Op::Activation(_) | Op::Dropout { .. } | Op::Add => one(self.each()),
            Op::Concat => one(self.joined(1)),
            &Op::ChannelSlice { start, count } => {
                let input = self.input[1];
                let axis = geometry::SliceAxis {
                    input,
                    first: start,
                    step: 1,
                    count,
                };
                one(self.spatial(Reads::Slice(axis), |_| Reads::Same))
            }
            Op::GlobalAveragePool => one(self.batch_and(vec![Link::By(1, Reads::Same)])),
            Op::Flatten | Op::Unflatten { .. } => one(self.reshaped()),
            Op::Linear { .. } | Op::Softmax if first => one(self.batch_and(Vec::new())),
            Op::Arithmetic(op) => match op {
                ArithmeticOp::Binary(_) | ArithmeticOp::Select => one(self.each()),
                ArithmeticOp::Reduce { .. } => one(self.each()),
                _ => None,
            },
            Op::Deformable(DeformableOp::Conv { desc, .. }) => match self.read {
                0 => {
                    let conv = desc.resolve(self.input).ok()?.conv;
                    Some(vec![self.conv(&conv)?, self.everywhere()])
                }
                place if place <= 1 + usize::from(desc.modulated) => {
                    one(self.spatial_with(Link::Whole, |_| Reads::Same))
                }
                _ => None,
            },
            Op::Norm(op) if first => self.norm(op),
            Op::Pooling(op) if first => one(self.pooling(op)),
            Op::Rearrange(op) => one(self.rearranged(op)),
            Op::Sampling(op) => self.sampled(op),
            Op::Softmaxes(SoftmaxOp::Along { axis, .. }) => {
                let mut along = self.each()?;
                along.0[*axis] = Link::Whole;
                Some(vec![self.each()?, along])
            }
            Op::Transposed(TransposedOp::Conv { desc, residual, .. }) => {
                if first {
                    let turned = desc.resolve(self.input).ok()?;
                    let channels = Reads::Groups {
                        input: turned.out_channels,
                        output: turned.in_channels,
                        groups: turned.groups,
                    };
                    let windows = turned.windows;
                    return one(self.spatial(channels, |axis| Reads::Transposed(windows[axis])));
                }
                (*residual && last).then(|| Some(vec![self.each()?]))?
            }
            Op::Unary(UnaryOp::Apply(_)) => one(self.each()),
            Op::Unary(UnaryOp::Prelu) if first => one(self.each()),
            _ => None,
        }
    }

    /// Every element by itself; an axis that is repeated has one place for all.
    fn each(&self) -> Option<Way> {
        let more = self.output.len().checked_sub(self.input.len())?;
        let links = self.input.iter().enumerate().map(|(axis, &extent)| {
            match extent == self.output[more + axis] {
                true => Link::By(more + axis, Reads::Same),
                false => Link::Whole,
            }
        });
        Some(Way(links.collect()))
    }

    /// An element by itself, and all of its image besides.
    fn each_and_whole(&self) -> Option<Vec<Way>> {
        Some(vec![self.each()?, self.everywhere()])
    }

    /// All of the image.
    fn everywhere(&self) -> Way {
        Way(vec![Link::Whole; self.input.len()])
    }

    /// The batch place by place, the axes behind it by these links, and what is left as a whole.
    fn batch_and(&self, links: Vec<Link>) -> Option<Way> {
        let mut all = vec![Link::By(0, Reads::Same)];
        all.extend(links);
        all.resize(self.input.len(), Link::Whole);
        Some(Way(all))
    }

    /// A feature map, axis of space by axis of space; `reads` is given them lifted to depth, height and
    /// width.
    fn spatial(&self, channels: Reads, reads: impl Fn(usize) -> Reads) -> Option<Way> {
        self.spatial_with(Link::By(1, channels), reads)
    }

    fn spatial_with(&self, channels: Link, reads: impl Fn(usize) -> Reads) -> Option<Way> {
        let rank = self.input.len().checked_sub(2)?;
        let lifted = geometry::MAX_RANK.checked_sub(rank)?;
        let mut links = vec![channels];
        links.extend((0..rank).map(|axis| Link::By(2 + axis, reads(lifted + axis))));
        self.batch_and(links)
    }

    fn conv(&self, conv: &ConvGeometry) -> Option<Way> {
        let channels = Reads::Groups {
            input: conv.in_channels,
            output: conv.out_channels,
            groups: conv.groups,
        };
        self.spatial(channels, |axis| {
            Reads::Window(conv.windows[axis], conv.padding_mode)
        })
    }

    /// A part of the output along an axis.
    fn joined(&self, axis: i64) -> Option<Way> {
        let inputs = self.node.inputs.iter();
        let shapes: Vec<_> = inputs.map(|&id| &self.graph.value(id).shape).collect();
        let joined = ConcatGeometry::resolve(axis, &shapes).ok()?;
        let (axis, starts) = (joined.axis(), joined.starts());
        let kept = self.input[axis];
        let part = PadAxis {
            input: kept,
            skipped: 0,
            kept,
            before: starts[self.read],
            after: joined.shape()[axis] - starts[self.read + 1],
        };
        let mut way = self.each_of(self.input.len());
        way.0[axis] = Link::By(axis, Reads::Pad(PadMode::Constant, part));
        Some(way)
    }

    /// Every axis by itself, whatever its extent.
    fn each_of(&self, axes: usize) -> Way {
        Way((0..axes).map(|axis| Link::By(axis, Reads::Same)).collect())
    }

    /// Axes that a reshape leaves where they are; the others are read as a whole.
    fn reshaped(&self) -> Option<Way> {
        let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
        let links = self.input.iter().enumerate().map(|(axis, &extent)| {
            let same = |&to: &usize| {
                self.output[to] == extent && before(self.output, to) == before(self.input, axis)
            };
            match (0..self.output.len()).find(same) {
                Some(to) => Link::By(to, Reads::Same),
                None => Link::Whole,
            }
        });
        Some(Way(links.collect()))
    }

    fn norm(&self, op: &NormOp) -> Option<Vec<Way>> {
        let over = |axes: std::ops::Range<usize>| {
            let mut way = self.each()?;
            way.0.get_mut(axes)?.fill(Link::Whole);
            Some(vec![self.each()?, way])
        };
        let axes = self.input.len();
        match op {
            NormOp::Group { groups, .. } => {
                let channels = Reads::Groups {
                    input: self.input[1],
                    output: self.input[1],
                    groups: *groups,
                };
                let whole = self.batch_and(vec![Link::By(1, channels)])?;
                Some(vec![self.each()?, whole])
            }
            NormOp::Layer { axis, .. } => over(*axis..axes),
            NormOp::Channel { .. } => over(1..2),
            NormOp::LocalResponse(settings) => {
                let window = Window {
                    input: self.input[1],
                    kernel: settings.before + 1 + settings.after,
                    before: settings.before,
                    after: settings.after,
                    output: self.input[1],
                    ..Window::UNIT
                };
                let channels = Reads::Window(window, PaddingMode::Zeros);
                Some(vec![self.spatial_or_flat(channels)])
            }
            _ => None,
        }
    }

    /// A map of any number of axes, of which only the channels are not by themselves.
    fn spatial_or_flat(&self, channels: Reads) -> Way {
        let mut way = self.each_of(self.input.len());
        if let Some(link) = way.0.get_mut(1) {
            *link = Link::By(1, channels);
        }
        way
    }

    fn pooling(&self, op: &PoolingOp) -> Option<Way> {
        match op {
            PoolingOp::Adaptive { desc, .. } => {
                let bins = desc.resolve(self.input).ok()?.bins;
                self.spatial(Reads::Same, |axis| Reads::Bins(bins[axis]))
            }
            PoolingOp::MaxUnpool { desc } => {
                let pool = PoolDesc::max(desc.kernel.clone())
                    .stride(desc.stride.clone())
                    .padding(desc.padding.clone());
                let mut windows = pool.resolve(self.output).ok()?.windows;
                let lifted = geometry::MAX_RANK - (self.input.len() - 2);
                for (window, &placements) in windows[lifted..].iter_mut().zip(&self.input[2..]) {
                    window.output = placements;
                }
                self.spatial(Reads::Same, |axis| Reads::Transposed(windows[axis]))
            }
            _ => None,
        }
    }

    fn rearranged(&self, op: &RearrangeOp) -> Option<Way> {
        let by = |reads: Vec<Reads>| {
            let links = reads.into_iter().enumerate();
            Some(Way(links.map(|(axis, r)| Link::By(axis, r)).collect()))
        };
        match op {
            RearrangeOp::Pad { desc, .. } => {
                let padded = desc.resolve(self.input).ok()?;
                by(padded
                    .axes()
                    .iter()
                    .map(|&axis| Reads::Pad(padded.mode, axis))
                    .collect())
            }
            RearrangeOp::Slice { desc } => {
                let sliced: SliceGeometry = desc.resolve(self.input).ok()?;
                by(sliced
                    .axes()
                    .iter()
                    .map(|&axis| Reads::Slice(axis))
                    .collect())
            }
            RearrangeOp::Concat { axis } => self.joined(*axis),
            RearrangeOp::Permute { axes } => {
                let mut links = vec![Link::Whole; axes.len()];
                for (to, &from) in axes.iter().enumerate() {
                    links[from] = Link::By(to, Reads::Same);
                }
                Some(Way(links))
            }
            // A place of the wide map and a channel stand for a channel of the deep one together, which
            // no product of axes says: all channels, then.
            RearrangeOp::PixelShuffle { .. } | RearrangeOp::PixelUnshuffle { .. } => {
                let lifted = geometry::MAX_RANK.checked_sub(self.input.len().checked_sub(2)?)?;
                self.spatial_with(Link::Whole, |axis| {
                    Reads::Bins(Bins {
                        input: self.input[2 + axis - lifted],
                        output: self.output[2 + axis - lifted],
                    })
                })
            }
            &RearrangeOp::ChannelShuffle { groups } => {
                let channels = self.input[1];
                Some(self.spatial_or_flat(Reads::Shuffle { channels, groups }))
            }
            RearrangeOp::Reshape { .. } => self.reshaped(),
            RearrangeOp::PadBackward { .. } | RearrangeOp::SliceBackward { .. } => None,
        }
    }

    fn sampled(&self, op: &SamplingOp) -> Option<Vec<Way>> {
        match op {
            // The map is read anywhere; the grid where the output lies.
            SamplingOp::GridSample { .. } if self.read == 1 => {
                let mut links = vec![Link::By(0, Reads::Same)];
                links.extend((2..self.output.len()).map(|axis| Link::By(axis, Reads::Same)));
                links.push(Link::Whole);
                Some(vec![Way(links)])
            }
            SamplingOp::Resize { resizing } => {
                let lifted = geometry::MAX_RANK.checked_sub(self.input.len().checked_sub(2)?)?;
                let way = self.spatial(Reads::Same, |axis| {
                    let axis = axis - lifted;
                    let (input, output) = (self.input[2 + axis], self.output[2 + axis]);
                    resized(resizing, axis, input, output)
                })?;
                Some(vec![way])
            }
            _ => None,
        }
    }
}

/// One axis of a resizing; as a whole where a box is stretched, or its scale is no fraction of whole
/// numbers that can be kept.
fn resized(resizing: &Resizing, axis: usize, input: usize, output: usize) -> Reads {
    let crops = resizing.desc.coordinates == ResizeCoordinates::CropAndResize;
    let scale = match resizing.scales.as_ref().map(|scales| scales[axis]) {
        None => Some((output, input)),
        Some(scale) => fraction(scale),
    };
    let read = scale.filter(|_| !crops || resizing.crop.is_none());
    let read = read.map(|scale| {
        Reads::Resize(ResizeAxis {
            input,
            output,
            scale,
            filter: resizing.desc.filter,
            coordinates: resizing.desc.coordinates,
            exclude_outside: resizing.desc.exclude_outside,
        })
    });
    match read {
        Some(reads) if reads.field().is_ok() => reads,
        _ => Reads::Whole(input),
    }
}

/// A positive number as the fraction it is, where its parts are below 2³².
fn fraction(number: f64) -> Option<(usize, usize)> {
    let mut under = 1u64;
    while under < 1 << 32 {
        let over = number * under as f64;
        // Doubling is exact, and so is the test.
        if over == over.trunc() {
            let over = (over < f64::from(u32::MAX)).then_some(over as usize)?;
            return Some((over, usize::try_from(under).ok()?));
        }
        under *= 2;
    }
    None
}
