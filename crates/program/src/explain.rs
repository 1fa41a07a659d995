//! `convolve explain`: what a network sees on a picture.

mod answer;
mod attribution;
mod case;
mod check;
mod features;
mod field;
mod filters;
mod heat;
mod method;
mod occlusion;
mod patches;
mod photo;
mod progress;
mod report;
mod shown;
mod statistics;

use std::path::{Path, PathBuf};

use clap::Args;
use explain::ExplainError;
use figures::{Theme, html, png, svg};

use self::attribution::Attribution;
pub(crate) use self::case::Opened;
use self::case::{Case, Question};
use self::method::{Method, Named};
use self::occlusion::Window;
pub(crate) use self::photo::prepared;
use self::progress::Progress;
use self::report::Report;
use self::shown::{LeftOut, Shown, sentences};
use super::answering::{self, Answering};
use super::destination;
use super::draw::{Background, factor};
use super::engine::Engine;
use super::failure::{one_line, usage};
use super::output::{self, Messages};
use super::printable::printable;

/// What `explain` takes.
#[derive(Args)]
#[command(after_help = "\
Without RUN the network inside the program is asked, as `predict` does. The board shows the picture, Grad-CAM,
occlusion, saliency, guided backpropagation, deconvnet, the first filters and feature maps by depth;
--methods asks for others, or for all.

Examples: convolve explain photo.jpg -o board.png
          convolve explain runs/resnet20-shapes-1 photo.jpg --class star -o board.svg
          convolve explain hf-hub:timm/resnet18.a1_in1k photo.jpg --methods all -o report.html
          convolve explain photo.jpg --methods grad-cam,deletion,randomisation -o check.png
          convolve explain photo.jpg --layer layer1.2.relu_1 --methods patches --data photos/ -o nine.png")]
pub(crate) struct Arguments {
    /// A run folder, a .safetensors or .onnx file, hf-hub:ORG/NAME, or with --weights a network; then a JPEG, PNG,
    /// WebP or BMP file
    #[arg(value_name = "[RUN|MODEL] IMAGE", required = true)]
    paths: Vec<PathBuf>,
    /// Where the board goes: .png, .svg, which turns dark with its reader, or .html, a page for wide and narrow
    /// screens with all numbers; without it numbers are printed only
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The network's weights: a .safetensors or .onnx file, a run folder, or
    /// hf-hub:ORG/NAME
    #[arg(long, value_name = "FILE|RUN|hf-hub:ORG/NAME")]
    weights: Option<String>,
    /// The class to explain, by name or number [default: the likeliest]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// The layer whose maps are shown and looked at by Grad-CAM, deconvnet, the receptive field and the patches,
    /// as `summary` names it [default: the last one with maps; feature maps of every depth]
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,
    /// The map of the layer that deconvnet and patches look at [default: the strongest]
    #[arg(long, value_name = "MAP")]
    channel: Option<usize>,
    /// What to show, separated by commas
    #[arg(long, value_parser = Named, value_delimiter = ',', value_name = "METHOD")]
    methods: Vec<Method>,
    /// A folder of pictures in which patches are looked for
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Side of the window of occlusion, in pixels of the network [default: an eighth of the image]
    #[arg(long, value_name = "PIXELS")]
    window: Option<usize>,
    /// Its steps [default: half of the window]
    #[arg(long, value_name = "PIXELS")]
    stride: Option<usize>,
    /// Panels side by side of a .png or .svg, 1 to 12 [default: 5; 6 where checks stand beside maps]
    #[arg(long, value_name = "PANELS", value_parser = clap::value_parser!(u8).range(1..=12))]
    columns: Option<u8>,
    /// Background of a .png
    #[arg(long, value_enum, default_value_t)]
    theme: Background,
    /// Pixels to a unit of a .png, 0.25 to 8
    #[arg(long, value_name = "FACTOR", value_parser = factor, default_value_t = 2.0)]
    scale: f64,
    #[command(flatten)]
    engine: Engine,
    /// One JSON object with all numbers
    #[arg(long)]
    json: bool,
}

