//! A tar archive of pictures, plain or behind gzip, read from the front to the back without unpacking it to the disk.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use flate2::read::MultiGzDecoder;
use rayon::prelude::*;
use sha2::Sha256;
use tar::{Archive, EntryType, Header, PaxExtensions};

use super::bound::{Bound, MOST_FILES};
use super::name::{is_hidden, plain};
use super::store::{Each, Entry, Listing, Store, identify_file};
use super::take::{Taken, take};
use crate::data::input::GZIP;
use crate::error::{Error, Result};

/// More than any name is long, in bytes.
const MOST_NAME: u64 = 1 << 16;

/// Pictures that wait to be decoded.
const WAITING: usize = 64;

/// A tar archive.
pub(super) struct Tar {
    path: PathBuf,
}

/// What is done with a file: its place among the entries, its name, its bytes.
type OnFile<'a> = dyn FnMut(usize, Vec<u8>, &mut dyn Read) -> ControlFlow<()> + 'a;

/// The bytes of an archive, which are passed over by reading where they are compressed.
enum Stream<'a> {
    Plain(BufReader<File>),
    Packed { reader: Box<dyn Read + 'a>, at: u64 },
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(file) => file.read(into),
            Stream::Packed { reader, at } => {
                let read = reader.read(into)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

impl Seek for Stream<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (self, to) {
            (Stream::Plain(file), to) => file.seek(to),
            (Stream::Packed { reader, at }, SeekFrom::Current(by @ 0..)) => {
                let passed = io::copy(&mut reader.take(by.unsigned_abs()), &mut io::sink())?;
                *at += passed;
                if passed < by.unsigned_abs() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(*at) }
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Tar {
    /// Whether a file that starts with `head`, behind gzip if it is compressed, is one: its first header has a sum of itself.
    pub(super) fn claims(head: &[u8]) -> bool {
        const SUM: std::ops::Range<usize> = 148..156;
        let Some(head) = head.first_chunk::<512>() else { return false };
        let sum: u32 =
            head.iter().enumerate().map(|(at, &byte)| u32::from(if SUM.contains(&at) { b' ' } else { byte })).sum();
        Header::from_byte_slice(head).cksum().is_ok_and(|claimed| claimed == sum) && head[0] != 0
    }

    pub(super) fn new(path: &Path) -> Tar {
        Tar { path: path.to_owned() }
    }

    /// Goes through all files.
    fn scan(&self, each: &mut OnFile) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let bound = Bound::of(file.metadata()?.len());
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start)?;
        file.rewind()?;
        let file = BufReader::with_capacity(1 << 16, file);
        let stream = if start == GZIP {
            Stream::Packed { reader: Box::new(bound.reader(MultiGzDecoder::new(file))), at: 0 }
        } else {
            Stream::Plain(file)
        };
        let mut archive = Archive::new(stream);
        // A long name stands in an entry of its own before the file. They are read here, since the library reads them whole,
        // however long they claim to be.
        let mut long = None;
        for (at, entry) in archive.entries_with_seek()?.raw(true).enumerate() {
            let mut entry = entry?;
            if at >= MOST_FILES {
                return Err(io::Error::other(format!("it holds more than {MOST_FILES} entries")));
            }
            match entry.header().entry_type() {
                EntryType::GNULongName => {
                    let mut name = short(&mut entry)?;
                    name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
                    long = Some(name);
                }
                EntryType::XHeader => {
                    let pairs = short(&mut entry)?;
                    let path = PaxExtensions::new(&pairs).flatten().find(|pair| pair.key_bytes() == b"path");
                    long = path.map(|path| path.value_bytes().to_vec()).or(long);
                }
                EntryType::Regular | EntryType::Continuous => {
                    let name = plain(&long.take().unwrap_or_else(|| entry.path_bytes().into_owned()));
                    if !name.is_empty() && !is_hidden(&name) && each(at, name, &mut entry).is_break() {
                        return Ok(());
                    }
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                _ => long = None,
            }
        }
        Ok(())
    }

    fn damaged(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Error::io("read", &self.path)(error),
            _ => Error::malformed(
                &self.path,
                format!("the tar archive is damaged or truncated ({error}): fetch or write it again"),
            ),
        }
    }
}

/// What an entry about another holds.
fn short(entry: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if entry.take(MOST_NAME + 1).read_to_end(&mut bytes)? as u64 > MOST_NAME {
        return Err(io::Error::other(format!("a name in it has more than {MOST_NAME} bytes")));
    }
    Ok(bytes)
}

impl Store for Tar {
    fn kind(&self) -> &'static str {
        "tar archive"
    }

    fn identify(&self, hash: &mut Sha256) {
        identify_file(&self.path, hash);
    }

    fn list(&self) -> Result<Listing> {
        let mut entries = Vec::new();
        let mut note = |at, name, _: &mut dyn Read| {
            entries.push(Entry { name, at });
            ControlFlow::Continue(())
        };
        self.scan(&mut note).map_err(|error| self.damaged(error))?;
        // Where a name comes twice, the later file is the newer one.
        entries.sort_by(|a, b| a.name.cmp(&b.name).then(b.at.cmp(&a.at)));
        entries.dedup_by(|later, first| later.name == first.name);
        Ok(Listing { entries, skipped: vec![] })
    }

    fn visit(&self, wanted: &[Entry], each: &Each) -> Result<()> {
        let mut places: Vec<(usize, usize)> =
            wanted.iter().enumerate().map(|(place, entry)| (entry.at, place)).collect();
        places.sort_unstable();
        let (send, receive) = sync_channel::<(usize, Taken)>(WAITING);
        // One thread reads, all others decode; where they break off, the reader finds nobody to send to.
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let send = send;
                let mut next = places.iter().peekable();
                self.scan(&mut |at, name, file| {
                    let Some((_, place)) = next.next_if(|(wanted, _)| *wanted == at) else {
                        return ControlFlow::Continue(());
                    };
                    match send.send((*place, take(&name, Ok(file)))) {
                        Ok(()) if next.peek().is_some() => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                })
            });
            let _: ControlFlow<()> = receive.into_iter().par_bridge().try_for_each(|(place, taken)| each(place, taken));
            reader.join()
        });
        match read {
            Ok(read) => read.map_err(|error| self.damaged(error)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
