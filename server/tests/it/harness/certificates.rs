//! Certificates of one's own, made anew for each test.

use std::{fs, path::PathBuf, sync::Arc};

use haproxy::{Address, Authorities, Chain, Connector, Key, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// A CA that signed certificates for a server and for a client. Dropping it removes their files.
pub(crate) struct Certificates {
    folder: TempDir,
    ca: CertifiedIssuer<'static, KeyPair>,
}

/// When a certificate is valid, in years.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valid(pub(crate) i32, pub(crate) i32);

pub(crate) const NOW: Valid = Valid(2020, 2120);
pub(crate) const EXPIRED: Valid = Valid(2020, 2021);
pub(crate) const NOT_YET: Valid = Valid(2119, 2120);

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        // A certificate whose name is its issuer's is taken for self-signed by OpenSSL.
        params.distinguished_name.push(DnType::CommonName, "a CA for tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let ca = CertifiedIssuer::self_signed(params, key).expect("a CA");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("ca.pem"), ca.pem()).expect("written");
        Self { folder, ca }
    }

    /// Signs a certificate for these names, and writes it with its key to `NAME.pem`.
    pub(crate) fn issue(&self, name: &str, names: &[&str], Valid(from, to): Valid) -> PathBuf {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.ca).expect("signed");
        let path = self.path(name);
        fs::write(&path, certificate.pem() + &key.serialize_pem()).expect("written");
        path
    }

    /// `NAME.pem`; the CA's own is `ca`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// How to reach a `tls://` address when this CA is trusted; `identity` is the name of a client's certificate.
    pub(crate) fn connector(&self, address: &str, identity: Option<&str>) -> Connector {
        let address: Address = address.parse().expect("an address");
        let Address::Tls(place) = &address else { panic!("{address} has no TLS") };
        let identity = identity.map(|name| {
            let path = self.path(name);
            (Chain::from_file(&path).expect("a certificate"), Key::from_file(&path).expect("a key"))
        });
        let authorities = Authorities::from_file(&self.path("ca")).expect("a CA");
        let tls = Tls::new(&place.host, authorities, identity).expect("a certificate with its key");
        Connector { address, tls: Some(tls), master: false }
    }

    /// A server that shows a certificate.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        let pem = fs::read(self.path(name)).expect("a certificate");
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().expect("a chain");
        let key = PrivateKeyDer::from_pem_slice(&pem).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).expect("a certificate with its key"))
    }
}
