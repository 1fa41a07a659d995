//! What ails a network: a list of checks, and what each of them found.
//!
//! ```text
//! network ──────────────────────────▶ fields beyond the input, misaligned branches
//!    with its weights ──────────────▶ dead and duplicate filters, an aliasing stem
//!       with prepared pictures ─────▶ constant and saturated maps, norm statistics, gradients,
//!                                     preprocessing, class order
//! ```
//!
//! A check is a file here. It gives findings, each with its numbers and what to change, or says why it was left out.
//!
//! ```
//! use explain::doctor::{Check, Patient, examine};
//! use geometry::ConvDesc;
//! use graph::NetworkBuilder;
//!
//! let mut network = NetworkBuilder::new("deep for its images", [1, 3, 8, 8]);
//! let mut x = network.input();
//! for layer in ["a", "b", "c", "d", "e"] {
//!     x = network.conv(layer, x, ConvDesc::new(8, 3).padding(1), true)?;
//! }
//! let network = network.finish(x)?;
//! let diagnosis = examine(&Patient::new(&network)).unwrap();
//! assert_eq!(diagnosis.findings[0].check, Check::FieldsBeyondInput);
//! assert_eq!(diagnosis.findings[0].layer.as_deref(), Some("e"));
//! # Ok::<(), graph::GraphError>(())
//! ```

mod aliasing_stem;
mod answers;
mod class_order;
mod dead_filters;
mod diagnosis;
mod duplicate_filters;
mod fields_beyond_input;
mod filters;
mod gradients;
mod maps;
mod misaligned_branches;
mod noise;
mod norm_statistics;
mod observe;
mod parameters;
mod preprocessing;
mod sample;
mod spectrum;

use graph::Graph;
use runtime::{Program, RuntimeOptions};

pub use self::aliasing_stem::{Stem, folded};
use self::answers::Answers;
pub use self::answers::Score;
pub use self::diagnosis::{Check, Diagnosis, Finding, LeftOut, Severity};
pub use self::noise::Unevenness;
pub use self::parameters::Parameters;
pub use self::sample::{Sample, SampleError};
pub use self::spectrum::Spectrum;

/// Who is examined.
#[derive(Clone, Copy, Debug)]
pub struct Patient<'a> {
    /// The network as its author builds it, for batches of any size.
    pub network: &'a Graph,
    /// What it has learned; nothing of a network without weights.
    pub parameters: Option<&'a Parameters>,
    /// Pictures it is to be asked about.
    pub sample: Option<&'a Sample>,
    /// How it is run on them.
    pub options: RuntimeOptions,
}

impl<'a> Patient<'a> {
    /// A network without weights.
    pub fn new(network: &'a Graph) -> Self {
        Self {
            network,
            parameters: None,
            sample: None,
            options: RuntimeOptions::default(),
        }
    }

    /// Images that it takes at once.
    fn batch(&self) -> usize {
        self.network.value(self.network.inputs[0]).shape[0]
    }

    /// A graph made of the network, ready to be run with what it has learned; or why it cannot be run.
    fn program(&self, graph: Graph, parameters: &Parameters) -> Result<Program, String> {
        let program = Program::new(graph, &self.options);
        let mut program = program.map_err(|error| error.to_string())?;
        parameters.restore(&mut program);
        Ok(program)
    }
}

/// What a check comes to: findings, or the reason why it was left out.
type Findings = Result<Vec<Finding>, String>;

/// Makes all checks for which there is what they need.
///
/// # Errors
/// [`SampleError`] for pictures that are no batches of the network.
pub fn examine(patient: &Patient<'_>) -> Result<Diagnosis, SampleError> {
    if let Some(sample) = patient.sample {
        sample.fits(patient.network)?;
    }
    let mut diagnosis = Diagnosis::default();
    let network = patient.network;
    let fields = graph::receptive_fields(network, 0).map_err(|error| error.to_string());
    let fields = fields.as_ref().map_err(Clone::clone);
    diagnosis.take(
        Check::FieldsBeyondInput,
        fields
            .clone()
            .map(|fields| fields_beyond_input::check(network, fields)),
    );
    diagnosis.take(
        Check::MisalignedBranches,
        fields.map(misaligned_branches::check),
    );
    let Some(parameters) = patient.parameters else {
        let rest = Check::ALL.iter().filter(|check| check.needs_weights());
        rest.for_each(|&check| diagnosis.take(check, Err("needs trained weights".to_owned())));
        return Ok(diagnosis);
    };
    diagnosis.take(
        Check::DeadFilters,
        Ok(dead_filters::check(network, parameters)),
    );
    diagnosis.take(
        Check::DuplicateFilters,
        Ok(duplicate_filters::check(network, parameters)),
    );
    diagnosis.take(
        Check::AliasingStem,
        aliasing_stem::check(network, parameters, patient.sample),
    );
    let Some(sample) = patient.sample else {
        let rest = Check::ALL.iter().filter(|check| check.needs_pictures());
        rest.for_each(|&check| diagnosis.take(check, Err("needs pictures".to_owned())));
        return Ok(diagnosis);
    };
    match observe::observe(patient, parameters, sample) {
        Ok(observed) => {
            diagnosis.take(Check::ConstantMaps, Ok(maps::constant(network, &observed)));
            diagnosis.take(
                Check::SaturatedMaps,
                Ok(maps::saturated(network, &observed)),
            );
            diagnosis.take(
                Check::NormStatistics,
                norm_statistics::check(network, parameters, &observed, sample),
            );
        }
        Err(reason) => {
            for check in [
                Check::ConstantMaps,
                Check::SaturatedMaps,
                Check::NormStatistics,
            ] {
                diagnosis.take(check, Err(reason.clone()));
            }
        }
    }
    diagnosis.take(
        Check::Gradients,
        gradients::check(patient, parameters, sample),
    );
    match Answers::of(patient, parameters) {
        Ok(mut answers) => {
            let given = answers.ask(sample, |_, value| value);
            diagnosis.score = Some(given.score(sample));
            diagnosis.take(
                Check::Preprocessing,
                preprocessing::check(&mut answers, &given, sample),
            );
            diagnosis.take(Check::ClassOrder, class_order::check(&given, sample));
        }
        Err(reason) => {
            for check in [Check::Preprocessing, Check::ClassOrder] {
                diagnosis.take(check, Err(reason.clone()));
            }
        }
    }
    Ok(diagnosis)
}
