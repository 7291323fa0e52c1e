//! The address that the dashboard is served at, and why it is a loopback one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::DEFAULT_LISTEN;

/// Why Sluice can't listen there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// No IP address with a port.
    #[error("`{0}` is no address to listen on: write an IP address and a port, as \"{DEFAULT_LISTEN}\"")]
    Malformed(String),
    /// An address that other machines can reach.
    #[error(
        "{0} can be reached from other machines, and Sluice has no accounts yet: whoever opens it could act on your \
         servers. Listen on a loopback address, as \"127.0.0.1:{port}\", and come from elsewhere through a tunnel: \
         `ssh -L {port}:127.0.0.1:{port} HOST`",
        port = .0.port()
    )]
    NotLoopback(SocketAddr),
}

/// Reads the address to listen on.
///
/// # Errors
/// When it is no IP address with a port, or not a loopback address.
pub fn parse_listen(text: &str) -> Result<SocketAddr, ListenError> {
    let address: SocketAddr = text.parse().map_err(|_| ListenError::Malformed(text.to_owned()))?;
    if address.ip().is_loopback() { Ok(address) } else { Err(ListenError::NotLoopback(address)) }
}

/// [`DEFAULT_LISTEN`], read.
pub(super) fn default() -> SocketAddr {
    parse_listen(DEFAULT_LISTEN).unwrap_or_else(|_| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_listened_on() {
        for good in ["127.0.0.1:8080", "127.1.2.3:1", "[::1]:8080", "127.0.0.1:0"] {
            assert_eq!(parse_listen(good).expect(good).to_string(), good);
        }
        for (bad, port) in
            [("0.0.0.0:80", "80"), ("[::]:8080", "8080"), ("10.0.0.1:9", "9"), ("[::ffff:127.0.0.1]:7", "7")]
        {
            let message = parse_listen(bad).expect_err(bad).to_string();
            assert!(message.contains("no accounts yet"), "{message}");
            assert!(message.contains(&format!("ssh -L {port}:127.0.0.1:{port}")), "{message}");
        }
        for bad in ["", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:99999"] {
            assert_eq!(parse_listen(bad), Err(ListenError::Malformed(bad.to_owned())));
        }
        assert_eq!(default().to_string(), DEFAULT_LISTEN);
    }
}
