//! The client itself: which request is sent, how many at once, and for how long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::reply::{self, Words};
use super::wire::exchange;
use super::{Address, Answer, Error, Info, Level, ParseError, ServerCommand, ServersState, Stage, StatTable};

/// What a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a whole request may take: waiting for earlier ones, connecting, sending, and reading to the end.
    /// 5 s by default: half of HAProxy's `stats timeout`, and more than a reply of 10,000 servers needs.
    pub deadline: Duration,
    /// How long a reply may be, in bytes. 64 MiB by default: about 150,000 rows of `show stat`.
    pub max_reply: usize,
    /// How many requests run at once; further ones wait. At least 1 is taken. 2 by default: a poll and an action, and
    /// far below HAProxy's `stats maxconn` of 10, which counts the clients of all its stats sockets.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(5), max_reply: 64 * 1024 * 1024, connections: 2 }
    }
}

/// A client of one stats socket. A clone is cheap and shares [`Limits::connections`].
///
/// Dropping the future of a request closes its connection; a command that was sent may still have run.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: Address,
    limits: Limits,
    slots: Semaphore,
}

impl Client {
    /// A client that connects when it is first asked something.
    pub fn new(address: Address, limits: Limits) -> Self {
        let slots = Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { shared: Arc::new(Shared { address, limits, slots }) }
    }

    /// The socket that this client talks to.
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// `show info`: the process as a whole.
    ///
    /// # Errors
    /// Any [`Error`]. Every level of socket may ask this.
    pub async fn info(&self) -> Result<Info, Error> {
        let reply = self.request("show info\n").await?;
        Ok(Info::parse(&expect(reply, Info::recognises)?)?)
    }

    /// `show stat`: one row per frontend, backend, server and listener.
    ///
    /// # Errors
    /// Any [`Error`]. Every level may ask this; below `operator` HAProxy leaves `addr`, `cookie` and `algo` empty.
    pub async fn stat(&self) -> Result<StatTable, Error> {
        let reply = self.request("show stat\n").await?;
        Ok(StatTable::parse(expect(reply, StatTable::recognises)?)?)
    }

    /// `show servers state`: the administrative, check and agent state of each server.
    ///
    /// # Errors
    /// Any [`Error`]. Every level of socket may ask this.
    pub async fn servers_state(&self) -> Result<ServersState, Error> {
        let reply = self.request("show servers state\n").await?;
        Ok(ServersState::parse(expect(reply, ServersState::recognises)?)?)
    }

    /// `show cli level`: what this socket may do.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::UnknownCommand`] where HAProxy is older than 1.9.
    pub async fn level(&self) -> Result<Level, Error> {
        let reply = self.request("show cli level\n").await?;
        let Words::Text(text) = reply::words(&reply)? else {
            return Err(silent());
        };
        match Level::from_name(&text) {
            Some(level) => Ok(level),
            None if text.starts_with("Unknown command") => {
                Err(Error::UnknownCommand { command: "show cli level", since: "1.9" })
            }
            None => Err(refusal(text)),
        }
    }

    /// Sends one action and returns what HAProxy said to it.
    ///
    /// [`Answer::Accepted`] means that HAProxy took the command, not that it had an effect.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Timeout`], [`Error::TooLarge`], [`Error::Closed`], [`Error::Io`] and
    /// [`Error::Parse`]; [`Error::may_have_run`] tells whether HAProxy may have run it nevertheless.
    pub async fn act(&self, command: &ServerCommand) -> Result<Answer, Error> {
        let reply = self.request(&format!("{command}\n")).await?;
        Ok(match reply::words(&reply)? {
            Words::Silence => Answer::Accepted,
            Words::Text(text) => Answer::Refused(text),
        })
    }

    /// Sends `line` when it is its turn, and gives up at the deadline wherever it is.
    async fn request(&self, line: &str) -> Result<Bytes, Error> {
        let shared = &*self.shared;
        let mut stage = Stage::Queue;
        let work = async {
            // The semaphore is never closed, so that this always holds a permit.
            let _slot = shared.slots.acquire().await;
            exchange(&shared.address, line, shared.limits.max_reply, &mut stage).await
        };
        let outcome = match timeout(shared.limits.deadline, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout { stage }),
        };
        let command = line.trim_end();
        match &outcome {
            Ok(reply) => {
                tracing::trace!(address = %shared.address, command, bytes = reply.len(), "answered");
            }
            Err(error) => {
                tracing::debug!(address = %shared.address, command, %error, "not answered");
            }
        }
        outcome
    }
}

/// Passes on a reply that begins as its command's replies do, and turns any other one into HAProxy's refusal.
fn expect(reply: Bytes, recognises: fn(&[u8]) -> bool) -> Result<Bytes, Error> {
    if recognises(&reply) {
        return Ok(reply);
    }
    Err(match reply::words(&reply)? {
        Words::Text(text) => refusal(text),
        Words::Silence => silent(),
    })
}

/// Nothing but the empty line is no answer to a question.
fn silent() -> Error {
    Error::Parse(ParseError::Unintelligible)
}

fn refusal(text: String) -> Error {
    if text == "Permission denied" { Error::PermissionDenied } else { Error::Refused(text) }
}

#[cfg(test)]
mod tests;
