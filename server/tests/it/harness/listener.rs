//! A whole Sluice on a real port, in this process, with the listener settings that a test needs.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use server::{
    metrics::{Metrics, TextFormat},
    tls::{CertificateReloader, TlsFiles},
    web::{self, AppState, ListenerSettings},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    fake::{Fake, recorded},
    sluice::Sluice,
};
use crate::PATIENCE;

/// A Sluice that serves HTTP. Dropping it ends it.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
    pub(crate) sluice: Sluice,
    _fake: Fake,
}

impl TestServer {
    /// Serves with the default listener settings as `change` alters them.
    pub(crate) async fn start(change: impl FnOnce(&mut ListenerSettings)) -> Self {
        Self::serving(true, change).await
    }

    /// The same, but not open to everybody: an account is needed and there is none. Any `Host` is answered.
    pub(crate) async fn closed(change: impl FnOnce(&mut ListenerSettings)) -> Self {
        Self::serving(false, change).await
    }

    async fn serving(may_be_open: bool, change: impl FnOnce(&mut ListenerSettings)) -> Self {
        let fake = Fake::start(|line| Some(recorded(line)));
        let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, metrics) = (CancellationToken::new(), sluice.metrics.clone());
        let mut listener_settings = ListenerSettings::default();
        change(&mut listener_settings);
        let state =
            AppState { listener_settings: Arc::new(listener_settings), ..sluice.state(may_be_open, shutdown.clone()) };
        let served = tokio::spawn(web::run(listener, state));
        Self { address, metrics, shutdown, served, sluice, _fake: fake }
    }

    /// A connection without TLS.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// What a request without TLS is answered.
    pub(crate) async fn ask(&self, head: &str) -> String {
        ask(self.connect().await, head).await
    }

    /// A figure of `/metrics`.
    pub(crate) fn figure(&self, line: &str) -> u64 {
        let all = self.metrics.encode(TextFormat::OpenMetrics);
        let found = all.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0, |n| n.parse().expect("a number"))
    }

    /// Waits until a figure is as wanted.
    pub(crate) async fn until_figure(&self, line: &str, wanted: impl Fn(u64) -> bool) {
        let reached = async {
            while !wanted(self.figure(line)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{line} is {}", self.figure(line)));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// One request, `GET /x HTTP/1.1` and headers, each line ended by `\n`; the whole answer.
pub(crate) async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str) -> String {
    let head = format!("{head}\nConnection: close\n\n").replace('\n', "\r\n");
    let exchange = async {
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

/// Sends a byte now and then until the connection is cut; how long that took.
pub(crate) async fn drip(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Duration {
    let began = Instant::now();
    let cut = async {
        // What comes after the bytes never ends either.
        let mut bytes = bytes.iter().chain(std::iter::repeat(&b'x'));
        let mut ticks = tokio::time::interval(Duration::from_millis(30));
        let mut some = [0; 1024];
        loop {
            tokio::select! {
                read = stream.read(&mut some) => if matches!(read, Ok(0) | Err(_)) { return },
                _ = ticks.tick() => {
                    let byte = *bytes.next().unwrap_or(&b'x');
                    if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    timeout(PATIENCE, cut).await.expect("cut in time");
    began.elapsed()
}

/// Waits until the other side ends the connection; how long that took.
pub(crate) async fn until_cut(mut stream: impl AsyncRead + Unpin) -> Duration {
    let began = Instant::now();
    let mut some = vec![0; 64 * 1024];
    let cut = async { while stream.read(&mut some).await.is_ok_and(|n| n > 0) {} };
    timeout(PATIENCE, cut).await.expect("cut in time");
    began.elapsed()
}

/// What is served, from a file with certificate and key.
pub(crate) fn served(pem: &Path) -> CertificateReloader {
    CertificateReloader::load(TlsFiles { certificate: pem.to_owned(), key: pem.to_owned() }).expect("a pair")
}

/// A client that trusts a CA and offers these protocols.
pub(crate) fn client(ca: &Path, protocols: &[&str]) -> TlsConnector {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_file(ca).expect("a certificate")).expect("a CA");
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// A connection with TLS, to the name that certificates are for here.
pub(crate) async fn shake(client: &TlsConnector, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    client.connect(ServerName::try_from("sluice.test").expect("a name"), stream).await
}
