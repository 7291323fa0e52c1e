//! What can go wrong between a request and its answer, in words that an operator can act on.

use std::{fmt, io};

use crate::{Address, TlsFault};

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection. The message names the usual cause of the system's error code.
    #[error("{} (connecting to {address})", advice(address, source))]
    Connect {
        /// Where to.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The name of the host stands for no IP address.
    #[error("the host name `{host}` can't be looked up: {source}; is it right, and does its DNS server answer?")]
    Resolve {
        /// The name.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// No TLS connection, or one that TLS ended.
    #[error("{fault} (connecting to {address})")]
    Tls {
        /// Where to.
        address: Address,
        /// What was being done.
        stage: Stage,
        /// What is wrong.
        fault: TlsFault,
    },
    /// The whole request took longer than [`Limits::deadline`](crate::Limits::deadline).
    #[error("no answer in time, {stage}{}", suspicion(*stage, *received))]
    Timeout {
        /// What was being waited for.
        stage: Stage,
        /// Bytes of the reply that came.
        received: usize,
    },
    /// The reply is longer than what any answer to this command needs; the rest was not read.
    #[error("the reply is longer than the limit of {limit} bytes; is this the stats socket of a HAProxy?")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection ended before anything came back.
    #[error("HAProxy closed the connection without an answer{}", suspect(address))]
    Unanswered {
        /// Where to.
        address: Address,
    },
    /// The connection ended before the reply did.
    #[error("the connection ended in the middle of the reply, after {received} bytes")]
    Closed {
        /// How many bytes came before the end.
        received: usize,
    },
    /// The connection broke.
    #[error("{}", broken(*stage, source))]
    Io {
        /// What was being done.
        stage: Stage,
        /// What the system said.
        source: io::Error,
    },
    /// HAProxy answered a read command with `Permission denied`: the level of the socket is too low for it.
    #[error("HAProxy denied permission: the level of this stats socket is too low for `{command}`")]
    PermissionDenied {
        /// The command.
        command: &'static str,
    },
    /// HAProxy doesn't know a read command.
    #[error("HAProxy doesn't know `{command}`: it needs HAProxy {since} or later")]
    UnknownCommand {
        /// The command.
        command: &'static str,
        /// The first version of HAProxy that has it.
        since: &'static str,
    },
    /// The address is that of a master process, which has no servers of its own.
    #[error("this is the socket of a master process (`haproxy -S`): write `master = true` to reach its worker")]
    IsMaster,
    /// The address is said to be that of a master process, and is that of a worker.
    #[error("this is no socket of a master process (`haproxy -S`) but a `stats socket`: leave `master` out")]
    NotMaster,
    /// The master process answers, and has no worker.
    #[error("the master process runs, but no worker does: see HAProxy's log, and `show proc` on the master's socket")]
    NoWorker,
    /// The other end of a `tcp://` address speaks TLS.
    #[error("the port speaks TLS: write `tls://` in place of `tcp://`")]
    IsTls,
    /// The other end of the address speaks HTTP.
    #[error("the port speaks HTTP: give the address of a `stats socket`, not that of a frontend or the stats page")]
    IsHttp,
    /// The reply is that to another command.
    #[error(
        "the answer to `{command}` was the reply to `{other}`: something between here and HAProxy mixes up \
         connections; give the address of the `stats socket` itself"
    )]
    OtherReply {
        /// What was asked.
        command: &'static str,
        /// What was answered.
        other: &'static str,
    },
    /// HAProxy answered a read command with a message instead of what was asked; these are its words, cleaned as for
    /// [`CommandReply::Refused`](crate::CommandReply::Refused).
    #[error("HAProxy did not answer `{command}`, but said: {words}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it said.
        words: String,
    },
    /// The reply is whole but can't be read.
    #[error("cannot read the reply: {0}")]
    Parse(#[source] ParseError),
}

