//! Small servers behind HAProxy, inside the test. They end with it.

use std::{
    future::Future,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::PATIENCE;

/// Bytes of a page.
pub(crate) const PAGE: usize = 20_000;

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) port: u16,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    async fn start<F>(serve: fn(TcpStream) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream));
            }
        });
        Self { port, _task: AbortOnDropHandle::new(task) }
    }

    /// Answers each request with a page.
    pub(crate) async fn web() -> Self {
        Self::start(give_page).await
    }

    /// An agent that tells the weight alone, and so undoes nothing.
    pub(crate) async fn agent() -> Self {
        Self::start(give_weight).await
    }

    /// Takes connections and keeps them until the other side ends them.
    pub(crate) async fn holder() -> Self {
        Self::start(hold).await
    }
}

async fn give_page(mut stream: TcpStream) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {PAGE}\r\nConnection: close\r\n\r\n");
    if read_head(&mut stream).await {
        // Whoever went away needs no page.
        let _: io::Result<()> = stream.write_all(&[head.as_bytes(), &[b'x'; PAGE]].concat()).await;
    }
}

async fn give_weight(mut stream: TcpStream) {
    let _: io::Result<()> = stream.write_all(b"100%\n").await;
}

async fn hold(mut stream: TcpStream) {
    while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {}
}

async fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(1..) => {}
            _ => return false,
        }
    }
    true
}

/// Asks a frontend behind a unix socket for a page. Whether it came whole.
pub(crate) async fn page(socket: &Path) -> bool {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        io::Result::Ok(reply.len() > PAGE)
    };
    matches!(timeout(PATIENCE, exchange).await, Ok(Ok(true)))
}

/// Visitors who ask for a page about a hundred times a second, until it is dropped.
pub(crate) fn traffic(socket: &Path) -> Traffic {
    let socket = socket.to_owned();
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    let task = tokio::spawn(async move {
        loop {
            let came = page(&socket).await;
            count.fetch_add(usize::from(came), Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
        }
    });
    Traffic { came, _task: AbortOnDropHandle::new(task) }
}

/// Traffic that goes on.
pub(crate) struct Traffic {
    came: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Traffic {
    /// How many pages came whole so far.
    pub(crate) fn pages(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }
}
