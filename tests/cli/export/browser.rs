//! Chromium, as a page is opened in it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::common;
use crate::program::Place;

/// How long a page may take: a software adapter on a busy machine takes its time.
const LIMIT: Duration = Duration::from_secs(240);

/// A page as a browser without a graphics card leaves it after its scripts; nothing, which is said, where there is no browser.
pub fn seen(place: &Place, page: &str) -> Option<String> {
    let address = format!("file://{}", place.path(page).display());
    let options = "--headless --no-sandbox --disable-gpu --virtual-time-budget=3000 --dump-dom";
    let output = Command::new("chromium").args(options.split(' ')).arg(address).stderr(Stdio::null()).output();
    let Ok(output) = output else {
        common::left_out("pages in a browser, as there is no chromium; apt-get install chromium");
        return None;
    };
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Opens a page from disk with WebGPU on Chromium's software adapter, lets it run `script` as well, and gives what that hands to `tell`. The page keeps its
/// own policy; it alone allows this script, and this place to send to. Nothing, which is said, where there is no browser.
pub fn asked(place: &Place, page: &str, script: &str) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let script = format!(
        "const tell = (body) => fetch('http://127.0.0.1:{port}/', {{ method: 'POST', mode: 'no-cors', body }});\n\
         (async () => {{ {script} }})().catch((error) => tell('FAILED ' + error.stack));"
    );
    let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes())));
    let text = fs::read_to_string(place.path(page)).expect("a page");
    let allowed = text
        .replacen("script-src ", &format!("connect-src http://127.0.0.1:{port}; script-src {hash} "), 1)
        .replacen("</body>", &format!("<script>{script}</script></body>"), 1);
    place.write("asked.html", allowed);
    let profile = place.path("profile");
    let quiet = "--headless --no-sandbox --no-first-run --disable-quic --disable-background-networking --disable-component-update \
                 --disable-sync --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan";
    let browser = Command::new("chromium")
        .args(quiet.split_whitespace())
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", place.path("asked.html").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(browser) = browser else {
        common::left_out("pages in a browser, as there is no chromium; apt-get install chromium");
        return None;
    };
    let _ended = Ended(browser);
    listener.set_nonblocking(true).expect("a listener");
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(body) = body_of(stream) {
                    return Some(body);
                }
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("the page told nothing within {} s", LIMIT.as_secs())
}

/// A browser that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of a request that posts something.
fn body_of(mut stream: TcpStream) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut all, mut part) = (vec![], [0; 4096]);
    loop {
        let count = stream.read(&mut part).ok()?;
        all.extend(&part[..count]);
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let length = length.unwrap_or(0);
            if body.len() >= length {
                stream.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").ok()?;
                return (head.starts_with("POST") && length > 0).then(|| body.to_string());
            }
        }
        if count == 0 {
            return None;
        }
    }
}
