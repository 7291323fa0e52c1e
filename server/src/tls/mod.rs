//! Sluice's own certificate: read, checked, and replaced while Sluice runs.
//!
//! TLS towards HAProxy is `haproxy::tls`, which also reads the PEM files.

mod certificate;
mod reloader;
mod validity;

pub use certificate::{CertificateError, ServerCertificate, TlsFiles};
pub use reloader::{CHECK_INTERVAL, CertificateReloader};
pub use validity::{CertificateStatus, Validity};

#[cfg(test)]
mod tests;
