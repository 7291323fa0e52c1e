//! The least of an HTTP client that counts what came over the wire: one connection per request, read to its end.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// The longest that an answer may take: an action's patience is shorter.
const DEADLINE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub(crate) struct Download {
    /// Without chunk marks, still compressed.
    pub(crate) body: Vec<u8>,
    /// Bytes received: head, chunk marks and body.
    pub(crate) wire: usize,
    /// Whether it came in the coding that was asked for.
    pub(crate) is_brotli: bool,
}

impl Download {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks for `path`, uncompressed.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Download> {
    request(address, &format!("GET {path} HTTP/1.1\r\n"), "").await
}

/// Asks for `path` as browsers do.
pub(crate) async fn get_brotli(address: SocketAddr, path: &str) -> anyhow::Result<Download> {
    request(address, &format!("GET {path} HTTP/1.1\r\naccept-encoding: br\r\n"), "").await
}

/// Posts JSON.
pub(crate) async fn post(address: SocketAddr, path: &str, json: &str) -> anyhow::Result<Download> {
    let head = format!("POST {path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", json.len());
    request(address, &head, json).await
}

async fn request(address: SocketAddr, head: &str, body: &str) -> anyhow::Result<Download> {
    let request = format!("{head}host: {address}\r\nconnection: close\r\n\r\n{body}");
    let first = head.lines().next().unwrap_or_default();
    let received = timeout(DEADLINE, exchange(address, &request)).await;
    let bytes = received.with_context(|| format!("{first}: no answer"))?.with_context(|| first.to_owned())?;
    parse(&bytes).with_context(|| first.to_owned())
}

async fn exchange(address: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> anyhow::Result<Download> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("the answer has no end of its head")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let rest = &bytes[end + 4..];
    let status = head.split(' ').nth(1).unwrap_or_default();
    ensure!(status == "200", "it was answered {status}: {}", String::from_utf8_lossy(rest));
    let body = match head.contains("\r\ntransfer-encoding: chunked") {
        true => unchunk(rest).context("the answer was cut short")?,
        false => rest.to_vec(),
    };
    Ok(Download { body, wire: bytes.len(), is_brotli: head.contains("\r\ncontent-encoding: br") })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}