impl Error {
    /// Whether HAProxy may have run the command in spite of the error.
    ///
    /// It is `false` only when the command line surely was not sent whole, or did not reach HAProxy's command line:
    /// HAProxy runs nothing before it has read the line feed that ends it.
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Resolve { .. }
            | Self::IsMaster
            | Self::NotMaster
            | Self::NoWorker
            | Self::IsTls
            | Self::IsHttp => false,
            Self::Timeout { stage, .. } | Self::Io { stage, .. } => *stage >= Stage::Reply,
            Self::Tls { stage, fault, .. } => *stage >= Stage::Reply && !fault.is_before_any_command(),
            Self::TooLarge { .. }
            | Self::Unanswered { .. }
            | Self::Closed { .. }
            | Self::PermissionDenied { .. }
            | Self::UnknownCommand { .. }
            | Self::OtherReply { .. }
            | Self::Refused { .. }
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
    /// Other requests to the same socket held all of [`Limits::connections`](crate::Limits::connections).
    Queue,
    /// The name of the host was being looked up.
    Resolve,
    /// The connection was being made.
    Connect,
    /// TLS was being agreed on.
    Handshake,
    /// The command was being written; HAProxy did not get all of it.
    Send,
    /// The command was sent whole; nothing had come back.
    Reply,
    /// The reply had begun, and had not ended.
    Rest,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "waiting for earlier requests to the same socket",
            Self::Resolve => "while looking up the name of the host",
            Self::Connect => "while connecting",
            Self::Handshake => "in the TLS handshake",
            Self::Send => "while sending the command",
            Self::Reply => "while waiting for the reply",
            Self::Rest => "while waiting for the end of the reply",
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
    /// The table has rows and no header.
    #[error("the table has no header")]
    NoHeader,
    /// The table has its header twice.
    #[error("the table has a second header: two replies came in one")]
    SecondHeader,
    /// The rows don't fit the header.
    #[error("its rows have {cells} cells and its header names {columns} columns")]
    Width {
        /// Cells of the first row.
        cells: usize,
        /// Columns of the header.
        columns: usize,
    },
    /// There is nothing in it that a person could read.
    #[error("it is neither a known reply nor text; is this the stats socket of a HAProxy?")]
    Unintelligible,
}

/// The usual cause of a failure to connect, and what to do.
fn advice(address: &Address, source: &io::Error) -> String {
    let is_network = matches!(address, Address::Tcp(_) | Address::Tls(_));
    let is_abstract = matches!(address, Address::Abns(_) | Address::Abnsz(_));
    let known = match source.kind() {
        io::ErrorKind::NotFound => "no such socket: HAProxy is stopped, or this is not the path of its `stats socket`",
        io::ErrorKind::PermissionDenied if is_network => "permission denied: a firewall of this machine forbids it",
        io::ErrorKind::PermissionDenied => "permission denied on the socket: run as a member of its group",
        io::ErrorKind::ConnectionRefused if is_network => {
            "connection refused: the host is up, and nobody listens on this port; HAProxy is stopped, or its `stats \
             socket` is elsewhere"
        }
        io::ErrorKind::ConnectionRefused if is_abstract => {
            "HAProxy is stopped, or in another network namespace, or its `stats socket` has another name: nobody listens"
        }
        io::ErrorKind::ConnectionRefused => "HAProxy is stopped: nobody listens",
        io::ErrorKind::WouldBlock => {
            "too many clients wait already: the backlog of the socket is full, see `stats maxconn`"
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "no way to the host: it is down, or there is no route to its network"
        }
        io::ErrorKind::TimedOut => "the host does not answer: it is down, or a firewall drops the connection",
        io::ErrorKind::ConnectionReset => "the connection was reset: the host is up, and a firewall may forbid it",
        _ => return source.to_string(),
    };
    known.to_owned()
}

/// How a connection broke.
fn broken(stage: Stage, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            format!("HAProxy closed the connection {stage}")
        }
        _ => format!("the connection failed {stage}: {source}"),
    }
}

