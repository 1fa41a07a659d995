//! What the elements of a `.npy` file are, and how they become others.

use std::io::{self, Write};

/// What the elements of a `.npy` file can become.
pub trait NpyElement: bytemuck::Pod {
    /// The type a file written from them names.
    const DESCR: &'static str;

    /// The types that it is read from, in words.
    #[doc(hidden)]
    const READ: &'static str;

    /// What is wrong with a number that does not become one.
    #[doc(hidden)]
    const MISFIT: &'static str;

    /// How little-endian elements of the type `name` (`f4`, `u1`, …) become this one, if they do.
    #[doc(hidden)]
    fn decoder(name: &str) -> Option<Decoder<Self>>;

    /// The bytes of a file.
    #[doc(hidden)]
    fn encode(self, file: &mut impl Write) -> io::Result<()>;
}

/// The type a header names, without its byte order; none where the order is not little-endian.
///
/// `=` and nothing say the order of the machine that reads; a single byte has none.
pub(super) fn little_endian(descr: &str) -> Option<&str> {
    let (order, name) = match descr.as_bytes().first()? {
        order @ (b'<' | b'>' | b'=' | b'|') => (*order, &descr[1..]),
        _ => (b'=', descr),
    };
    let native = cfg!(target_endian = "little");
    let reads = order == b'<' || (order == b'=' && native) || name.ends_with('1');
    reads.then_some(name)
}

/// How elements of one type become another.
#[doc(hidden)]
pub struct Decoder<T> {
    /// Bytes of one element.
    pub(super) size: usize,
    /// An element of that many bytes; none where the number does not fit.
    pub(super) element: fn(&[u8]) -> Option<T>,
}

/// The decoder of the type named, one of those listed; `$convert` makes of a number an element.
macro_rules! decoder {
    ($given:expr, $convert:expr, $($name:literal => $type:ty),*) => {
        match $given {
            $($name => Some(Decoder {
                size: size_of::<$type>(),
                element: |bytes| $convert(<$type>::from_le_bytes(bytes.try_into().ok()?)),
            }),)*
            _ => None,
        }
    };
}

macro_rules! real {
    ($real:ty, $name:literal, $bits:literal) => {
        impl NpyElement for $real {
            const DESCR: &'static str = $name;
            const READ: &'static str = "float32, float64 and integers";
            const MISFIT: &'static str = concat!("a number is larger than float", $bits, " holds");

            fn decoder(name: &str) -> Option<Decoder<Self>> {
                decoder!(
                    name,
                    |number| {
                        let real = number as $real;
                        // What is infinite already may stay so.
                        (real.is_finite() || !(number as f64).is_finite()).then_some(real)
                    },
                    "f4" => f32, "f8" => f64, "i1" => i8, "u1" => u8, "i2" => i16,
                    "u2" => u16, "i4" => i32, "u4" => u32, "i8" => i64, "u8" => u64
                )
            }

            fn encode(self, file: &mut impl Write) -> io::Result<()> {
                file.write_all(&self.to_le_bytes())
            }
        }
    };
}

real!(f32, "<f4", "32");
real!(f64, "<f8", "64");

/// Indices are written as int64, as PyTorch has them.
impl NpyElement for u32 {
    const DESCR: &'static str = "<i8";
    const READ: &'static str = "integers";
    const MISFIT: &'static str = "an index is negative or larger than 32 bits hold";

    fn decoder(name: &str) -> Option<Decoder<Self>> {
        decoder!(
            name, |number| u32::try_from(i128::from(number)).ok(),
            "i1" => i8, "u1" => u8, "i2" => i16, "u2" => u16, "i4" => i32, "u4" => u32,
            "i8" => i64, "u8" => u64
        )
    }

    fn encode(self, file: &mut impl Write) -> io::Result<()> {
        file.write_all(&i64::from(self).to_le_bytes())
    }
}
