//! What can go wrong between a request and its answer, in words that an operator can act on.

use std::fmt;
use std::io;

use super::Address;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection. The message names the usual cause of the system's error code.
    #[error("{} (connecting to {address})", advice(source))]
    Connect {
        /// Where to.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The whole request took longer than [`Limits::deadline`](super::Limits::deadline).
    #[error("no answer in time, {stage}")]
    Timeout {
        /// What was being waited for.
        stage: Stage,
    },
    /// The reply is longer than [`Limits::max_reply`](super::Limits::max_reply); the rest was not read.
    #[error("the reply is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection ended before the reply did.
    #[error("{}", closed(*received))]
    Closed {
        /// How many bytes came before the end; none means that there was no answer at all.
        received: usize,
    },
    /// The connection broke.
    #[error("the connection failed {stage}: {source}")]
    Io {
        /// What was being done.
        stage: Stage,
        /// What the system said.
        source: io::Error,
    },
    /// HAProxy answered a read command with `Permission denied`: the level of the socket is too low for it.
    #[error("HAProxy denied permission: the level of this stats socket is too low for the command")]
    PermissionDenied,
    /// HAProxy doesn't know a read command.
    #[error("HAProxy doesn't know `{command}`: it needs HAProxy {since} or later")]
    UnknownCommand {
        /// The command.
        command: &'static str,
        /// The first version of HAProxy that has it.
        since: &'static str,
    },
    /// HAProxy answered a read command with a message instead of what was asked; these are its words, cleaned as for
    /// [`Answer::Refused`](super::Answer::Refused).
    #[error("HAProxy refused: {0}")]
    Refused(String),
    /// The reply is whole but can't be read.
    #[error("cannot read the reply: {0}")]
    Parse(#[source] ParseError),
}

impl Error {
    /// Whether HAProxy may have run the command in spite of the error.
    ///
    /// It is `false` only when the command line surely was not sent whole: HAProxy runs nothing before it has read the
    /// line feed that ends it.
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Connect { .. } => false,
            Self::Timeout { stage } | Self::Io { stage, .. } => *stage == Stage::Reply,
            Self::TooLarge { .. }
            | Self::Closed { .. }
            | Self::PermissionDenied
            | Self::UnknownCommand { .. }
            | Self::Refused(_)
            | Self::Parse(_) => true,
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Cut { received } => Self::Closed { received },
            error => Self::Parse(error),
        }
    }
}

/// How far a request had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Other requests to the same socket held all of [`Limits::connections`](super::Limits::connections).
    Queue,
    /// The connection was being made.
    Connect,
    /// The command was being written; HAProxy did not get all of it.
    Send,
    /// The command was sent whole; the reply had not ended.
    Reply,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "waiting for earlier requests to the same socket",
            Self::Connect => "while connecting",
            Self::Send => "while sending the command",
            Self::Reply => "while waiting for the end of the reply",
        })
    }
}

/// Why bytes are not the reply that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The empty line that ends a reply is missing.
    #[error("it ends after {received} bytes without the empty line that closes a reply")]
    Cut {
        /// How many bytes there are.
        received: usize,
    },
    /// It begins with something else.
    #[error("it does not begin with {expected}")]
    Beginning {
        /// What every version of HAProxy begins this reply with.
        expected: &'static str,
    },
    /// A column without which the table means nothing is missing.
    #[error("the table has no column `{column}`")]
    MissingColumn {
        /// The column, by HAProxy's name.
        column: &'static str,
    },
    /// There is nothing in it that a person could read.
    #[error("it is neither a known reply nor text")]
    Unintelligible,
}

/// The usual cause of a failure to connect, and what to do.
fn advice(source: &io::Error) -> String {
    let known = match source.kind() {
        io::ErrorKind::NotFound => "no such socket: HAProxy is stopped, or this is not the path of its `stats socket`",
        io::ErrorKind::PermissionDenied => "permission denied on the socket: run as a member of its group",
        io::ErrorKind::ConnectionRefused => "HAProxy is stopped: nobody listens",
        io::ErrorKind::WouldBlock => {
            "too many clients wait already: the backlog of the socket is full, see `stats maxconn`"
        }
        _ => return source.to_string(),
    };
    known.to_owned()
}

fn closed(received: usize) -> String {
    match received {
        0 => "HAProxy closed the connection without an answer".to_owned(),
        n => format!("the connection ended in the middle of the reply, after {n} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: io::ErrorKind) -> String {
        let address = Address::Unix("/run/h.sock".into());
        let source = kind.into();
        Error::Connect { address, source }.to_string()
    }

    #[test]
    fn a_failure_to_connect_says_what_to_do() {
        for (kind, advice) in [
            (io::ErrorKind::NotFound, "no such socket: HAProxy is stopped"),
            (io::ErrorKind::PermissionDenied, "run as a member of its group"),
            (io::ErrorKind::ConnectionRefused, "HAProxy is stopped"),
            (io::ErrorKind::WouldBlock, "backlog of the socket is full"),
            (io::ErrorKind::NotADirectory, "not a directory"),
        ] {
            let message = message(kind);
            assert!(message.contains("unix:/run/h.sock"), "{message}");
            assert!(message.contains(advice), "{message}");
        }
    }

    #[test]
    fn a_command_may_have_run_once_it_was_sent_whole() {
        for (stage, expected) in
            [(Stage::Queue, false), (Stage::Connect, false), (Stage::Send, false), (Stage::Reply, true)]
        {
            let source = io::ErrorKind::BrokenPipe.into();
            assert_eq!(Error::Timeout { stage }.may_have_run(), expected);
            assert_eq!(Error::Io { stage, source }.may_have_run(), expected);
        }
        assert!(Error::Closed { received: 0 }.may_have_run());
        assert!(Error::TooLarge { limit: 1 }.may_have_run());
        assert!(Error::from(ParseError::Unintelligible).may_have_run());
    }
}
