//! The relay: it keeps compressed pictures and passes them on, and draws new ones with a model of its own.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::{Mutex, MutexGuard, PoisonError};

use elbo::Trained;
use elbo::apps::CompressedReader;
use image::{DynamicImage, ImageFormat};
use sha2::{Digest, Sha256};

use crate::http::{Request, Response};

/// What a relay keeps, and what it draws with.
pub struct Relay {
    kept: Mutex<Kept>,
    model: Mutex<Trained>,
}

/// Files by the SHA-256 of what is in them, the latest last; where they become too many, the earliest are given up.
struct Kept {
    files: VecDeque<(String, Vec<u8>)>,
    bytes: usize,
    most: usize,
}

/// Bytes that a file takes besides what is in it, at least.
const BESIDE: usize = 1 << 10;

impl Kept {
    fn add(&mut self, name: &str, file: &[u8]) {
        if self.files.iter().any(|(known, _)| known == name) {
            return;
        }
        self.files.push_back((name.to_owned(), file.to_vec()));
        self.bytes += file.len() + BESIDE;
        while self.bytes > self.most {
            let Some((_, oldest)) = self.files.pop_front() else { break };
            self.bytes -= oldest.len() + BESIDE;
        }
    }

    fn find(&self, name: &str) -> Option<Vec<u8>> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, file)| file.clone())
    }
}

/// What a lock guards is whole between two requests, whatever became of the last one.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Relay {
    /// One that keeps at most so many bytes.
    pub fn new(model: Trained, most: usize) -> Relay {
        Relay { kept: Mutex::new(Kept { files: VecDeque::new(), bytes: 0, most }), model: Mutex::new(model) }
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request) -> Response {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("POST", ["pictures"]) => self.keep(&request.body),
            ("GET", ["pictures", name]) => match held(&self.kept).find(name) {
                Some(body) => Response { status: 200, kind: "application/octet-stream", body },
                None => Response::text(404, "there are no such pictures, or no more"),
            },
            ("GET", ["sample", name]) => self.sample(name),
            (_, ["pictures" | "sample", ..]) => {
                Response::text(405, "POST /pictures, GET /pictures/NAME or GET /sample/SEED.png")
            }
            _ => Response::text(404, "there are /pictures and /sample"),
        }
    }

    fn keep(&self, file: &[u8]) -> Response {
        if let Err(why) = check(file) {
            return Response::text(400, why.to_string());
        }
        let name: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
        held(&self.kept).add(&name, file);
        Response::text(201, name)
    }

    fn sample(&self, name: &str) -> Response {
        let Some(seed) = name.strip_suffix(".png").and_then(|seed| seed.parse().ok()) else {
            return Response::text(400, "give a whole number, as in /sample/7.png");
        };
        match drawn(&mut held(&self.model), seed) {
            Ok(body) => Response { status: 200, kind: "image/png", body },
            Err(error) => Response::text(500, error.to_string()),
        }
    }
}

/// Says so if this is not the whole of a compressed file, or the model is in it. The checksums of its parts are looked at, which
/// takes no model; its rows are not, which would.
fn check(file: &[u8]) -> elbo::Result<()> {
    let mut rest = file;
    let mut reader = CompressedReader::begin(&mut rest)?;
    if !reader.model.is_empty() {
        return Err(elbo::Error::invalid(
            "the model is in the file, so that anybody could read it: compress it without",
        ));
    }
    let plain = reader.head.plain()?;
    let mut rows = 0;
    while let Some((count, _)) = reader.chunk(plain.shape.features())? {
        rows += count;
    }
    match rows == plain.rows && rest.is_empty() {
        true => Ok(()),
        false => Err(elbo::Error::invalid("the file is damaged: it has more or less in it than it says")),
    }
}

/// A new picture as a PNG: the same bytes of the same seed and model.
fn drawn(model: &mut Trained, seed: u64) -> elbo::Result<Vec<u8>> {
    let (shape, values) = (model.shape(), model.sample(1, seed)?);
    let bytes: Vec<u8> = values.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let size = (shape.width as u32, shape.height as u32);
    let picture = match shape.channels {
        1 => image::GrayImage::from_raw(size.0, size.1, bytes).map(DynamicImage::from),
        3 => image::RgbImage::from_raw(size.0, size.1, bytes).map(DynamicImage::from),
        _ => None,
    };
    let picture = picture.ok_or_else(|| elbo::Error::invalid(format!("a row of {shape} is no picture in a PNG")))?;
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(elbo::Error::invalid)?;
    Ok(png.into_inner())
}
