//! The client itself: which request is sent, how many at once, and for how long.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    Address, CommandReply, Connector, Error, Info, Level, ParseError, ServerCommand, ServersState, StatTable,
    reply::{self, Words},
    wire::{Progress, UNKNOWN, exchange},
};

/// How long the reply to an action or `show info` may be, in bytes: a hundred times what any version needs.
const SHORT_REPLY: usize = 256 * 1024;

/// What the master process says when it has no worker.
const NO_WORKER: &[u8] = b"Can't find the target PID";

/// What the replies to the read commands begin with, decoded.
const REPLIES: [(&str, &str); 3] =
    [("show info", "Name: "), ("show stat", "# pxname"), ("show servers state", "1 # be_id")];

/// What a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a whole request may take: waiting for earlier ones, connecting, sending, and reading to the end.
    /// 5 s by default: half of HAProxy's `stats timeout`, and more than a reply of 10,000 servers needs.
    pub deadline: Duration,
    /// How long a table may be, in bytes. 64 MiB by default: about 150,000 rows of `show stat`.
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
    endpoint: Arc<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    connector: Connector,
    limits: Limits,
    slots: Semaphore,
}

impl Client {
    /// A client that connects when it is first asked something.
    pub fn new(connector: impl Into<Connector>, limits: Limits) -> Self {
        let slots = Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { endpoint: Arc::new(Endpoint { connector: connector.into(), limits, slots }) }
    }

    /// The socket that this client talks to.
    pub fn address(&self) -> &Address {
        &self.endpoint.connector.address
    }

    /// `show info`: the process as a whole.
    ///
    /// # Errors
    /// Any [`Error`]. Every level of socket may ask this.
    pub async fn info(&self) -> Result<Info, Error> {
        let reply = self.short("show info\n").await?;
        Ok(Info::parse(&expect(reply, "show info", Info::recognises)?)?)
    }

    /// `show stat`: one row per frontend, backend, server and listener.
    ///
    /// # Errors
    /// Any [`Error`]. Every level may ask this; below `operator` HAProxy leaves `addr`, `cookie` and `algo` empty.
    pub async fn stat(&self) -> Result<StatTable, Error> {
        let reply = self.request("show stat\n", self.endpoint.limits.max_reply).await?;
        if !StatTable::recognises(&reply) && StatTable::lacks_header(&reply) {
            return Err(ParseError::NoHeader.into());
        }
        Ok(StatTable::parse(expect(reply, "show stat", StatTable::recognises)?)?)
    }

    /// `show servers state`: the administrative, check and agent state of each server.
    ///
    /// # Errors
    /// Any [`Error`]. Every level of socket may ask this.
    pub async fn servers_state(&self) -> Result<ServersState, Error> {
        let reply = self.request("show servers state\n", self.endpoint.limits.max_reply).await?;
        Ok(ServersState::parse(expect(reply, "show servers state", ServersState::recognises)?)?)
    }

    /// `show cli level`: what this socket may do.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::UnknownCommand`] where HAProxy is older than 1.9.
    pub async fn level(&self) -> Result<Level, Error> {
        const COMMAND: &str = "show cli level";
        let reply = self.short("show cli level\n").await?;
        let Words::Text(text) = reply::words(&reply)? else {
            return Err(silent());
        };
        match Level::from_name(&text) {
            Some(level) => Ok(level),
            None if text.as_bytes().starts_with(UNKNOWN) => {
                Err(Error::UnknownCommand { command: COMMAND, since: "1.9" })
            }
            None => Err(refused(COMMAND, text)),
        }
    }

    /// Sends one action, and returns what HAProxy said to it.
    ///
    /// [`CommandReply::Accepted`] means that HAProxy took the command, not that it had an effect.
    ///
    /// # Errors
    /// Any [`Error`] that is not about the words of a reply; [`Error::may_have_run`] tells whether HAProxy may have run
    /// the command nevertheless.
    pub async fn run(&self, command: &ServerCommand) -> Result<CommandReply, Error> {
        let reply = self.short(&format!("{command}\n")).await?;
        Ok(match reply::words(&reply)? {
            Words::Silence => CommandReply::Accepted,
            Words::Text(text) => CommandReply::Refused(text),
        })
    }

    /// Asks for a reply that is no table.
    async fn short(&self, line: &str) -> Result<Bytes, Error> {
        self.request(line, SHORT_REPLY.min(self.endpoint.limits.max_reply)).await
    }

    /// Sends `line` when it is its turn, and gives up at the deadline wherever it is.
    async fn request(&self, line: &str, max_reply: usize) -> Result<Bytes, Error> {
        let Endpoint { connector, limits, slots } = &*self.endpoint;
        let mut progress = Progress::queued();
        let work = async {
            // The semaphore is never closed, so that this always holds a permit.
            let _slot = slots.acquire().await;
            exchange(connector, line, max_reply, &mut progress).await
        };
        let outcome = match timeout(limits.deadline, work).await {
            Ok(outcome) => outcome.and_then(|reply| from_a_worker(connector, reply)),
            // A master's socket stays open for the next command.
            Err(_) if progress.is_unknown && !connector.master => Err(Error::IsMaster),
            Err(_) => Err(Error::Timeout { stage: progress.stage, received: progress.received }),
        };
        let (address, command) = (&connector.address, line.trim_end());
        match &outcome {
            Ok(reply) => {
                tracing::trace!(%address, command, bytes = reply.len(), "answered");
            }
            Err(error) => {
                tracing::debug!(%address, command, %error, "not answered");
            }
        }
        outcome
    }
}

/// Passes on a reply that comes from a worker's command line, as far as its beginning tells.
fn from_a_worker(connector: &Connector, reply: Bytes) -> Result<Bytes, Error> {
    // An alert of TLS: the peer got what is no handshake.
    if reply.starts_with(b"\x15\x03") {
        return Err(Error::IsTls);
    }
    if reply.starts_with(b"HTTP/1.") {
        return Err(Error::IsHttp);
    }
    if connector.master && reply.starts_with(NO_WORKER) {
        return Err(Error::NoWorker);
    }
    // A worker doesn't know the prefix, and knows every command after it.
    if connector.master && reply.starts_with(UNKNOWN) {
        return Err(Error::NotMaster);
    }
    Ok(reply)
}

/// Passes on a reply that begins as its command's replies do, and says of any other one what it is.
fn expect(reply: Bytes, command: &'static str, recognises: fn(&[u8]) -> bool) -> Result<Bytes, Error> {
    if recognises(&reply) {
        return Ok(reply);
    }
    Err(match reply::words(&reply)? {
        // HAProxy's own messages are ASCII.
        Words::Text(text) if text.contains(char::REPLACEMENT_CHARACTER) => silent(),
        Words::Text(text) => refused(command, text),
        Words::Silence => silent(),
    })
}

/// Nothing that a person could read is no answer to a question.
fn silent() -> Error {
    Error::Parse(ParseError::Unintelligible)
}

fn refused(command: &'static str, words: String) -> Error {
    if words == "Permission denied" {
        return Error::PermissionDenied { command };
    }
    match REPLIES.iter().find(|(_, beginning)| words.starts_with(beginning)) {
        Some((other, _)) => Error::OtherReply { command, other },
        None => Error::Refused { command, words },
    }
}

#[cfg(test)]
mod tests;
