//! `--socket ADDRESS` and `--socket NAME=ADDRESS`: nodes without a file.

use std::{path, str::FromStr};

use haproxy::{Address, AddressError, Authorities, Connector, Tls};

use super::{
    defaults::DEFAULT_POLL,
    error::ConfigError,
    node::{NodeConfig, is_name, is_name_char},
};

/// The name of the node of a single socket without a name.
const DEFAULT_NAME: &str = "haproxy";

/// What an address begins with, other than a path.
const FORMS: [&str; 5] = ["unix:", "abns@", "abnsz@", "tcp://", "tls://"];

/// One `--socket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketArg {
    /// The node's name, where one was given.
    pub name: Option<String>,
    /// Where its stats socket is.
    pub address: Address,
}

/// Why a text can't be a `--socket`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketArgError {
    /// The part before the `=` can't be a name.
    #[error("{0:?} can't be the name of a node: take letters, digits, `_`, `.`, `:` and `-` alone")]
    Name(String),
    /// The part after it is not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl FromStr for SocketArg {
    type Err = SocketArgError;

    fn from_str(text: &str) -> Result<Self, SocketArgError> {
        // A path may contain a `=`: what begins like an address has no name before it.
        let (name, place) = match text.split_once('=') {
            Some((name, place)) if !name.starts_with(['/', '.']) && !has_form(name) => (Some(name), place),
            _ => (None, text),
        };
        if let Some(name) = name.filter(|name| !is_name(name)) {
            return Err(SocketArgError::Name(name.to_owned()));
        }
        Ok(Self { name: name.map(str::to_owned), address: address(place)? })
    }
}

/// The nodes of all `--socket` arguments: a cluster each, with names that differ.
///
/// # Errors
/// When two of them have the same name or the same address, or there is nothing to trust for TLS.
pub(super) fn nodes(sockets: &[SocketArg]) -> Result<Vec<NodeConfig>, ConfigError> {
    let mut taken: Vec<&str> = Vec::new();
    for (at, SocketArg { name, address }) in sockets.iter().enumerate() {
        if sockets[..at].iter().any(|other| other.address == *address) {
            return Err(ConfigError::SameAddress { address: address.clone() });
        }
        let Some(name) = name else { continue };
        if taken.contains(&name.as_str()) {
            return Err(ConfigError::SameName { name: name.clone() });
        }
        taken.push(name);
    }
    let mut taken: Vec<String> = taken.into_iter().map(str::to_owned).collect();
    let mut node = |SocketArg { name, address }: &SocketArg| -> Result<NodeConfig, ConfigError> {
        let name = name.clone().unwrap_or_else(|| {
            let base = if sockets.len() == 1 { DEFAULT_NAME.to_owned() } else { stem(address) };
            let name = unused(&base, &taken);
            taken.push(name.clone());
            name
        });
        Ok(NodeConfig { cluster: name.clone(), name, connector: connector(address)?, poll: DEFAULT_POLL })
    };
    sockets.iter().map(&mut node).collect()
}

/// With TLS, the authorities of the system are trusted.
fn connector(address: &Address) -> Result<Connector, ConfigError> {
    let tls = match address {
        Address::Tls(place) => {
            let tls = Authorities::system().and_then(|trusted| Tls::new(&place.host, trusted, None));
            Some(tls.map_err(|source| ConfigError::Tls { address: address.clone(), source })?)
        }
        _ => None,
    };
    Ok(Connector { address: address.clone(), tls, master: false })
}

fn has_form(text: &str) -> bool {
    FORMS.iter().any(|form| text.starts_with(form))
}

/// Reads an address, or a path relative to the working directory.
fn address(place: &str) -> Result<Address, AddressError> {
    let is_relative = !place.is_empty() && !place.starts_with('/') && !place.contains(':') && !has_form(place);
    match path::absolute(place) {
        Ok(absolute) if is_relative => absolute.to_string_lossy().parse(),
        _ => place.parse(),
    }
}

/// `lb1` for `/run/lb1.sock` and for `tcp://lb1:9999`.
fn stem(address: &Address) -> String {
    let stem = match address {
        Address::Tcp(place) | Address::Tls(place) => place.host.clone(),
        Address::Unix(path) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        other => other.to_string().split_once('@').map(|(_, name)| name.to_owned()).unwrap_or_default(),
    };
    let name: String = stem.chars().filter(|c| is_name_char(*c)).collect();
    if name.is_empty() { DEFAULT_NAME.to_owned() } else { name }
}

