//! TensorBoard event files: curves that `tensorboard --logdir RUN` draws.
//!
//! An event file is a sequence of TFRecords, each
//!
//! ```text
//! u64 length │ u32 masked crc32c(length bytes) │ payload │ u32 masked crc32c(payload)      little-endian
//! ```
//!
//! and each payload is an `Event` message of `tensorflow/core/util/event.proto`. Four fields of three messages
//! are all that a scalar needs, so they are encoded here by hand:
//!
//! ```text
//! Event   { 1: double wall_time, 2: int64 step, 3: string file_version, 5: Summary summary }
//! Summary { 1: repeated Value value }        Value { 1: string tag, 2: float simple_value }
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C, the Castagnoli polynomial, which the CRC catalogue calls iSCSI.
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The first record of every file must carry this text, or readers refuse the file.
const FILE_VERSION: &str = "brain.Event:2";

/// Appends scalar summaries to one event file.
///
/// ```
/// use convolve_formats::events::EventWriter;
/// # let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path(), 1_700_000_000.0)?;
/// writer.scalars(1_700_000_001.5, 100, &[("train/loss", 0.7), ("train/accuracy", 0.81)])?;
/// writer.flush()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    file: BufWriter<File>,
    path: PathBuf,
}

impl EventWriter {
    /// Starts a new event file in `folder`. `wall_time` is in seconds since 1970; TensorBoard orders files by it.
    ///
    /// A resumed run starts a further file, and TensorBoard joins them. No existing file is ever overwritten.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(folder: &Path, wall_time: f64) -> io::Result<Self> {
        let seconds = wall_time.max(0.0) as u64;
        let mut attempt = 0_u32;
        let (file, path) = loop {
            let path = folder.join(format!(
                "events.out.tfevents.{seconds:010}.convolve.{attempt}"
            ));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (file, path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(error),
            }
        };
        let mut writer = Self {
            file: BufWriter::new(file),
            path,
        };
        let mut event = Vec::new();
        put_double(&mut event, 1, wall_time);
        put_bytes(&mut event, 3, FILE_VERSION.as_bytes());
        writer.record(&event)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Appends the values of one step as one event.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn scalars(&mut self, wall_time: f64, step: u64, values: &[(&str, f32)]) -> io::Result<()> {
        let mut summary = Vec::new();
        for (tag, value) in values {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, tag.as_bytes());
            put_float(&mut entry, 2, *value);
            put_bytes(&mut summary, 1, &entry);
        }
        let mut event = Vec::new();
        put_double(&mut event, 1, wall_time);
        put_key(&mut event, 2, VARINT);
        put_varint(&mut event, step);
        put_bytes(&mut event, 5, &summary);
        self.record(&event)
    }

    /// Hands everything to the operating system, so that a running TensorBoard sees it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The file being written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn record(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = (payload.len() as u64).to_le_bytes();
        self.file.write_all(&length)?;
        self.file.write_all(&masked_crc(&length).to_le_bytes())?;
        self.file.write_all(payload)?;
        self.file.write_all(&masked_crc(payload).to_le_bytes())
    }
}

/// The checksum as TFRecord stores it: turned and offset, because the checksum of data that holds its own
/// checksum would otherwise be a constant.
fn masked_crc(bytes: &[u8]) -> u32 {
    CRC32C
        .checksum(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_key(out: &mut Vec<u8>, field: u64, wire_type: u64) {
    put_varint(out, field << 3 | wire_type);
}

fn put_double(out: &mut Vec<u8>, field: u64, value: f64) {
    put_key(out, field, FIXED64);
    out.extend(value.to_le_bytes());
}

fn put_float(out: &mut Vec<u8>, field: u64, value: f32) {
    put_key(out, field, FIXED32);
    out.extend(value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, LENGTH_DELIMITED);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32C (RFC 3720, B.4), and the masked checksum that stands in the first twelve bytes
    /// of every event file TensorFlow writes: 24 bytes follow.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(CRC32C.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(
            masked_crc(&24_u64.to_le_bytes()).to_le_bytes(),
            [0xa3, 0x7f, 0x4b, 0x22]
        );
    }

    #[test]
    fn a_file_is_byte_for_byte_what_the_format_says() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 1.0).unwrap();
        writer.scalars(2.0, 300, &[("loss", 0.5)]).unwrap();
        writer.flush().unwrap();
        let bytes = std::fs::read(writer.path()).unwrap();

        let mut expected = vec![24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22];
        expected.extend([0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a, 13]);
        expected.extend(b"brain.Event:2");
        assert_eq!(&bytes[..36], expected);

        let second = &bytes[40..];
        assert_eq!(second[..8], [27, 0, 0, 0, 0, 0, 0, 0]);
        let mut payload = vec![0x09, 0, 0, 0, 0, 0, 0, 0, 0x40];
        payload.extend([0x10, 0xac, 0x02, 0x2a, 13, 0x0a, 11, 0x0a, 4]);
        payload.extend(b"loss");
        payload.extend([0x15, 0, 0, 0, 0x3f]);
        assert_eq!(second[12..second.len() - 4], payload);
        assert_eq!(payload.len(), 27);
    }

    #[test]
    fn a_second_file_of_the_same_second_does_not_overwrite_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = EventWriter::create(folder.path(), 5.0).unwrap();
        let second = EventWriter::create(folder.path(), 5.0).unwrap();
        assert_ne!(first.path(), second.path());
        for writer in [&first, &second] {
            let name = writer.path().file_name().unwrap().to_str().unwrap();
            assert!(
                name.contains("tfevents"),
                "TensorBoard finds files by this word"
            );
        }
        assert!(EventWriter::create(&folder.path().join("absent"), 5.0).is_err());
    }
}
