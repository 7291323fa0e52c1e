//! The least of an HTTP/1.1 client that traffic needs: keep-alive, cookies, and bodies that are counted and dropped.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// Bytes of an answer's head; more is no answer of ours.
const LARGEST_HEAD: u64 = 8_192;

/// One visitor: a connection, and the cookie that keeps it on its server.
#[derive(Debug)]
pub(super) struct Visitor {
    connection: BufReader<TcpStream>,
    cookie: Option<String>,
    keeps_cookies: bool,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    /// Whether the connection can be used again.
    pub(super) keep: bool,
}

impl Visitor {
    pub(super) async fn connect(address: SocketAddr, keeps_cookies: bool) -> io::Result<Self> {
        let connection = BufReader::new(TcpStream::connect(address).await?);
        Ok(Self { connection, cookie: None, keeps_cookies })
    }

    /// Sends a request, and reads its answer to the end. With `last`, asks for the connection to be closed.
    pub(super) async fn get(&mut self, path: &str, last: bool) -> io::Result<Response> {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: demo\r\n");
        if let Some(cookie) = &self.cookie {
            request += &format!("cookie: {cookie}\r\n");
        }
        request += if last { "connection: close\r\n\r\n" } else { "\r\n" };
        self.connection.write_all(request.as_bytes()).await?;

        let head = self.head().await?;
        let mut length = None;
        let mut keep = !last;
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse::<u64>().ok(),
                "connection" => keep &= !value.eq_ignore_ascii_case("close"),
                "set-cookie" if self.keeps_cookies => {
                    self.cookie = value.split(';').next().map(str::to_owned);
                }
                _ => {}
            }
        }
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        // HAProxy's own error pages may come without a length, and end with the connection.
        keep &= length.is_some();
        let mut body = (&mut self.connection).take(length.unwrap_or(u64::MAX));
        let got = tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
        if length.is_some_and(|length| got < length) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Response { status, keep })
    }

    async fn head(&mut self) -> io::Result<String> {
        let mut head = String::new();
        let mut connection = (&mut self.connection).take(LARGEST_HEAD);
        while connection.read_line(&mut head).await? > 0 {
            if head.ends_with("\r\n\r\n") {
                return Ok(head);
            }
        }
        Err(ErrorKind::UnexpectedEof.into())
    }
}
