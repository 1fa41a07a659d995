//! An ONNX model as a classifier that learns.

use std::fs::{File, create_dir_all};
use std::io;
use std::path::{Path, PathBuf};

use formats::Preprocess;
use formats::atomic;
use formats::onnx::{
    Bindings, Declared, Edge, Element, Elements, Extent, Import, Model, OnnxError,
};
use graph::{AxisRoles, Graph, GraphError, OutputActivation, passes};
use zoo::{BuildOptions, Head};

use crate::ModelCard;

/// Side of an image where the model leaves it open and nothing else says.
const USUAL_SIDE: usize = 224;

/// An ONNX model that reads pictures `[n, c, h, w]` and makes one row of logits, or of their softmax or sigmoids, of each.
///
/// Its weights, biases and the scales and shifts of its norms are parameters that learn; running statistics are those
/// of batch norms, in whichever mode the model was exported. A softmax or sigmoid at its end is left out, as the loss has
/// a softmax of its own. The batch may be any, even where the model says one, unless its shapes depend on it.
#[derive(Debug)]
pub struct OnnxNetwork {
    path: PathBuf,
    model: Model,
    /// One image as the model reads it, and its own classes.
    options: BuildOptions,
    /// Batch that the model says.
    batch: Option<usize>,
    /// What makes probabilities of its logits.
    activation: OutputActivation,
}

/// Why an ONNX model is no network to train, or not for such images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxNetworkError {
    /// The file, or an operator in it.
    #[error("{}{source}", of_file(path, source))]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<OnnxError>,
    },
    /// It cannot be made for so many classes, or is no network at all.
    #[error("{}: {source}", path.display())]
    Graph {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<GraphError>,
    },
    /// A model whose input is no picture.
    #[error(
        "{}: input `{input}` is {extents}, and pictures are [n, 1 or 3, height, width]; `convolve run` takes arrays in .npy files",
        path.display()
    )]
    NotOfPictures {
        /// The file.
        path: PathBuf,
        /// Its input.
        input: String,
        /// The extents of that, as the model declares them.
        extents: String,
    },
    /// A model of other inputs or outputs.
    #[error("{}: is no classifier of pictures: {}", path.display(), many(inputs, outputs))]
    NotAClassifier {
        /// The file.
        path: PathBuf,
        /// Shapes of its inputs.
        inputs: Vec<Vec<usize>>,
        /// Shapes of its outputs.
        outputs: Vec<Vec<usize>>,
    },
    /// A model whose input or output holds no floating-point numbers.
    #[error(
        "{}: `{name}` holds {element}, and pictures are read as floating-point numbers, as are logits; `convolve run` takes arrays in .npy files",
        path.display()
    )]
    NotOfFloats {
        /// The file.
        path: PathBuf,
        /// The input or output.
        name: String,
        /// Its element type.
        element: Element,
    },
    /// A model with shapes that depend on its batch.
    #[error(
        "{}: is made for batches of {fixed} and does not fit {asked} images: {reason}; export it with an open first axis",
        path.display()
    )]
    FixedBatch {
        /// The file.
        path: PathBuf,
        /// Its batch.
        fixed: usize,
        /// Images that were asked for.
        asked: usize,
        /// What does not fit.
        reason: String,
    },
    /// Classes or preprocessing that the file names and that make no sense.
    #[error("{}: `{key}` in the metadata: {reason}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The entry.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint whose ONNX model does not lie beside it.
    #[error(
        "{}: no such file; weights of an ONNX model alone do not say what the network is, a run keeps it beside them",
        path.display()
    )]
    NotKept {
        /// Where it would be.
        path: PathBuf,
    },
    /// A checkpoint that names a model elsewhere.
    #[error("{}: a checkpoint names its ONNX model, without a folder", path.display())]
    Elsewhere {
        /// What it names.
        path: PathBuf,
    },
}

