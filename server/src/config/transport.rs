//! How a node is reached: its address, and the settings for TLS and for a master's socket.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use haproxy::{Address, Authorities, Chain, Connector, Key, Tls, TlsError};
use toml::de::DeTable;

use super::reader::{Located, Mistakes};

/// An address as somebody would write it.
pub(super) const ADDRESS_EXAMPLE: &str = "unix:/run/haproxy/admin.sock";

/// The keys of files with certificates and keys, each with an example.
const CA: (&str, &str) = ("ca", "/etc/sluice/ca.pem");
const CERTIFICATE: (&str, &str) = ("certificate", "/etc/sluice/sluice.pem");
const KEY: (&str, &str) = ("key", "/etc/sluice/sluice.key");

/// The node's address.
pub(super) fn address(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Located<Address>> {
    let Located { value, span } = mistakes.text(table, "address", ADDRESS_EXAMPLE)?;
    match value.parse() {
        Ok(value) => Some(Located { value, span }),
        Err(error) => {
            mistakes.add(&span, format!("{error}"));
            None
        }
    }
}

/// The address with all its settings; nothing where one of them is wrong.
pub(super) fn connector(
    table: &DeTable<'_>,
    address: &Located<Address>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Connector> {
    let master = mistakes.flag(table, "master").is_some_and(|at| at.value);
    let tls = match &address.value {
        Address::Tls(endpoint) => Some(tls(table, &endpoint.host, &address.span, mistakes)?),
        other => {
            refuse_tls_keys(table, other, mistakes);
            None
        }
    };
    Some(Connector { address: address.value.clone(), tls, master })
}

/// Adds a mistake for each key that has an effect with TLS alone: without one, people would rely on a protection that is
/// not there.
fn refuse_tls_keys(table: &DeTable<'_>, address: &Address, mistakes: &mut Mistakes<'_>) {
    for (key, _) in table {
        let name: &str = key.get_ref();
        if [CA.0, CERTIFICATE.0, KEY.0, "server_name"].contains(&name) {
            mistakes.add(&key.span(), format!("`{name}` is for TLS, and {address} has none: write tls://HOST:PORT"));
        }
    }
}

fn tls(table: &DeTable<'_>, host: &str, address: &Range<usize>, mistakes: &mut Mistakes<'_>) -> Option<Tls> {
    let authorities = match file(table, CA, mistakes) {
        FileSetting::Absent => system(address, mistakes),
        FileSetting::Path(Located { value, span }) => read(&value, &span, Authorities::from_file, mistakes),
        FileSetting::Invalid => None,
    };
    let chain = file(table, CERTIFICATE, mistakes);
    let key = file(table, KEY, mistakes);
    let identity = match (chain, key) {
        (FileSetting::Absent, FileSetting::Absent) => Some(None),
        (FileSetting::Path(chain), FileSetting::Path(key)) => {
            let chain = read(&chain.value, &chain.span, Chain::from_file, mistakes);
            let secret = read(&key.value, &key.span, Key::from_file, mistakes);
            chain.zip(secret).map(|both| Some((both, key.span)))
        }
        (FileSetting::Path(Located { span, .. }), FileSetting::Absent) => {
            mistakes.add(&span, format!("a certificate needs its key: write {} = \"{}\"", KEY.0, KEY.1));
            None
        }
        (FileSetting::Absent, FileSetting::Path(Located { span, .. })) => {
            let (key, example) = CERTIFICATE;
            mistakes.add(&span, format!("a key needs its certificate: write {key} = \"{example}\""));
            None
        }
        _ => None,
    };
    let name = match mistakes.text(table, "server_name", "lb1.example.org") {
        Some(name) => name,
        None if table.contains_key("server_name") => return None,
        None => Located { value: host.to_owned(), span: address.clone() },
    };
    let (identity, key) = match identity? {
        Some((identity, span)) => (Some(identity), span),
        None => (None, address.clone()),
    };
    match Tls::new(&name.value, authorities?, identity) {
        Ok(tls) => Some(tls),
        Err(error @ TlsError::Name(_)) => {
            mistakes.add(&name.span, format!("{error}"));
            None
        }
        Err(error) => {
            mistakes.add(&key, format!("{error}"));
            None
        }
    }
}

/// A key that may name a file.
pub(super) enum FileSetting {
    /// The key is not there.
    Absent,
    /// It names an absolute path.
    Path(Located<PathBuf>),
    /// It is there, and is wrong.
    Invalid,
}

/// Reads a key that may name a file.
pub(super) fn file(table: &DeTable<'_>, (key, example): (&str, &str), mistakes: &mut Mistakes<'_>) -> FileSetting {
    if !table.contains_key(key) {
        return FileSetting::Absent;
    }
    match mistakes.text(table, key, example) {
        // A relative path would mean another file after a change of the working directory.
        Some(Located { value, span }) if value.starts_with('/') => {
            FileSetting::Path(Located { value: value.into(), span })
        }
        Some(Located { span, .. }) => {
            mistakes.add(&span, format!("`{key}` is no absolute path: write the file's, as {key} = \"{example}\""));
            FileSetting::Invalid
        }
        None => FileSetting::Invalid,
    }
}

fn read<T>(
    path: &Path,
    span: &Range<usize>,
    from_file: fn(&Path) -> Result<T, TlsError>,
    mistakes: &mut Mistakes<'_>,
) -> Option<T> {
    from_file(path).map_err(|error| mistakes.add(span, format!("{}: {error}", path.display()))).ok()
}

fn system(address: &Range<usize>, mistakes: &mut Mistakes<'_>) -> Option<Authorities> {
    let (key, example) = CA;
    Authorities::system().map_err(|error| mistakes.add(address, format!("{error}, as {key} = \"{example}\""))).ok()
}

#[cfg(test)]
mod tests;
