//! Numbers as they fit into a cell.

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
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let size = value.abs();
    let digits = if size.is_infinite() {
        "∞".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size >= 9999.5 && !(size.fract() == 0.0 && size < 100_000.0) || size < 0.00995 {
        let text = format!("{size:.1e}").replace(".0e", "e");
        text.replace('-', &MINUS.to_string())
    } else {
        let decimals = match size {
            size if size.fract() == 0.0 || size >= 99.95 => 0,
            size if size >= 9.995 => 1,
            size if size >= 0.9995 => 2,
            _ => 3,
        };
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
