//! The header of a `.npy` file: six magic bytes, a version, a length and a Python dictionary.
//!
//! ```text
//! dictionary = "{" { string ":" value "," } "}"       the last comma may be missing
//! value      = string | "True" | "False" | integer
//!            | "(" ")" | "(" value "," { value "," } ")" | "[" { value "," } "]"
//! ```
//! The keys are `descr`, `fortran_order` and `shape`, each once and no others, as NumPy wants them.

use std::io::{self, Read};
use std::ops::Range;

use super::invalid;

pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy itself refuses longer headers.
const MAX_HEADER: usize = 10_000;
/// NumPy has no arrays of more axes.
const MAX_AXES: usize = 64;
/// Brackets within brackets; the type of a record may have a few.
const MAX_DEPTH: usize = 16;
/// Characters of a type that a message quotes.
const QUOTED: usize = 80;

/// What the dictionary says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type of the elements; of a record its text, cut short.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) dims: Vec<usize>,
}

/// Why a text is no header, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("the header is damaged: expected {expected} at byte {at}")]
    Expected { expected: &'static str, at: usize },
    #[error("the header is damaged: '{key}' is there twice, the second time at byte {at}")]
    Twice { key: &'static str, at: usize },
    #[error("the header is damaged: it has no '{key}'")]
    Missing { key: &'static str },
    #[error("a shape of {axes} axes; at most {MAX_AXES} are read")]
    Axes { axes: usize },
}

/// Reads magic, version, length and dictionary.
pub(super) fn read_header(file: &mut impl Read) -> io::Result<Header> {
    let text = read_text(file).map_err(|error| match error.kind() {
        // The end of a file too short for a header, in words that say so.
        io::ErrorKind::UnexpectedEof => invalid("not a .npy file; it ends before its header does"),
        _ => error,
    })?;
    Header::parse(&text).map_err(|error| invalid(&error.to_string()))
}

fn read_text(file: &mut impl Read) -> io::Result<String> {
    let mut start = [0u8; 8];
    file.read_exact(&mut start)?;
    if start[..6] != *MAGIC {
        return Err(invalid("not a .npy file"));
    }
    let length = match start[6] {
        1 => {
            let mut bytes = [0u8; 2];
            file.read_exact(&mut bytes)?;
            u16::from_le_bytes(bytes).into()
        }
        2 | 3 => {
            let mut bytes = [0u8; 4];
            file.read_exact(&mut bytes)?;
            u32::from_le_bytes(bytes) as usize
        }
        version => return Err(invalid(&format!("version {version} of .npy is not known"))),
    };
    if length > MAX_HEADER {
        return Err(invalid(&format!("a header of {length} bytes")));
    }
    let mut text = vec![0u8; length];
    file.read_exact(&mut text)?;
    String::from_utf8(text).map_err(|_| invalid("the header is not text"))
}

impl Header {
    /// Reads the dictionary; what follows it is white space.
    fn parse(text: &str) -> Result<Self, HeaderError> {
        let mut cursor = Cursor { text, at: 0 };
        let (mut descr, mut fortran_order, mut dims) = (None, None, None);
        cursor.need('{', "'{'")?;
        while !cursor.eat('}') {
            let at = cursor.here();
            let known = "a key: 'descr', 'fortran_order' or 'shape'";
            let key = cursor.string().ok_or(HeaderError::Expected {
                expected: known,
                at,
            })?;
            let key = &text[key];
            cursor.need(':', "':'")?;
            let from = cursor.here();
            let value = cursor.value(0)?;
            let wanted = |expected| HeaderError::Expected { expected, at: from };
            let (key, again) = match key {
                "descr" => {
                    let quoted = match value {
                        Value::Text(inner) => &text[inner],
                        // A record; its text stands for it in the message.
                        _ => &text[from..cursor.at],
                    };
                    ("descr", descr.replace(shortened(quoted)).is_some())
                }
                "fortran_order" => {
                    let Value::Truth(order) = value else {
                        return Err(wanted("True or False"));
                    };
                    ("fortran_order", fortran_order.replace(order).is_some())
                }
                "shape" => {
                    let extents = match value {
                        Value::Tuple(values) => extents(values)?,
                        _ => None,
                    };
                    let extents = extents.ok_or(wanted("a tuple of extents"))?;
                    ("shape", dims.replace(extents).is_some())
                }
                _ => {
                    return Err(HeaderError::Expected {
                        expected: known,
                        at,
                    });
                }
            };
            if again {
                return Err(HeaderError::Twice { key, at });
            }
            if !cursor.eat(',') {
                cursor.need('}', "',' or '}'")?;
                break;
            }
        }
        let at = cursor.here();
        if at < text.len() {
            let expected = "nothing behind the dictionary";
            return Err(HeaderError::Expected { expected, at });
        }
        let missing = |key| HeaderError::Missing { key };
        Ok(Self {
            descr: descr.ok_or(missing("descr"))?,
            fortran_order: fortran_order.ok_or(missing("fortran_order"))?,
            dims: dims.ok_or(missing("shape"))?,
        })
    }
}

/// The numbers of a tuple; none where it holds something else.
fn extents(values: Vec<Value>) -> Result<Option<Vec<usize>>, HeaderError> {
    if values.len() > MAX_AXES {
        let axes = values.len();
        return Err(HeaderError::Axes { axes });
    }
    let extent = |value| match value {
        Value::Integer(extent) => Some(extent),
        _ => None,
    };
    Ok(values.into_iter().map(extent).collect())
}

/// At most [`QUOTED`] characters of a text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

enum Value {
    /// Where the text between the quotes is.
    Text(Range<usize>),
    Truth(bool),
    Integer(usize),
    Tuple(Vec<Value>),
    List,
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// What is left, from the next token on.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_ascii_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    /// Where the next token begins.
    fn here(&mut self) -> usize {
        self.rest();
        self.at
    }

    fn eat(&mut self, token: char) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len_utf8() } else { 0 };
        found
    }

    fn need(&mut self, token: char, expected: &'static str) -> Result<(), HeaderError> {
        match self.eat(token) {
            true => Ok(()),
            false => Err(self.expected(expected)),
        }
    }

    fn expected(&mut self, expected: &'static str) -> HeaderError {
        let at = self.here();
        HeaderError::Expected { expected, at }
    }

    /// The inside of a string in single or double quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|&c| c == '\'' || c == '"')?;
        let mut escaped = false;
        let end = rest[1..].find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let inside = self.at + 1..self.at + 1 + end;
        self.at = inside.end + 1;
        Some(inside)
    }

    /// Letters, digits and what else a number or a name could be made of.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+' | '-' | '.');
        let word = &rest[..rest.find(|c| !inside(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn value(&mut self, depth: usize) -> Result<Value, HeaderError> {
        let at = self.here();
        let wanted = |expected| HeaderError::Expected { expected, at };
        if depth > MAX_DEPTH {
            return Err(wanted("fewer brackets within brackets"));
        }
        match self.rest().chars().next() {
            Some('\'' | '"') => match self.string() {
                Some(inside) => Ok(Value::Text(inside)),
                None => Err(wanted("a string with an end")),
            },
            Some('(') => {
                let (mut values, comma) = self.values(')', depth)?;
                // Brackets alone make no tuple.
                match values.pop() {
                    Some(only) if values.is_empty() && !comma => Ok(only),
                    last => {
                        values.extend(last);
                        Ok(Value::Tuple(values))
                    }
                }
            }
            Some('[') => self.values(']', depth).map(|_| Value::List),
            _ => match self.word() {
                "True" => Ok(Value::Truth(true)),
                "False" => Ok(Value::Truth(false)),
                word => {
                    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
                    let number = word.parse().ok().filter(|_| digits);
                    let value = number.map(Value::Integer);
                    value.ok_or(wanted("a string, True, False, a number or a tuple"))
                }
            },
        }
    }

    /// What stands between two brackets, and whether a comma ended it.
    fn values(&mut self, close: char, depth: usize) -> Result<(Vec<Value>, bool), HeaderError> {
        self.at += 1;
        let (mut values, mut comma) = (Vec::new(), false);
        while !self.eat(close) {
            values.push(self.value(depth + 1)?);
            comma = self.eat(',');
            if !comma {
                self.need(close, "',' or a closing bracket")?;
                break;
            }
        }
        Ok((values, comma))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Header::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_numpy_may_write_is_read() {
        let whole = Header {
            descr: "<f4".to_owned(),
            fortran_order: false,
            dims: vec![1, 4, 5],
        };
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 5), }   \n",
            "{'shape':(1,4,5,),'descr':'<f4','fortran_order':False}",
            "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1, 4, 5)}",
            " { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 1 , 4 , (5) ) } ",
        ] {
            assert_eq!(Header::parse(text).as_ref(), Ok(&whole), "{text}");
        }
        for (shape, dims) in [("()", vec![]), ("(3, )", vec![3]), ("(0, 2)", vec![0, 2])] {
            let text = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}}}");
            assert_eq!(Header::parse(&text).unwrap().dims, dims);
        }
    }

    #[test]
    fn what_only_looks_like_a_header_is_refused() {
        let text = |order: &str, shape: &str| {
            format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}}}")
        };
        let orders = ["Falsehood", "False False", "Truex", "0", "'False'", "false"];
        for order in orders {
            refusal(&text(order, "(1, 4)"));
        }
        let shapes = [
            "(+1, 4)",
            "(, , ,1, 4)",
            "(1,, 4)",
            "(,)",
            "(4)",
            "4",
            "[1, 4]",
            "(-1,)",
            "(1, 4",
            "(1.0,)",
            "(1 4)",
            "((1, 4), 5)",
            "('1',)",
            "(99999999999999999999,)",
            "(1, 4]",
        ];
        for shape in shapes {
            refusal(&text("False", shape));
        }
        let good = text("False", "(1, 4)");
        Header::parse(&good).unwrap();
        for length in 0..good.len() {
            refusal(&good[..length]);
        }
        refusal(&format!("{good} {good}"));
        refusal(&"(".repeat(9_000));
        refusal(&text("False", &"(".repeat(9_000)));
    }

    #[test]
    fn a_key_counts_once_and_only_as_a_key() {
        let inside =
            "{'x': \"'shape': (9,9)\", 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
        assert!(
            refusal(inside)
                .ends_with("expected a key: 'descr', 'fortran_order' or 'shape' at byte 1")
        );
        let twice = "{'shape': (2,), 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
        let words = "the header is damaged: 'shape' is there twice, the second time at byte 56";
        assert_eq!(refusal(twice), words);
        let hidden = "{'descr': \"'shape': (9,9)\", 'fortran_order': False}";
        assert_eq!(refusal(hidden), "the header is damaged: it has no 'shape'");
    }

    #[test]
    fn messages_stay_short_and_their_brackets_balance() {
        let of =
            |descr: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (2,)}}");
        let record = "[('a', '<f4'), ('b]', '<i4', (2,))]";
        assert_eq!(Header::parse(&of(record)).unwrap().descr, record);
        let long = format!("[{}]", "('a', '<f4'), ".repeat(300));
        let descr = Header::parse(&of(&long)).unwrap().descr;
        assert_eq!((descr.chars().count(), descr.ends_with('…')), (81, true));

        let shape = "1, ".repeat(3000);
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape})}}");
        assert_eq!(refusal(&text), "a shape of 3000 axes; at most 64 are read");
    }
}
