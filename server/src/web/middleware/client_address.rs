//! Where a request comes from: the connection's address, or what trusted reverse proxies say in headers.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, request::Parts, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::origin::{self, is_loopback};
use crate::{
    auth::Peer,
    config::{ListenerConfig, PublicUrl},
    web::{AppState, listener::ConnectionInfo},
};

/// What reverse proxies write.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl Peer {
    /// That of a request. One that came over no connection, as in tests, may bring its own.
    pub(in crate::web) fn of_request(request: &Request) -> Self {
        request.extensions().get().copied().unwrap_or(Self::LOOPBACK)
    }

    /// What a connection and a request's headers say together. A header counts only where the connection comes from a
    /// reverse proxy that is trusted: anybody can write one.
    fn of(
        ConnectionInfo { address: connection, is_tls }: ConnectionInfo,
        host: Option<&str>,
        headers: &HeaderMap,
        config: &ListenerConfig,
    ) -> Self {
        let is_by_loopback = host.is_some_and(is_loopback);
        let is_by_url = host.is_some_and(|host| config.url.as_ref().is_some_and(|url| url.has_host(host)));
        let peer = Self { address: connection, connection, is_secure: is_tls, is_by_loopback, is_by_url };
        if !config.trusts(connection) {
            return peer;
        }
        let is_secure = match last(headers, &FORWARDED_PROTO) {
            // It is the browser's part of the way that counts: the proxy's own to us may differ.
            // Traefik says `wss` of a stream's handshake.
            Some(scheme) => ["https", "wss"].iter().any(|secure| scheme.eq_ignore_ascii_case(secure)),
            // A proxy that does not say is believed to do what the configuration says of it.
            None => is_tls || config.url.as_ref().is_some_and(PublicUrl::is_secure),
        };
        Self { address: client(connection, headers, config), is_secure, ..peer }
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::LOOPBACK))
    }
}

/// Puts the [`Peer`] among the request's extensions. Only tests have requests without a [`ConnectionInfo`].
pub(in crate::web) async fn find_peer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Some(connection) = request.extensions().get::<ConnectionInfo>() {
        let host = origin::host(&request);
        let host = host.as_ref().map(Authority::host);
        let peer = Peer::of(*connection, host, request.headers(), &state.listener_settings.config);
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// The nearest address that is no trusted proxy: each adds who it was asked by at the end, and what stands before the
/// first stranger is that stranger's own word.
fn client(connection: IpAddr, headers: &HeaderMap, config: &ListenerConfig) -> IpAddr {
    let mut nearest = connection;
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    // What is no text, or no address, ends it as a stranger would: nobody trusted vouches for what comes before.
    let entries = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    for entry in entries {
        let Some(address) = address(entry.trim()) else { break };
        nearest = address;
        if !config.trusts(address) {
            break;
        }
    }
    nearest
}

/// `10.0.0.1`, `fd00::1`, and what some proxies write: with a port, in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))?;
    Some(read.to_canonical())
}

