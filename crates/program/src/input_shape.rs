//! `--input CxHxW`: the image a network is built for.

/// Channels, height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InputShape(pub(crate) [usize; 3]);

impl std::str::FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let extents: Option<Vec<usize>> = text
            .split(['x', '×'])
            .map(|extent| extent.parse().ok().filter(|&extent| extent > 0))
            .collect();
        extents
            .and_then(|extents| <[usize; 3]>::try_from(extents).ok())
            .map(Self)
            .ok_or_else(|| "channels, height and width are wanted, as in 3x224x224".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_positive_extents_are_read() {
        assert_eq!("3x224x192".parse(), Ok(InputShape([3, 224, 192])));
        for text in ["", "3", "3x32", "3x0x32", "3x32x32x1", "ax1x1", "3x-1x2"] {
            assert!(text.parse::<InputShape>().is_err(), "{text}");
        }
    }
}
