//! Convolutions one after the other, row by row: the maps between them never leave the cache.
//!
//! A layer that widens a map and one that narrows it again, with a depthwise one between them, do little
//! arithmetic for the memory they move: the wide maps leave the caches between two layers, and reading and writing
//! them is most of the time. A chain makes a few rows of the last map at a time, and of the maps
//! before it the rows that these need. Each is a convolution of a few rows, by the plan that serves it; what it
//! makes is read at once by the next.
//!
//! Sums are the same as of whole maps, in the same order, so results are bitwise the same.

mod bands;

use std::ops::Range;

use geometry::ConvGeometry;
use tensor::Layout;

use super::{Algorithm, ConvOptions, ConvPlan, Direction, Epilogue};
use crate::activation::Activation;
use crate::share::share;
use crate::shared::Shared;
use crate::team::ALONE;
use crate::{Context, Isa};

/// Elements of all rows between the links, to be found in a second-level cache with the weights.
const ROWS_ELEMENTS: usize = 192 * 1024;
/// Elements of all packed weights: each band reads them anew.
const WEIGHTS_ELEMENTS: usize = 64 * 1024;
/// Elements of the map between two links below which it stays in the caches anyway.
const FAR_ELEMENTS: usize = 128 * 1024;
/// Rows of a band at most.
const MOST_ROWS: usize = 8;
/// Tasks of a run that keep a few threads evenly busy, if there are rows enough.
const TASKS: usize = 4;

/// A chain of convolutions forward, channels last, planned: nothing is checked, chosen or allocated after this.
///
/// ```
/// use geometry::ConvDesc;
/// use kernels::conv::{ChainLink, ChainPlan, ConvOptions};
/// use kernels::{Context, Isa, Team};
///
/// // Twice the channel, then the sum of both: x → 2x, 3x → 5x.
/// let wide = ConvDesc::new(2, 1).resolve(&[1, 1, 1, 3])?;
/// let narrow = ConvDesc::new(1, 1).resolve(&wide.output_shape())?;
/// let isa = Isa::best();
/// let options = ConvOptions { isa, ..ConvOptions::default() };
/// let chain = ChainPlan::new(&[wide, narrow], options).expect("two pointwise convolutions");
///
/// let team = Team::new(2)?;
/// let ctx = Context { team: &team, isa };
/// let packed: Vec<Vec<f32>> = [[2.0, 3.0], [1.0, 1.0]].iter().enumerate().map(|(link, weight)| {
///     let mut packed = vec![0.0; chain.plan(link).packed_len()];
///     chain.plan(link).pack(&ctx, weight, &mut packed);
///     packed
/// }).collect();
/// let links: Vec<_> = packed.iter().map(|packed| ChainLink { packed, ..ChainLink::default() }).collect();
/// let mut y = [0.0; 3];
/// let mut scratch = vec![0.0; chain.scratch_len(team.threads())];
/// chain.forward(&ctx, &[1.0, 2.0, 4.0], &links, None, &mut y, &mut scratch);
/// assert_eq!(y, [5.0, 10.0, 20.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChainPlan {
    isa: Isa,
    batch: usize,
    links: Vec<Link>,
    /// Parts of an image, each with the rows to be made in turn.
    parts: Vec<Vec<Call>>,
    /// Elements of the rows that lie between the links, and of the scratch of their plans.
    scratch_per_worker: usize,
}

/// One convolution of a chain.
#[derive(Clone, Debug)]
struct Link {
    geometry: ConvGeometry,
    /// Plans for so many rows, at the edges and between them.
    plans: Vec<ConvPlan>,
    /// Elements of the target's rows that are there at once.
    rows_len: usize,
}

/// Some rows of one link.
#[derive(Clone, Debug)]
struct Call {
    link: usize,
    plan: usize,
    /// Elements of the source and of the target before their rows: in the map of an image, or among the rows that are
    /// there.
    source: usize,
    target: usize,
    /// Elements of the target to be kept, moved to the front from here on.
    kept: Range<usize>,
}

/// Elements of a row of a convolution's target.
fn to_row(link: &ConvGeometry) -> usize {
    link.windows[2].output * link.out_channels
}

/// Weights of a link and what is done to its sums.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChainLink<'a> {
    /// As packed by [`ChainPlan::plan`] of the link.
    pub packed: &'a [f32],
    /// One value a channel of the link's target.
    pub bias: Option<&'a [f32]>,
    /// Of the link's sums.
    pub activation: Option<Activation>,
}

