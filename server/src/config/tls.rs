//! Sluice's own certificate and key.

use toml::de::DeTable;

use super::{
    reader::{Mistakes, kind},
    transport::{FileSetting, file},
};
use crate::tls::{CertificateError, ServerCertificate, TlsFiles};

const CERTIFICATE: (&str, &str) = ("certificate", "/etc/sluice/sluice.example.org.pem");
const KEY: (&str, &str) = ("key", "/etc/sluice/sluice.example.org.key");

/// Reads `[tls]`, and checks the certificate and key that it names. An expired certificate is accepted; the log reports it
/// when it is used.
pub(super) fn tls(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<TlsFiles> {
    let value = table.get("tls")?;
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        let ((certificate, path), (key, secret)) = (CERTIFICATE, KEY);
        mistakes.add(
            &value.span(),
            format!(
                "`tls` is {found}: write a table, as [tls] and {certificate} = \"{path}\" and {key} = \"{secret}\""
            ),
        );
        return None;
    };
    mistakes.unknown_keys(table, &[CERTIFICATE.0, KEY.0]);
    for (key, example) in [CERTIFICATE, KEY] {
        if !table.contains_key(key) {
            mistakes.add(&value.span(), format!("TLS has no `{key}`: write {key} = \"{example}\""));
        }
    }
    let (FileSetting::Path(certificate), FileSetting::Path(key)) =
        (file(table, CERTIFICATE, mistakes), file(table, KEY, mistakes))
    else {
        return None;
    };
    let files = TlsFiles { certificate: certificate.value, key: key.value };
    if let Err(error) = ServerCertificate::load(&files) {
        let span = match error {
            CertificateError::Certificate { .. } => certificate.span,
            CertificateError::Key { .. } | CertificateError::Mismatch { .. } => key.span,
        };
        mistakes.add(&span, error.to_string());
    }
    Some(files)
}
