//! A certificate with its key, read from files and checked.

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
    client::verify_server_name,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName},
    server::{ParsedCertificate, ServerSessionMemoryCache},
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::validity::Validity;

/// The most that is read of a file, in bytes: a chain has a few kilobytes.
const MAX_FILE: u64 = 1024 * 1024;

/// TLS sessions that can be resumed without a full handshake: browsers open several connections at once.
const SESSIONS: usize = 1024;

/// Where Sluice's certificate and its key are: PEM files, absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key; may be the same file.
    pub key: PathBuf,
}

/// Why a certificate and its key can't be used. No message holds a part of a file.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
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
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A hash of each file, to see whether they changed without keeping the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32], [u8; 32]);

/// A certificate with its key, ready to serve.
#[derive(Clone)]
pub struct ServerCertificate {
    pub(super) config: Arc<ServerConfig>,
    validity: Validity,
    pub(super) fingerprint: Fingerprint,
    certificate: CertificateDer<'static>,
}

impl ServerCertificate {
    /// Reads both files.
    ///
    /// # Errors
    /// When one can't be read, has no certificate or key in it, or doesn't belong to the other. Not when the certificate has
    /// expired: a page with a warning is better than none.
    pub fn load(files: &TlsFiles) -> Result<Self, CertificateError> {
        Self::of(&Contents::read(files)?, files)
    }

    pub(super) fn of(contents: &Contents, files: &TlsFiles) -> Result<Self, CertificateError> {
        let in_certificate = |source| CertificateError::Certificate { path: files.certificate.clone(), source };
        let mismatch = || CertificateError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() };
        let chain = Chain::from_pem(&contents.certificate).map_err(in_certificate)?.into_certificates();
        let key = Key::from_pem(&contents.key)
            .map_err(|source| CertificateError::Key { path: files.key.clone(), source })?
            .into_der();
        let validity = Validity::of(&chain).ok_or_else(|| in_certificate(TlsError::BadCertificate))?;
        // A chain that has a validity has a first certificate.
        let certificate = chain.first().cloned().ok_or_else(|| in_certificate(TlsError::BadCertificate))?;
        let provider = Arc::new(default_provider());
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|_| mismatch())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| in_certificate(TlsError::Setup(error.to_string())))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // A cache of its own, so that after a replacement no session of the old certificate is resumed.
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        Ok(Self { config: Arc::new(config), validity, fingerprint: contents.fingerprint(), certificate })
    }

    /// Whether it is for that host, a name or an address.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let (Ok(name), Ok(parsed)) = (ServerName::try_from(bare), ParsedCertificate::try_from(&self.certificate))
        else {
            return false;
        };
        verify_server_name(&parsed, &name).is_ok()
    }

    /// From when until when it is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }
}

/// Without the key.
impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate").field("validity", &self.validity).finish_non_exhaustive()
    }
}

impl Contents {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, CertificateError> {
        let TlsFiles { certificate: path, key } = files;
        let certificate = read(path).map_err(|error| CertificateError::Certificate {
            path: path.clone(),
            source: TlsError::Unreadable(error),
        })?;
        let key = read(key)
            .map_err(|error| CertificateError::Key { path: key.clone(), source: TlsError::Unreadable(error) })?;
        Ok(Self { certificate, key })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let bytes = |digest: Digest| {
            let mut out = [0; 32];
            out.copy_from_slice(digest.as_ref());
            out
        };
        Fingerprint(bytes(digest(&SHA256, &self.certificate)), bytes(digest(&SHA256, &self.key)))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}