/// `base`, or `base-2` and so on when that is taken.
fn unused(base: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.contains(name);
    let numbered = (2..).map(|n: u64| format!("{base}-{n}"));
    std::iter::once(base.to_owned()).chain(numbered).find(free).unwrap_or_else(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: &[(&str, &str)]) {
        let sockets: Vec<SocketArg> = args.iter().map(|arg| arg.parse().expect(arg)).collect();
        let nodes = nodes(&sockets).expect("names and addresses differ");
        let got: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.connector.address.to_string())).collect();
        let whole = |place: &str| if place.starts_with('/') { format!("unix:{place}") } else { place.to_owned() };
        let expected: Vec<_> = expected.iter().map(|(name, place)| (*name, whole(place))).collect();
        assert_eq!(got, expected, "{args:?}");
        assert!(nodes.iter().all(|node| node.cluster == node.name));
    }

    #[test]
    fn a_socket_gets_a_name_where_it_has_none() {
        check(&["/run/a.sock"], &[("haproxy", "/run/a.sock")]);
        check(&["lb1=/run/a.sock"], &[("lb1", "/run/a.sock")]);
        check(&["unix:/run/a=b.sock"], &[("haproxy", "/run/a=b.sock")]);
        check(&["/run/a=b.sock"], &[("haproxy", "/run/a=b.sock")]);
        check(&["x=/run/a=b.sock"], &[("x", "/run/a=b.sock")]);
        check(
            &["/1/a.sock", "/2/b c.sock", "/3/%.sock"],
            &[("a", "/1/a.sock"), ("bc", "/2/b c.sock"), ("haproxy", "/3/%.sock")],
        );
    }

    #[test]
    fn every_form_of_address_is_taken() {
        check(&["lb1=tcp://10.0.0.1:9999"], &[("lb1", "tcp://10.0.0.1:9999")]);
        check(
            &["tcp://10.0.0.1:9", "tcp://[::1]:9", "abns@lb3", "abns@a=b", "lb5=abnsz@x", "tls://lb6.example.org:9"],
            &[
                ("10.0.0.1", "tcp://10.0.0.1:9"),
                ("::1", "tcp://[::1]:9"),
                ("lb3", "abns@lb3"),
                ("ab", "abns@a=b"),
                ("lb5", "abnsz@x"),
                ("lb6.example.org", "tls://lb6.example.org:9"),
            ],
        );
    }

    #[test]
    fn names_are_made_unique_and_a_given_one_is_kept() {
        check(
            &["/1/a.sock", "/2/a.sock", "a=/3/x.sock"],
            &[("a-2", "/1/a.sock"), ("a-3", "/2/a.sock"), ("a", "/3/x.sock")],
        );
    }

    #[test]
    fn two_given_names_or_addresses_that_are_the_same_are_refused() {
        let of = |args: [&str; 2]| nodes(&args.map(|arg| arg.parse().expect(arg)));
        assert!(matches!(of(["a=/1", "a=/2"]), Err(ConfigError::SameName { name }) if name == "a"));
        assert!(matches!(of(["a=/1", "unix:/1"]), Err(ConfigError::SameAddress { .. })));
    }

    #[test]
    fn a_relative_path_is_taken_from_where_we_are() {
        let here = std::env::current_dir().expect("a working directory");
        check(&["h.sock"], &[("haproxy", &here.join("h.sock").to_string_lossy())]);
        check(&["x=./h.sock"], &[("x", &here.join("h.sock").to_string_lossy())]);
    }

    #[test]
    fn what_is_no_socket_says_why() {
        assert_eq!("a b=/x".parse::<SocketArg>(), Err(SocketArgError::Name("a b".into())));
        assert_eq!("=/x".parse::<SocketArg>(), Err(SocketArgError::Name(String::new())));
        for bad in ["", "x=", "tcp://10.0.0.1", "x=tls://h:0", "abns@"] {
            assert!(matches!(bad.parse::<SocketArg>(), Err(SocketArgError::Address(_))), "{bad}");
        }
    }
}
