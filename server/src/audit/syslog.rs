//! The audit log's entries for a syslog, one line each (RFC 5424), so that another machine has them too, and with each the
//! head of the chain.
//!
//! A thread of its own sends them: whatever the syslog does, nobody waits for it. The crate `syslog` is not used: it
//! stamps lines with the time of sending, can't bound how long it waits, and parts lines on TCP by nothing.

use std::{
    fmt,
    io::{self, Write as _},
    net::{TcpStream, ToSocketAddrs as _, UdpSocket},
    os::unix::net::{UnixDatagram, UnixStream},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use model::audit::{COLUMNS, Content, Kind, StoredEntry};
use tokio::sync::mpsc;

use super::time as timestamp;
use crate::metrics::Metrics;

/// Lines that wait for the syslog, 20 MB at most; what comes when they are full is not sent there.
const QUEUE_LINES: usize = 10_000;

/// The longest line in bytes: what every receiver takes (RFC 5424, section 6.1), and one datagram carries.
const MAX_LINE_BYTES: usize = 2_048;

/// How long the syslog may take to connect, and to take a line.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);

/// From the first to the longest pause between two tries.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How often the log says that the syslog takes nothing, at most: UDP fails at every other line.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Facility 10 (security and authorization), severity 5 (notice) and 4 (warning, for denials).
const NOTICE: u8 = 85;
const WARNING: u8 = 84;

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A socket of this machine.
    Unix(PathBuf),
    /// `HOST:PORT`, a datagram per line.
    Udp(String),
    /// `HOST:PORT`, each line with its length before it (RFC 6587).
    Tcp(String),
}

/// Not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no syslog: write \"unix:/dev/log\", \"udp://HOST:514\" or \"tcp://HOST:514\"")]
pub struct SyslogAddressError(String);

impl FromStr for SyslogAddress {
    type Err = SyslogAddressError;

    fn from_str(text: &str) -> Result<Self, SyslogAddressError> {
        let wrong = || SyslogAddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let (kind, place) = text.split_once("://").ok_or_else(wrong)?;
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let is_place = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
        match kind {
            "udp" if is_place => Ok(Self::Udp(place.to_owned())),
            "tcp" if is_place => Ok(Self::Tcp(place.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for SyslogAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Udp(place) => write!(f, "udp://{place}"),
            Self::Tcp(place) => write!(f, "tcp://{place}"),
        }
    }
}

/// The way to the syslog's thread, which ends with it.
#[derive(Debug)]
pub(super) struct Syslog {
    lines: mpsc::Sender<String>,
    address: SyslogAddress,
    host: String,
    /// Lines that were not taken since the last that was.
    lost: u64,
    metrics: Arc<Metrics>,
}

impl Syslog {
    /// Starts the thread.
    pub(super) fn start(address: SyslogAddress, metrics: Arc<Metrics>) -> Self {
        let (lines, inbox) = mpsc::channel(QUEUE_LINES);
        let to = address.clone();
        // Without the thread the queue is closed, and every entry counts as not sent.
        let started = thread::Builder::new().name("syslog".to_owned()).spawn(move || send_all(&to, inbox));
        if let Err(error) = started {
            tracing::error!(syslog = %address, %error, "cannot start the thread that sends to the syslog");
        }
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { lines, address, host, lost: 0, metrics }
    }

    /// Hands over a line, unless too many wait already.
    pub(super) fn send(&mut self, entry: &StoredEntry) {
        if self.lines.try_send(line(entry, &self.host, std::process::id())).is_ok() {
            if self.lost > 0 {
                tracing::warn!(syslog = %self.address, lost = self.lost, "the syslog takes lines again");
                self.lost = 0;
            }
            return;
        }
        if self.lost == 0 {
            tracing::error!(syslog = %self.address, "the syslog is too slow: entries of the audit log are not sent to it");
        }
        self.lost += 1;
        self.metrics.syslog_dropped.inc();
    }
}

/// An entry as one line, without its end.
fn line(entry: &StoredEntry, host: &str, pid: u32) -> String {
    let StoredEntry { id, entry, hash } = entry;
    let kind = &entry.kind;
    let priority = if kind == Kind::Denial.word() { WARNING } else { NOTICE };
    let host: String = host.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
    let host = if host.is_empty() { "-".to_owned() } else { host };
    let time = timestamp::format(entry.at);
    let mut out = format!("<{priority}>1 {time} {host} sluice {pid} {kind} - id={id} hash={hash}");
    // The kind stands in the head of the line. The longest texts come last: they are what is cut.
    let fields = COLUMNS.iter().zip(entry.texts()).skip(1);
    let (short, long): (Vec<_>, Vec<_>) = fields.partition(|(column, _)| column.content == Content::Text);
    for (column, text) in short.into_iter().chain(long).filter(|(_, text)| !text.is_empty()) {
        // A text in JSON's quotes is one word on one line.
        out.push_str(&format!(" {}={}", column.name, serde_json::to_string(text).unwrap_or_default()));
    }
    if out.len() > MAX_LINE_BYTES {
        let end = (0..=MAX_LINE_BYTES - "…".len()).rev().find(|end| out.is_char_boundary(*end)).unwrap_or_default();
        out.truncate(end);
        out.push('…');
    }
    out
}

/// An open way to the syslog.
enum SyslogConnection {
    Datagram(UnixDatagram),
    Stream(UnixStream),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl SyslogConnection {
    fn open(address: &SyslogAddress) -> io::Result<Self> {
        match address {
            SyslogAddress::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(SEND_TIMEOUT))?;
                if socket.connect(path).is_ok() {
                    return Ok(Self::Datagram(socket));
                }
                let socket = UnixStream::connect(path)?;
                socket.set_write_timeout(Some(SEND_TIMEOUT))?;
                Ok(Self::Stream(socket))
            }
            SyslogAddress::Udp(place) => {
                let to = place.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
                let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
                socket.connect(to)?;
                Ok(Self::Udp(socket))
            }
            SyslogAddress::Tcp(place) => {
                let to = place.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
                let socket = TcpStream::connect_timeout(&to, SEND_TIMEOUT)?;
                socket.set_write_timeout(Some(SEND_TIMEOUT))?;
                Ok(Self::Tcp(socket))
            }
        }
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        match self {
            Self::Datagram(socket) => socket.send(line.as_bytes()).map(drop),
            Self::Udp(socket) => socket.send(line.as_bytes()).map(drop),
            Self::Stream(socket) => socket.write_all(format!("{line}\n").as_bytes()),
            Self::Tcp(socket) => socket.write_all(format!("{} {line}", line.len()).as_bytes()),
        }
    }
}

/// Sends lines one after the other, each until it is taken.
fn send_all(address: &SyslogAddress, mut inbox: mpsc::Receiver<String>) {
    let (mut connection, mut warned): (_, Option<Instant>) = (None, None);
    while let Some(line) = inbox.blocking_recv() {
        let mut pause = RETRY_PAUSES.0;
        loop {
            let sent = match &mut connection {
                Some(open) => SyslogConnection::send(open, &line),
                None => SyslogConnection::open(address).and_then(|mut open| {
                    open.send(&line)?;
                    connection = Some(open);
                    Ok(())
                }),
            };
            let Err(error) = sent else { break };
            if warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
                warned = Some(Instant::now());
                tracing::warn!(syslog = %address, %error, "the syslog does not take the audit log's entries; they wait");
            }
            connection = None;
            thread::sleep(pause);
            pause = (2 * pause).min(RETRY_PAUSES.1);
            if inbox.is_closed() {
                // The program ends; a syslog that is away is not waited for.
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
