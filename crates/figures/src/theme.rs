//! Colours by role, each for light and for dark.
//!
//! Roles differ in hue along blue, orange and bluish green, which those tell apart who see red and green alike (Okabe
//! and Ito 2008), and never by colour alone: what a cell is also shows in its outline or its place.

/// A colour by its red, green and blue parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// From `0xrrggbb`.
    pub const fn hex(code: u32) -> Self {
        Self([(code >> 16) as u8, (code >> 8) as u8, code as u8])
    }

    /// Whether black is easier to read on it than white (relative luminance of sRGB).
    pub fn is_light(self) -> bool {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            match part <= 0.040_45 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        };
        let [r, g, b] = self.0.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179
    }
}

/// The background that a picture is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Ink on paper.
    #[default]
    Light,
    /// Bright on dark.
    Dark,
}

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paint {
    /// The page.
    Page,
    /// Text.
    Ink,
    /// Text that matters less.
    Muted,
    /// Thin lines that order the page.
    Rule,
    /// A soft background.
    Panel,
    /// Cells of an input.
    Input,
    /// Their outline.
    InputEdge,
    /// Cells of a kernel, and the window.
    Kernel,
    /// Their outline.
    KernelEdge,
    /// Cells of an output.
    Output,
    /// Their outline.
    OutputEdge,
    /// Cells that padding or stretching adds.
    Blank,
    /// Their outline.
    BlankEdge,
    /// A gradient on its way back.
    Gradient,
    /// Its outline.
    GradientEdge,
    /// One of six groups, told apart by hue; beyond six they repeat.
    Group(u8),
    /// The outline of a group.
    GroupEdge(u8),
    /// A colour that stands for a number, the same in light and dark.
    Value(Rgb),
}

/// Groups that have a colour of their own.
pub(crate) const GROUPS: u8 = 6;

const GROUP: [[u32; 4]; GROUPS as usize] = [
    // light fill, light edge, dark fill, dark edge
    [0xcf_e3_f5, 0x1f_67_a8, 0x1d_3a_57, 0x6f_b4_ea],
    [0xfb_e2_bb, 0xa8_65_00, 0x4b_35_12, 0xf0_b4_58],
    [0xc8_eb_dc, 0x00_74_55, 0x12_40_33, 0x4f_d3_a8],
    [0xf6_d6_e6, 0xa3_3a_74, 0x4d_21_39, 0xee_92_c1],
    [0xf3_f0_b0, 0x74_6c_00, 0x42_3f_0c, 0xd9_d0_4e],
    [0xdd_d8_f3, 0x5a_49_ae, 0x30_29_56, 0xac_9c_f2],
];

impl Paint {
    /// The colour on a background.
    pub fn on(self, theme: Theme) -> Rgb {
        let (light, dark) = match self {
            Self::Page => (0xff_ff_ff, 0x0f_14_19),
            Self::Ink => (0x1b_22_29, 0xe8_ed_f2),
            Self::Muted => (0x5b_66_72, 0x9f_ab_b8),
            Self::Rule => (0xcb_d2_d9, 0x3a_44_4f),
            Self::Panel => (0xf3_f5_f7, 0x19_20_27),
            Self::Input => return group(0, false, theme),
            Self::InputEdge => return group(0, true, theme),
            Self::Kernel => return group(1, false, theme),
            Self::KernelEdge => return group(1, true, theme),
            Self::Output => return group(2, false, theme),
            Self::OutputEdge => return group(2, true, theme),
            Self::Gradient => return group(3, false, theme),
            Self::GradientEdge => return group(3, true, theme),
            Self::Group(place) => return group(place, false, theme),
            Self::GroupEdge(place) => return group(place, true, theme),
            Self::Blank => (0xfb_fb_fc, 0x15_1b_21),
            Self::BlankEdge => (0x9a_a5_b1, 0x5d_69_76),
            Self::Value(rgb) => return rgb,
        };
        Rgb::hex(match theme {
            Theme::Light => light,
            Theme::Dark => dark,
        })
    }

    /// The class of this paint in a style sheet; none of a value's, which is written where it is used.
    pub(crate) fn class(self) -> Option<String> {
        let name = match self {
            Self::Page => "page",
            Self::Ink => "ink",
            Self::Muted => "muted",
            Self::Rule => "rule",
            Self::Panel => "panel",
            Self::Input => "input",
            Self::InputEdge => "input-edge",
            Self::Kernel => "kernel",
            Self::KernelEdge => "kernel-edge",
            Self::Output => "output",
            Self::OutputEdge => "output-edge",
            Self::Blank => "blank",
            Self::BlankEdge => "blank-edge",
            Self::Gradient => "gradient",
            Self::GradientEdge => "gradient-edge",
            Self::Group(place) => return Some(format!("group{}", place % GROUPS)),
            Self::GroupEdge(place) => return Some(format!("group{}-edge", place % GROUPS)),
            Self::Value(_) => return None,
        };
        Some(name.to_owned())
    }
}

fn group(place: u8, edge: bool, theme: Theme) -> Rgb {
    let row = GROUP[usize::from(place % GROUPS)];
    let column = usize::from(theme == Theme::Dark) * 2 + usize::from(edge);
    Rgb::hex(row[column])
}

/// Ink for text on a value's colour.
pub(crate) fn ink_on(colour: Rgb) -> Paint {
    Paint::Value(match colour.is_light() {
        true => Rgb::hex(0x00_00_00),
        false => Rgb::hex(0xff_ff_ff),
    })
}
