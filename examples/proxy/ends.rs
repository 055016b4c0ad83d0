//! The two ends, which have the same model: one compresses pictures and sends them, the other fetches them and takes them apart.

use std::path::Path;

use elbo::apps::{Compressed, Saved, decompress_to, open_device};
use elbo::config::DeviceChoice;
use elbo::{Error, Result};

/// The most bytes that are fetched.
const MOST: u64 = 1 << 30;

/// Compresses the pictures of a file or folder with a run, and gives a relay what comes of it. Gives its address there, and how small it is.
pub fn send(run: &Path, pictures: &str, relay: &str) -> Result<(String, Compressed)> {
    let mut saved = Saved::load(run, open_device(&DeviceChoice::CpuExact)?)?;
    let rows = saved.plain(pictures, false)?;
    let mut bytes = vec![];
    let compressed = saved.compress(&rows, false, &mut bytes)?;
    let mut answer = ureq::post(format!("{relay}/pictures")).send(&bytes[..]).map_err(failed)?;
    let name = answer.body_mut().read_to_string().map_err(failed)?;
    Ok((format!("{relay}/pictures/{}", name.trim()), compressed))
}

/// Fetches what stands at an address, and writes its pictures to a .npy file or a new folder.
pub fn receive(run: &Path, address: &str, to: &Path) -> Result<Compressed> {
    let mut answer = ureq::get(address).call().map_err(failed)?;
    let bytes = answer.body_mut().with_config().limit(MOST).read_to_vec().map_err(failed)?;
    let folder = tempfile::tempdir().map_err(Error::invalid)?;
    let file = folder.path().join("received.elbo");
    std::fs::write(&file, bytes).map_err(Error::invalid)?;
    decompress_to(&file, Some(run), to)
}

fn failed(error: ureq::Error) -> Error {
    Error::invalid(format!("the relay: {error}"))
}