/// What a classifier has one of.
fn many(inputs: &[Vec<usize>], outputs: &[Vec<usize>]) -> String {
    let several = |what: &str, shapes: &[Vec<usize>]| {
        let shapes: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
        let (count, shapes) = (shapes.len(), shapes.join(", "));
        format!(
            "it has {count} {what}, {shapes}; `convolve run` takes arrays for all, and writes all"
        )
    };
    match (inputs.len(), outputs.len()) {
        (1, 1) => {
            let single = match outputs[0].len() {
                0 | 1 => ", for a single logit [n, 1]",
                _ => "",
            };
            format!(
                "it makes {:?} of {:?}, not a row of logits for each picture, [n, classes]{single}",
                outputs[0], inputs[0]
            )
        }
        (1, _) => several("outputs", outputs),
        _ => several("inputs", inputs),
    }
}

/// A failure of the system names the file itself.
fn of_file(path: &Path, source: &OnnxError) -> String {
    match source {
        OnnxError::Io { .. } => String::new(),
        _ => format!("{}: ", path.display()),
    }
}

impl OnnxNetwork {
    /// Reads a file.
    ///
    /// # Errors
    /// A damaged file, operators that are not known, or a model that is no classifier of pictures.
    pub fn open(path: &Path) -> Result<Self, OnnxNetworkError> {
        let model = Model::open(path).map_err(|error| faulty(path, error))?;
        let mut network = Self {
            path: path.to_path_buf(),
            options: BuildOptions {
                batch: 1,
                channels: 0,
                height: 0,
                width: 0,
                classes: 0,
            },
            batch: None,
            activation: OutputActivation::Softmax,
            model,
        };
        network.check_pictures()?;
        let declared = network.model.inputs().first();
        let extents = declared.and_then(|input| input.shape.as_deref());
        if let Some([batch, image @ ..]) = extents {
            network.batch = match batch {
                Extent::Known(batch) => Some(*batch),
                Extent::Open(_) => None,
            };
            let (height, width) = match network.preprocess()? {
                Some(preprocess) => preprocess.input,
                None => (USUAL_SIDE, USUAL_SIDE),
            };
            let usual = [3, height, width];
            let mut sides = image.iter().zip(usual).map(|(extent, usual)| match extent {
                Extent::Known(extent) => *extent,
                Extent::Open(_) => usual,
            });
            let mut next = || sides.next().unwrap_or(0);
            let options = &mut network.options;
            (options.channels, options.height, options.width) = (next(), next(), next());
        }
        let import = network.whole(&network.options)?;
        network.check_order(&import.graph)?;
        let graph = network.logits(&import, network.options.batch)?;
        network.options.classes = graph.value(graph.outputs[0]).shape[1];
        network.activation = OutputActivation::of(&import.graph);
        Ok(network)
    }

    /// Refuses a model whose only input says that it is no picture.
    fn check_pictures(&self) -> Result<(), OnnxNetworkError> {
        let [input] = self.model.inputs() else {
            return Ok(());
        };
        let known = |extent: &Extent| match extent {
            Extent::Known(extent) => Some(*extent),
            Extent::Open(_) => None,
        };
        let fits = match input.shape.as_deref() {
            None => true,
            Some([_, channels, _, _]) => known(channels).is_none_or(|c| c == 1 || c == 3),
            Some(_) => false,
        };
        match fits {
            true => Ok(()),
            false => Err(self.not_of_pictures(input)),
        }
    }

    /// Refuses a model that takes the channels of its input from elsewhere than the second axis, which its extents alone need
    /// not tell.
    fn check_order(&self, graph: &Graph) -> Result<(), OnnxNetworkError> {
        let read = graph.inputs.first().zip(AxisRoles::of(graph, 0).ok());
        let channels = read.and_then(|(&image, roles)| roles.channels(graph, image));
        match (channels, self.model.inputs()) {
            (Some(axis), [input]) if axis != 1 => Err(self.not_of_pictures(input)),
            _ => Ok(()),
        }
    }

