//! Sluice's own certificate and key.

use toml::de::DeTable;

use super::{
    reader::{At, Problems, kind},
    transport::{Given, file},
};
use crate::tls::{Pair, PairError, TlsFiles};

const CERTIFICATE: (&str, &str) = ("certificate", "/etc/sluice/sluice.example.org.pem");
const KEY: (&str, &str) = ("key", "/etc/sluice/sluice.example.org.key");

/// Reads `[tls]`, and tries the pair that it names. An expired one is taken: it is told when it is used.
pub(super) fn tls(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Option<TlsFiles> {
    let value = table.get("tls")?;
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        let ((certificate, path), (key, secret)) = (CERTIFICATE, KEY);
        problems.add(
            &value.span(),
            format!(
                "`tls` is {found}: write a table, as [tls] and {certificate} = \"{path}\" and {key} = \"{secret}\""
            ),
        );
        return None;
    };
    problems.unknown_keys(table, &[CERTIFICATE.0, KEY.0]);
    for (key, example) in [CERTIFICATE, KEY] {
        if !table.contains_key(key) {
            problems.add(&value.span(), format!("TLS has no `{key}`: write {key} = \"{example}\""));
        }
    }
    let (Given::Path(certificate), Given::Path(key)) = (file(table, CERTIFICATE, problems), file(table, KEY, problems))
    else {
        return None;
    };
    let files = TlsFiles { certificate: certificate.value, key: key.value };
    if let Err(error) = Pair::load(&files) {
        let At { span, .. } = match error {
            PairError::Certificate { .. } => At { value: (), span: certificate.span },
            PairError::Key { .. } | PairError::Mismatch { .. } => At { value: (), span: key.span },
        };
        problems.add(&span, error.to_string());
    }
    Some(files)
}
