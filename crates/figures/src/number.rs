//! Numbers as they fit into a cell.

use crate::font::{self, Weight};

/// The sign of a negative number.
const MINUS: char = '\u{2212}';

/// A number in at most about six letters: whole ones in full where they are short, others to three digits, or to two with
/// a power of ten.
///
/// ```
/// use figures::short;
///
/// let shown = [3.0, -0.25, 0.0123, 12.345, 1234.6, 123456.0, 0.004, f64::NAN].map(short);
/// assert_eq!(shown, ["3", "−0.25", "0.012", "12.3", "1235", "1.2e5", "4e−3", "NaN"]);
/// ```
pub fn short(value: f64) -> String {
    let size = value.abs();
    // Below one in thousandths: the places of a column are alike.
    let decimals = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    written(value, decimals, 1)
}

/// A number to `digits` digits, whole ones in full where they are short.
fn to_digits(value: f64, digits: usize) -> String {
    let below = |bound: f64| usize::from(value.abs() < bound);
    // One decimal more for every power of ten that is missing in front of the point.
    let powers = [9.95, 0.995, 0.0995].map(below).iter().sum::<usize>();
    let decimals = (digits + powers).saturating_sub(2);
    written(value, decimals, digits.saturating_sub(1))
}

/// A number with as many digits as `room` holds, three at most and one at least; `room` in the size of the letters.
pub(crate) fn fitting(value: f64, room: f64, weight: Weight) -> String {
    let forms = [short(value), to_digits(value, 2), to_digits(value, 1)];
    let wide = |form: &String| font::width(form, 1.0, weight);
    let fits = forms.iter().find(|form| wide(form) <= room);
    let narrowest = || forms.iter().min_by(|a, b| wide(a).total_cmp(&wide(b)));
    fits.or_else(narrowest).cloned().unwrap_or_default()
}

/// With so many decimals, or with so many behind the first digit and a power of ten.
fn written(value: f64, decimals: usize, of_power: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let size = value.abs();
    let is_whole = size.fract() == 0.0;
    let digits = if size.is_infinite() {
        "∞".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size >= 9999.5 && !(is_whole && size < 100_000.0) || size < 0.00995 {
        let text = format!("{size:.of_power$e}").replace(".0e", "e");
        text.replace('-', &MINUS.to_string())
    } else {
        let decimals = if is_whole { 0 } else { decimals };
        let text = format!("{size:.decimals$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    match value < 0.0 {
        true => format!("{MINUS}{digits}"),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits are given up, one after the other, and no more than must be.
    #[test]
    fn a_number_has_as_many_digits_as_there_is_room_for() {
        let forms = |value: f64| {
            let room = |text: &str| font::width(text, 1.0, Weight::Regular);
            let most = short(value);
            let two = fitting(value, room(&most) - 0.01, Weight::Regular);
            let one = fitting(value, room(&two) - 0.01, Weight::Regular);
            [most, two, one]
        };
        assert_eq!(forms(-0.1236), ["−0.124", "−0.12", "−0.1"]);
        assert_eq!(forms(1.236), ["1.24", "1.2", "1"]);
        assert_eq!(forms(12.36), ["12.4", "12", "12"]);
        assert_eq!(forms(-1.26e-5), ["−1.3e−5", "−1e−5", "−1e−5"]);
        assert_eq!(forms(0.0996), ["0.1", "0.1", "0.1"]);
        // A whole number is what it is, and none becomes zero.
        assert_eq!(forms(-1234.0), ["−1234", "−1234", "−1234"]);
        assert_eq!(fitting(0.0951, 0.1, Weight::Regular), "0.1");
        assert_eq!(fitting(0.0151, 0.1, Weight::Regular), "0.02");
    }
}
