//! Event files, which TensorBoard reads: records, each a message of protocol buffers between its length and checksums.
//!
//! ```text
//! u64   length of the message, little-endian
//! u32   masked CRC-32C of the length
//!       the message, an `Event`
//! u32   masked CRC-32C of the message
//! ```
//!
//! The format is that of TFRecord files (<https://www.tensorflow.org/tutorials/load_data/tfrecord>), the messages those of `event.proto` and
//! `summary.proto`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::{Message, Oneof};

use crate::error::{Error, Result};

/// What the first record says.
const VERSION: &str = "brain.Event:2";
/// The status of a session that begins.
const BEGINS: i32 = 1;
/// Colours of a pixel: red, green, blue.
const COLOURS: i32 = 3;

/// `Event`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// `SessionLog`.
#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `Summary.Value`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "Held", tags = "2, 4")]
    held: Option<Held>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Held {
    #[prost(float, tag = "2")]
    Number(f32),
    #[prost(message, tag = "4")]
    Picture(Picture),
}

/// `Summary.Image`.
#[derive(Clone, PartialEq, Message)]
struct Picture {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    #[prost(int32, tag = "3")]
    colours: i32,
    #[prost(bytes = "vec", tag = "4")]
    encoded: Vec<u8>,
}

/// An event file that is being written. Every record is handed to the system whole before the call returns.
pub struct Events {
    file: File,
    path: PathBuf,
}

impl Events {
    /// Begins a new file in a folder, beside those that are there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(folder: &Path) -> Result<Events> {
        let seconds = now() as u64;
        for number in 0.. {
            let path = folder.join(format!("events.out.tfevents.{seconds}.elbo.{number}"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut events = Events { file, path };
                    events.add(0, What::FileVersion(VERSION.to_string()))?;
                    return Ok(events);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("write", &path)(error)),
            }
        }
        unreachable!("numbers do not end")
    }

    /// Says that what was written of this step and later ones is about to be written anew.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin_again(&mut self, step: u64) -> Result<()> {
        self.add(step, What::SessionLog(SessionLog { status: BEGINS }))
    }

    /// Adds numbers, by their tags, of a step.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn numbers(&mut self, step: u64, numbers: impl IntoIterator<Item = (String, f64)>) -> Result<()> {
        let value = |(tag, number): (String, f64)| Value { tag, held: Some(Held::Number(number as f32)) };
        let value: Vec<Value> = numbers.into_iter().map(value).collect();
        if value.is_empty() { Ok(()) } else { self.add(step, What::Summary(Summary { value })) }
    }

    /// Adds a picture, as the bytes of its file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn picture(&mut self, step: u64, tag: &str, [width, height]: [u32; 2], encoded: Vec<u8>) -> Result<()> {
        let picture = Picture { height: height as i32, width: width as i32, colours: COLOURS, encoded };
        let value = Value { tag: tag.to_string(), held: Some(Held::Picture(picture)) };
        self.add(step, What::Summary(Summary { value: vec![value] }))
    }

    fn add(&mut self, step: u64, what: What) -> Result<()> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        self.file.write_all(&record(&event.encode_to_vec())).map_err(Error::io("write", &self.path))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A message as a record.
fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), message, &masked(message).to_le_bytes()].concat()
}

/// A checksum, masked, so that checksums of what holds checksums are of some worth.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4: 32 bytes of zeros.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        // 0x8a9136aa turned by 15 bits is 0x6d551522, and the sum with 0xa282ead8 is 0x0fd7fffa.
        assert_eq!(masked(&[0; 32]), 0x0fd7_fffa);
        assert_eq!(record(b"abc")[..8], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(record(b"abc").len(), 8 + 4 + 3 + 4);
    }

    #[test]
    fn no_file_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = [(); 3].map(|()| Events::begin(folder.path()).unwrap());
        files[0].numbers(1, [("a".to_string(), 1.0)]).unwrap();
        files[1].numbers(1, []).unwrap();
        let sizes = files.map(|events| std::fs::metadata(events.path).unwrap().len());
        assert!(sizes[0] > sizes[1] && sizes[1] == sizes[2] && sizes[2] > 0, "{sizes:?}");
    }
}
