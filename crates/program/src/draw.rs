//! `convolve draw`: pictures of convolutions, blocks and networks.

mod boxes;
mod layer;
mod moving;
mod network;
mod neuron;
mod note;
mod numbers;
mod shuffle;
mod smaller;
mod stack;
mod window;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use figures::arithmetic::Colouring;
use figures::{Caption, Scene, Theme, channels, diagram, field};
use formats::Picture;
use geometry::Problem;
use kernels::Team;
use runtime::{Eager, RuntimeOptions};

use self::moving::Drawn;
use self::numbers::Files;
use self::shuffle::Shuffle;
use super::destination;
use super::failure::usage;
use super::input_shape::InputShape;
use super::model::Subject;
use super::op;
use super::output::{self, Messages};
use super::printable::printable;
use super::table::{self, Align, extents};
use super::weights::Asked;

/// What a block begins with.
const BLOCK: &str = "block:";

/// What `draw` takes.
#[derive(Args)]
#[command(
    override_usage = "\
convolve draw [OPTIONS] <PROBLEM|block:NAME|MODEL>... --output <FILE>
       convolve draw --layer <LAYER> [--at <y,x>] [--channel <MAP>] [RUN|MODEL] <IMAGE> --output <FILE>
       convolve draw --note --output <FOLDER>
       convolve draw --blocks",
    after_help = "\
A problem moves: its window goes over the input, with the numbers in the cells. A problem too large for a page is
drawn smaller, with the same settings, and the picture says so. Two problems or more are a stack, or rows of
channels; blocks and networks stand side by side.

Examples: convolve draw conv:n1c1h5w5:o1k3s2p1 -o conv.gif
          convolve draw conv:n1c3h3w3:o2k2 --as im2col -o columns.svg
          convolve draw conv:n1c1h9w9:o1k3 conv:n1c1h7w7:o1k3d2 -o field.svg
          convolve draw shuffle:n1c6h2w3:g3 -o shuffle.svg
          convolve draw block:residual-basic block:dense-layer -o blocks.svg
          convolve draw resnet50 -o resnet50.svg
          convolve draw photo.jpg --layer conv1 --heat -o conv1.svg
          convolve draw photo.jpg --layer conv1 --channel 7 --at 12,20 -o conv1.svg
          convolve draw resnet18 --weights resnet18.safetensors photo.jpg --layer layer1.0.conv1 -o x.gif"
)]
pub(crate) struct Arguments {
    /// A problem such as conv:n1c1h5w5:o1k3s2p1, a block of --blocks, or a network: of `convolve models`, an ONNX
    /// file, or a run folder
    #[arg(
        value_name = "PROBLEM|block:NAME|MODEL",
        required_unless_present_any = ["note", "blocks"],
        conflicts_with_all = ["note", "blocks"]
    )]
    subjects: Vec<OsString>,
    /// Where the picture goes; its ending says what it is: .svg moves and turns dark with its reader, .gif moves
    /// anywhere, .png stands still
    #[arg(short, long, value_name = "FILE", required_unless_present = "blocks")]
    output: Option<PathBuf>,
    /// The figures of the study note, as SVG into a folder
    #[arg(long)]
    note: bool,
    /// List the blocks that can be drawn
    #[arg(long, conflicts_with = "note")]
    blocks: bool,
    /// What is drawn of problems: moving, im2col, layout, field or channels [default: moving; field of several]
    #[arg(long = "as", value_enum, value_name = "FIGURE")]
    kind: Option<As>,
    /// Colour the cells of maps and kernels of a moving picture by their numbers, with the scales printed
    #[arg(long)]
    heat: bool,
    /// Background of a .png or .gif
    #[arg(long, value_enum, default_value_t)]
    theme: Background,
    /// Pixels to a unit of the picture, 0.25 to 8 [default: 2 of a .png, 1 of a .gif]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    scale: Option<f64>,
    /// Channels, height and width of the image a network is drawn for; by default those it was made for
    #[arg(long, value_name = "CxHxW")]
    image: Option<InputShape>,
    #[command(flatten)]
    layer: layer::Asked,
    #[command(flatten)]
    files: Files,
}

