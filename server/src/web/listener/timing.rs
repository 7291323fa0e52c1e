//! How long things on a connection may take, and how much may come at once.

use std::time::Duration;

/// How long things may take before a connection is cut. Another choice than the default is for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The TLS handshake: four packets, which take a second on a bad mobile link.
    pub handshake: Duration,
    /// From the connection's beginning to the end of the first request's head, handshake and all.
    pub first_request: Duration,
    /// A request's body, from its first byte to its last: a mebibyte over the slowest link that one would work on takes
    /// less. It is a bound on the whole, so that a byte now and then does not hold a connection.
    pub body: Duration,
    /// From one request's end to the next one's head. Longer than the 60 s that nginx and others keep an idle connection
    /// for: the reverse proxy should be the one that closes it, as it knows that no request is on the way.
    pub idle: Duration,
    /// How long a peer may take nothing of what we write. A socket's buffer takes more only after a good part of it
    /// went, so that a byte now and then is nothing.
    pub stall: Duration,
    /// How often an HTTP/2 connection is asked whether somebody is there: below the 30 s after which many links drop a
    /// silent one.
    pub ping: Duration,
    /// How long the answer to that may take.
    pub pong: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(15),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(30),
            ping: Duration::from_secs(20),
            pong: Duration::from_secs(20),
        }
    }
}

/// The largest head of a request over HTTP/1, in bytes: an address with a long filter and the cookies of a whole domain
/// are a third of it. It bounds the buffer that a connection has for it, too.
pub(super) const MAX_HEAD: usize = 32 * 1024;

/// The same over HTTP/2, where names and values count with 32 bytes each pair.
pub(super) const MAX_HEADER_LIST: u32 = 32 * 1024;

/// Header lines of a request, at most: browsers and three proxies send thirty.
pub(super) const MAX_HEADERS: usize = 100;

/// Requests at once on one HTTP/2 connection: a page has ten files.
pub(super) const MAX_STREAMS: u32 = 64;
