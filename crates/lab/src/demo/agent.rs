//! What answers HAProxy's `agent-check`: a line per connection, in turn.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt as _, net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long the agent stays with one answer.
const TURN: Duration = Duration::from_secs(20);
/// Before trying again when a connection can't be taken, which happens when the machine is out of file descriptors.
const RETRY: Duration = Duration::from_millis(100);

/// Answers each connection with the words whose turn it is, until `shutdown`.
pub(super) async fn serve(listener: TcpListener, words: &'static [&'static str], shutdown: CancellationToken) {
    let started = Instant::now();
    shutdown
        .run_until_cancelled(async {
            loop {
                let Ok((mut peer, _)) = listener.accept().await else {
                    sleep(RETRY).await;
                    continue;
                };
                let turn = usize::try_from(started.elapsed().as_secs() / TURN.as_secs()).unwrap_or_default();
                // A line of a few bytes fits the socket's buffer: this never waits. HAProxy may be gone again.
                let _sent = peer.write_all(words[turn % words.len()].as_bytes()).await;
            }
        })
        .await;
}