/// A figure of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum As {
    /// The window moves over the input.
    Moving,
    /// The product of matrices.
    Im2col,
    /// Rows of memory, with the cache lines that a window touches.
    Layout,
    /// What one element of the last of several maps sees.
    Field,
    /// Which channels are connected, and what it costs.
    Channels,
}

impl fmt::Display for As {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moving => "moving",
            Self::Im2col => "im2col",
            Self::Layout => "layout",
            Self::Field => "field",
            Self::Channels => "channels",
        })
    }
}

/// Background of a picture of pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Background {
    /// Ink on white.
    #[default]
    Light,
    /// Bright on dark.
    Dark,
}

impl From<Background> for Theme {
    fn from(background: Background) -> Self {
        match background {
            Background::Light => Self::Light,
            Background::Dark => Self::Dark,
        }
    }
}

/// A factor of size.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse()
        .ok()
        .filter(|factor| (0.25..=8.0).contains(factor));
    factor.ok_or_else(|| "a number from 0.25 to 8 is wanted".to_owned())
}

/// Draws.
pub(crate) fn run(arguments: Arguments, messages: Messages) -> anyhow::Result<()> {
    if arguments.blocks {
        return list();
    }
    let output = arguments.output.unwrap_or_default();
    let mut artist = Artist {
        eager: Eager::with_team(RuntimeOptions::default(), Arc::new(Team::new(1)?)),
        colouring: match arguments.heat {
            true => Colouring::Value,
            false => Colouring::Role,
        },
        image: arguments.image,
        files: arguments.files,
        messages,
    };
    if arguments.note {
        return all(&artist, &output);
    }
    let format = Format::of(&output)?;
    // Before anything is drawn: whether the picture can go there.
    destination::of(&output)?;
    for subject in &arguments.subjects {
        destination::must_spare(subject.as_ref(), &output, "drawing")?;
    }
    let scene = if arguments.layer.is_some() {
        artist.files.must_be_none("a layer, which has its own")?;
        let paths: Vec<PathBuf> = arguments.subjects.iter().map(PathBuf::from).collect();
        let (problem, known) = arguments.layer.known(&paths, &artist.eager, messages)?;
        if let Some(kind @ (As::Layout | As::Field | As::Channels)) = arguments.kind {
            return Err(usage(format!(
                "--as {kind} shows no numbers, and nothing of the picture: without a layer, \
                 convolve draw {problem} --as {kind} -o FILE draws it where it is small enough"
            )));
        }
        artist.files.known = Some(known);
        artist.scene(&[&problem.to_string()], arguments.kind)?
    } else {
        let mut paths = arguments.subjects.iter().map(Path::new);
        let picture = paths.find(|path| path.is_file() && Picture::is_meant_by(path));
        if let Some(picture) = picture {
            return Err(usage(format!(
                "{} is a picture: --layer names the layer of a network that is drawn with what it reads of it",
                printable(picture.display())
            )));
        }
        let subjects = arguments.subjects.iter().map(|subject| {
            let name = subject.to_str();
            name.ok_or_else(|| {
                usage(format!(
                    "{}: no problem, block or network has such a name, whose letters are no UTF-8",
                    subject.display()
                ))
            })
        });
        artist.scene(
            &subjects.collect::<anyhow::Result<Vec<_>>>()?,
            arguments.kind,
        )?
    };
    let bytes = format.bytes(&scene, arguments.theme.into(), arguments.scale)?;
    destination::write(&output, &bytes)
}

/// The blocks that have names.
fn list() -> anyhow::Result<()> {
    let rows: Vec<_> = zoo::blocks::examples()
        .map(|block| {
            [
                block.name.to_owned(),
                extents(&block.input),
                block.summary.to_owned(),
                block.paper.to_owned(),
            ]
        })
        .collect();
    let heading = [
        ("block", Align::Left),
        ("input", Align::Right),
        ("what it is", Align::Left),
        ("paper", Align::Left),
    ];
    for line in table::lines(heading, &rows) {
        output::data(line)?;
    }
    Ok(())
}

