//! How a node is reached: its address, and what TLS and a master's socket need beside it.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use haproxy::{Address, Authorities, Chain, Connector, Key, Tls, TlsError};
use toml::de::DeTable;

use super::reader::{At, Problems};

/// An address as one would write it.
pub(super) const ADDRESS_EXAMPLE: &str = "unix:/run/haproxy/admin.sock";

/// The keys of files with certificates and keys, each with an example.
const CA: (&str, &str) = ("ca", "/etc/sluice/ca.pem");
const CERTIFICATE: (&str, &str) = ("certificate", "/etc/sluice/sluice.pem");
const KEY: (&str, &str) = ("key", "/etc/sluice/sluice.key");

/// The node's address.
pub(super) fn address(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Option<At<Address>> {
    let At { value, span } = problems.text(table, "address", ADDRESS_EXAMPLE)?;
    match value.parse() {
        Ok(value) => Some(At { value, span }),
        Err(error) => {
            problems.add(&span, format!("{error}"));
            None
        }
    }
}

/// The address with all that belongs to it; nothing where one of it is wrong.
pub(super) fn connector(table: &DeTable<'_>, address: &At<Address>, problems: &mut Problems<'_>) -> Option<Connector> {
    let master = problems.flag(table, "master").is_some_and(|at| at.value);
    let tls = match &address.value {
        Address::Tls(place) => Some(tls(table, &place.host, &address.span, problems)?),
        other => {
            refuse_tls_keys(table, other, problems);
            None
        }
    };
    Some(Connector { address: address.value.clone(), tls, master })
}

/// A key that has no effect would let somebody believe in a protection that is not there.
fn refuse_tls_keys(table: &DeTable<'_>, address: &Address, problems: &mut Problems<'_>) {
    for (key, _) in table {
        let name: &str = key.get_ref();
        if [CA.0, CERTIFICATE.0, KEY.0, "server_name"].contains(&name) {
            problems.add(&key.span(), format!("`{name}` is for TLS, and {address} has none: write tls://HOST:PORT"));
        }
    }
}

fn tls(table: &DeTable<'_>, host: &str, address: &Range<usize>, problems: &mut Problems<'_>) -> Option<Tls> {
    let authorities = match file(table, CA, problems) {
        Given::Left => system(address, problems),
        Given::Path(At { value, span }) => read(&value, &span, Authorities::from_file, problems),
        Given::Wrong => None,
    };
    let chain = file(table, CERTIFICATE, problems);
    let key = file(table, KEY, problems);
    let identity = match (chain, key) {
        (Given::Left, Given::Left) => Some(None),
        (Given::Path(chain), Given::Path(key)) => {
            let chain = read(&chain.value, &chain.span, Chain::from_file, problems);
            let secret = read(&key.value, &key.span, Key::from_file, problems);
            chain.zip(secret).map(|both| Some((both, key.span)))
        }
        (Given::Path(At { span, .. }), Given::Left) => {
            problems.add(&span, format!("a certificate needs its key: write {} = \"{}\"", KEY.0, KEY.1));
            None
        }
        (Given::Left, Given::Path(At { span, .. })) => {
            let (key, example) = CERTIFICATE;
            problems.add(&span, format!("a key needs its certificate: write {key} = \"{example}\""));
            None
        }
        _ => None,
    };
    let name = match problems.text(table, "server_name", "lb1.example.org") {
        Some(name) => name,
        None if table.contains_key("server_name") => return None,
        None => At { value: host.to_owned(), span: address.clone() },
    };
    let (identity, key) = match identity? {
        Some((identity, span)) => (Some(identity), span),
        None => (None, address.clone()),
    };
    match Tls::new(&name.value, authorities?, identity) {
        Ok(tls) => Some(tls),
        Err(error @ TlsError::Name(_)) => {
            problems.add(&name.span, format!("{error}"));
            None
        }
        Err(error) => {
            problems.add(&key, format!("{error}"));
            None
        }
    }
}

/// A file that a key may name.
pub(super) enum Given {
    /// The key is not there.
    Left,
    /// An absolute path.
    Path(At<PathBuf>),
    /// It is there, and names none.
    Wrong,
}

/// The file that a key names, where it is there.
pub(super) fn file(table: &DeTable<'_>, (key, example): (&str, &str), problems: &mut Problems<'_>) -> Given {
    if !table.contains_key(key) {
        return Given::Left;
    }
    match problems.text(table, key, example) {
        // A relative path would mean another file after a change of the working directory.
        Some(At { value, span }) if value.starts_with('/') => Given::Path(At { value: value.into(), span }),
        Some(At { span, .. }) => {
            problems.add(&span, format!("`{key}` is no absolute path: write the file's, as {key} = \"{example}\""));
            Given::Wrong
        }
        None => Given::Wrong,
    }
}

fn read<T>(
    path: &Path,
    span: &Range<usize>,
    from_file: fn(&Path) -> Result<T, TlsError>,
    problems: &mut Problems<'_>,
) -> Option<T> {
    from_file(path).map_err(|error| problems.add(span, format!("{}: {error}", path.display()))).ok()
}

fn system(address: &Range<usize>, problems: &mut Problems<'_>) -> Option<Authorities> {
    let (key, example) = CA;
    Authorities::system().map_err(|error| problems.add(address, format!("{error}, as {key} = \"{example}\""))).ok()
}

#[cfg(test)]
mod tests;
