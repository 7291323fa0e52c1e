//! One exchange with HAProxy: connect, send a line, read to the end. It knows bytes, not what they mean.
//!
//! A connection per request costs HAProxy about 0.04 ms more than a kept one, and in return has no prompt to look for,
//! holds no slot of `stats maxconn`, and can't stay with an old worker after a reload.

use std::io;

use bytes::{BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Address, Error, Stage};

/// The first buffer of a reply, in bytes: HAProxy's own `tune.bufsize`, which holds any answer to an action.
const FIRST_BUFFER: usize = 16 * 1024;

/// Sends `line`, which ends with its line feed, on a connection of its own, and returns all that came back.
///
/// `stage` follows the progress, so that whoever cancels this knows how far it came.
///
/// # Errors
/// [`Error::Connect`], [`Error::Io`], [`Error::TooLarge`], and [`Error::Closed`] when HAProxy reset the connection.
pub(super) async fn exchange(
    address: &Address,
    line: &str,
    max_reply: usize,
    stage: &mut Stage,
) -> Result<Bytes, Error> {
    *stage = Stage::Connect;
    let mut stream = connect(address).await?;

    *stage = Stage::Send;
    stream.write_all(line.as_bytes()).await.map_err(|source| Error::Io { stage: Stage::Send, source })?;

    *stage = Stage::Reply;
    read_to_end(&mut stream, max_reply).await
}

async fn connect(address: &Address) -> Result<UnixStream, Error> {
    match address {
        Address::Unix(path) => {
            UnixStream::connect(path).await.map_err(|source| Error::Connect { address: address.clone(), source })
        }
    }
}

/// Reads until the peer closes. The buffer doubles as the reply grows and never passes `limit` bytes.
async fn read_to_end(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Bytes, Error> {
    let mut reply = Vec::with_capacity(FIRST_BUFFER.min(limit));
    loop {
        let received = if reply.len() == limit {
            // One byte elsewhere tells a reply that just fits from a longer one.
            let more = stream.read(&mut [0]).await;
            if matches!(more, Ok(1..)) {
                return Err(Error::TooLarge { limit });
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
            Ok(_) => {}
            // A stop of HAProxy in the middle of a reply shows as a reset.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return Err(Error::Closed { received: reply.len() });
            }
            Err(source) => {
                return Err(Error::Io { stage: Stage::Reply, source });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(data: Vec<u8>, limit: usize) -> Result<Bytes, Error> {
        read_to_end(&mut data.as_slice(), limit).await
    }

    #[tokio::test]
    async fn a_reply_of_exactly_the_limit_fits_and_one_more_byte_does_not() {
        for limit in [1, 100, FIRST_BUFFER, FIRST_BUFFER + 1, 3 * FIRST_BUFFER + 7] {
            let data: Vec<u8> = (0..=255).cycle().take(limit).collect();
            let reply = read(data.clone(), limit).await.expect("fits");
            assert_eq!(reply, data);

            let longer = read([data, vec![0]].concat(), limit).await;
            assert!(matches!(longer, Err(Error::TooLarge { limit: l }) if l == limit));
        }
    }

    #[tokio::test]
    async fn no_limit_is_small_enough_to_break_it() {
        assert!(read(Vec::new(), 0).await.expect("nothing fits").is_empty());
        assert!(matches!(read(vec![0], 0).await, Err(Error::TooLarge { limit: 0 })));
    }
}
