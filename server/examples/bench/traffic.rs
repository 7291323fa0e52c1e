//! Requests that reach every server every second, over one connection per backend that stays open.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, interval_at},
};

use crate::fixture::{BACKENDS, SERVERS, backend};

/// HAProxy's `balance roundrobin` gives each server one request a second.
const PACE: Duration = Duration::from_millis(1_000 / SERVERS as u64);

/// Bytes of an answer's head; more is no answer of ours.
const LARGEST_HEAD: u64 = 8_192;

/// Traffic, until it is dropped.
pub(crate) struct Traffic {
    _clients: JoinSet<()>,
    counts: Arc<TrafficCounts>,
}

#[derive(Debug, Default)]
struct TrafficCounts {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Traffic {
    /// Begins.
    pub(crate) fn start(frontend: SocketAddr) -> Self {
        let (mut clients, counts) = (JoinSet::new(), Arc::new(TrafficCounts::default()));
        let began = Instant::now();
        for number in 0..BACKENDS {
            // Spread out, so that they do not all come at once.
            let first = began + PACE * u32::try_from(number).unwrap_or_default() / BACKENDS as u32;
            clients.spawn(client(frontend, number, first, counts.clone()));
        }
        Self { _clients: clients, counts }
    }

    /// Requests answered and failed so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.counts.answered.load(Ordering::Relaxed), self.counts.failed.load(Ordering::Relaxed))
    }
}

async fn client(frontend: SocketAddr, number: usize, first: Instant, counts: Arc<TrafficCounts>) {
    let request = format!("GET / HTTP/1.1\r\nhost: bench\r\nx-backend: {}\r\n\r\n", backend(number));
    let (mut pace, mut connection) = (interval_at(first, PACE), None);
    loop {
        pace.tick().await;
        match ask(frontend, &request, connection.take()).await {
            Ok(kept) => {
                connection = Some(kept);
                counts.answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                counts.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

type Connection = BufReader<TcpStream>;

/// Sends one request and reads its answer to the end; gives the connection back.
async fn ask(frontend: SocketAddr, request: &str, kept: Option<Connection>) -> io::Result<Connection> {
    let mut connection = match kept {
        Some(connection) => connection,
        None => BufReader::new(TcpStream::connect(frontend).await?),
    };
    connection.write_all(request.as_bytes()).await?;
    let mut head = String::new();
    let mut lines = (&mut connection).take(LARGEST_HEAD);
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<u64>().ok());
    let (true, Some(length)) = (head.starts_with("HTTP/1.1 200"), length) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let mut body = (&mut connection).take(length);
    if tokio::io::copy(&mut body, &mut tokio::io::sink()).await? < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(connection)
}
