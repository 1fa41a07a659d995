//! One computation: reads the arrays, computes, writes the result.

use std::path::{Path, PathBuf};

use formats::atomic::Draft;
use geometry::Problem;
use graph::ElementType;
use kernels::conv::Algorithm;
use kernels::pool::NO_SOURCE;
use runtime::eager::{Element, Given, Made};
use runtime::{Eager, RuntimeError};
use tensor::{NpyElement, NpyError, NpyFile, Tensor, write_npy_to};

use super::direction::{Array, Direction};
use super::operator::{Asked, Operator};
use super::{Files, Precision};
use crate::destination;
use crate::failure::usage;

/// What to compute, on which files.
pub(super) struct Task {
    pub(super) problem: Problem,
    pub(super) direction: Direction,
    pub(super) precision: Precision,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) files: Files,
    pub(super) output: PathBuf,
}

/// An array as it was read.
enum Read<T> {
    Real(Tensor<T>),
    Index(Tensor<u32>),
}

impl Task {
    pub(super) fn run(&self, eager: &Eager) -> anyhow::Result<()> {
        match self.precision {
            Precision::F32 => self.run_in::<f32>(eager),
            Precision::F64 => self.run_in::<f64>(eager),
        }
    }

    fn run_in<T: Element + NpyElement>(&self, eager: &Eager) -> anyhow::Result<()> {
        let asked = Asked {
            bias: self.direction == Direction::BackwardBias
                || (self.direction == Direction::Forward && self.files.bias.is_some()),
            indices: self.files.indices.is_some(),
            algorithm: self.algorithm,
        };
        let operator = Operator::new(&self.problem, self.direction, asked).map_err(usage)?;
        let on_problem = |reason| usage(format!("problem '{}': {reason}", self.problem));
        for array in Array::ALL {
            if self.files.of(array).is_some() {
                operator.check_array(array).map_err(on_problem)?;
            }
        }
        eager.check(&operator.graph).map_err(refused)?;
        self.check_places()?;
        let mut arrays = Vec::new();
        for (&id, array) in operator.graph.inputs.iter().zip(&operator.reads) {
            let value = operator.graph.value(id);
            let read = array.map(|array| {
                let path = self
                    .files
                    .of(array)
                    .ok_or_else(|| self.wanting(array, &operator));
                self.read::<T>(path?, array, &value.shape, value.element)
            });
            arrays.push(read.transpose()?);
        }
        let given: Vec<_> = arrays
            .iter()
            .map(|array| match array {
                Some(Read::Real(tensor)) => Some(Given::Real(tensor)),
                Some(Read::Index(tensor)) => Some(Given::Index(tensor)),
                None => None,
            })
            .collect();
        let made = eager.run(operator.graph, &given).map_err(refused)?;
        let mut made = made.into_iter();
        let mut drafts = Vec::new();
        if let Some(result) = made.next() {
            drafts.push((&self.output, draft(&self.output, result)?));
        }
        if let (Some(places), Some(path)) = (made.next(), &self.files.indices) {
            drafts.push((path, draft(path, places)?));
        }
        // All or nothing: no array takes its name before the last one is on the disk.
        for (path, draft) in drafts {
            draft.publish().map_err(io_error(path))?;
        }
        Ok(())
    }

    /// Checks where results go before anything is computed.
    fn check_places(&self) -> anyhow::Result<()> {
        let output = destination::of(&self.output)?;
        let mut read = Array::ALL
            .into_iter()
            .filter_map(|array| self.files.of(array));
        read.try_for_each(|read| destination::must_not_be_read(read, &self.output))?;
        match &self.files.indices {
            Some(indices)
                if self.direction == Direction::Forward && destination::of(indices)? == output =>
            {
                let path = self.output.display();
                Err(usage(format!(
                    "{path}: both --output and --indices would be written there"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The error about an array that is not given.
    fn wanting(&self, array: Array, operator: &Operator) -> anyhow::Error {
        let instead = match array {
            Array::Input if operator.has_places && self.direction == Direction::BackwardData => {
                format!(" or {}", Array::Indices)
            }
            _ => String::new(),
        };
        usage(format!("{} needs {array}{instead}", self.direction))
    }

    /// Reads an array whose shape is the problem's; of another one no more than the header.
    fn read<T: NpyElement>(
        &self,
        path: &Path,
        array: Array,
        shape: &[usize],
        element: ElementType,
    ) -> anyhow::Result<Read<T>> {
        let file = NpyFile::open(path)?;
        if file.dims() != shape {
            anyhow::bail!(
                "{}: {array} has shape {:?}, the problem wants {shape:?}",
                path.display(),
                file.dims()
            );
        }
        Ok(match element {
            ElementType::Real => Read::Real(file.read()?),
            ElementType::Index => Read::Index(self.places(path, file.read()?)?),
        })
    }

    /// Indices, each of which names a place of the problem's planes, or none.
    fn places(&self, path: &Path, indices: Tensor<u32>) -> anyhow::Result<Tensor<u32>> {
        let (Problem::Pool(shape, _) | Problem::AdaptivePool(shape, _)) = &self.problem else {
            return Ok(indices);
        };
        let plane: usize = shape.dims.iter().skip(2).product();
        let outside = |&&index: &&u32| index != NO_SOURCE && index as usize >= plane;
        match indices.data().iter().find(outside) {
            Some(index) => anyhow::bail!(
                "{}: index {index} lies outside a plane of {plane} elements",
                path.display()
            ),
            None => Ok(indices),
        }
    }
}

/// An algorithm that does not serve a problem is wrong usage; the layer's name says nothing here.
pub(crate) fn refused(error: RuntimeError) -> anyhow::Error {
    match error {
        RuntimeError::Plan { source, .. } => usage(source),
        other => other.into(),
    }
}

fn draft<T: NpyElement>(path: &Path, made: Made<T>) -> Result<Draft, NpyError> {
    let written = match made {
        Made::Real(tensor) => Draft::write(path, |file| {
            write_npy_to(file, tensor.dims(), tensor.data())
        }),
        Made::Index(tensor) => Draft::write(path, |file| {
            write_npy_to(file, tensor.dims(), tensor.data())
        }),
    };
    written.map_err(io_error(path))
}

fn io_error(path: &Path) -> impl Fn(std::io::Error) -> NpyError {
    let path = path.to_owned();
    move |source| NpyError::Io {
        path: path.clone(),
        source,
    }
}
