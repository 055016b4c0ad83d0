//! Compressed pictures through a relay that has not the model they were compressed with, and so cannot read them:
//!
//! ```sh
//! cargo run --release --example proxy -- relay runs/other 127.0.0.1:8080
//! cargo run --release --example proxy -- send runs/vae-mnist photos http://127.0.0.1:8080
//! cargo run --release --example proxy -- receive runs/vae-mnist http://127.0.0.1:8080/pictures/NAME photos.npy
//! ```
//!
//! `GET /sample/SEED.png` of the relay is a new picture of its own model. This is no encryption: who has the run, or guesses it, reads
//! the pictures.

mod ends;
mod http;
mod relay;
#[cfg(test)]
mod tests;

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use elbo::config::DeviceChoice;
use elbo::{Error, Result, Trained};

use http::{Limits, serve};
use relay::Relay;

/// What the relay takes from strangers.
const LIMITS: Limits = Limits { body: 64 << 20, time: Duration::from_secs(30), connections: 16 };
/// Bytes that it keeps.
const KEPT: usize = 1 << 30;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["relay", run, address] => relay(run, address),
        ["send", run, pictures, relay] => ends::send(Path::new(run), pictures, relay).map(|(address, compressed)| {
            println!("{} rows in {} bytes: {address}", compressed.rows, compressed.bytes);
        }),
        ["receive", run, address, to] => ends::receive(Path::new(run), address, Path::new(to)).map(|compressed| {
            println!("{} rows: {to}", compressed.rows);
        }),
        _ => Err(Error::invalid("give relay RUN ADDRESS, send RUN PICTURES RELAY, or receive RUN ADDRESS FILE")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn relay(run: &str, address: &str) -> Result<()> {
    let relay = Relay::new(Trained::load(run, &DeviceChoice::CpuExact)?, KEPT);
    let failed = |error: std::io::Error| Error::invalid(format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    println!("http://{}", listener.local_addr().map_err(failed)?);
    serve(&listener, LIMITS, &AtomicBool::new(false), |request| relay.answer(request)).map_err(failed)
}
