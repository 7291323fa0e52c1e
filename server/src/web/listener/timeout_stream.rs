//! A socket that gives up: on a peer that does not say what it must, and on one that takes nothing.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    admission::Permit,
    connection_activity::{ConnectionActivity, Cut},
};

/// A socket that gives up. It stands below TLS, so that it sees every byte.
pub(super) struct TimeoutStream<S> {
    stream: S,
    pulse: Arc<ConnectionActivity>,
    /// When to look whether something came in time; the time itself may have moved on since.
    look: Pin<Box<Sleep>>,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Why it gave up.
    cut: Option<Cut>,
    _permit: Permit,
}

impl<S> TimeoutStream<S> {
    pub(super) fn new(stream: S, pulse: Arc<ConnectionActivity>, permit: Permit) -> Self {
        let first = pulse.deadline().map_or_else(|| pulse.look_again(), |(deadline, _)| deadline);
        Self { stream, pulse, look: Box::pin(sleep_until(first)), stalled: None, cut: None, _permit: permit }
    }

    /// Gives up, for the first and only time.
    fn give_up(&mut self, cut: Cut) -> io::Error {
        if self.cut.is_none() {
            self.cut = Some(cut);
            self.pulse.cut(cut);
        }
        io::ErrorKind::TimedOut.into()
    }

    /// What a write came to, or the end of patience.
    fn written(&mut self, result: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stall = self.pulse.stall();
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + stall)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(self.give_up(Cut::Stalled)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let deadline = this.pulse.deadline();
            // Before the read: who sends a byte now and then always has one.
            if let Some((_, cut)) = deadline.filter(|(deadline, _)| *deadline <= Instant::now()) {
                return Poll::Ready(Err(this.give_up(cut)));
            }
            if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
                return Poll::Ready(read);
            }
            // Deadlines move with every request; the timer is set anew only when it has run out, or is too late.
            let wanted = deadline.map(|(deadline, _)| deadline);
            if this.look.is_elapsed() || wanted.is_some_and(|wanted| wanted < this.look.deadline()) {
                let next = wanted.unwrap_or_else(|| this.pulse.look_again());
                this.look.as_mut().reset(next);
            }
            ready!(this.look.as_mut().poll(cx));
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(result, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A socket has nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::sleep,
    };

    use super::*;
    use crate::{metrics::ListenerMetrics, web::listener::Timing};

    fn watched() -> (TimeoutStream<DuplexStream>, DuplexStream, Arc<ConnectionActivity>, ListenerMetrics) {
        let (ours, theirs) = duplex(16);
        let metrics = ListenerMetrics::default();
        let pulse = ConnectionActivity::new(Timing::default(), metrics.clone());
        (TimeoutStream::new(ours, pulse.clone(), Permit::for_test()), theirs, pulse, metrics)
    }

    fn cuts(metrics: &ListenerMetrics, reason: &'static str) -> u64 {
        metrics.cut.get_or_create(&crate::metrics::ReasonLabel::of(reason)).get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_no_request() {
        let (mut ours, mut theirs, _, metrics) = watched();
        let began = Instant::now();
        tokio::spawn(async move {
            while theirs.write_all(b"x").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let error = ours.read_to_end(&mut Vec::new()).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), Timing::default().first_request.as_secs());
        // It stays cut, and counts once.
        ours.read_to_end(&mut Vec::new()).await.expect_err("cut");
        assert_eq!(cuts(&metrics, "first_request"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_has_time_and_an_idle_connection_less() {
        let (mut ours, _theirs, pulse, metrics) = watched();
        let request = pulse.request();
        let reading = tokio::spawn(async move { (ours.read_u8().await.map(drop), Instant::now()) });
        sleep(Duration::from_secs(1000)).await;
        assert!(!reading.is_finished());
        let ended = Instant::now();
        drop(request);
        let (read, cut) = reading.await.expect("no panic");
        assert_eq!(read.expect_err("cut").kind(), io::ErrorKind::TimedOut);
        let waited = (cut - ended).as_secs();
        assert_eq!(waited, Timing::default().idle.as_secs());
        assert_eq!(cuts(&metrics, "idle"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_silent() {
        let (mut ours, mut theirs, pulse, _) = watched();
        pulse.becomes_stream();
        let reading = tokio::spawn(async move { ours.read_u8().await });
        sleep(Duration::from_secs(100_000)).await;
        theirs.write_all(b"x").await.expect("there");
        assert_eq!(reading.await.expect("no panic").expect("a byte"), b'x');
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
        let stall = Timing::default().stall;
        let (mut ours, mut theirs, _, metrics) = watched();
        let reader = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(stall - Duration::from_secs(1)).await;
                theirs.read_exact(&mut [0; 16]).await.expect("there");
            }
            (theirs, Instant::now())
        });
        let error = ours.write_all(&[7; 16 * 7]).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let (_, last) = reader.await.expect("no panic");
        assert_eq!(last.elapsed(), stall);
        assert_eq!(cuts(&metrics, "stalled"), 1);
    }
}
