//! A client of HAProxy's Runtime API, the text protocol of its `stats socket`.
//!
//! It reads `show info`, `show stat` and `show servers state`, and sends the thirteen actions on a server that
//! HAProxy's own stats page offers. It works with HAProxy 2.0 and later, and reads 1.8.
//!
//! ```text
//! Connector ─▶ Client ─ one connection a request ─▶ HAProxy, or its master process, or TLS in front of it
//!              │  bounded bytes, under one deadline
//!              ▼
//!            Info, StatTable, ServersState, Level, CommandReply, or an Error
//! ```
//!
//! Three rules hold throughout:
//! * One connection serves one request and is read to its end. That is the only framing which is right on every
//!   version of HAProxy, and it always reaches the current worker after a reload.
//! * A reply counts only when it is whole. A connection that ends early is an error, never a shorter table or a
//!   success.
//! * Only names of `[A-Za-z0-9_.:-]+` are ever sent, and only fixed commands around them. Nothing is escaped, because
//!   nothing needs it.
//!
//! It doesn't poll, cache, retry or reconnect by itself, and doesn't judge what a status means.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use haproxy::{Address, Client, CommandReply, Limits, ServerCommand, Verb};
//!
//! let client = Client::new("unix:/run/haproxy/admin.sock".parse::<Address>()?, Limits::default());
//! println!("HAProxy {}", client.info().await?.get("Version").unwrap_or("of unknown version"));
//!
//! let command = ServerCommand { backend: "web".parse()?, server: "s1".parse()?, verb: Verb::StateDrain };
//! match client.run(&command).await? {
//!     // Only the state read afterwards tells whether it had an effect.
//!     CommandReply::Accepted => println!("{} servers", client.servers_state().await?.rows().count()),
//!     CommandReply::Refused(words) => println!("refused: {words}"),
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod client;
mod command;
mod connector;
mod error;
mod info;
mod name;
mod reply;
mod servers_state;
mod stat;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use address::{Address, AddressError, HostPort};
pub use client::{Client, Limits};
pub use command::{ServerCommand, Verb};
pub use connector::Connector;
pub use error::{Error, ParseError, Stage};
pub use info::Info;
pub use name::{NameError, ProxyName, ServerName};
pub use reply::{CommandReply, Level};
pub use servers_state::{ServerState, ServersState};
pub use stat::{StatRow, StatTable};
pub use tls::{Authorities, Chain, Key, Tls, TlsError, TlsFault};
