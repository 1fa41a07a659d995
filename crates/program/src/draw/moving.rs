//! The moving arithmetic of a problem, with the numbers that the operators compute.

use figures::arithmetic::{
    Backward, Colouring, Convolution, Deformable, Excerpt, Pool, Separable, Transposed,
    convolution, deformable, pool, separable, transposed,
};
use figures::{Caption, FigureError, Scene};
use geometry::{InputShape, PoolKind, Problem};
use runtime::Eager;
use runtime::eager::{Given, Made};
use tensor::Tensor;

use super::numbers::Files;
use super::smaller::smaller;
use crate::failure::usage;
use crate::op::{Array, Asked, Direction, Operator, refused};

/// Numbers that an operator reads and makes at most, before any of them is computed: far more than a page shows.
const MOST_NUMBERS: usize = 1 << 20;

/// A problem as it was asked for and as it is drawn.
pub(super) struct Drawn<'a> {
    pub(super) asked: &'a Problem,
    pub(super) drawn: Problem,
    eager: &'a Eager,
    files: &'a Files,
}

/// Arrays of a problem, by what they are.
pub(super) struct Arrays(Vec<(Array, Tensor<f64>)>);

impl Arrays {
    /// An array of the problem.
    ///
    /// # Panics
    /// When the problem has none; which it has, its kind says.
    pub(super) fn of(&self, array: Array) -> &Tensor<f64> {
        self.find(array).expect("an array of the problem")
    }

    pub(super) fn find(&self, array: Array) -> Option<&Tensor<f64>> {
        let found = self.0.iter().find(|(of, _)| *of == array);
        found.map(|(_, tensor)| tensor)
    }
}

impl<'a> Drawn<'a> {
    /// # Errors
    /// A problem without meaning, as it was asked for.
    pub(super) fn new(
        asked: &'a Problem,
        eager: &'a Eager,
        files: &'a Files,
    ) -> anyhow::Result<Self> {
        Operator::new(asked, Direction::Forward, Asked::default()).map_err(usage)?;
        Ok(Self {
            drawn: match files.part() {
                Some(part) => part.problem.clone(),
                None => smaller(asked),
            },
            asked,
            eager,
            files,
        })
    }

    /// What stands above: the problem, and that it is another one where it is.
    pub(super) fn caption(&self) -> Caption {
        if let (Some(part), Some(known)) = (self.files.part(), &self.files.known) {
            return Caption::new(format!("{} · {}", known.of, part.heading), &part.remark);
        }
        let remark = match (self.drawn == *self.asked, &self.files.known) {
            (true, _) => String::new(),
            (false, None) => format!("drawn smaller than {}", self.asked),
            (false, Some(_)) => format!(
                "the first corner and channels of {}, and their sums alone",
                self.asked
            ),
        };
        match &self.files.known {
            None => Caption::new(self.drawn.to_string(), remark),
            Some(known) => {
                let problem = [self.drawn.to_string(), remark].into_iter();
                let said: Vec<_> = problem.filter(|part| !part.is_empty()).collect();
                Caption::new(known.of.clone(), said.join(" · "))
            }
        }
    }

    /// The same, with a remark where there is nothing to say of the size.
    fn caption_or(&self, remark: &str) -> Caption {
        let caption = self.caption();
        match caption.remark.as_str() {
            "" => Caption::new(caption.heading, remark),
            other => Caption::new(caption.heading, format!("{remark} · {other}")),
        }
    }

