//! Sluice's own certificate: read, judged, and exchanged while it serves.
//!
//! TLS towards HAProxy is `haproxy::tls`, which also reads the PEM files.

mod reloader;
mod validity;

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use haproxy::{Chain, Key, TlsError};
use ring::digest::{Digest, SHA256, digest};
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::ring::default_provider,
    server::ServerSessionMemoryCache,
    sign::{CertifiedKey, SingleCertAndKey},
};

pub use reloader::{Certificates, LOOK};
pub use validity::{CertificateStatus, Validity};

/// The largest file that is read, in bytes: a chain has a few kilobytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Sessions that may be taken up again without a new handshake: a browser opens a page's connections at once.
const SESSIONS: usize = 1024;

/// Where Sluice's certificate and its key are: PEM files, absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key; may be the same file.
    pub key: PathBuf,
}

/// Why a certificate and its key can't be used. No message holds a part of a file.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The certificate's file.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: TlsError,
    },
    /// The key's file.
    #[error("{}: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: TlsError,
    },
    /// The two don't belong together.
    #[error(
        "the key in {} doesn't belong to the first certificate in {}, or is of a kind that can't be used: take RSA, \
         ECDSA or Ed25519, and put Sluice's own certificate before those of its authorities",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// What the two files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Stands for what two files hold, without holding it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark([u8; 32], [u8; 32]);

/// A certificate with its key, ready to serve.
#[derive(Clone)]
pub struct Pair {
    config: Arc<ServerConfig>,
    validity: Validity,
    mark: Mark,
}

impl Pair {
    /// Reads both files.
    ///
    /// # Errors
    /// When one can't be read, holds nothing of use, or doesn't belong to the other. Not when the certificate has
    /// expired: a page with a warning is better than none.
    pub fn load(files: &TlsFiles) -> Result<Self, PairError> {
        Self::of(&Contents::read(files)?, files)
    }

    fn of(contents: &Contents, files: &TlsFiles) -> Result<Self, PairError> {
        let in_certificate = |source| PairError::Certificate { path: files.certificate.clone(), source };
        let mismatch = || PairError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() };
        let chain = Chain::from_pem(&contents.certificate).map_err(in_certificate)?.into_certificates();
        let key = Key::from_pem(&contents.key)
            .map_err(|source| PairError::Key { path: files.key.clone(), source })?
            .into_der();
        let validity = Validity::of(&chain).ok_or_else(|| in_certificate(TlsError::BadCertificate))?;
        let provider = Arc::new(default_provider());
        let pair = CertifiedKey::from_der(chain, key, &provider).map_err(|_| mismatch())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| in_certificate(TlsError::Setup(error.to_string())))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // They go with the certificate: after an exchange everybody sees the new one.
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        Ok(Self { config: Arc::new(config), validity, mark: contents.mark() })
    }

    /// From when until when it holds.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }
}

/// Not the key.
impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("validity", &self.validity).finish_non_exhaustive()
    }
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, PairError> {
        let TlsFiles { certificate: path, key } = files;
        let certificate = read(path)
            .map_err(|error| PairError::Certificate { path: path.clone(), source: TlsError::Unreadable(error) })?;
        let key =
            read(key).map_err(|error| PairError::Key { path: key.clone(), source: TlsError::Unreadable(error) })?;
        Ok(Self { certificate, key })
    }

    fn mark(&self) -> Mark {
        let bytes = |digest: Digest| {
            let mut out = [0; 32];
            out.copy_from_slice(digest.as_ref());
            out
        };
        Mark(bytes(digest(&SHA256, &self.certificate)), bytes(digest(&SHA256, &self.key)))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
