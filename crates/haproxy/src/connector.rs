//! How a stats socket is reached: its address, what TLS needs, and whether a master stands in front of the worker.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream, lookup_host},
    time::timeout,
};

use crate::{
    Address, Error, HostPort, Stage,
    address::MAX_ABSTRACT,
    tls::{Tls, TlsFault},
};

/// How long one of several IP addresses of a host may take to connect, so that the next one gets its turn.
const TRY: Duration = Duration::from_secs(1);

/// A connection, whatever its kind.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// How a stats socket is reached. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// Where it is.
    pub address: Address,
    /// Whom to trust and what to show; needed for [`Address::Tls`], and not looked at for any other.
    pub tls: Option<Tls>,
    /// Whether this is the socket of a master process (`haproxy -S`): commands then go to its current worker, by `@1`.
    pub master: bool,
}

impl From<Address> for Connector {
    /// A stats socket that is reached without TLS.
    fn from(address: Address) -> Self {
        Self { address, tls: None, master: false }
    }
}

impl Connector {
    /// Opens a connection. `stage` follows how far it came.
    ///
    /// # Errors
    /// [`Error::Resolve`], [`Error::Connect`] and [`Error::Tls`].
    pub(super) async fn connect(&self, stage: &mut Stage) -> Result<Box<dyn Duplex>, Error> {
        *stage = Stage::Connect;
        match &self.address {
            Address::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(source) => Err(self.unconnected(source)),
            },
            Address::Abns(name) => self.connect_abstract(padded(name)).await,
            Address::Abnsz(name) => self.connect_abstract(name.clone()).await,
            Address::Tcp(place) => Ok(Box::new(self.connect_tcp(place, stage).await?)),
            Address::Tls(place) => {
                let Some(tls) = &self.tls else {
                    return Err(self.tls_fault(Stage::Handshake, TlsFault::NotSetUp));
                };
                let stream = self.connect_tcp(place, stage).await?;
                *stage = Stage::Handshake;
                match tls.handshake(stream).await {
                    Ok(stream) => Ok(Box::new(stream)),
                    Err(source) => Err(self.tls_fault(Stage::Handshake, tls.fault_of_handshake(&source))),
                }
            }
        }
    }

    /// What a failure of an open connection means: over TLS it may carry the reason.
    pub(super) fn broken(&self, stage: Stage, source: io::Error) -> Error {
        match self.tls.as_ref().and_then(|tls| tls.fault_of_stream(&source)) {
            Some(fault) => self.tls_fault(stage, fault),
            None => Error::Io { stage, source },
        }
    }

    async fn connect_abstract(&self, name: String) -> Result<Box<dyn Duplex>, Error> {
        // A leading NUL byte is how the abstract namespace is written.
        match UnixStream::connect(format!("\0{name}")).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(source) => Err(self.unconnected(source)),
        }
    }

    /// Looks the host up, each time anew, and connects.
    async fn connect_tcp(&self, place: &HostPort, stage: &mut Stage) -> Result<TcpStream, Error> {
        *stage = Stage::Resolve;
        let resolved = lookup_host((place.host.as_str(), place.port)).await;
        let found: Vec<SocketAddr> = match resolved {
            Ok(found) => found.collect(),
            Err(source) => return Err(Error::Resolve { host: place.host.clone(), source }),
        };
        *stage = Stage::Connect;
        match first_of(&found).await {
            Ok(stream) => {
                // A command is one short write. Without this option it merely comes later.
                let _: io::Result<()> = stream.set_nodelay(true);
                Ok(stream)
            }
            Err(source) => Err(self.unconnected(source)),
        }
    }

    fn unconnected(&self, source: io::Error) -> Error {
        Error::Connect { address: self.address.clone(), source }
    }

    fn tls_fault(&self, stage: Stage, fault: TlsFault) -> Error {
        Error::Tls { address: self.address.clone(), stage, fault }
    }
}

/// Connects to the first of these that answers, tried in turn; the error is that of the last.
async fn first_of(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (at, address) in addresses.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        let connected = if at + 1 == addresses.len() {
            connecting.await
        } else {
            timeout(TRY, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(source) => last = source,
        }
    }
    Err(last)
}

/// The name as HAProxy binds `abns@`: zero bytes up to the end of `sun_path` are part of it.
fn padded(name: &str) -> String {
    let padding = MAX_ABSTRACT.saturating_sub(name.len());
    format!("{name}{}", "\0".repeat(padding))
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    fn local() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[tokio::test]
    async fn each_address_of_a_host_gets_its_turn() {
        let open = TcpListener::bind(local()).await.expect("a port");
        let open_at = open.local_addr().expect("an address");
        let closed = TcpListener::bind(local()).await.expect("a port").local_addr().expect("an address");
        // Nobody picks up what waits here: once its backlog is full, further connections get no answer at all.
        let mute = TcpSocket::new_v4().expect("a socket");
        mute.bind(local()).expect("a port");
        let mute = mute.listen(0).expect("a listener");
        let mute_at = mute.local_addr().expect("an address");
        let _waiting = TcpStream::connect(mute_at).await.expect("the only place");
        assert!(timeout(Duration::from_millis(100), TcpStream::connect(mute_at)).await.is_err(), "its backlog is full");

        for addresses in [&[open_at][..], &[closed, open_at], &[mute_at, open_at], &[mute_at, closed, open_at]] {
            let stream = first_of(addresses).await.expect("one answers");
            assert_eq!(stream.peer_addr().expect("connected"), open_at);
        }
        let refused = first_of(&[mute_at, closed]).await.expect_err("none answers");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(first_of(&[]).await.expect_err("nowhere").kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn the_name_of_an_abstract_socket_fills_its_place() {
        assert_eq!(padded("haproxy").len(), MAX_ABSTRACT);
        assert!(padded("haproxy").starts_with("haproxy\0"));
        assert_eq!(padded(&"x".repeat(MAX_ABSTRACT)), "x".repeat(MAX_ABSTRACT));
    }
}
