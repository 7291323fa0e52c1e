//! Viewers: WebSocket clients that show everything there is.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use futures::{SinkExt as _, StreamExt as _};
use model::{
    fleet::{Fleet, Link},
    frame::{Frame, Subscribe},
    topic::TopicId,
};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// The longest wait for a frame: nodes are polled every second.
const DEADLINE: Duration = Duration::from_secs(10);

/// One viewer.
pub(crate) struct Viewer {
    socket: WebSocketStream<TcpStream>,
}

impl Viewer {
    /// Connects, and shows `topics` from now on.
    pub(crate) async fn connect(address: SocketAddr, topics: &[TopicId]) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (socket, _) = client_async(format!("ws://{address}/ws"), stream).await.context("no WebSocket")?;
        let mut viewer = Self { socket };
        viewer.show(topics).await?;
        Ok(viewer)
    }

    /// Says which topics it shows from now on.
    async fn show(&mut self, topics: &[TopicId]) -> anyhow::Result<()> {
        let wish = serde_json::to_string(&Subscribe { topics: topics.to_vec() })?;
        Ok(self.socket.send(Message::text(wish)).await?)
    }

    /// The bytes of the next frame.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            let message = timeout(DEADLINE, self.socket.next()).await.context("no frame came")?;
            match message.context("Sluice hung up")?? {
                Message::Binary(bytes) => return Ok(bytes.into()),
                Message::Close(why) => anyhow::bail!("Sluice closed the stream: {why:?}"),
                _ => {}
            }
        }
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> anyhow::Result<Frame> {
        Ok(Frame::decode(&self.next().await?)?)
    }
}

/// All topics there are, once every node has answered.
pub(crate) async fn topics(address: SocketAddr) -> anyhow::Result<Vec<TopicId>> {
    let mut viewer = Viewer::connect(address, &[TopicId::Fleet]).await?;
    let mut fleet = Fleet::default();
    while fleet.proxies.is_empty() || fleet.nodes.iter().any(|node| node.link != Link::Live) {
        match viewer.frame().await? {
            Frame::Fleet(_, whole) => fleet = *whole,
            Frame::FleetDelta(_, delta) => fleet.apply(*delta),
            _ => {}
        }
    }
    let proxies = fleet.proxies.iter().map(|proxy| TopicId::proxy(&proxy.cluster, &proxy.proxy));
    Ok([TopicId::Fleet].into_iter().chain(proxies).collect())
}

/// What viewers have received since their snapshots, in sum.
#[derive(Debug, Default)]
struct Tally {
    bytes: AtomicU64,
    frames: AtomicU64,
}

/// Viewers that read on and on. They leave when this is dropped.
pub(crate) struct Crowd {
    tasks: JoinSet<anyhow::Result<()>>,
    tally: Arc<Tally>,
    /// How many there are.
    pub(crate) size: usize,
}

impl Crowd {
    /// `size` viewers that show every topic, and have a snapshot of each.
    pub(crate) async fn gather(address: SocketAddr, size: usize) -> anyhow::Result<Self> {
        let topics = topics(address).await?;
        let (mut tasks, tally) = (JoinSet::new(), Arc::new(Tally::default()));
        for _ in 0..size {
            let mut viewer = Viewer::connect(address, &topics).await?;
            let mut missing = topics.len();
            while missing > 0 {
                if matches!(viewer.frame().await?, Frame::Fleet(..) | Frame::Proxy(..)) {
                    missing -= 1;
                }
            }
            tasks.spawn(read_on(viewer, tally.clone()));
        }
        Ok(Self { tasks, tally, size })
    }

    /// Bytes and frames that they have received so far.
    pub(crate) fn received(&self) -> (u64, u64) {
        (self.tally.bytes.load(Ordering::Relaxed), self.tally.frames.load(Ordering::Relaxed))
    }

    /// Fails when one of them has lost its stream.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(ended) = self.tasks.try_join_next() {
            ended??;
        }
        ensure!(self.tasks.len() == self.size, "a viewer lost its stream");
        Ok(())
    }
}

async fn read_on(mut viewer: Viewer, tally: Arc<Tally>) -> anyhow::Result<()> {
    loop {
        let frame = viewer.next().await?;
        tally.bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
        tally.frames.fetch_add(1, Ordering::Relaxed);
    }
}
