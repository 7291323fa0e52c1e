//! A socket that gives up on a peer that takes nothing. It is counted for as long as it is open.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

use super::{
    admission::Permit,
    connection_activity::{ConnectionActivity, TimeoutReason},
};

/// A socket that gives up. It stands below TLS, so that it sees every byte.
pub(super) struct TimeoutStream<S> {
    stream: Pin<Box<TimeoutWriter<S>>>,
    activity: Arc<ConnectionActivity>,
    /// A stream that has left HTTP still is a connection.
    _permit: Permit,
}

impl<S: AsyncWrite> TimeoutStream<S> {
    pub(super) fn new(stream: S, activity: Arc<ConnectionActivity>, permit: Permit) -> Self {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(activity.stall()));
        Self { stream: Box::pin(stream), activity, _permit: permit }
    }

    /// What a write came to; a time-out is counted.
    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        // An error of the system, which has such a one too, has its number.
        let is_ours = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
        if matches!(&result, Poll::Ready(Err(error)) if is_ours(error)) {
            self.activity.count_cut(TimeoutReason::Stalled);
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for TimeoutStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = self.stream.as_mut().get_pin_mut().poll_read(cx, buffer);
        if !self.activity.take_bytes(buffer.filled().len() - before) {
            self.activity.count_cut(TimeoutReason::Flood);
            return Poll::Ready(Err(io::Error::other("too much came over a stream")));
        }
        result
    }
}

impl<S: AsyncWrite> AsyncWrite for TimeoutStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.stream.as_mut().poll_write(cx, bytes);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream.as_mut().poll_write_vectored(cx, parts);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Past the time-out: a socket has nothing to flush, and would only set it back.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().get_pin_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, sleep},
    };

    use super::*;
    use crate::{
        metrics::{ListenerMetrics, ReasonLabel},
        web::listener::Timing,
    };

    fn watched() -> (TimeoutStream<DuplexStream>, DuplexStream, ListenerMetrics) {
        let (ours, theirs) = duplex(16);
        let metrics = ListenerMetrics::default();
        let activity = ConnectionActivity::new(Timing::default(), metrics.clone());
        (TimeoutStream::new(ours, activity, Permit::for_test()), theirs, metrics)
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_silent() {
        let (mut ours, mut theirs, _) = watched();
        let reading = tokio::spawn(async move { ours.read_u8().await });
        sleep(Duration::from_secs(100_000)).await;
        theirs.write_all(b"x").await.expect("there");
        assert_eq!(reading.await.expect("no panic").expect("a byte"), b'x');
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
        let stall = Timing::default().stall;
        let (mut ours, mut theirs, metrics) = watched();
        let reader = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(stall - Duration::from_secs(1)).await;
                theirs.read_exact(&mut [0; 16]).await.expect("there");
            }
            (theirs, Instant::now())
        });
        let error = ours.write_all(&[7; 16 * 7]).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let (_theirs, last) = reader.await.expect("no panic");
        assert_eq!(last.elapsed(), stall);
        assert_eq!(metrics.cut.get_or_create(&ReasonLabel::of("stalled")).get(), 1);
    }
}