impl ChainPlan {
    /// Links of a chain at most.
    pub const MOST_LINKS: usize = 3;

    /// Whether a chain of these is expected to be quicker than one layer after the other.
    pub fn pays(links: &[ConvGeometry]) -> bool {
        let between = &links[..links.len().saturating_sub(1)];
        let far = |link: &ConvGeometry| {
            link.batch * link.out_channels * link.output_area() >= FAR_ELEMENTS
        };
        let weights: usize = links.iter().map(ConvGeometry::weight_count).sum();
        between.iter().any(far) && weights <= WEIGHTS_ELEMENTS
    }

    /// Plans a chain, each link of which reads what the one before it makes, in bands of as many rows as a cache
    /// holds, at least one. Nothing if it is not two or three pointwise and depthwise convolutions of a
    /// plane, or some rows read nothing but padding.
    pub fn new(links: &[ConvGeometry], options: ConvOptions) -> Option<Self> {
        let served = |link: &ConvGeometry| {
            let pointwise = link.kernel_area() == 1 && link.groups == 1;
            let depthwise = link.is_depthwise() && link.out_channels == link.in_channels;
            link.rank == 2 && link.pads_with_zeros() && (pointwise || depthwise)
        };
        let follows = |pair: &[ConvGeometry]| pair[0].output_shape() == pair[1].input_shape();
        let last = links.last()?;
        if !(2..=Self::MOST_LINKS).contains(&links.len())
            || !links.iter().all(served)
            || !links.windows(2).all(follows)
            || last.output_area() == 0
            || last.batch == 0
        {
            return None;
        }
        (1..=MOST_ROWS)
            .rev()
            .find_map(|most| Self::of_bands(links, options, most))
    }

    /// A chain in bands of so many rows, if these are few enough for the cache.
    fn of_bands(links: &[ConvGeometry], options: ConvOptions, most: usize) -> Option<Self> {
        let options = ConvOptions {
            layout: Layout::Nhwc,
            isa: options.isa.min(Isa::best()),
            ..ConvOptions::default()
        };
        let last = links.last()?;
        let (batch, height) = (last.batch, last.windows[1].output);
        let parts = TASKS.div_ceil(batch).min(height.div_ceil(most)).max(1);
        let rows = |part| bands::cut(links, share(height, part, parts), most);
        let rows = (0..parts).map(rows).collect::<Option<Vec<_>>>()?;
        // Elements of a link's target that are there at once; all of the last one is.
        let rows_len = |link: usize| {
            let of_link = rows.iter().flatten().filter(|rows| rows.link == link);
            let most = of_link.map(|rows| rows.kept + rows.target.len()).max();
            match link + 1 == links.len() {
                true => 0,
                false => most.unwrap_or(0) * to_row(&links[link]),
            }
        };
        let between: usize = (0..links.len()).map(rows_len).sum();
        if between > ROWS_ELEMENTS && most > 1 {
            return None;
        }
        let link = |(index, &geometry)| Link {
            geometry,
            plans: Vec::new(),
            rows_len: rows_len(index),
        };
        let mut chain = Self {
            isa: options.isa,
            batch,
            links: links.iter().enumerate().map(link).collect(),
            parts: Vec::new(),
            scratch_per_worker: 0,
        };
        for rows in &rows {
            let calls = chain.calls(rows, options)?;
            chain.parts.push(calls);
        }
        let plans = chain.links.iter().flat_map(|link| &link.plans);
        let scratch = plans.map(|plan| plan.scratch_len(1)).max().unwrap_or(0);
        chain.scratch_per_worker = between + scratch;
        Some(chain)
    }

