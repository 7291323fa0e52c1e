//! A scripted stats socket over each transport: it keeps the lines that it is sent, and answers as a script says.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use haproxy::{Address, Connector};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, UnixListener},
    sync::watch,
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::certificates::Certificates;

/// What a poll says.
const POLL: [&str; 4] = ["show info", "show stat", "show servers state", "show cli level"];

/// What stands between the fake and its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    Tcp,
    Tls,
}

/// What becomes of a connection, or of a line on it.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Written, and the connection ended.
    Whole(Vec<u8>),
    /// Written, and the connection left open.
    Hang(Vec<u8>),
    /// Written at one byte a second.
    Drip(Vec<u8>),
    /// The beginning of a table, then so many bytes.
    Flood(u64),
}

type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// What the fake does from now on.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// Nobody listens.
    Refuse,
    /// The system takes connections, nobody picks them up: so a HAProxy whose `stats maxconn` is reached.
    Backlog,
    /// Takes connections and says nothing at all, not even in a handshake.
    Mute,
    /// Takes connections and closes them unread.
    Drop,
    /// Answers lines.
    Answer(Script),
    /// Answers lines, and shows this certificate over TLS.
    Show(&'static str),
    /// Answers any bytes with these in plain text, over TLS too.
    Plain(Vec<u8>),
}

/// What became of the fake's connections.
#[derive(Default)]
struct Journal {
    lines: Mutex<Vec<Vec<u8>>>,
    sent: AtomicU64,
    /// The line after whose answer the next connection is closed unread.
    fatal: Mutex<Option<&'static str>>,
    is_next_dropped: AtomicBool,
}

impl Journal {
    fn heard(&self, line: Vec<u8>) {
        let mut fatal = self.fatal.lock().expect("no panic");
        if fatal.is_some_and(|fatal| line == format!("{fatal}\n").as_bytes()) {
            *fatal = None;
            self.is_next_dropped.store(true, Ordering::SeqCst);
        }
        self.lines.lock().expect("no panic").push(line);
    }
}

/// A recording peer. Dropping it ends it and removes its socket.
pub(crate) struct Fake {
    place: Place,
    conduct: watch::Sender<Conduct>,
    journal: Arc<Journal>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone)]
enum Place {
    Unix(Arc<TempDir>),
    Tcp(SocketAddr),
    Tls(SocketAddr, Arc<Certificates>),
}

impl Fake {
    /// Replies over a unix socket, or stays silent where the script says nothing.
    pub(crate) fn start(script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let reply = move |line: &str| script(line).map_or(Reply::Hang(Vec::new()), Reply::Whole);
        Self::over(Transport::Unix, &Arc::new(Certificates::new()), Conduct::Answer(Arc::new(reply)))
    }

    /// Over any transport; over TLS with the certificate `good`, unless its conduct names another.
    pub(crate) fn over(transport: Transport, certificates: &Arc<Certificates>, first: Conduct) -> Self {
        let place = match transport {
            Transport::Unix => Place::Unix(Arc::new(tempfile::tempdir().expect("a directory"))),
            Transport::Tcp => Place::Tcp(free()),
            Transport::Tls => Place::Tls(free(), certificates.clone()),
        };
        let (conduct, orders) = watch::channel(first);
        let journal = Arc::new(Journal::default());
        let listener = Listener::bind(&place);
        let task = tokio::spawn(run(place.clone(), listener, orders, journal.clone()));
        Self { place, conduct, journal, _task: AbortOnDropHandle::new(task) }
    }

    /// Does something else from now on. What is open is closed.
    pub(crate) fn turn(&self, conduct: Conduct) {
        self.conduct.send_replace(conduct);
    }

    /// Closes one connection unread: that which follows the next answer to `line`.
    pub(crate) fn drop_after(&self, line: &'static str) {
        *self.journal.fatal.lock().expect("no panic") = Some(line);
    }

    pub(crate) fn socket(&self) -> PathBuf {
        let Place::Unix(directory) = &self.place else { panic!("no unix socket") };
        directory.path().join("fake.sock")
    }

    /// How to reach it.
    pub(crate) fn connector(&self) -> Connector {
        match &self.place {
            Place::Unix(_) => Address::Unix(self.socket()).into(),
            Place::Tcp(address) => format!("tcp://{address}").parse::<Address>().expect("an address").into(),
            Place::Tls(address, certificates) => certificates.connector(&format!("tls://{address}"), None),
        }
    }

    /// How many lines came so far.
    pub(crate) fn lines(&self) -> usize {
        self.journal.lines.lock().expect("no panic").len()
    }

    /// Bytes of a flood that the client has taken.
    pub(crate) fn flooded(&self) -> u64 {
        self.journal.sent.load(Ordering::Relaxed)
    }

    /// How often this line came.
    pub(crate) fn times(&self, line: &str) -> usize {
        let told = self.journal.lines.lock().expect("no panic");
        told.iter().filter(|l| l.trim_ascii_end() == line.as_bytes()).count()
    }