/// The last word of a header: the nearest proxy's.
fn last<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?;
    Some(value.to_str().unwrap_or_default().rsplit(',').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(proxies: &[&str], url: Option<&str>) -> ListenerConfig {
        let nets = proxies.iter().map(|net| net.parse().expect("a network")).collect();
        ListenerConfig { proxies: Some(nets), url: url.map(|url| url.parse().expect("an address")) }
    }

    fn peer(config: &ListenerConfig, connection: &str, lines: &[&str]) -> Peer {
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(|line| line.split_once(": ").expect("a header")) {
            headers.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
        }
        Peer::of(
            ConnectionInfo { address: connection.parse().expect("an address"), is_tls: false },
            None,
            &headers,
            config,
        )
    }

    #[test]
    fn only_a_trusted_proxy_says_who_asks() {
        let config = config(&["10.0.0.0/8", "127.0.0.0/8", "fd00::/8"], None);
        for (connection, lines, expected) in [
            // A stranger's word is nothing.
            ("192.0.2.7", ["x-forwarded-for: 203.0.113.1"].as_slice(), "192.0.2.7"),
            ("10.0.0.1", &["x-forwarded-for: 203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // The client wrote the first one.
            ("10.0.0.1", &["x-forwarded-for: 127.0.0.1, 203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["x-forwarded-for: 198.51.100.9", "x-forwarded-for: 203.0.113.1"], "203.0.113.1"),
            // Through two of our proxies.
            ("10.0.0.1", &["x-forwarded-for: 198.51.100.9, 203.0.113.1,10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", &["x-forwarded-for: 203.0.113.1", "x-forwarded-for: 10.0.0.2"], "203.0.113.1"),
            // Somebody behind the proxies themselves.
            ("10.0.0.1", &["x-forwarded-for: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // What is no address hides what stands before it.
            ("10.0.0.1", &["x-forwarded-for: 203.0.113.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["x-forwarded-for: 203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["x-forwarded-for: "], "10.0.0.1"),
            ("10.0.0.1", &["x-forwarded-for: 203.0.113.1:4711"], "203.0.113.1"),
            ("fd00::1", &["x-forwarded-for: [2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["x-forwarded-for: [2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["x-forwarded-for: ::ffff:203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["forwarded: for=203.0.113.1", "x-real-ip: 203.0.113.1"], "10.0.0.1"),
        ] {
            let got = peer(&config, connection, lines);
            assert_eq!(got.address.to_string(), expected, "{connection} {lines:?}");
            assert_eq!(got.connection.to_string(), connection);
        }
        let alone = ListenerConfig::default();
        assert_eq!(peer(&alone, "127.0.0.1", &["x-forwarded-for: 203.0.113.1"]).address.to_string(), "127.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_says_that_the_way_is_encrypted() {
        let silent = config(&["10.0.0.1/32"], None);
        let named = config(&["10.0.0.1/32"], Some("https://sluice.example.org"));
        for (connection, lines, without_url, with_url) in [
            ("10.0.0.1", ["x-forwarded-proto: https"].as_slice(), true, true),
            ("10.0.0.1", &["x-forwarded-proto: HTTPS"], true, true),
            ("10.0.0.1", &["x-forwarded-proto: http"], false, false),
            ("10.0.0.1", &["x-forwarded-proto: WSS"], true, true),
            ("10.0.0.1", &["x-forwarded-proto: ws"], false, false),
            ("10.0.0.1", &["x-forwarded-proto: https, http"], false, false),
            ("10.0.0.1", &["x-forwarded-proto: https", "x-forwarded-proto: http"], false, false),
            ("10.0.0.1", &[], false, true),
            ("10.0.0.2", &["x-forwarded-proto: https"], false, false),
            ("127.0.0.1", &["x-forwarded-proto: https"], false, false),
        ] {
            assert_eq!(peer(&silent, connection, lines).is_secure, without_url, "{connection} {lines:?}");
            assert_eq!(peer(&named, connection, lines).is_secure, with_url, "{connection} {lines:?}");
        }
        let own = ConnectionInfo { address: Peer::LOOPBACK.address, is_tls: true };
        assert!(Peer::of(own, None, &HeaderMap::new(), &ListenerConfig::default()).is_secure);
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_writes_changes_who_it_is(written in "[ -~\t]{0,80}") {
            let config = config(&["10.0.0.0/8"], None);
            for line in [format!("x-forwarded-for: {written}, 203.0.113.1"), format!("x-forwarded-for: {written},203.0.113.1, 10.1.1.1")] {
                let peer = peer(&config, "10.0.0.1", &[&line]);
                prop_assert_eq!(peer.address.to_string(), "203.0.113.1");
            }
            let alone = peer(&config, "192.0.2.1", &[&format!("x-forwarded-for: {written}")]);
            prop_assert_eq!(alone.address.to_string(), "192.0.2.1");
        }
    }
}