/// What a silence in this stage usually means.
fn suspicion(stage: Stage, received: usize) -> String {
    let known = match stage {
        Stage::Queue | Stage::Send => "",
        Stage::Resolve => ": does the DNS server answer?",
        Stage::Connect => ": the host is down, or a firewall drops the connection",
        Stage::Handshake => ": the port takes connections and says nothing; does it speak TLS?",
        Stage::Reply => {
            ": HAProxy takes connections and says nothing; it hangs, or others hold all of its `stats maxconn`"
        }
        Stage::Rest => return format!(": {received} bytes came, then nothing or too little"),
    };
    known.to_owned()
}

/// What an end without an answer usually means at this address.
fn suspect(address: &Address) -> &'static str {
    match address {
        Address::Tcp(_) => "; if the port speaks TLS (`bind ... ssl`), write `tls://` in place of `tcp://`",
        Address::Tls(_) => "; is HAProxy behind the `mode tcp` section there, and does it want a client certificate?",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(address: &str, kind: io::ErrorKind) -> String {
        let address = address.parse().expect("an address");
        let source = kind.into();
        Error::Connect { address, source }.to_string()
    }

    #[test]
    fn a_failure_to_connect_says_what_to_do() {
        for (address, kind, advice) in [
            ("unix:/run/h.sock", io::ErrorKind::NotFound, "no such socket: HAProxy is stopped"),
            ("unix:/run/h.sock", io::ErrorKind::PermissionDenied, "run as a member of its group"),
            ("unix:/run/h.sock", io::ErrorKind::ConnectionRefused, "HAProxy is stopped: nobody listens"),
            ("unix:/run/h.sock", io::ErrorKind::WouldBlock, "backlog of the socket is full"),
            ("unix:/run/h.sock", io::ErrorKind::NotADirectory, "not a directory"),
            ("abns@h", io::ErrorKind::ConnectionRefused, "in another network namespace"),
            ("tcp://lb1:9", io::ErrorKind::ConnectionRefused, "nobody listens on this port"),
            ("tcp://lb1:9", io::ErrorKind::PermissionDenied, "a firewall of this machine"),
            ("tls://lb1:9", io::ErrorKind::HostUnreachable, "no way to the host"),
            ("tls://[::1]:9", io::ErrorKind::TimedOut, "the host does not answer"),
        ] {
            let message = message(address, kind);
            assert!(message.contains(&format!("(connecting to {address})")), "{message}");
            assert!(message.contains(advice), "{message}");
        }
    }

    #[test]
    fn a_command_may_have_run_once_it_was_sent_whole() {
        for (stage, expected) in [
            (Stage::Queue, false),
            (Stage::Resolve, false),
            (Stage::Connect, false),
            (Stage::Handshake, false),
            (Stage::Send, false),
            (Stage::Reply, true),
            (Stage::Rest, true),
        ] {
            let source = io::ErrorKind::BrokenPipe.into();
            assert_eq!(Error::Timeout { stage, received: 0 }.may_have_run(), expected);
            assert_eq!(Error::Io { stage, source }.may_have_run(), expected);
            let address = Address::Unix("/run/h.sock".into());
            let fault = TlsFault::Other("a bad record".to_owned());
            assert_eq!(Error::Tls { address, stage, fault }.may_have_run(), expected);
        }
        let address = Address::Unix("/run/h.sock".into());
        let refused = Error::Tls { address, stage: Stage::Reply, fault: TlsFault::CertificateDemanded };
        assert!(!refused.may_have_run(), "TLS 1.3 tells it after the command was sent, which went nowhere");
        assert!(Error::Closed { received: 1 }.may_have_run());
        assert!(Error::TooLarge { limit: 1 }.may_have_run());
        assert!(Error::from(ParseError::Unintelligible).may_have_run());
    }
}
