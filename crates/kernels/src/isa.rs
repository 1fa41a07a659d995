//! Which vector instructions the processor has, and which of them to use.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// A family of vector instructions that kernels are compiled for, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Whatever the compiler's baseline offers.
    Portable,
    /// AVX2 with FMA: 8 lanes of f32.
    Avx2,
    /// AVX-512 F/VL/DQ/BW: 16 lanes of f32, 32 registers, masks.
    Avx512,
}

impl Isa {
    /// All families, weakest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The best family this processor has.
    #[inline]
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(detect)
    }

    /// The families this processor has, weakest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| *isa <= Self::best())
    }

    /// The family named by the environment variable `CONVOLVE_ISA`, at most what the processor
    /// has; the best one where the variable is not set or names nothing.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Isa> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            std::env::var("CONVOLVE_ISA")
                .ok()
                .and_then(|name| name.parse::<Self>().ok())
                .map_or(Self::best(), |isa| isa.min(Self::best()))
        })
    }

    /// Lanes of f32 in one register.
    pub fn lanes(self) -> usize {
        match self {
            Self::Portable | Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw");
    match (avx2, avx512) {
        (true, true) => Isa::Avx512,
        (true, false) => Isa::Avx2,
        _ => Isa::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Isa {
    Isa::Portable
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|isa| isa.to_string() == text.to_ascii_lowercase())
            .ok_or_else(|| format!("'{text}' is none of portable, avx2, avx512"))
    }
}
