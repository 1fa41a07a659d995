//! ImageNet-1k (Russakovsky et al. 2015): what published weights were trained on when nothing else is said.

/// Mean of the training pictures by channel, in units of the white level.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Deviation of the training pictures by channel.
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// A class a line: its WordNet synset and its name; made by `imagenet/make.py`.
static CLASSES: &str = include_str!("imagenet/classes.txt");

/// Names of so many classes in the order of the logits: ImageNet's where there are a thousand, `class 0`, `class 1` …
/// else.
///
/// ```
/// use convolve_formats::imagenet;
/// assert_eq!(imagenet::labels(1000)[0], "tench");
/// assert_eq!(imagenet::labels(2), ["class 0", "class 1"]);
/// ```
pub fn labels(classes: usize) -> Vec<String> {
    if classes != CLASSES.lines().count() {
        return (0..classes).map(|class| format!("class {class}")).collect();
    }
    let name = |line: &str| {
        line.split_once(' ')
            .map_or(line, |(_, name)| name)
            .to_owned()
    };
    CLASSES.lines().map(name).collect()
}

/// The class of a WordNet synset, as ImageNet's folders are called.
///
/// ```
/// use convolve_formats::imagenet;
/// assert_eq!(imagenet::class_of_synset("n01440764"), Some(0));
/// ```
pub fn class_of_synset(synset: &str) -> Option<usize> {
    CLASSES
        .lines()
        .position(|line| line.split(' ').next() == Some(synset))
}