    /// The moving picture.
    ///
    /// # Errors
    /// Arrays that do not fit, or a problem that is too large even so.
    pub(super) fn moving(&self, colouring: Colouring) -> anyhow::Result<Scene> {
        let caption = self.caption();
        let (arrays, mut made) = self.forward()?;
        let output = self.whole(real(&mut made)?);
        let excerpt = self.excerpt();
        let scene = match &self.drawn {
            Problem::Conv(shape, desc) => convolution(
                &Convolution {
                    geometry: &desc.resolve(&shape.dims)?,
                    input: arrays.of(Array::Input),
                    weight: arrays.of(Array::Weight),
                    bias: arrays.find(Array::Bias),
                    output: &output,
                    excerpt,
                },
                &caption,
                colouring,
            ),
            Problem::ConvTransposed(shape, desc) => transposed(
                &Transposed {
                    geometry: &desc.resolve(&shape.dims)?,
                    input: arrays.of(Array::Input),
                    weight: arrays.of(Array::Weight),
                    bias: arrays.find(Array::Bias),
                    output: &output,
                },
                &caption,
                colouring,
            ),
            Problem::ConvDeformable(shape, desc) => deformable(
                &Deformable {
                    geometry: &desc.resolve(&shape.dims)?,
                    input: arrays.of(Array::Input),
                    offset: arrays.of(Array::Offset),
                    mask: arrays.find(Array::Mask),
                    weight: arrays.of(Array::Weight),
                    bias: arrays.find(Array::Bias),
                    output: &output,
                },
                &caption,
                colouring,
            ),
            Problem::ConvSeparable(shape, desc) => {
                let geometry = desc.resolve(&shape.dims)?;
                let (filters, mixes) = desc.stages(geometry.depthwise.in_channels)?;
                let first = Problem::Conv(InputShape::new(&shape.dims)?, filters);
                let given = [arrays.of(Array::Input), arrays.of(Array::Weight)];
                let middle = match mixes {
                    Some(_) => self.compute(&first, &given)?,
                    None => output.clone(),
                };
                let mixture = arrays
                    .find(Array::Pointwise)
                    .map(|weight| (weight, &output));
                separable(
                    &Separable {
                        geometry: &geometry,
                        input: given[0],
                        weight: given[1],
                        middle: &middle,
                        mixture,
                        bias: arrays.find(Array::Bias),
                    },
                    &caption,
                    colouring,
                )
            }
            Problem::Pool(shape, desc) => {
                let places = match made.pop() {
                    Some(Made::Index(places)) => Some(places),
                    _ => None,
                };
                // A layer on a picture has no gradient unless one is given: none is made up beside its real numbers.
                let back = match self.files.has(Array::Grad) || !self.files.are_of_layer() {
                    true => {
                        let asked = output_of(self.asked)?;
                        let gradient = self.files.array(Array::Grad, &asked, output.dims())?;
                        Some((self.backward(arrays.of(Array::Input), &gradient)?, gradient))
                    }
                    false => None,
                };
                pool(
                    &Pool {
                        geometry: &desc.resolve(&shape.dims)?,
                        input: arrays.of(Array::Input),
                        output: &output,
                        backward: back.as_ref().map(|(received, sent)| Backward {
                            places: places.as_ref(),
                            output: sent,
                            input: received,
                        }),
                        excerpt,
                    },
                    &caption,
                    colouring,
                )
            }
            Problem::AdaptivePool(..) => {
                return Err(usage(format!(
                    "problem '{}': its windows differ in size, and no one window moves; draw a pool-max or pool-avg",
                    self.asked
                )));
            }
        };
        scene.map_err(|error| usage(format!("problem '{}': {error}", self.asked)))
    }

