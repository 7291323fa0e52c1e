//! A question to HAProxy's socket, without any client that could be under test.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};

/// Longer than any answer takes, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a stats socket answers to a line.
///
/// # Errors
/// Nobody listens, there is no answer in time, or it is empty.
pub async fn ask(socket: &Path, line: &str) -> io::Result<String> {
    let reply = exchange(socket, line, false).await?;
    if reply.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(reply) }
}

/// What a master process answers to a line.
///
/// # Errors
/// Nobody listens, or there is no answer in time.
pub async fn ask_master(socket: &Path, line: &str) -> io::Result<String> {
    // It waits for another line until this side ends.
    exchange(socket, line, true).await
}

async fn exchange(socket: &Path, line: &str, is_last: bool) -> io::Result<String> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        if is_last {
            stream.shutdown().await?;
        }
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        io::Result::Ok(String::from_utf8_lossy(&reply).into_owned())
    };
    timeout(DEADLINE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)?
}