    fn not_of_pictures(&self, input: &Declared) -> OnnxNetworkError {
        OnnxNetworkError::NotOfPictures {
            path: self.path.clone(),
            input: input.name.clone(),
            extents: input.extents(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// One image as the model reads it, of 224 × 224 where it leaves that open, and its own classes.
    pub fn options(&self) -> BuildOptions {
        self.options.clone()
    }

    /// What makes probabilities of its logits: the softmax or sigmoid that the model ends in, if it does.
    pub fn activation(&self) -> OutputActivation {
        self.activation
    }

    /// Its classes, and how pictures are prepared for it: as the file says if this program wrote it, else as is usual.
    ///
    /// # Errors
    /// [`OnnxNetworkError::Metadata`]
    pub fn card(&self) -> Result<ModelCard, OnnxNetworkError> {
        let options = &self.options;
        let image = [options.channels, options.height, options.width];
        let mut card = ModelCard::usual(&self.name(), image, options.classes);
        let classes: Option<Vec<String>> = self.entry(ModelCard::CLASSES)?;
        if let (Some(classes), Some(preprocess)) = (classes, self.preprocess()?) {
            if classes.len() != options.classes {
                let reason = format!("{} for {} logits", classes.len(), options.classes);
                return Err(self.senseless(ModelCard::CLASSES, reason));
            }
            card.classes = classes;
            card.preprocess = preprocess;
        }
        match card.fault() {
            None => Ok(card),
            Some((key, reason)) => Err(self.senseless(key, reason)),
        }
    }

    /// Whether the file says what its classes are and how pictures are prepared.
    pub(crate) fn is_described(&self) -> bool {
        let holds = |key| (self.model.metadata().iter()).any(|(name, _)| name == key);
        holds(ModelCard::CLASSES) && holds(ModelCard::PREPROCESS)
    }

    fn preprocess(&self) -> Result<Option<Preprocess>, OnnxNetworkError> {
        let found: Option<Preprocess> = self.entry(ModelCard::PREPROCESS)?;
        match found.as_ref().map(Preprocess::check) {
            Some(Err(fault)) => Err(self.senseless(ModelCard::PREPROCESS, fault.to_string())),
            _ => Ok(found),
        }
    }

    /// An entry of the metadata, from JSON.
    fn entry<T: serde::de::DeserializeOwned>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, OnnxNetworkError> {
        let entry = (self.model.metadata().iter()).find(|(name, _)| name == key);
        entry
            .map(|(_, text)| serde_json::from_str(text))
            .transpose()
            .map_err(|error| self.senseless(key, error.to_string()))
    }

    fn senseless(&self, key: &'static str, reason: String) -> OnnxNetworkError {
        OnnxNetworkError::Metadata {
            path: self.path.clone(),
            key,
            reason,
        }
    }

    /// The forward graph up to the logits. For other classes than its own, its last layer with weights is another one.
    ///
    /// # Errors
    /// Images or classes that the model cannot be made for.
    pub fn build(&self, options: &BuildOptions) -> Result<Graph, OnnxNetworkError> {
        let (graph, _) = self.import(options)?;
        passes::with_classes(&graph, options.classes).map_err(|source| self.graph(source))
    }

    /// What changes with the number of classes; nothing where that cannot be changed.
    ///
    /// # Errors
    /// Images that the model cannot be made for.
    pub fn head(&self, options: &BuildOptions) -> Result<Head, OnnxNetworkError> {
        let (graph, _) = self.import(options)?;
        let built = [2, 3].map(|classes| passes::with_classes(&graph, classes));
        Ok(match built {
            [Ok(two), Ok(three)] => Head::between(&two, &three),
            _ => Head::default(),
        })
    }

    /// What its parameters and running statistics hold, by name.
    ///
    /// # Errors
    /// As [`OnnxNetwork::build`].
    pub fn elements(&self) -> Result<Vec<(String, Elements)>, OnnxNetworkError> {
        Ok(self.import(&self.options)?.1)
    }

    /// Copies the file, and those beside it in which its weights lie, to a folder.
    ///
    /// # Errors
    /// What the system says, with the file it says it of.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
        let beside = self.path.parent().unwrap_or(Path::new(""));
        let own = self.path.file_name().map(PathBuf::from);
        for file in own.iter().chain(self.model.files()) {
            let (from, to) = (beside.join(file), folder.join(file));
            let copy = || {
                create_dir_all(to.parent().unwrap_or(folder))?;
                let mut source = File::open(&from)?;
                atomic::write_with(&to, |target| io::copy(&mut source, target).map(|_| ()))
            };
            copy().map_err(|error| (to.clone(), error))?;
        }
        Ok(())
    }

    /// The model up to its logits, for its own classes, and what its parameters hold.
    fn import(
        &self,
        options: &BuildOptions,
    ) -> Result<(Graph, Vec<(String, Elements)>), OnnxNetworkError> {
        let import = self.whole(options)?;
        Ok((self.logits(&import, options.batch)?, import.elements))
    }

    /// The model for its own classes, as the file has it.
    fn whole(&self, options: &BuildOptions) -> Result<Import, OnnxNetworkError> {
        let asked = options.batch;
        let mut bindings = Bindings {
            rebatch: true,
            learns: true,
            ..Bindings::batch(asked)
        };
        if let Some(input) = self.model.inputs().first() {
            let BuildOptions {
                channels,
                height,
                width,
                ..
            } = *options;
            let shape = vec![asked, channels, height, width];
            bindings.shapes.insert(input.name.clone(), shape);
        }
        let another = self.batch.filter(|&fixed| fixed != asked);
        self.model.import(&bindings).map_err(|error| match another {
            // Images of another size do not fit it in any batch.
            Some(_) if matches!(error, OnnxError::Input { .. }) => faulty(&self.path, error),
            Some(fixed) => self.fixed(fixed, asked, error.to_string()),
            None => faulty(&self.path, error),
        })
    }

    fn logits(&self, import: &Import, asked: usize) -> Result<Graph, OnnxNetworkError> {
        let edges = || import.inputs.iter().chain(&import.outputs);
        let (inputs, outputs) = (import.inputs.len(), import.outputs.len());
        if (inputs, outputs) == (1, 1)
            && import.graph.inputs.len() == 1
            && import.graph.outputs.len() == 1
            && edges().all(|edge| edge.element.is_float())
        {
            let graph = passes::logits(&import.graph).map_err(|source| self.graph(source))?;
            match *graph.value(graph.outputs[0]).shape.as_slice() {
                [batch, classes] if batch == asked && classes > 0 => return Ok(graph),
                [batch, _] if self.batch == Some(batch) => {
                    let reason = format!("it makes {batch} rows of logits");
                    return Err(self.fixed(batch, asked, reason));
                }
                _ => {}
            }
        }
        if (inputs, outputs) == (1, 1)
            && let Some(edge) = edges().find(|edge| !edge.element.is_float())
        {
            return Err(OnnxNetworkError::NotOfFloats {
                path: self.path.clone(),
                name: edge.name.clone(),
                element: edge.element,
            });
        }
        let shapes = |edges: &[Edge]| edges.iter().map(|edge| edge.shape.clone()).collect();
        Err(OnnxNetworkError::NotAClassifier {
            path: self.path.clone(),
            inputs: shapes(&import.inputs),
            outputs: shapes(&import.outputs),
        })
    }

    fn fixed(&self, fixed: usize, asked: usize, reason: String) -> OnnxNetworkError {
        OnnxNetworkError::FixedBatch {
            path: self.path.clone(),
            fixed,
            asked,
            reason,
        }
    }

    fn graph(&self, source: GraphError) -> OnnxNetworkError {
        OnnxNetworkError::Graph {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

fn faulty(path: &Path, error: OnnxError) -> OnnxNetworkError {
    OnnxNetworkError::Model {
        path: path.to_path_buf(),
        source: Box::new(error),
    }
}
