//! TLS towards HAProxy: whom to trust, what to show, which name to verify.
//!
//! It reads PEM files and makes handshakes. Every handshake verifies the certificate and none is resumed, so that
//! one that has expired or was exchanged is noticed at the next request.

mod fault;

use std::{fmt, fs, io, path::Path, sync::Arc};

use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio_rustls::{
    Connect, TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        client::Resumption,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

pub use fault::TlsFault;

/// What a TLS connection to one HAProxy needs. A clone is cheap; two are equal when one is the clone of the other.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    has_certificate: bool,
}

/// The certificates of the authorities that may vouch for a HAProxy.
#[derive(Clone, Debug)]
pub struct Authorities(RootCertStore);

/// A certificate with those between it and its authority.
pub struct Chain(Vec<CertificateDer<'static>>);

/// The private key of a certificate.
pub struct Key(PrivateKeyDer<'static>);

/// Why TLS can't be set up. No message holds a part of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read the file: {0}")]
    Unreadable(#[source] io::Error),
    /// A file without a certificate.
    #[error("there is no certificate in the file: it has to be PEM, with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// A certificate that is damaged.
    #[error("a certificate in the file can't be read: is it whole?")]
    BadCertificate,
    /// A file without a private key, or with one under a password.
    #[error(
        "there is no private key in the file: it has to be PEM, with `-----BEGIN PRIVATE KEY-----`, and without a \
         password"
    )]
    NoKey,
    /// A certificate and a key that don't belong together, or of a kind that can't be used.
    #[error(
        "the private key doesn't fit the certificate, or is of a kind that can't be used: take RSA, ECDSA or Ed25519"
    )]
    KeyMismatch,
    /// The system has no authorities.
    #[error("this system has no trust store: name the file of HAProxy's CA")]
    NoSystemTrust,
    /// Neither a host's name nor an IP address.
    #[error("`{0}` can't be in a certificate: it is neither the name of a host nor an IP address")]
    Name(String),
    /// The library refused. It doesn't, with the choices made here.
    #[error("TLS can't be set up: {0}")]
    Setup(String),
}

impl Authorities {
    /// Those that the system trusts.
    ///
    /// # Errors
    /// [`TlsError::NoSystemTrust`].
    pub fn system() -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        // One that can't be read is of no use, and no reason to do without the others.
        store.add_parsable_certificates(load_native_certs().certs);
        if store.is_empty() { Err(TlsError::NoSystemTrust) } else { Ok(Self(store)) }
    }

    /// Those in a PEM file, and no others.
    ///
    /// # Errors
    /// When the file can't be read, or holds none.
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in Chain::from_file(path)?.0 {
            store.add(certificate).map_err(|_| TlsError::BadCertificate)?;
        }
        Ok(Self(store))
    }
}

impl Chain {
    /// The certificates in a PEM file, in its order.
    ///
    /// # Errors
    /// When the file can't be read, or holds none.
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        Self::from_pem(&fs::read(path).map_err(TlsError::Unreadable)?)
    }

    /// The certificates in a PEM text, in its order.
    ///
    /// # Errors
    /// When it holds none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err(TlsError::NoCertificate),
            Ok(chain) => Ok(Self(chain)),
            Err(_) => Err(TlsError::BadCertificate),
        }
    }

    /// The certificates themselves; at least one.
    #[must_use]
    pub fn into_certificates(self) -> Vec<CertificateDer<'static>> {
        self.0
    }
}

impl Key {
    /// The first private key in a PEM file.
    ///
    /// # Errors
    /// When the file can't be read, or holds none.
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        Self::from_pem(&fs::read(path).map_err(TlsError::Unreadable)?)
    }

    /// The first private key in a PEM text.
    ///
    /// # Errors
    /// When it holds none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        PrivateKeyDer::from_pem_slice(pem).map(Self).map_err(|_| TlsError::NoKey)
    }

    /// The key itself.
    #[must_use]
    pub fn into_der(self) -> PrivateKeyDer<'static> {
        self.0
    }
}

impl Tls {
    /// Trusts `authorities`, verifies that the certificate is for `name`, and shows `identity` where HAProxy asks for it.
    ///
    /// # Errors
    /// [`TlsError::Name`] and [`TlsError::KeyMismatch`].
    pub fn new(name: &str, authorities: Authorities, identity: Option<(Chain, Key)>) -> Result<Self, TlsError> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        let has_certificate = identity.is_some();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_root_certificates(authorities.0);
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain.0, key.0).map_err(|_| TlsError::KeyMismatch)?,
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), name, has_certificate })
    }

    pub(super) fn handshake(&self, stream: TcpStream) -> Connect<TcpStream> {
        TlsConnector::from(self.config.clone()).connect(self.name.clone(), stream)
    }

    /// What a failed handshake means.
    pub(super) fn fault_of_handshake(&self, error: &io::Error) -> TlsFault {
        match reason(error) {
            Some(reason) => TlsFault::of(reason, self.has_certificate),
            None => TlsFault::Ended,
        }
    }

    /// What a failure after the handshake means, where TLS has to do with it. In TLS 1.3 the peer judges a client's
    /// certificate only then.
    pub(super) fn fault_of_stream(&self, error: &io::Error) -> Option<TlsFault> {
        reason(error).map(|reason| TlsFault::of(reason, self.has_certificate))
    }
}

fn reason(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Eq for Tls {}

/// The name alone: what else there is should stay out of logs.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
