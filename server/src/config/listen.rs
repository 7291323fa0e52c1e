//! The address that the dashboard is served at, and what is required to serve it to other machines.

use std::net::SocketAddr;

use super::{defaults::DEFAULT_LISTEN, settings::Config};

/// Why Sluice can't, or won't, listen at an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// It is not an IP address with a port.
    #[error("`{0}` is no address to listen on: write an IP address and a port, as \"{DEFAULT_LISTEN}\"")]
    Malformed(String),
    /// Other machines can reach it, and nothing is encrypted.
    #[error(
        "{0} can be reached from other machines, and nothing would encrypt what they send: name a certificate, as [tls] \
         and certificate = \"/etc/sluice/sluice.pem\" and key = \"/etc/sluice/sluice.key\" below it; or say that a \
         reverse proxy with TLS is in front, as behind_proxy = true; or listen on \"127.0.0.1:{port}\", and come from \
         elsewhere through a tunnel: `ssh -L {port}:127.0.0.1:{port} HOST`",
        port = .0.port()
    )]
    Clear(SocketAddr),
    /// Other machines can reach it, and there are no accounts.
    #[error(
        "{0} can be reached from other machines, and there are no accounts: whoever opens it could act on your servers. \
         Make one on this machine with `sluice user add NAME --role admin --password-stdin`; or have others vouch for \
         people, with [oidc] or [header] in the configuration; or listen on \"127.0.0.1:{port}\", and come from \
         elsewhere through a tunnel: `ssh -L {port}:127.0.0.1:{port} HOST`",
        port = .0.port()
    )]
    NoAccounts(SocketAddr),
}

/// Reads the address to listen on.
///
/// # Errors
/// When it is no IP address with a port.
pub fn parse_listen(text: &str) -> Result<SocketAddr, ListenError> {
    text.parse().map_err(|_| ListenError::Malformed(text.to_owned()))
}

impl Config {
    /// The address to open in a browser, when Sluice listens on `address`.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.listener.url.as_ref().map_or_else(|| format!("{scheme}://{address}"), ToString::to_string)
    }

    /// Checks that what is sent to the address is encrypted, or stays on this machine.
    ///
    /// # Errors
    /// [`ListenError::Clear`] otherwise.
    pub fn refuse_clear_text(&self) -> Result<(), ListenError> {
        let is_protected = is_local(self.listen) || self.tls.is_some() || self.listener.proxies.is_some();
        if is_protected { Ok(()) } else { Err(ListenError::Clear(self.listen)) }
    }

    /// Checks that there are accounts, or that only this machine reaches the address. Accounts are local ones, or those of
    /// another system that vouches for people.
    ///
    /// # Errors
    /// [`ListenError::NoAccounts`] otherwise.
    pub fn refuse_strangers(&self, has_accounts: bool) -> Result<(), ListenError> {
        if self.is_local() || has_accounts { Ok(()) } else { Err(ListenError::NoAccounts(self.listen)) }
    }

    /// Whether every client is on this machine. Through a reverse proxy on it, clients come from anywhere.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(self.listen) && self.listener.proxies.is_none()
    }
}

/// Whether only this machine reaches an address. An IPv4 address inside an IPv6 one does not count: who reaches it depends
/// on the system's settings.
fn is_local(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::ListenerConfig, tls::TlsFiles};

    fn config(listen: &str) -> Config {
        Config { listen: parse_listen(listen).expect(listen), ..Config::of_nodes(Vec::new()) }
    }

    #[test]
    fn an_address_is_an_ip_address_with_a_port() {
        for good in ["127.0.0.1:8080", "[::1]:8080", "127.0.0.1:0", "0.0.0.0:80", "[::]:8080", "10.0.0.1:9"] {
            assert_eq!(parse_listen(good).expect(good).to_string(), good);
        }
        for bad in ["", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:99999"] {
            assert_eq!(parse_listen(bad), Err(ListenError::Malformed(bad.to_owned())));
        }
        assert_eq!(parse_listen("127.0.0.1:8080"), Ok(DEFAULT_LISTEN));
    }

    #[test]
    fn other_machines_are_served_with_tls_and_accounts_alone() {
        let tls = TlsFiles { certificate: "/c".into(), key: "/k".into() };
        for (listen, port) in
            [("0.0.0.0:80", "80"), ("[::]:8080", "8080"), ("10.0.0.1:9", "9"), ("[::ffff:127.0.0.1]:7", "7")]
        {
            let clear = config(listen);
            let told = clear.refuse_clear_text().expect_err(listen).to_string();
            assert!(told.contains("[tls]") && told.contains("behind_proxy = true"), "{told}");
            assert!(told.contains(&format!("ssh -L {port}:127.0.0.1:{port}")), "{told}");
            let told = clear.refuse_strangers(false).expect_err(listen).to_string();
            assert!(told.contains("`sluice user add NAME --role admin --password-stdin`"), "{told}");
            assert_eq!(clear.refuse_strangers(true), Ok(()));
            let proxied = ListenerConfig { proxies: Some(Vec::new()), url: None };
            assert_eq!(Config { tls: Some(tls.clone()), ..config(listen) }.refuse_clear_text(), Ok(()));
            assert_eq!(Config { listener: proxied, ..config(listen) }.refuse_clear_text(), Ok(()));
        }
        for listen in ["127.0.0.1:8080", "127.1.2.3:1", "[::1]:8080"] {
            assert_eq!(config(listen).refuse_clear_text(), Ok(()));
            assert_eq!(config(listen).refuse_strangers(false), Ok(()));
        }
    }
}
