//! One exchange with HAProxy: send a line, read to the end. It knows bytes, not what they mean.
//!
//! A connection per request costs HAProxy about 0.04 ms more than a kept one, and in return has no prompt to look for,
//! holds no slot of `stats maxconn`, and can't stay with an old worker after a reload.

use std::io;

use bytes::{BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::{
    Error, Stage,
    connector::{Connector, Duplex},
};

/// The first buffer of a reply, in bytes: HAProxy's own `tune.bufsize`, which holds any answer to an action.
const FIRST_BUFFER: usize = 16 * 1024;

/// What sends a command on to the current worker of a master process. It covers one command.
const TO_WORKER: &str = "@1 ";

/// What every version of HAProxy answers to a command that it doesn't know.
pub(super) const UNKNOWN: &[u8] = b"Unknown command";

/// How far an exchange came, for the error when it is cancelled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// Bytes of the reply so far.
    pub(super) received: usize,
    /// Whether they begin with [`UNKNOWN`].
    pub(super) is_unknown: bool,
}

impl Progress {
    pub(super) const fn queued() -> Self {
        Self { stage: Stage::Queue, received: 0, is_unknown: false }
    }
}

/// Sends `line`, which ends with its line feed, on a connection of its own, and returns all that came back.
///
/// # Errors
/// Those of connecting, [`Error::Io`], [`Error::Tls`], [`Error::TooLarge`], [`Error::Unanswered`] where nothing came
/// back, and [`Error::Closed`] where HAProxy broke the connection off.
pub(super) async fn exchange(
    connector: &Connector,
    line: &str,
    max_reply: usize,
    progress: &mut Progress,
) -> Result<Bytes, Error> {
    let mut stream = connector.connect(&mut progress.stage).await?;
    progress.stage = Stage::Send;
    if let Err(source) = send(&mut stream, line, connector.master).await {
        // Over TLS the reason may have come before the end.
        return Err(match stream.read(&mut [0]).await {
            Err(reason) if reason.kind() == io::ErrorKind::InvalidData => connector.broken(Stage::Send, reason),
            _ => connector.broken(Stage::Send, source),
        });
    }
    progress.stage = Stage::Reply;
    let reply = read_to_end(&mut stream, max_reply, progress).await.map_err(|failure| match failure {
        ReadError::TooLarge => Error::TooLarge { limit: max_reply },
        ReadError::Closed if progress.received > 0 => Error::Closed { received: progress.received },
        ReadError::Closed => Error::Unanswered { address: connector.address.clone() },
        ReadError::Io(source) => connector.broken(Stage::Reply, source),
    })?;
    if reply.is_empty() { Err(Error::Unanswered { address: connector.address.clone() }) } else { Ok(reply) }
}

async fn send(stream: &mut Box<dyn Duplex>, line: &str, master: bool) -> io::Result<()> {
    if master {
        stream.write_all(format!("{TO_WORKER}{line}").as_bytes()).await?;
        // A master keeps the connection open for the next command. What ends on this side it ends as well.
        stream.shutdown().await
    } else {
        stream.write_all(line.as_bytes()).await?;
        stream.flush().await
    }
}

/// Why there is no whole reply.
#[derive(Debug)]
enum ReadError {
    TooLarge,
    Closed,
    Io(io::Error),
}

/// Reads until the peer closes. The buffer doubles as the reply grows and never passes `limit` bytes.
async fn read_to_end(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
    progress: &mut Progress,
) -> Result<Bytes, ReadError> {
    let mut reply = Vec::with_capacity(FIRST_BUFFER.min(limit));
    loop {
        let received = if reply.len() == limit {
            // One byte elsewhere tells a reply that just fits from a longer one.
            let more = stream.read(&mut [0]).await;
            if matches!(more, Ok(1..)) {
                return Err(ReadError::TooLarge);
            }
            more
        } else {
            if reply.len() == reply.capacity() {
                let doubled = reply.capacity().saturating_mul(2).min(limit);
                reply.reserve_exact(doubled - reply.len());
            }
            let room = reply.capacity().min(limit) - reply.len();
            stream.read_buf(&mut (&mut reply).limit(room)).await
        };
        match received {
            Ok(0) => return Ok(Bytes::from(reply)),
            Ok(_) => {
                progress.received = reply.len();
                progress.is_unknown = reply.starts_with(UNKNOWN);
                progress.stage = Stage::Rest;
            }
            // A stop of HAProxy in the middle of a reply shows as a reset; over TLS also as an end without farewell.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
                return Err(ReadError::Closed);
            }
            Err(source) => return Err(ReadError::Io(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(data: Vec<u8>, limit: usize) -> Result<Bytes, ReadError> {
        read_to_end(&mut data.as_slice(), limit, &mut Progress::queued()).await
    }

    #[tokio::test]
    async fn a_reply_of_exactly_the_limit_fits_and_one_more_byte_does_not() {
        for limit in [1, 100, FIRST_BUFFER, FIRST_BUFFER + 1, 3 * FIRST_BUFFER + 7] {
            let data: Vec<u8> = (0..=255).cycle().take(limit).collect();
            let reply = read(data.clone(), limit).await.expect("fits");
            assert_eq!(reply, data);

            let longer = read([data, vec![0]].concat(), limit).await;
            assert!(matches!(longer, Err(ReadError::TooLarge)));
        }
    }

    #[tokio::test]
    async fn no_limit_is_small_enough_to_break_it() {
        assert!(read(Vec::new(), 0).await.expect("nothing fits").is_empty());
        assert!(matches!(read(vec![0], 0).await, Err(ReadError::TooLarge)));
    }
}
