//! Stands in for a database: four kilobytes for each line it is sent.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bytes of an answer.
pub(super) const ANSWER: usize = 4_096;
const RETRY: Duration = Duration::from_millis(100);

/// Serves on `listener` until `shutdown`.
pub(super) async fn serve(listener: TcpListener, shutdown: CancellationToken) {
    let peers = TaskTracker::new();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((peer, _)) => {
                    peers.spawn(shutdown.clone().run_until_cancelled_owned(answer(peer)));
                }
                Err(_) => sleep(RETRY).await,
            }
        }
    };
    shutdown.run_until_cancelled(accept).await;
    peers.close();
    peers.wait().await;
}

/// HAProxy's check connects and leaves again, so the end of a connection is nothing to report.
async fn answer(mut peer: TcpStream) -> std::io::Result<()> {
    let (reader, mut writer) = peer.split();
    let mut reader = BufReader::new(reader);
    let mut query = Vec::new();
    while reader.read_until(b'\n', &mut query).await? > 0 {
        query.clear();
        writer.write_all(&[b'.'; ANSWER]).await?;
    }
    Ok(())
}
