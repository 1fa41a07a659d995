//! Published weights: where they come from, how they fit a network, and how they are trained further.
//!
//! The parameters of a network of the zoo are named and shaped as torchvision names those of the networks that it has,
//! and timm those of the others, so a state dictionary of theirs, saved as safetensors, is one of the network here:
//!
//! ```sh
//! convolve summary resnet18 --weights resnet18.safetensors      # do they fit?
//! convolve predict resnet18 --weights resnet18.safetensors photo.jpg
//! convolve eval hf-hub:timm/resnet18.a1_in1k --data imagenet/   # folders may be called by their synsets
//! convolve bench resnet18 --weights resnet18.safetensors
//! ```
//!
//! | `--weights` | is |
//! |---|---|
//! | `FILE.safetensors` | tensors by name; `config.json` in the same folder, if there is one, describes them |
//! | `FILE.onnx` | its initializers; the classes and the preprocessing in its metadata, if this program wrote it |
//! | `FOLDER` | `model.safetensors` and `config.json`, as timm publishes them, or a run of `convolve train` |
//! | `hf-hub:ORG/NAME[@REVISION]` | such a folder in the Hugging Face cache (`HF_HUB_CACHE`, `HF_HOME`) |
//!
//! With the feature `hub` what the cache lacks is downloaded, and goes on where it broke off, unless
//! `HF_HUB_OFFLINE=1`; `HF_ENDPOINT` names another hub. Nothing else ever asks the network, and what is in the cache is
//! used as it is. A bare file says neither classes nor preprocessing: the network is then the one of the zoo that fits,
//! a thousand classes are those of ImageNet, and pictures are prepared as torchvision does (the short side to 256, the
//! centre of 224). PyTorch's `num_batches_tracked` is ignored, and heads that exist for training only may be missing, each
//! of them as a whole, as `aux_logits=False` leaves GoogLeNet and Inception v3; nothing else may be missing or left over.
//!
//! # Training further
//! ```sh
//! convolve train --data photos/ --weights hf-hub:timm/resnet18.a1_in1k --freeze body
//! convolve train --data photos/ --weights runs/resnet18-photos-1 --freeze conv1 bn1 'layer?.*.bn1' --lr 0.001
//! ```
//! The network sees pictures as the weights are used to see them. Where the data have another number of classes, the
//! head, which is what follows that number, starts anew. Frozen parameters do not learn, frozen batch norms keep and use
//! their running statistics ([`TrainingOptions::fix_frozen_norms`]), and no gradient is computed where none is needed.
//! Heads for training only that the weights lack start anew too, and the program says so; `--freeze body` lets them learn.
//!
//! # An ONNX model
//! ```sh
//! convolve train --data photos/ --model elsewhere.onnx --freeze body
//! convolve eval elsewhere.onnx --data photos/
//! convolve export runs/elsewhere-photos-1 here.onnx
//! ```
//! A classifier in an ONNX file is a network like those of the zoo ([`Architecture`]), and its initializers are the
//! weights to begin with:
//!
//! | in the model | in training |
//! |---|---|
//! | weights and biases, vectors that are added or multiplied | learn |
//! | scale and shift of a norm | learn, each norm its own, though the file may hold equal ones once |
//! | `BatchNormalization`, in either mode | by the statistics of the batch; the running ones move |
//! | `Dropout`, in either mode | drops |
//! | other constants | stay as they are |
//! | a softmax or log-softmax at the end | is left out: the loss has its own |
//! | the last linear layer or dense convolution | starts anew where the data have other classes |
//! | the batch, if it is fixed | any, unless the model's shapes depend on it |
//!
//! Exporters fold what they can: PyTorch's put batch norms into the convolutions before them and leave dropouts out, unless
//! they are asked for `training=TrainingMode.PRESERVE` or `TRAINING`. The run keeps a copy of the file, and of those in
//! which its weights lie, in `RUN/network/`; its checkpoints hold the weights under the names of the initializers and need
//! the copy beside them. What leaves the folder is an `.onnx` file of its own, classes and preprocessing in it.
//!
//! # In the library
//! [`Weights`] opens any of these, [`Classifier::from_weights`] and [`Evaluator::from_weights`] use it, and
//! [`Weights::restore`] fills any [`Program`] of the network:
//! ```
//! use convolve::formats::weights::{Precision, TensorFile};
//! use convolve::runtime::{Program, RuntimeOptions};
//! use convolve::train::Weights;
//! use convolve::{graph, zoo};
//!
//! // A file as another program may have written it.
//! let found = zoo::find("lenet5")?;
//! let network = found.build(&found.model.options())?;
//! let mut file = TensorFile::default();
//! for (_, value) in network.parameters() {
//!     file.push(&value.name, &value.shape, vec![0.5; value.shape.iter().product()])?;
//! }
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("lenet5.safetensors");
//! file.save(&path, Precision::F32)?;
//!
//! let mut weights = Weights::open(&path, None)?;
//! assert_eq!(weights.card().model, "lenet5");
//! let mut program = Program::new(graph::passes::inference(&network)?, &RuntimeOptions::default())?;
//! weights.restore(&mut program)?;
//! assert_eq!(program.parameters()[0], 0.5);
//!
//! let wrong = Weights::open(&path, Some("resnet20")).unwrap_err().to_string();
//! assert!(wrong.ends_with("they are those of lenet5"), "{wrong}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrainingOptions::fix_frozen_norms`]: crate::graph::passes::TrainingOptions::fix_frozen_norms
//! [`Architecture`]: crate::train::Architecture
//! [`Weights`]: crate::train::Weights
//! [`Weights::restore`]: crate::train::Weights::restore
//! [`Classifier::from_weights`]: crate::train::Classifier::from_weights
//! [`Evaluator::from_weights`]: crate::train::Evaluator::from_weights
//! [`Program`]: crate::runtime::Program