    /// The rows of a part with their plans and places.
    fn calls(&mut self, rows: &[bands::Rows], options: ConvOptions) -> Option<Vec<Call>> {
        let last = self.links.len() - 1;
        // The first row that is there of each link's target.
        let mut there = vec![0; self.links.len()];
        let mut calls = Vec::new();
        for rows in rows {
            let index = rows.link;
            let before = if index == 0 { 0 } else { there[index - 1] };
            let link = &mut self.links[index];
            // One for all rows: they share the packed weights.
            let algorithm = match link.geometry.kernel_area() == 1 && link.geometry.groups == 1 {
                true => Algorithm::Direct,
                false => Algorithm::Depthwise,
            };
            let options = ConvOptions {
                algorithm: Some(algorithm),
                ..options
            };
            let mut geometry = link.geometry.with_batch(1);
            geometry.windows[1] = rows.window;
            let known = |plan: &ConvPlan| *plan.geometry() == geometry;
            let plan = match link.plans.iter().position(known) {
                Some(plan) => plan,
                None => {
                    let plan = ConvPlan::new(&geometry, Direction::Forward, options).ok()?;
                    link.plans.push(plan);
                    link.plans.len() - 1
                }
            };
            let from_row = link.geometry.windows[2].input * link.geometry.in_channels;
            let to_row = to_row(&link.geometry);
            let first = rows.target.start - rows.kept;
            let moved = first - there[index].min(first);
            let kept = match rows.kept {
                0 => 0..0,
                kept => moved * to_row..(moved + kept) * to_row,
            };
            there[index] = first;
            let before_target = match index == last {
                true => rows.target.start,
                false => rows.kept,
            };
            calls.push(Call {
                link: index,
                plan,
                source: (rows.source.start - before) * from_row,
                target: before_target * to_row,
                kept,
            });
        }
        Some(calls)
    }

    /// A plan that packs the weights of a link, for all of its rows.
    pub fn plan(&self, link: usize) -> &ConvPlan {
        &self.links[link].plans[0]
    }

    /// The convolutions of whole maps.
    pub fn geometries(&self) -> impl Iterator<Item = &ConvGeometry> {
        self.links.iter().map(|link| &link.geometry)
    }

    /// Scratch elements of a run by a team of `threads`.
    pub fn scratch_len(&self, threads: usize) -> usize {
        threads * self.scratch_per_worker
    }

    /// Computes `y` of `x`, both channels last, through all links; `residual`, as large as `y`, is added to the sums of the
    /// last before its activation.
    ///
    /// # Panics
    /// When a slice has another length than the plan says.
    pub fn forward(
        &self,
        ctx: &Context<'_>,
        x: &[f32],
        links: &[ChainLink<'_>],
        residual: Option<&[f32]>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (first, last) = (&self.links[0], &self.links[self.links.len() - 1]);
        let image = |len: usize| len / self.batch;
        let input: usize = first.geometry.input_shape().iter().product();
        let output: usize = last.geometry.output_shape().iter().product();
        assert_eq!(x.len(), input, "input length");
        assert_eq!(y.len(), output, "output length");
        assert_eq!(links.len(), self.links.len(), "links");
        assert!(
            scratch.len() >= self.scratch_len(ctx.team.threads()),
            "scratch length"
        );
        assert!(
            residual.is_none_or(|residual| residual.len() == output),
            "residual length"
        );
        let (y, scratch) = (Shared::new(y), Shared::new(scratch));
        let alone = Context {
            team: &ALONE,
            isa: self.isa,
        };
        let parts = self.parts.len();
        ctx.team.for_each(self.batch * parts, |task, worker| {
            let (index, part) = (task / parts, task % parts);
            let (input, output) = (image(input), index * image(output));
            let x = &x[index * input..][..input];
            let len = self.scratch_per_worker;
            // SAFETY: a worker runs one task at a time.
            let mut rest = unsafe { scratch.slice(worker * len, len) };
            let mut between: [&mut [f32]; Self::MOST_LINKS] = Default::default();
            for (rows, link) in between.iter_mut().zip(&self.links) {
                (*rows, rest) = rest.split_at_mut(link.rows_len);
            }
            for call in &self.parts[part] {
                let link = &self.links[call.link];
                let plan = &link.plans[call.plan];
                let (source_len, target_len) = (plan.input_len(), plan.output_len());
                let (before, after) = between.split_at_mut(call.link);
                let source = before.last().map_or(x, |rows| &**rows);
                let source = &source[call.source..][..source_len];
                let given = &links[call.link];
                let mut epilogue = Epilogue {
                    bias: given.bias,
                    residual: None,
                    activation: given.activation,
                };
                let target = if call.link + 1 == self.links.len() {
                    let place = output + call.target;
                    epilogue.residual = residual.map(|all| &all[place..][..target_len]);
                    // SAFETY: the rows of an image are made once.
                    unsafe { y.slice(place, target_len) }
                } else {
                    let rows = &mut after[0];
                    rows.copy_within(call.kept.clone(), 0);
                    &mut rows[call.target..][..target_len]
                };
                plan.forward(&alone, source, given.packed, epilogue, target, rest);
            }
        });
    }
}