const PATCHES_WANT_PICTURES: &str =
    "patches are looked for in pictures: --data names a folder of them";
const PICTURES_WANT_PATCHES: &str =
    "--data names pictures to look for patches in, and patches are not among the --methods";

/// Explains.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    let (answering, images) = Answering::among(&arguments.paths, arguments.weights.as_deref())?;
    let image = answering::the_picture(images)?;
    let methods = Method::chosen(&arguments.methods, arguments.data.is_some());
    let data = arguments.data.as_deref();
    if methods.contains(&Method::Patches) && data.is_none() {
        return Err(usage(PATCHES_WANT_PICTURES));
    }
    if data.is_some() && !methods.contains(&Method::Patches) {
        return Err(usage(PICTURES_WANT_PATCHES));
    }
    // Before anything is computed: whether the board can go there.
    let output = arguments.output.as_deref();
    let format = output.map(Format::of).transpose()?;
    if let Some(path) = output {
        destination::of(path)?;
        destination::must_spare(image, path, "board")?;
    }
    let question = Question {
        class: arguments.class.as_deref(),
        layer: arguments.layer.as_deref(),
        channel: arguments.channel,
        window: Window {
            side: arguments.window,
            stride: arguments.stride,
        },
    };
    let opened = Opened::new(&answering, &arguments.engine.options(), messages)?;
    let case = opened.case(image, &question, messages)?;
    let (methods, mut left_out) = possible(&case, methods, &arguments.methods)?;
    if arguments.methods.contains(&Method::All) && data.is_none() {
        left_out.push(LeftOut {
            method: Method::Patches,
            reason: PATCHES_WANT_PICTURES.to_owned(),
        });
    }
    for sentence in sentences(&left_out) {
        messages.say(printable(sentence));
    }
    let looked = look(&case, &methods, &arguments.methods, question.layer, data)?;
    for sentence in sentences(&looked.left_out) {
        messages.say(printable(sentence));
    }
    let shown = looked.shown;
    left_out.extend(looked.left_out);
    let report = Report {
        case: &case,
        image,
        network: &answering.to_string(),
        shown: &shown,
        left_out: &left_out,
        layer: question.layer,
        columns: arguments.columns.map(usize::from),
    };
    if let (Some(path), Some(format)) = (output, format) {
        let drawing = Progress::step("board", methods.len(), methods.len(), messages);
        let bytes = format.bytes(&report, arguments.theme.into(), arguments.scale)?;
        drawing.clear();
        destination::write(path, &bytes)?;
        destination::tell(path, messages);
    }
    match arguments.json {
        true => output::json(&report.json(output))?,
        false => report.lines().into_iter().try_for_each(output::data)?,
    }
    Ok(())
}

/// The methods that have something to show of a network, and the others with the reason why not.
///
/// # Errors
/// One of the others that was asked for by its name.
fn possible(
    case: &Case,
    methods: Vec<Method>,
    asked: &[Method],
) -> anyhow::Result<(Vec<Method>, Vec<LeftOut>)> {
    let Err(reason) = case.watched() else {
        return Ok((methods, Vec::new()));
    };
    let (without, possible): (Vec<_>, Vec<_>) =
        methods.into_iter().partition(|method| method.needs_maps());
    match without.iter().find(|method| asked.contains(method)) {
        Some(method) => Err(usage(format!("--methods {method}: {reason}"))),
        None => {
            let left_out = without.into_iter().map(|method| LeftOut {
                method,
                reason: reason.to_string(),
            });
            Ok((possible, left_out.collect()))
        }
    }
}

/// What a look at a network came to.
struct Looked {
    shown: Vec<Shown>,
    left_out: Vec<LeftOut>,
}

