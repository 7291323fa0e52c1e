//! Where a stats socket is: parsing and writing of addresses. Nothing here connects.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of one `stats socket`.
///
/// It is written `unix:/run/haproxy/admin.sock`; a plain absolute path means the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A unix stream socket, by its absolute path.
    Unix(PathBuf),
}

/// Why a text is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A kind of address that this client can't reach yet.
    #[error(
        "{scheme}:// addresses are not supported yet: give the path of a unix socket, as `unix:/run/haproxy/admin.sock`"
    )]
    Unsupported {
        /// `tcp` or `tls`.
        scheme: &'static str,
    },
    /// Neither `unix:` with an absolute path nor an absolute path.
    #[error("`{text}` is not the address of a stats socket: write `unix:/path` or `/path`, with an absolute path")]
    NotAbsolute {
        /// What was given.
        text: String,
    },
    /// A path with a NUL byte, which no file can have.
    #[error("the path of a stats socket can't contain a NUL byte")]
    Nul,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for (prefix, scheme) in [("tcp:", "tcp"), ("tls:", "tls")] {
            if text.starts_with(prefix) {
                return Err(AddressError::Unsupported { scheme });
            }
        }
        let path = text.strip_prefix("unix:").unwrap_or(text);
        // A relative path would mean another file after a change of the working directory.
        if !path.starts_with('/') {
            return Err(AddressError::NotAbsolute { text: text.to_owned() });
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
        }
    }
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
    fn network_addresses_are_refused_by_name() {
        check("tcp://10.0.0.1:9999", Err(AddressError::Unsupported { scheme: "tcp" }));
        check("tls://lb1:9999", Err(AddressError::Unsupported { scheme: "tls" }));
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for text in ["", "unix:", "unix:a.sock", "admin.sock", "unix@/a.sock"] {
            let text = text.to_owned();
            check(&text.clone(), Err(AddressError::NotAbsolute { text }));
        }
        check("/a\0b", Err(AddressError::Nul));
    }
}
