//! Named tensors against those that a network needs: nothing may be left over on either side.

use std::collections::HashMap;
use std::fmt;

use geometry::names;

/// How the tensors of a file differ from those of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub origin: String,
    /// The network.
    pub model: String,
    /// Tensors of the network that the file lacks.
    pub missing: Vec<NamedShape>,
    /// Tensors of the file that the network has not.
    pub extra: Vec<NamedShape>,
    /// Tensors of both in different shapes.
    pub reshaped: Vec<Reshaped>,
    /// Networks of the zoo whose tensors these are.
    pub fits: Vec<String>,
}

/// A tensor without its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedShape {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// A tensor that has one shape in the file and another in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshaped {
    /// Its name.
    pub name: String,
    /// Shape in the file.
    pub found: Vec<usize>,
    /// Shape in the network.
    pub expected: Vec<usize>,
}

/// Tensors of each kind that are shown.
const SHOWN: usize = 3;

/// Letters of a name that are shown.
const LETTERS: usize = 80;

impl Mismatch {
    /// Compares the tensors that a network needs with those that were found; `None` if they are the same.
    pub(crate) fn between<'a>(
        needed: impl Iterator<Item = (&'a str, &'a [usize])>,
        found: impl Iterator<Item = (&'a str, &'a [usize])>,
    ) -> Option<Self> {
        let mut mismatch = Self::default();
        // In the order of the file, which the shapes left in a map would not keep.
        let found: Vec<_> = found.collect();
        let mut left: HashMap<_, _> = found.iter().copied().collect();
        for (name, expected) in needed {
            match left.remove(name) {
                Some(shape) if shape == expected => {}
                Some(shape) => mismatch.reshaped.push(Reshaped {
                    name: name.to_owned(),
                    found: shape.to_vec(),
                    expected: expected.to_vec(),
                }),
                None => mismatch.missing.push(NamedShape::new(name, expected)),
            }
        }
        let extra = found.iter().filter(|(name, _)| left.contains_key(name));
        mismatch.extra = extra
            .map(|(name, shape)| NamedShape::new(name, shape))
            .collect();
        let same = mismatch.missing.is_empty()
            && mismatch.extra.is_empty()
            && mismatch.reshaped.is_empty();
        (!same).then_some(mismatch)
    }

    /// The name left over that is most like one that is missing, if one is like it.
    fn nearest(&self, missing: &str) -> Option<&str> {
        let extra = self.extra.iter().map(|tensor| tensor.name.as_str());
        names::like(missing, extra).first().copied()
    }
}

impl NamedShape {
    fn new(name: &str, shape: &[usize]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
        }
    }
}

impl fmt::Display for NamedShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {:?}", short(&self.name), self.shape)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = listed(&self.missing, "missing", |tensor| {
            match self.nearest(&tensor.name) {
                Some(name) => format!("{tensor} (nearest: `{}`)", short(name)),
                None => tensor.to_string(),
            }
        });
        let extra = listed(&self.extra, "left over", NamedShape::to_string);
        let reshaped = listed(&self.reshaped, "of another shape", |tensor| {
            let Reshaped {
                name,
                found,
                expected,
            } = tensor;
            format!("`{}` {found:?} instead of {expected:?}", short(name))
        });
        let parts: Vec<String> = [missing, extra, reshaped].into_iter().flatten().collect();
        write!(
            f,
            "{}: not the tensors of {}: {}",
            self.origin,
            self.model,
            parts.join("; ")
        )?;
        match self.fits.as_slice() {
            [] => Ok(()),
            fits => write!(f, "; they are those of {}", fits.join(", ")),
        }
    }
}

/// `5 missing: a, b, c and 2 more`; nothing of nothing.
fn listed<T>(tensors: &[T], what: &str, show: impl Fn(&T) -> String) -> Option<String> {
    let shown: Vec<String> = tensors.iter().take(SHOWN).map(show).collect();
    let more = match tensors.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = tensors.len();
    (count > 0).then(|| format!("{count} {what}: {}{more}", shown.join(", ")))
}

/// The beginning of a name.
fn short(name: &str) -> String {
    match name.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tensors = Vec<(String, Vec<usize>)>;

    fn tensors(text: &str) -> Tensors {
        let tensor = |word: &str| {
            let (name, shape) = word.split_once(':').unwrap();
            let shape = shape.split('x').map(|size| size.parse().unwrap());
            (name.to_owned(), shape.collect())
        };
        text.split_whitespace().map(tensor).collect()
    }

    fn each(tensors: &Tensors) -> impl Iterator<Item = (&str, &[usize])> {
        tensors
            .iter()
            .map(|(name, shape)| (name.as_str(), shape.as_slice()))
    }

    fn between(needed: &str, found: &str) -> Option<Mismatch> {
        let (needed, found) = (tensors(needed), tensors(found));
        let mismatch = Mismatch::between(each(&needed), each(&found))?;
        Some(Mismatch {
            origin: "w".into(),
            model: "m".into(),
            ..mismatch
        })
    }

    #[test]
    fn the_same_tensors_in_any_order_match() {
        assert_eq!(between("a:2x3 b:1", "b:1 a:2x3"), None);
    }

    #[test]
    fn every_difference_is_told_with_names_shapes_and_counts() {
        let needed = "conv.weight:4x3 fc.weight:2x4 fc.bias:2 a:1 b:1 c:1";
        let mut mismatch = between(needed, "conv.weight:8x3 head.fc.weight:2x4 fc.bias:2").unwrap();
        mismatch.fits = vec!["n".into()];
        assert_eq!(
            mismatch.to_string(),
            "w: not the tensors of m: 4 missing: `fc.weight` [2, 4] (nearest: `head.fc.weight`), \
             `a` [1] (nearest: `head.fc.weight`), `b` [1] and 1 more; \
             1 left over: `head.fc.weight` [2, 4]; \
             1 of another shape: `conv.weight` [8, 3] instead of [4, 3]; they are those of n"
        );
    }

    #[test]
    fn long_names_are_cut() {
        let text = between("a:1", &format!("{}:1 a:1", "é".repeat(5000)))
            .unwrap()
            .to_string();
        assert!(text.len() < 300, "{text}");
    }
}