/// Every figure of the note into a folder.
fn all(artist: &Artist, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| destination::unwritable(folder, &error))?;
    for figure in note::FIGURES {
        let path = folder.join(format!("{}.svg", figure.name));
        let svg = figures::svg::write(&artist.scene(figure.subjects, figure.kind)?);
        destination::write(&path, svg.as_bytes())?;
        output::data(figure.command())?;
    }
    Ok(())
}

/// A kind of file.
#[derive(Clone, Copy)]
pub(super) enum Format {
    Svg,
    Png,
    Gif,
}

impl Format {
    /// By the ending of a file's name.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some("gif") => Ok(Self::Gif),
            _ => Err(usage(format!(
                "{}: the name of a picture ends in .svg, .png or .gif",
                path.display()
            ))),
        }
    }

    /// The bytes of the file.
    pub(super) fn bytes(
        self,
        scene: &Scene,
        theme: Theme,
        scale: Option<f64>,
    ) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Self::Svg => figures::svg::write(scene).into_bytes(),
            Self::Png => figures::png::write(scene, theme, scale.unwrap_or(2.0)).map_err(usage)?,
            Self::Gif => figures::gif::write(scene, theme, scale.unwrap_or(1.0)).map_err(usage)?,
        })
    }
}

/// What a picture is made with.
struct Artist {
    eager: Eager,
    colouring: Colouring,
    image: Option<InputShape>,
    files: Files,
    messages: Messages,
}

impl Artist {
    /// The picture of some subjects; of problems, the figure that is asked for.
    fn scene(&self, subjects: &[&str], kind: Option<As>) -> anyhow::Result<Scene> {
        let is_problem = |subject: &&str| {
            let kind = subject.split(':').next().unwrap_or_default();
            let known = ["conv", "pool"]
                .into_iter()
                .any(|begin| kind.starts_with(begin));
            subject.contains(':') && known || subject.starts_with(shuffle::PREFIX)
        };
        if subjects.iter().all(is_problem) {
            return self.problems(subjects, kind);
        }
        if let Some(problem) = subjects.iter().find(|subject| is_problem(subject)) {
            return Err(usage(format!(
                "{problem}: problems are drawn without blocks and networks"
            )));
        }
        self.files.must_be_none(subjects[0])?;
        match (kind, self.colouring) {
            (Some(kind), _) => Err(usage(format!(
                "--as {kind} is for problems, not for {}",
                subjects[0]
            ))),
            (_, Colouring::Value) => Err(usage(format!(
                "--heat: there are no numbers in the picture of {}",
                subjects[0]
            ))),
            _ => self.diagrams(subjects),
        }
    }

    /// Blocks and networks side by side.
    fn diagrams(&self, subjects: &[&str]) -> anyhow::Result<Scene> {
        let (mut panels, mut remark) = (Vec::new(), String::new());
        for subject in subjects {
            if let Some(name) = subject.strip_prefix(BLOCK) {
                let block = zoo::blocks::example(name)?;
                panels.push(network::block(name, &block.graph()?)?);
                remark = format!("{} · {}", block.summary, block.paper);
            } else {
                let asked = Asked {
                    model: subject,
                    weights: None,
                    classes: None,
                    input: self.image,
                };
                let opened = Subject::open(&asked, 1, self.messages)?;
                let cost = graph::summary(&opened.network);
                panels.push(network::network(subject, &opened.network)?);
                remark = format!(
                    "{} parameters, {} MACs",
                    table::thousands(cost.parameters),
                    table::thousands(cost.macs)
                );
                if !opened.network.auxiliary.is_empty() {
                    remark.push_str("; heads for training only are left out");
                }
            }
        }
        if subjects.len() > 1 {
            remark = String::new();
        }
        let heading = match subjects {
            [one] => one.strip_prefix(BLOCK).unwrap_or(one).to_owned(),
            many => many
                .iter()
                .map(|one| one.strip_prefix(BLOCK).unwrap_or(one))
                .collect::<Vec<_>>()
                .join(", "),
        };
        Ok(diagram::draw(&panels, &Caption::new(heading, remark)))
    }

