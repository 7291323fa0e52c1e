//! Where a stats socket is: parsing and writing of addresses. Nothing here connects.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// The longest name of an abstract socket, in bytes: `sun_path` has 108, of which the first marks it as abstract.
pub(super) const MAX_ABSTRACT: usize = 107;

/// The address of one `stats socket`, or of a `mode tcp` section in front of one.
///
/// It is written as in the examples below; a plain absolute path means a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A unix stream socket, by its absolute path: `unix:/run/haproxy/admin.sock`.
    Unix(PathBuf),
    /// A socket in Linux's abstract namespace, `abns@NAME`. HAProxy pads its name with zero bytes to the full length.
    Abns(String),
    /// The same without padding, `abnsz@NAME`, which newer versions of HAProxy offer beside it.
    Abnsz(String),
    /// Plain text over TCP: `tcp://lb1:9999`, `tcp://[::1]:9999`.
    Tcp(HostPort),
    /// TLS over TCP: `tls://lb1.example.org:9999`.
    Tls(HostPort),
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an IP address, the latter without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

/// Why a text is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Of no known form.
    #[error(
        "`{text}` is not the address of a stats socket: write `unix:/path` or `/path` with an absolute path, \
         `abns@NAME`, `tcp://HOST:PORT` or `tls://HOST:PORT`"
    )]
    Unknown {
        /// What was given.
        text: String,
    },
    /// A host without a port, or with none that there is.
    #[error("`{text}` has no port: write it after the host, as `{scheme}://lb1:9999` or `{scheme}://[::1]:9999`")]
    Port {
        /// `tcp` or `tls`.
        scheme: &'static str,
        /// What was given.
        text: String,
    },
    /// Neither a host's name nor an IP address.
    #[error("`{host}` is neither the name of a host nor an IP address; an IPv6 address stands in brackets, as `[::1]`")]
    Host {
        /// What stands before the port.
        host: String,
    },
    /// No name, or one that no abstract socket can have.
    #[error("the name of an abstract socket has 1 to {MAX_ABSTRACT} bytes, and no NUL byte")]
    Abstract,
    /// A path with a NUL byte, which no file can have.
    #[error("the path of a stats socket can't contain a NUL byte")]
    Nul,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(place) = text.strip_prefix("tcp://") {
            return Ok(Self::Tcp(host_port("tcp", text, place)?));
        }
        if let Some(place) = text.strip_prefix("tls://") {
            return Ok(Self::Tls(host_port("tls", text, place)?));
        }
        if let Some(name) = text.strip_prefix("abns@") {
            return Ok(Self::Abns(abstract_name(name)?));
        }
        if let Some(name) = text.strip_prefix("abnsz@") {
            return Ok(Self::Abnsz(abstract_name(name)?));
        }
        let path = text.strip_prefix("unix:").unwrap_or(text);
        // A relative path would mean another file after a change of the working directory.
        if !path.starts_with('/') {
            return Err(AddressError::Unknown { text: text.to_owned() });
        }
        if path.contains('\0') {
            return Err(AddressError::Nul);
        }
        Ok(Self::Unix(PathBuf::from(path)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abns(name) => write!(f, "abns@{name}"),
            Self::Abnsz(name) => write!(f, "abnsz@{name}"),
            Self::Tcp(place) => write!(f, "tcp://{place}"),
            Self::Tls(place) => write!(f, "tls://{place}"),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn host_port(scheme: &'static str, text: &str, place: &str) -> Result<HostPort, AddressError> {
    let no_port = || AddressError::Port { scheme, text: text.to_owned() };
    let (host, port) = place.rsplit_once(':').ok_or_else(no_port)?;
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(no_port());
    }
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(no_port)?;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    if !is_host {
        return Err(AddressError::Host { host: host.to_owned() });
    }
    Ok(HostPort { host: inner.unwrap_or(host).to_owned(), port })
}

fn abstract_name(name: &str) -> Result<String, AddressError> {
    let fits = (1..=MAX_ABSTRACT).contains(&name.len()) && !name.contains('\0');
    if fits { Ok(name.to_owned()) } else { Err(AddressError::Abstract) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, AddressError>) {
        let parsed = text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn a_path_is_taken_with_and_without_its_scheme() {
        check("unix:/run/haproxy/a.sock", Ok("unix:/run/haproxy/a.sock"));
        check("/run/haproxy/a.sock", Ok("unix:/run/haproxy/a.sock"));
        check("unix:///run/a.sock", Ok("unix:///run/a.sock"));
        check("/with:colon tcp:", Ok("unix:/with:colon tcp:"));
    }

    #[test]
    fn every_other_form_is_written_as_it_was_given() {
        for text in [
            "tcp://10.0.0.1:9999",
            "tcp://[::1]:9999",
            "tcp://LB1:1",
            "tls://lb1.example.org:65535",
            "tls://[2001:db8::1]:9999",
            "abns@haproxy",
            "abnsz@haproxy stats",
        ] {
            check(text, Ok(text));
        }
        let address: Address = "tls://[::1]:9".parse().expect("an address");
        assert_eq!(address, Address::Tls(HostPort { host: "::1".to_owned(), port: 9 }));
    }

    #[test]
    fn a_host_or_a_port_that_is_none_is_told() {
        for text in
            ["tcp://lb1", "tls://", "tcp://lb1:", "tcp://lb1:0", "tcp://lb1:99999", "tcp://lb1:+9", "tls://[::1]"]
        {
            let scheme = if text.starts_with("tcp") { "tcp" } else { "tls" };
            check(text, Err(AddressError::Port { scheme, text: text.to_owned() }));
        }
        for host in ["", "::1", "[::1", "[lb1]", "a b", "user@lb1", "lb1/x", "*"] {
            check(&format!("tcp://{host}:9"), Err(AddressError::Host { host: host.to_owned() }));
        }
    }

    #[test]
    fn an_abstract_name_has_to_fit() {
        check(&format!("abns@{}", "x".repeat(MAX_ABSTRACT + 1)), Err(AddressError::Abstract));
        assert!(format!("abns@{}", "x".repeat(MAX_ABSTRACT)).parse::<Address>().is_ok());
        for text in ["abns@", "abnsz@", "abns@a\0b"] {
            check(text, Err(AddressError::Abstract));
        }
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for text in ["", "unix:", "unix:a.sock", "admin.sock", "unix@/a.sock", "tcp:lb1:9", "ipv4@127.0.0.1:9"] {
            let text = text.to_owned();
            check(&text.clone(), Err(AddressError::Unknown { text }));
        }
        check("/a\0b", Err(AddressError::Nul));
    }
}
