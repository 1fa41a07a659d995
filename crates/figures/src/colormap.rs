//! Colours for numbers, and the scale printed beside them.
//!
//! Magnitudes go along viridis or cividis, whose lightness rises evenly and which those read alike who do not tell red from
//! green (Nuñez et al. 2018). Signed numbers go from blue through white to orange, around zero.

use crate::number::short;
use crate::scene::{Anchor, Item, Point, at};
use crate::theme::{Paint, Rgb, ink_on};

/// A map from a share of a range to a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// Violet to yellow, for magnitudes.
    Viridis,
    /// Blue to yellow, for magnitudes; the same to all eyes.
    Cividis,
    /// Blue, white, orange, around zero.
    Diverging,
}

/// Colours at equal steps, between which the map goes straight.
const VIRIDIS: [u32; 9] = [
    0x44_01_54, 0x47_2d_7b, 0x3b_52_8b, 0x2c_72_8e, 0x21_91_8c, 0x28_ae_80, 0x5e_c9_62, 0xad_dc_30,
    0xfd_e7_25,
];
const CIVIDIS: [u32; 9] = [
    0x00_22_4e, 0x12_35_70, 0x3b_49_6c, 0x57_5d_6d, 0x70_71_73, 0x8a_86_78, 0xa5_9c_74, 0xc3_b3_69,
    0xfe_e8_38,
];
const DIVERGING: [u32; 9] = [
    0x0b_3c_8c, 0x2f_6f_bd, 0x74_a9_dc, 0xbc_d7_ef, 0xf7_f7_f7, 0xfb_d6_a6, 0xf0_a2_4a, 0xc6_6a_10,
    0x7d_3a_00,
];

impl Colormap {
    /// The colour of a share of the range, from 0 to 1; what lies outside has the colour of the end.
    pub fn colour(self, share: f64) -> Rgb {
        let stops = match self {
            Self::Viridis => &VIRIDIS,
            Self::Cividis => &CIVIDIS,
            Self::Diverging => &DIVERGING,
        };
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        let along = share * (stops.len() - 1) as f64;
        let below = (along as usize).min(stops.len() - 2);
        let part = along - below as f64;
        let [Rgb(low), Rgb(high)] = [stops[below], stops[below + 1]].map(Rgb::hex);
        Rgb([0, 1, 2].map(|channel| {
            let (low, high) = (f64::from(low[channel]), f64::from(high[channel]));
            (low + (high - low) * part).round() as u8
        }))
    }
}

/// A colour map over a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    map: Colormap,
    low: f64,
    high: f64,
}

impl Scale {
    /// A scale for these numbers: around zero where some are negative, else from the smallest to the largest. Numbers
    /// that are not finite do not count.
    ///
    /// ```
    /// use figures::Scale;
    ///
    /// assert_eq!(Scale::of(&[-1.0, 3.0]).range(), (-3.0, 3.0));
    /// assert_eq!(Scale::of(&[1.0, 3.0]).range(), (1.0, 3.0));
    /// ```
    pub fn of(values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = (
            finite().fold(f64::INFINITY, f64::min),
            finite().fold(f64::NEG_INFINITY, f64::max),
        );
        let (map, low, high) = match () {
            () if low > high => (Colormap::Viridis, 0.0, 0.0),
            () if low < 0.0 => {
                let most = high.max(-low);
                (Colormap::Diverging, -most, most)
            }
            () => (Colormap::Viridis, low, high),
        };
        Self { map, low, high }
    }

    /// A scale between two numbers.
    ///
    /// ```
    /// use figures::{Colormap, Scale};
    ///
    /// assert_eq!(Scale::between(Colormap::Viridis, 0.0, 2.5).range(), (0.0, 2.5));
    /// ```
    pub fn between(map: Colormap, low: f64, high: f64) -> Self {
        Self { map, low, high }
    }

    /// The same range along another map.
    pub fn along(self, map: Colormap) -> Self {
        Self { map, ..self }
    }

    /// The smallest and the largest number of the scale.
    pub fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The colour of a number.
    pub fn colour(&self, value: f64) -> Rgb {
        self.map.colour(self.share(value))
    }

    /// The same, to paint with.
    pub fn paint(&self, value: f64) -> Paint {
        Paint::Value(self.colour(value))
    }

    /// Ink for the number itself on its colour.
    pub fn ink(&self, value: f64) -> Paint {
        ink_on(self.colour(value))
    }

    /// How far a number is from where the scale says least, from 0 to 1: from its low end, or from zero in its middle.
    pub(crate) fn strength(&self, value: f64) -> f64 {
        let share = self.share(value).clamp(0.0, 1.0);
        match self.map {
            Colormap::Diverging => (2.0 * share - 1.0).abs(),
            Colormap::Viridis | Colormap::Cividis => share,
        }
    }

    /// A number's place between the ends; the middle where there is no range.
    fn share(&self, value: f64) -> f64 {
        match self.high > self.low {
            true => (value - self.low) / (self.high - self.low),
            false => 0.5,
        }
    }

    /// The scale as it is printed: a bar of `width` with its ends, and its middle where the map goes around it.
    pub fn bar(&self, corner: Point, width: f64) -> Vec<Item> {
        const STEPS: usize = 48;
        let step = width / STEPS as f64;
        let mut items: Vec<Item> = (0..STEPS)
            .map(|place| {
                let share = (place as f64 + 0.5) / STEPS as f64;
                let corner = corner.moved(place as f64 * step, 0.0);
                // To the end, so that no gap shines through: the next one lies above.
                let rest = width - place as f64 * step;
                let bar = Item::rectangle(corner, rest, 10.0);
                bar.fill(Paint::Value(self.map.colour(share)))
            })
            .collect();
        let mut tick = |share: f64, value: f64| {
            let place = at(corner.x + share * width, corner.y + 22.0);
            let text = Item::text(place, short(value), 10.0, Anchor::Middle);
            items.push(text.fill(Paint::Muted));
        };
        tick(0.0, self.low);
        tick(1.0, self.high);
        if self.map == Colormap::Diverging {
            tick(0.5, f64::midpoint(self.low, self.high));
        }
        items
    }
}