    /// Every line that no poll says, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.journal.lines.lock().expect("no panic");
        let is_poll = |line: &&Vec<u8>| POLL.iter().any(|p| line.as_slice() == format!("{p}\n").as_bytes());
        told.iter().filter(|l| !is_poll(l)).map(|l| String::from_utf8_lossy(l).trim_end().to_owned()).collect()
    }
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A connection of any kind.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Listener {
    fn bind(place: &Place) -> Self {
        match place {
            Place::Unix(directory) => {
                let path = directory.path().join("fake.sock");
                // What a HAProxy that was stopped leaves behind.
                let _: io::Result<()> = std::fs::remove_file(&path);
                Self::Unix(UnixListener::bind(path).expect("a socket"))
            }
            Place::Tcp(address) | Place::Tls(address, _) => {
                let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                socket.set_reuseaddr(true).expect("an option");
                socket.bind(*address).expect("the port is still free");
                Self::Tcp(socket.listen(128).expect("a listener"))
            }
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Duplex>> {
        Ok(match self {
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

async fn run(place: Place, first: Listener, mut orders: watch::Receiver<Conduct>, journal: Arc<Journal>) {
    let mut listener = Some(first);
    let mut open = JoinSet::new();
    loop {
        let conduct = orders.borrow_and_update().clone();
        if matches!(conduct, Conduct::Refuse) {
            listener = None;
        }
        if matches!(conduct, Conduct::Refuse | Conduct::Backlog) {
            if orders.changed().await.is_err() {
                return;
            }
            open.shutdown().await;
            continue;
        }
        let taking = listener.get_or_insert_with(|| Listener::bind(&place));
        tokio::select! {
            changed = orders.changed() => {
                if changed.is_err() {
                    return;
                }
                open.shutdown().await;
            }
            Ok(stream) = taking.accept() => {
                if journal.is_next_dropped.swap(false, Ordering::SeqCst) {
                    continue;
                }
                open.spawn(serve(stream, place.clone(), conduct, journal.clone()));
            }
        }
    }
}

async fn serve(stream: Box<dyn Duplex>, place: Place, conduct: Conduct, journal: Arc<Journal>) {
    let (script, certificate) = match conduct {
        Conduct::Drop => return,
        Conduct::Answer(script) => (script, "good"),
        Conduct::Show(certificate) => (good(), certificate),
        Conduct::Plain(answer) => {
            return lines(stream, Arc::new(move |_| Reply::Whole(answer.clone())), &journal).await;
        }
        Conduct::Refuse | Conduct::Backlog | Conduct::Mute => {
            std::future::pending::<()>().await;
            return drop(stream);
        }
    };
    match &place {
        Place::Tls(_, certificates) => {
            let acceptor = TlsAcceptor::from(certificates.server(certificate));
            // A client that does not like the certificate goes away.
            if let Ok(stream) = acceptor.accept(stream).await {
                lines(Box::new(stream), script, &journal).await;
            }
        }
        _ => lines(stream, script, &journal).await,
    }
}

/// Writes down every line of a connection, and replies to the first.
async fn lines(stream: Box<dyn Duplex>, script: Script, journal: &Journal) {
    let (reader, writer) = tokio::io::split(stream);
    let (mut reader, mut writer) = (BufReader::new(reader), Some(writer));
    loop {
        let mut line = Vec::new();
        if !matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let Some(mut writer) = writer.take() else {
            journal.heard(line);
            continue;
        };
        let reply = script(String::from_utf8_lossy(&line).trim_end_matches('\n'));
        journal.heard(line);
        // Whoever went away needs no reply.
        let _: io::Result<()> = answer(&mut writer, reply, journal).await;
    }
}

async fn answer(writer: &mut (impl AsyncWrite + Unpin), reply: Reply, journal: &Journal) -> io::Result<()> {
    match reply {
        Reply::Whole(bytes) => writer.write_all(&bytes).await?,
        Reply::Hang(bytes) => {
            writer.write_all(&bytes).await?;
            writer.flush().await?;
            std::future::pending::<()>().await;
        }
        Reply::Drip(bytes) => {
            for byte in bytes {
                writer.write_all(&[byte]).await?;
                writer.flush().await?;
                sleep(Duration::from_secs(1)).await;
            }
        }
        Reply::Flood(length) => {
            writer.write_all(b"# pxname,svname,status,type,\n").await?;
            static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];
            let mut left = length;
            while left > 0 {
                writer.write_all(&CHUNK).await?;
                journal.sent.fetch_add(CHUNK.len() as u64, Ordering::Relaxed);
                left = left.saturating_sub(CHUNK.len() as u64);
            }
        }
    }
    writer.shutdown().await
}

/// Answers as HAProxy 2.6.12 once did.
pub(crate) fn good() -> Script {
    Arc::new(|line| Reply::Whole(recorded(line)))
}

/// What HAProxy 2.6.12 once replied to a poll, and its silence to everything else.
pub(crate) fn recorded(line: &str) -> Vec<u8> {
    match line {
        "show cli level" => b"admin\n\n".to_vec(),
        line => testkit::recordings::DEBIAN_12.reply(line).unwrap_or(b"\n").to_vec(),
    }
}