    /// Where the problem lies in a layer of which it is a part.
    fn excerpt(&self) -> Option<&'a Excerpt> {
        self.files.part().map(|part| &part.excerpt)
    }

    /// What the layer makes, of what the drawn part of it makes: channels that are left out add to it.
    fn whole(&self, mut output: Tensor<f64>) -> Tensor<f64> {
        let rest = self.excerpt().and_then(|excerpt| excerpt.rest.as_ref());
        let others = rest.into_iter().flat_map(Tensor::data);
        for (sum, more) in output.data_mut().iter_mut().zip(others) {
            *sum += more;
        }
        output
    }

    /// The product of matrices.
    ///
    /// # Errors
    /// As [`Drawn::moving`], or a problem that is no plain convolution.
    pub(super) fn im2col(&self) -> anyhow::Result<Scene> {
        let Problem::Conv(shape, desc) = &self.drawn else {
            return Err(usage(format!(
                "problem '{}': --as im2col is for plain convolutions",
                self.asked
            )));
        };
        let (arrays, mut made) = self.forward()?;
        let scene = figures::matrix::im2col(
            &Convolution {
                geometry: &desc.resolve(&shape.dims)?,
                input: arrays.of(Array::Input),
                weight: arrays.of(Array::Weight),
                bias: arrays.find(Array::Bias),
                output: &self.whole(real(&mut made)?),
                excerpt: self.excerpt(),
            },
            &self.caption_or(
                "a column of the matrix: what lies under the window; colours: input channels",
            ),
        );
        scene.map_err(|error| usage(format!("problem '{}': {error}", self.asked)))
    }

    /// Rows of memory.
    ///
    /// # Errors
    /// A problem whose windows do not have one size and place, or one too large even so.
    pub(super) fn layout(&self) -> anyhow::Result<Scene> {
        let (shape, windows) = match &self.drawn {
            Problem::Conv(shape, desc) => (shape, desc.resolve(&shape.dims)?.windows),
            Problem::Pool(shape, desc) => (shape, desc.resolve(&shape.dims)?.windows),
            Problem::ConvSeparable(shape, desc) => {
                (shape, desc.resolve(&shape.dims)?.depthwise.windows)
            }
            _ => {
                return Err(usage(format!(
                    "problem '{}': --as layout is for convolutions and pools with windows of one size and stride",
                    self.asked
                )));
            }
        };
        let [depth, down, across] = windows;
        let scene = match depth == geometry::Window::UNIT {
            true => figures::memory::layouts(
                [shape.dims[0], shape.dims[1]],
                [down, across],
                &self.caption_or("cells: channel, row, column; a row: a cache line of 16 numbers; dark: the window"),
            ),
            false => Err(figures::FigureError::Depth),
        };
        scene.map_err(|error| usage(format!("problem '{}': {error}", self.asked)))
    }

    /// The arrays of the problem that is drawn, and what its operator makes of them: the output, and the places of maxima.
    pub(super) fn forward(&self) -> anyhow::Result<(Arrays, Vec<Made<f64>>)> {
        let asked = Asked {
            bias: self.files.has(Array::Bias),
            indices: matches!(&self.drawn, Problem::Pool(_, desc) if desc.kind == PoolKind::Max),
            ..Asked::default()
        };
        // Files have the extents of the problem as it was asked for.
        let whole = Operator::new(self.asked, Direction::Forward, asked).map_err(usage)?;
        for array in Array::ALL {
            let is_gradient = array == Array::Grad && matches!(self.asked, Problem::Pool(..));
            if self.files.of(array).is_some() && !is_gradient {
                if array == Array::Grad {
                    return Err(usage(format!("{array}: only a pool is drawn backwards")));
                }
                let on_problem = |reason| usage(format!("problem '{}': {reason}", self.asked));
                whole.check_array(array).map_err(on_problem)?;
            }
        }
        let operator = Operator::new(&self.drawn, Direction::Forward, asked).map_err(usage)?;
        let graph = &operator.graph;
        let numbers = |&id| graph.value(id).shape.iter().product::<usize>();
        let given = graph.inputs.iter().chain(&graph.outputs).map(numbers).sum();
        if given > MOST_NUMBERS {
            let what = "numbers";
            let most = MOST_NUMBERS;
            let error = FigureError::TooMuch { what, given, most };
            return Err(usage(format!("problem '{}': {error}", self.asked)));
        }
        let mut arrays = Vec::new();
        let ids = operator.graph.inputs.iter().zip(&whole.graph.inputs);
        for ((&id, &asked), array) in ids.zip(&operator.reads) {
            let Some(array) = *array else { continue };
            let [drawn, asked] =
                [(&operator, id), (&whole, asked)].map(|(of, id)| &of.graph.value(id).shape);
            arrays.push((array, self.files.array(array, asked, drawn)?));
        }
        let given: Vec<_> = arrays
            .iter()
            .map(|(_, tensor)| Some(Given::Real(tensor)))
            .collect();
        let made = self.eager.run(operator.graph, &given).map_err(refused)?;
        Ok((Arrays(arrays), made))
    }

    fn compute(&self, problem: &Problem, given: &[&Tensor<f64>]) -> anyhow::Result<Tensor<f64>> {
        let operator =
            Operator::new(problem, Direction::Forward, Asked::default()).map_err(usage)?;
        let given: Vec<_> = given
            .iter()
            .map(|tensor| Some(Given::Real(*tensor)))
            .collect();
        real(&mut self.eager.run(operator.graph, &given).map_err(refused)?)
    }

    /// The gradient of the input of a pool.
    fn backward(&self, input: &Tensor<f64>, gradient: &Tensor<f64>) -> anyhow::Result<Tensor<f64>> {
        let operator =
            Operator::new(&self.drawn, Direction::BackwardData, Asked::default()).map_err(usage)?;
        let given: Vec<_> = operator
            .reads
            .iter()
            .map(|array| match array {
                Some(Array::Input) => Some(Given::Real(input)),
                Some(Array::Grad) => Some(Given::Real(gradient)),
                _ => None,
            })
            .collect();
        real(&mut self.eager.run(operator.graph, &given).map_err(refused)?)
    }
}

/// The first of what an operator made.
fn real(made: &mut Vec<Made<f64>>) -> anyhow::Result<Tensor<f64>> {
    match made.is_empty() {
        true => anyhow::bail!("the operator made nothing"),
        false => Ok(made.remove(0).real()),
    }
}

/// Extents of what a problem makes.
fn output_of(problem: &Problem) -> anyhow::Result<Vec<usize>> {
    let operator = Operator::new(problem, Direction::Forward, Asked::default()).map_err(usage)?;
    let output = operator.graph.outputs.first();
    Ok(output
        .map(|&id| operator.graph.value(id).shape.clone())
        .unwrap_or_default())
}