/// Looks at a network in the ways that were chosen. On a terminal each is named while it is computed. What cannot be done
/// with the network takes nothing else with it.
///
/// # Errors
/// One that cannot be done and was asked for by its name, or all of them.
fn look(
    case: &Case,
    methods: &[Method],
    asked: &[Method],
    layer: Option<&str>,
    data: Option<&Path>,
) -> anyhow::Result<Looked> {
    let mut looked = Looked {
        shown: Vec::new(),
        left_out: Vec::new(),
    };
    let mut first = None;
    for (place, &method) in methods.iter().enumerate() {
        match look_by(case, method, place, methods, layer, data) {
            Ok(shown) => looked.shown.extend(shown),
            Err(error) if is_of_network(&error) && !asked.contains(&method) => {
                let reason = one_line(&error.to_string());
                looked.left_out.push(LeftOut { method, reason });
                first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match first {
        Some(error) if looked.shown.is_empty() => Err(error),
        _ => Ok(looked),
    }
}

/// Whether it is the network that does not allow something, and not a setting that was chosen.
fn is_of_network(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(
            ExplainError::Build { .. }
                | ExplainError::Geometry(_)
                | ExplainError::Graph(_)
                | ExplainError::Memory(_)
                | ExplainError::Neuron(_)
                | ExplainError::NoMap { .. }
                | ExplainError::Runtime(_)
                | ExplainError::Shape(_)
        )
    )
}

/// Looks at a network in one way, with the checks of its map.
fn look_by(
    case: &Case,
    method: Method,
    place: usize,
    methods: &[Method],
    layer: Option<&str>,
    data: Option<&Path>,
) -> anyhow::Result<Option<Shown>> {
    let counts_itself = matches!(method, Method::Occlusion | Method::Patches);
    let step = (!counts_itself)
        .then(|| Progress::step(method.to_string(), place, methods.len(), case.messages));
    let (mut shown, map) = match method {
        Method::GradCam => with_map(attribution::cam(case)?),
        Method::Occlusion => with_map(occlusion::occlusion(case)?),
        Method::Saliency => with_map(attribution::gradient(case)?),
        Method::Guided => with_map(attribution::guided_back(case)?),
        Method::Deconvnet => with_map(attribution::deconvnet(case)?),
        Method::Filters => (filters::first_layers(case, layer)?, None),
        Method::Maps => (features::strongest(case, layer)?, None),
        Method::Statistics => (statistics::by_layer(case)?, None),
        Method::Field => (field::field(case)?, None),
        Method::Patches => match data {
            Some(folder) => (patches::nine(case, folder)?, None),
            None => return Ok(None),
        },
        // Checks stand beside the maps that they check.
        Method::Deletion | Method::Randomisation | Method::All => return Ok(None),
    };
    drop(step);
    if let Some(map) = map {
        check(case, methods, &mut shown, &map)?;
    }
    Ok(Some(shown))
}

/// What is shown of a map that can be checked.
fn with_map((shown, map): (Shown, Attribution)) -> (Shown, Option<Attribution>) {
    (shown, Some(map))
}

/// Puts the checks that were chosen beside a map.
fn check(
    case: &Case,
    methods: &[Method],
    shown: &mut Shown,
    map: &Attribution,
) -> anyhow::Result<()> {
    // Behind the map itself, before what else its method shows.
    let chosen = [Method::Deletion, Method::Randomisation].into_iter();
    let chosen = chosen.filter(|method| methods.contains(method));
    for (place, method) in (1..).zip(chosen) {
        let (panel, row, numbers) = match method {
            Method::Deletion => check::deletion(case, map)?,
            _ => check::randomisation(case, map)?,
        };
        shown.panels.insert(place, panel.following());
        shown.rows.insert(place, row);
        shown.numbers[method.to_string()] = numbers;
    }
    Ok(())
}

/// A kind of file.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
    Html,
}

impl Format {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some("html" | "htm") => Ok(Self::Html),
            _ => Err(usage(format!(
                "{}: the name of a board ends in .png, .svg or .html",
                path.display()
            ))),
        }
    }

    fn bytes(self, report: &Report<'_>, theme: Theme, scale: f64) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Self::Svg => svg::write(&report.scene()).into_bytes(),
            Self::Png => png::write(&report.scene(), theme, scale).map_err(usage)?,
            Self::Html => html::write(&report.page()).into_bytes(),
        })
    }
}
