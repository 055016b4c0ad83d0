//! Downloading a data set that is known by its name.
//!
//! Files come into a folder beside the one they belong in, whose name ends in `.partial`. What a break left there is gone on with.
//! When all checksums are right the folder is given its name, so a folder of that name is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use md5::{Digest, Md5};
use ureq::http::StatusCode;

use crate::data::known::{Known, Remote};
use crate::error::{Error, Result};
use crate::files::create_folder;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// How far a download is.
#[derive(Debug, Clone, Copy)]
pub struct Fetching<'a> {
    /// The address.
    pub from: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes of the file; 0 if the server does not say.
    pub of: u64,
}

/// Downloads a data set into a folder, unless it is there. `mirror` is where its files are looked for in place of where they are
/// published. Gives what is given as data to have it.
///
/// # Errors
/// If no server gives the files, one of them is not what it should be, or the folder cannot be written. What was downloaded by then
/// stays, and is gone on with.
pub fn fetch(known: &Known, folder: &Path, mirror: Option<&str>, look: &mut dyn FnMut(Fetching)) -> Result<PathBuf> {
    let opened = known.opened_at(folder);
    if opened.exists() {
        return Ok(opened);
    }
    let partial = with_ending(folder, "partial");
    create_folder(&partial)?;
    let at: Vec<&str> = mirror.map_or_else(|| known.at.to_vec(), |mirror| vec![mirror.trim_end_matches('/')]);
    for file in known.files {
        file_from_any(file, &at, &partial.join(file.name), look)?;
        if known.is_archive {
            unpack(&partial.join(file.name), &partial)?;
        }
    }
    fs::rename(&partial, folder).map_err(Error::io("write", folder))?;
    Ok(opened)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

/// Downloads a file from the first folder that gives it.
fn file_from_any(file: &Remote, at: &[&str], path: &Path, look: &mut dyn FnMut(Fetching)) -> Result<()> {
    if path.exists() && md5_of(path)? == file.md5 {
        return Ok(());
    }
    let mut tried = vec![];
    for folder in at {
        let url = format!("{folder}/{}", file.name);
        match download(&url, path, look) {
            Err(Trouble::Here(error)) => return Err(error),
            Err(Trouble::There(what)) => {
                tried.push(format!("{url}: {what}"));
                continue;
            }
            Ok(()) => {}
        }
        let found = md5_of(path)?;
        if found == file.md5 {
            return Ok(());
        }
        fs::remove_file(path).map_err(Error::io("remove", path))?;
        tried.push(format!("{url}: its MD5 checksum is {found}, and {} was expected", file.md5));
    }
    Err(Error::invalid(format!(
        "{} could not be downloaded:\n  {}\nTry again later, or give the address of a folder that has it with --from",
        file.name,
        tried.join("\n  ")
    )))
}

/// Why a download failed.
enum Trouble {
    /// This machine: another server would not help.
    Here(Error),
    /// The server, or the way to it.
    There(String),
}

/// Downloads a file, going on behind what is there already.
fn download(url: &str, path: &Path, look: &mut dyn FnMut(Fetching)) -> std::result::Result<(), Trouble> {
    let here = |action: &'static str| move |error| Trouble::Here(Error::io(action, path)(error));
    let have = path.metadata().map_or(0, |about| about.len());
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .http_status_as_error(false);
    let agent = ureq::Agent::from(config.build());
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| Trouble::There(error.to_string()))?;
    let mut have = match response.status() {
        StatusCode::PARTIAL_CONTENT => have,
        StatusCode::OK => 0,
        // All of it is there already, or more than all: the checksum decides.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
        status => return Err(Trouble::There(format!("the server answers {status}"))),
    };
    let rest = response.headers().get("content-length").and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    let of = rest.map_or(0, |rest| rest + have);
    let mut options = OpenOptions::new();
    let options = if have > 0 { options.append(true) } else { options.write(true).create(true).truncate(true) };
    let mut file = options.open(path).map_err(here("write"))?;
    let mut body = response.into_body().into_reader();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = body.read(&mut chunk).map_err(|error| Trouble::There(format!("the connection broke ({error})")))?;
        if read == 0 {
            break;
        }
        file.write_all(&chunk[..read]).map_err(here("write"))?;
        have += read as u64;
        look(Fetching { from: url, done: have, of });
    }
    if of > 0 && have < of {
        return Err(Trouble::There(format!("the connection ended after {have} of {of} bytes")));
    }
    Ok(())
}

fn md5_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let (mut hash, mut chunk) = (Md5::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk).map_err(Error::io("read", path))? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// Takes the files out of an archive, without their folders, and removes the archive.
fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let broken = |error| Error::io("unpack", archive)(error);
    let file = File::open(archive).map_err(Error::io("read", archive))?;
    let mut entries = tar::Archive::new(GzDecoder::new(file));
    for entry in entries.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let Some(name) = path.file_name().filter(|_| entry.header().entry_type().is_file()) else { continue };
        let to = folder.join(name);
        let mut out = File::create(&to).map_err(Error::io("write", &to))?;
        std::io::copy(&mut entry, &mut out).map_err(Error::io("write", &to))?;
    }
    fs::remove_file(archive).map_err(Error::io("remove", archive))
}

#[cfg(test)]
mod tests;
