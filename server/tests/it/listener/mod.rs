//! The way in, over real sockets: TLS, HTTP/2, reverse proxies, slow peers, too many of them.

mod bounds;
mod exchange;
mod program;
mod proxy;
mod slow;
mod tls;
