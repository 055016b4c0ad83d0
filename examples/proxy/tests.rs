//! A sender, a relay and a receiver over loopback, and strangers who mean no good.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use elbo::catalogue::Spec;
use elbo::config::Preset;
use elbo::data::{Dataset, Shape, Values};
use npyz::WriterBuilder;

use super::*;

const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };
const ROWS: usize = 40;

/// Bytes of pictures: a bright bar on a slope.
fn pictures() -> Vec<u8> {
    (0..ROWS * 64).map(|i| if i % 8 == i / 64 % 8 { 200 } else { (3 * (i % 64)) as u8 }).collect()
}

/// A model of them in a file.
fn model(folder: &Path, seed: u64) -> PathBuf {
    let values = pictures().iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let data = Dataset::new("bars", Values::Floats(values), SHAPE).unwrap();
    let mut config = Preset::Classic.config();
    config.model.encoder = "mlp:16".parse().unwrap();
    config.model.latent = 2;
    config.model.likelihood = Spec::new("discretized-logistic");
    (config.training.epochs, config.training.batch, config.training.seed) = (2, 16, seed);
    config.device.device = DeviceChoice::Cpu;
    let path = folder.join(format!("{seed}.safetensors"));
    elbo::train(&data, &config).unwrap().save(&path).unwrap();
    path
}

/// What comes back of these bytes; the client sends no more, unless it is to leave the connection open.
fn said(to: SocketAddr, bytes: &[u8], is_over: bool) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    // A server that has made up its mind may take no more.
    let _ = stream.write_all(bytes);
    if is_over {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(body: &[u8]) -> Vec<u8> {
    [format!("POST /pictures HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Runs a relay while something is done with its address.
fn with_relay<T>(model: &Path, limits: Limits, work: impl FnOnce(SocketAddr) -> T) -> T {
    let relay = Relay::new(Trained::load(model, &DeviceChoice::CpuExact).unwrap(), 1 << 20);
    let (listener, stop) = (TcpListener::bind("127.0.0.1:0").unwrap(), AtomicBool::new(false));
    let address = listener.local_addr().unwrap();
    /// Ends the server, also where a test fails.
    struct Stop<'a>(&'a AtomicBool, SocketAddr);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect(self.1);
        }
    }
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, limits, &stop, |request| relay.answer(request)));
        let _stop = Stop(&stop, address);
        work(address)
    })
}

#[test]
fn pictures_come_through_and_nothing_breaks_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let [run, other] = [1, 2].map(|seed| model(folder.path(), seed));
    let source = folder.path().join("pictures.npy");
    let mut file = std::fs::File::create(&source).unwrap();
    let options = npyz::WriteOptions::new().default_dtype().shape(&[ROWS as u64, 8, 8]);
    let mut writer = options.writer(&mut file).begin_nd().unwrap();
    writer.extend(pictures()).unwrap();
    writer.finish().unwrap();
    drop(file);
    let limits = Limits { body: 20_000, time: Duration::from_millis(400), connections: 4 };
    with_relay(&other, limits, |to| {
        let relay = format!("http://{to}");
        let (address, compressed) = ends::send(&run, source.to_str().unwrap(), &relay).unwrap();
        assert!(compressed.rows == ROWS && (compressed.bytes as usize) < ROWS * 64 * 2);
        let again = folder.path().join("again.npy");
        ends::receive(&run, &address, &again).unwrap();
        let array = npyz::NpyFile::new(&std::fs::read(&again).unwrap()[..]).unwrap().into_vec::<u8>().unwrap();
        assert!(array == pictures(), "the pictures are others");
        // The relay's own model does not read them.
        let refused = ends::receive(&other, &address, &folder.path().join("never.npy")).unwrap_err().to_string();
        assert!(refused.contains("another model"), "{refused}");

        // New pictures: the same bytes of the same seed, others of another.
        let picture = |seed: &str| said(to, format!("GET /sample/{seed}.png HTTP/1.1\r\n\r\n").as_bytes(), true);
        assert!(picture("7").contains("image/png") && picture("7") == picture("7") && picture("7") != picture("8"));
        assert!(picture("seven").starts_with("HTTP/1.1 400"));

        // Each byte of the file counts, and so does its end.
        let whole = ureq::get(&address).call().unwrap().body_mut().read_to_vec().unwrap();
        assert!(said(to, &post(&whole), true).starts_with("HTTP/1.1 201"));
        let flipped: Vec<u8> =
            whole.iter().enumerate().map(|(i, byte)| byte ^ u8::from(i == whole.len() / 2)).collect();
        for damaged in [&flipped[..], &whole[..whole.len() - 9], b"not at all", b"", &[&whole[..], b"!"].concat()] {
            let answer = said(to, &post(damaged), true);
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
        for (bytes, status) in [
            (&b"\x16\x03\x01\x02\0"[..], 400),
            (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
            (b"GET /pictures/0123 HTTP/1.1\r\n\r\n", 404),
            (b"DELETE /pictures/0123 HTTP/1.1\r\n\r\n", 405),
            (b"POST /pictures HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            (b"POST /pictures HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
            (b"POST /pictures HTTP/1.1\r\nContent-Length: 99\r\n\r\nshort", 400),
            (b"POST /pictures HTTP/1.1\r\nContent-Length: 20001\r\n\r\n", 413),
            (&post(&vec![0; 60_000]), 413),
            (&[&b"GET / HTTP/1.1\r\nX: "[..], &[b'a'; 20_000]].concat(), 431),
        ] {
            let answer = said(to, bytes, true);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        }

        // Four who say nothing take all connections, until their time is up.
        let idle: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(to).unwrap()).collect();
        std::thread::sleep(Duration::from_millis(50));
        assert!(said(to, b"GET /sample/7.png HTTP/1.1\r\n\r\n", true).starts_with("HTTP/1.1 503"));
        for mut stream in idle {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(said(to, b"GET /sample/7.png HTTP/1.1\r\n\r\n", false).starts_with("HTTP/1.1 200"));
    });
}