    /// Problems of the notation.
    fn problems(&self, subjects: &[&str], kind: Option<As>) -> anyhow::Result<Scene> {
        let several = if subjects.len() > 1 {
            As::Field
        } else {
            As::Moving
        };
        let kind = kind.unwrap_or(several);
        if let (As::Layout | As::Field | As::Channels, subject) = (kind, subjects[0]) {
            self.files.must_be_none(subject)?;
        }
        if self.colouring == Colouring::Value && kind != As::Moving {
            return Err(usage(format!(
                "--heat: cells are coloured by their numbers with --as moving, not with --as {kind}"
            )));
        }
        match (kind, subjects) {
            (As::Channels, _) => self.channels(subjects),
            (As::Field, _) => self.field(subjects),
            (_, [subject]) => self.problem(subject, kind),
            (kind, _) => Err(usage(format!(
                "--as {kind} is for one problem, not for {}",
                subjects.len()
            ))),
        }
    }

    fn channels(&self, subjects: &[&str]) -> anyhow::Result<Scene> {
        let rows: anyhow::Result<Vec<_>> = subjects
            .iter()
            .map(|subject| match subject.starts_with(shuffle::PREFIX) {
                true => subject.parse::<Shuffle>().map_err(usage)?.row(subject),
                false => stack::row(&op::parse(subject).map_err(usage)?),
            })
            .collect();
        let heading = match subjects {
            [one] => (*one).to_owned(),
            _ => "Channels and cost".to_owned(),
        };
        let remark =
            "a line: an output channel reads an input channel; squares: taps of the window";
        channels::channels(&rows?, &Caption::new(heading, remark)).map_err(usage)
    }

    fn field(&self, subjects: &[&str]) -> anyhow::Result<Scene> {
        let layers: anyhow::Result<Vec<_>> = subjects
            .iter()
            .map(|subject| stack::layer(&op::parse(subject).map_err(usage)?))
            .collect();
        let remark = "r: size of the field, j: distance between neighbours' fields, centre: of the first element, in \
                      pixels of the input; numbers: paths";
        let caption = Caption::new(subjects.join(" "), remark);
        field::field(&layers?, &caption).map_err(usage)
    }

    /// One problem with its numbers.
    fn problem(&self, subject: &str, kind: As) -> anyhow::Result<Scene> {
        if subject.starts_with(shuffle::PREFIX) {
            let shuffle: Shuffle = subject.parse().map_err(usage)?;
            if self.colouring == Colouring::Value {
                return Err(usage(format!(
                    "--heat: the channels of {subject} have the colours of their groups"
                )));
            }
            return match kind {
                As::Moving => shuffle.moving(subject, &self.eager, &self.files),
                kind => Err(usage(format!(
                    "--as {kind} is for convolutions, not for {subject}"
                ))),
            };
        }
        let problem: Problem = op::parse(subject).map_err(usage)?;
        let drawn = Drawn::new(&problem, &self.eager, &self.files)?;
        let mut scene = match kind {
            As::Im2col => drawn.im2col(),
            As::Layout => drawn.layout(),
            _ => drawn.moving(self.colouring),
        }?;
        if let Some(part) = self.files.part() {
            // Frames go over the only map that is drawn, row by row.
            if kind == As::Moving {
                scene.still = part.still;
            }
            self.messages.say(&part.told);
        } else if drawn.drawn != problem {
            self.messages.say(format_args!(
                "{subject} is too large for a page: drawn as {}",
                drawn.drawn
            ));
        }
        Ok(scene)
    }
}
