//! A small server of HTTP/1.1: one request for each connection, with bounds on its size, on its time, and on how many there are at once.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The most header lines of a request.
const HEADERS: usize = 32;
/// The most bytes of a request's head.
const HEAD: usize = 8 << 10;
/// How long one who comes when there is no room is dealt with.
const SHORT: Duration = Duration::from_millis(50);
/// How long what comes behind an answer is waited for, at most.
const DRAIN: Duration = Duration::from_millis(500);

/// Bounds on what strangers may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// How long a connection may take to send its request, and again to take the answer.
    pub time: Duration,
    /// Connections at once; others are told to come again.
    pub connections: usize,
}

/// What somebody asks for.
#[derive(Debug)]
pub struct Request {
    /// GET, POST …
    pub method: String,
    /// Behind the host.
    pub path: String,
    /// What came with it.
    pub body: Vec<u8>,
}

/// What is said to it.
#[derive(Debug)]
pub struct Response {
    /// 200 where all is well.
    pub status: u16,
    /// What the body is.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A line of text.
    pub fn text(status: u16, text: impl Into<String>) -> Response {
        Response { status, kind: "text/plain; charset=utf-8", body: (text.into() + "\n").into_bytes() }
    }
}

/// Answers requests, each on a thread of its own, until `stop` is set and one more comes.
pub fn serve(
    listener: &TcpListener,
    limits: Limits,
    stop: &AtomicBool,
    answer: impl Fn(&Request) -> Response + Sync,
) -> io::Result<()> {
    let (busy, answer) = (&AtomicUsize::new(0), &answer);
    thread::scope(|scope| {
        loop {
            // A connection that is gone before it was taken harms nobody else.
            let Ok((stream, _)) = listener.accept() else { continue };
            if stop.load(Ordering::SeqCst) {
                return Ok(());
            }
            if busy.fetch_add(1, Ordering::SeqCst) >= limits.connections {
                busy.fetch_sub(1, Ordering::SeqCst);
                // Said without a look at what is asked, so that others wait little behind it.
                let _ = tell(&stream, &Response::text(503, "too many connections: come again"), (SHORT, HEAD));
                continue;
            }
            scope.spawn(move || {
                let _place = Place(busy);
                // Whoever hung up is told nothing.
                let _ = converse(&stream, limits, answer);
            });
        }
    })
}

/// One of the connections, until that ends, in whatever way.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One request and its answer.
fn converse(stream: &TcpStream, limits: Limits, answer: &(impl Fn(&Request) -> Response + Sync)) -> io::Result<()> {
    let mut timed = Timed { stream, until: Instant::now() + limits.time };
    let response = match read(&mut timed, limits.body) {
        Ok(request) => answer(&request),
        Err(Refused::Said(response)) => response,
        Err(Refused::Gone(error)) => return Err(error),
    };
    tell(stream, &response, (limits.time, limits.body))
}

/// Says something, and then takes what is still on its way, within bounds of time and bytes, so that the answer is not lost with it.
fn tell(stream: &TcpStream, response: &Response, (time, mut left): (Duration, usize)) -> io::Result<()> {
    say(stream, response, time)?;
    stream.shutdown(Shutdown::Write)?;
    let mut rest = Timed { stream, until: Instant::now() + time.min(DRAIN) };
    let mut buffer = [0; 4096];
    while left > 0
        && let Ok(count @ 1..) = rest.read(&mut buffer)
    {
        left = left.saturating_sub(count);
    }
    Ok(())
}

/// A stream that is read or written for so long and no longer, however slowly it drips.
struct Timed<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl Timed<'_> {
    /// The time that is left.
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why there is no request.
enum Refused {
    /// Something to be said of it.
    Said(Response),
    /// Nobody is there to be told.
    Gone(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => refused(408, "the request took too long"),
            _ => Refused::Gone(error),
        }
    }
}

fn refused(status: u16, why: &str) -> Refused {
    Refused::Said(Response::text(status, why))
}

fn read(from: &mut Timed, most: usize) -> Result<Request, Refused> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    let (mut request, length, body_at) = loop {
        if let Some(found) = head(&bytes)? {
            break found;
        }
        if bytes.len() > HEAD {
            return Err(refused(431, "the head of the request is too long"));
        }
        match from.read(&mut buffer)? {
            0 => return Err(Refused::Gone(io::ErrorKind::UnexpectedEof.into())),
            count => bytes.extend(&buffer[..count]),
        }
    };
    if length > most {
        return Err(refused(413, &format!("the body has {length} bytes, and at most {most} are taken")));
    }
    request.body = bytes.split_off(body_at);
    if request.body.len() > length {
        return Err(refused(400, "more came than the head of the request says"));
    }
    // What was not sent takes no memory.
    while request.body.len() < length {
        let room = buffer.len().min(length - request.body.len());
        match from.read(&mut buffer[..room])? {
            0 => return Err(refused(400, "the body ends early")),
            count => request.body.extend(&buffer[..count]),
        }
    }
    Ok(request)
}

/// The request without its body, the length of that, and where it begins; nothing while the head is not whole.
fn head(bytes: &[u8]) -> Result<Option<(Request, usize, usize)>, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let at = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(at)) => at,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refused(400, &format!("this is no request: {error}"))),
    };
    let header = |name: &str| parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    if header("transfer-encoding").is_some() {
        return Err(refused(411, "say how long the body is (Content-Length)"));
    }
    let length = match header("content-length") {
        None => 0,
        Some(found) => std::str::from_utf8(found.value)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| refused(400, "the length of the body is no number"))?,
    };
    let text = |found: Option<&str>| found.unwrap_or_default().to_owned();
    let request = Request { method: text(parsed.method), path: text(parsed.path), body: vec![] };
    Ok(Some((request, length, at)))
}

fn say(stream: &TcpStream, response: &Response, time: Duration) -> io::Result<()> {
    let Response { status, kind, body } = response;
    let reason = match status {
        200..=299 => "OK",
        _ => "Refused",
    };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut timed = Timed { stream, until: Instant::now() + time };
    timed.write_all(head.as_bytes())?;
    timed.write_all(body)
}
