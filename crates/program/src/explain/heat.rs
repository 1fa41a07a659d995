//! Maps over the image in colours.

use figures::heat::Map as Heat;
use figures::panel::{Image, Legend, Panel};
use figures::{Bitmap, Colormap, Scale, short};

/// What colours a map gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From zero up.
    Magnitude,
    /// From the least to the largest.
    Between,
    /// Around zero.
    Signed,
}

/// The share of numbers whose colours differ: few pixels are far stronger than all others, which would look alike.
const WITHIN: f64 = 0.99;

/// A map that is drawn: its numbers, what they are, and where colours end.
pub(super) struct Drawn {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
    kind: Kind,
    /// Colours end where so many of the numbers do.
    within: f64,
    /// The caption says by itself from where to where the numbers go.
    told: bool,
}

impl Drawn {
    /// A map of the explaining room; colours go over its whole range.
    pub(super) fn new(map: &explain::Map, kind: Kind) -> Self {
        Self {
            rows: map.height(),
            columns: map.width(),
            values: map.values().iter().copied().map(f64::from).collect(),
            kind,
            within: 1.0,
            told: false,
        }
    }

    /// Lets colours end at the 99th percentile of the magnitudes.
    pub(super) fn without_peaks(mut self) -> Self {
        self.within = WITHIN;
        self
    }

    /// Leaves it to the caption to say from where to where the numbers go.
    pub(super) fn told_by_caption(mut self) -> Self {
        self.told = true;
        self
    }

    /// From where to where the numbers go.
    pub(super) fn range(&self) -> (f64, f64) {
        let values = || self.values.iter().copied();
        (
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        )
    }

    /// The range as a caption says it.
    pub(super) fn range_text(&self) -> String {
        let (low, high) = self.range();
        let ends = match self.within < 1.0 {
            true => "; colours end at the 99th percentile",
            false => "",
        };
        format!("Raw range {} to {}{ends}.", short(low), short(high))
    }

    /// Where colours begin and end.
    pub(super) fn scale(&self) -> Scale {
        let sizes = self.values.iter().map(|value| value.abs());
        let mut sizes: Vec<f64> = sizes.filter(|size| size.is_finite()).collect();
        sizes.sort_by(f64::total_cmp);
        let last = sizes.len().saturating_sub(1);
        let place = (self.within * last as f64).round() as usize;
        let size = |place: usize| sizes.get(place).copied().unwrap_or(0.0);
        let most = match (size(place), size(last)) {
            // A map of nothing has the colour of nothing.
            (_, 0.0) => 1.0,
            // Where nearly all are zero, the few are what there is to see.
            (0.0, most) => most,
            (size, _) => size,
        };
        match self.kind {
            Kind::Magnitude => Scale::between(Colormap::Viridis, 0.0, most),
            Kind::Between => {
                let (low, high) = self.range();
                Scale::between(Colormap::Viridis, low, high)
            }
            Kind::Signed => Scale::between(Colormap::Diverging, -most, most),
        }
    }

    fn heat(&self) -> anyhow::Result<Heat<'_>> {
        Ok(Heat::new(self.rows, self.columns, &self.values)?)
    }

    /// The map as pixels.
    pub(super) fn bitmap(&self) -> anyhow::Result<Bitmap> {
        Ok(self.heat()?.bitmap(self.scale())?)
    }

    /// A panel of the map by itself; its axes count `counted`.
    pub(super) fn alone(&self, words: &Words<'_>, counted: &str) -> anyhow::Result<Panel> {
        let bitmap = self.bitmap()?;
        let image = Image::new(&bitmap, [self.rows, self.columns]).counting(counted);
        Ok(self.panel(words, &image))
    }

    /// A panel of the map over a photo of `extents` pixels of the network.
    pub(super) fn over(
        &self,
        photo: &Bitmap,
        extents: [usize; 2],
        words: &Words<'_>,
    ) -> anyhow::Result<Panel> {
        let laid = self.heat()?.over(photo, self.scale())?;
        Ok(self.panel(words, &Image::new(&laid, extents).smooth()))
    }

    /// A panel of an image in the colours of the map.
    pub(super) fn panel(&self, words: &Words<'_>, image: &Image<'_>) -> Panel {
        let legend = Legend::new(self.scale(), words.unit);
        let caption = match self.told {
            true => words.caption.to_owned(),
            false => format!("{} {}", words.caption, self.range_text()),
        };
        Panel::new(words.title, caption, image.scene(Some(&legend)))
    }
}

/// The words around a map.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) caption: &'a str,
    /// What its numbers are.
    pub(super) unit: &'a str,
}
