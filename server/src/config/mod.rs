//! What Sluice is told at its start: where to listen, and which HAProxy processes there are.
//!
//! It comes from a TOML file, from `--socket`, or from a look at the usual places. Certificates and
//! keys are read here; nothing connects to anything.

mod audit;
mod data;
mod error;
mod file;
mod identity;
mod limits;
mod listen;
mod listener;
mod reader;
mod rules;
mod search;
mod sessions;
mod socket;
mod tls;
mod transport;
mod url;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use haproxy::Connector;

use crate::{
    audit::{Settings, configuration::Parts},
    auth::{Identity, Rules, SessionLimits},
    tls::TlsFiles,
};

pub use data::default as default_data;
pub use error::{ConfigError, Problem};
pub use identity::CALLBACK;
pub use limits::{ConnectionLimits, DEFAULT_CONNECTIONS, DEFAULT_PER_ADDRESS};
pub use listen::{ListenError, parse_listen};
pub use listener::ListenerConfig;
pub use socket::{SocketArg, SocketArgError};

pub(crate) use url::origin;

pub use url::{PublicUrl, PublicUrlError};

/// Where the dashboard is served unless somebody says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// How often a node is asked unless somebody says otherwise: as fresh as a person can follow, and about 3.5 ms of
/// HAProxy's time per 1,000 servers.
pub const DEFAULT_POLL: Duration = Duration::from_secs(1);

/// The file that is read when neither `--config` nor `--socket` is given.
pub const DEFAULT_FILE: &str = "/etc/sluice/sluice.toml";

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the dashboard is served.
    pub listen: SocketAddr,
    /// How people come there.
    pub listener: ListenerConfig,
    /// Sluice's own certificate, where it has one.
    pub tls: Option<TlsFiles>,
    /// How many connections there may be.
    pub limits: ConnectionLimits,
    /// At least one node, names unique, in the order given.
    pub nodes: Vec<NodeConfig>,
    /// The folder of accounts and record.
    pub data: PathBuf,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// Who may see and do what, and where.
    pub rules: Rules,
    /// How log lines look.
    pub log: LogFormat,
    /// What the record asks for, how long it is kept, and where else it goes.
    pub audit: Settings,
    /// Other systems that vouch for people.
    pub identity: Identity,
}

/// One HAProxy process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Its name, of `[A-Za-z0-9_.:-]+`.
    pub name: String,
    /// The cluster that it belongs to, of the same characters; its own name where none was given.
    pub cluster: String,
    /// Where its stats socket is, and how it is reached.
    pub connector: Connector,
    /// The time from one poll to the next.
    pub poll: Duration,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people, in colour on a terminal.
    #[default]
    Human,
    /// One JSON object a line, for programs.
    Json,
}

/// No way to write log lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no log format {0:?}: write \"human\" or \"json\"")]
pub struct LogFormatError(String);

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Sockets named on the command line; everything else as it is by default.
    Sockets(Vec<SocketArg>),
    /// [`DEFAULT_FILE`] where it exists, otherwise the first stats socket at the usual places.
    Search,
}

/// What commands on the machine go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder of accounts and record.
    pub data: PathBuf,
    /// What browsers call Sluice, where it was said.
    pub url: Option<PublicUrl>,
}

impl Place {
    /// Reads it out of a file, whatever else is wrong there: a certificate that only the service can read keeps nobody
    /// from making the first account.
    ///
    /// # Errors
    /// When the file can't be read, is no TOML, or says what can't be.
    pub fn of(file: &Path) -> Result<Self, ConfigError> {
        file::place(file)
    }
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// With every problem of a file at once, each at its line and column; or with what to do when there is nothing.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        match source {
            Source::File(path) => file::load(path),
            Source::Sockets(sockets) => Ok(Self::of_nodes(socket::nodes(sockets)?)),
            Source::Search => search::search(),
        }
    }

    /// These nodes, and everything else as it is where nobody says otherwise.
    #[must_use]
    pub fn of_nodes(nodes: Vec<NodeConfig>) -> Self {
        Self {
            listen: listen::default(),
            listener: ListenerConfig::default(),
            tls: None,
            limits: ConnectionLimits::default(),
            nodes,
            data: data::default(),
            sessions: SessionLimits::default(),
            rules: Rules::default(),
            log: LogFormat::default(),
            audit: Settings::default(),
            identity: Identity::default(),
        }
    }

    /// What matters of it, part by part, by the keys of the file: for the record to tell when it is another. Secrets, and
    /// where they are, are no part of it.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let node = |n: &NodeConfig| format!("{} {} {} {:?}\n", n.name, n.cluster, n.connector.address, n.poll);
        Parts::from([
            ("listen", self.listen.to_string()),
            ("node", self.nodes.iter().map(node).collect()),
            ("audit", format!("{:?}", self.audit)),
            ("sessions", format!("{:?}", self.sessions)),
            ("rule", format!("{:?}", self.rules)),
            ("limits", format!("{:?}", self.limits)),
            ("tls", self.tls.is_some().to_string()),
            ("behind_proxy", format!("{:?}", self.listener)),
            ("identity", format!("{:?}", self.identity)),
        ])
    }

    /// What is no mistake and yet likely to be one, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        rules::warnings(&self.rules, &self.nodes)
    }
}

impl FromStr for LogFormat {
    type Err = LogFormatError;

    fn from_str(text: &str) -> Result<Self, LogFormatError> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            other => Err(LogFormatError(other.to_owned())),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

/// Whether a node or a cluster can have this name: HAProxy's own rule for names, so that no slash, space or quote ever
/// stands in a topic, an address or a log line.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}
