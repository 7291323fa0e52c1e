//! The configuration: where to listen, which HAProxy processes there are, and everything else that is set at the start.
//!
//! It comes from a TOML file, from `--socket`, or from a search in the usual places. Certificates and keys are read here;
//! nothing connects to anything.

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
    auth::{IdentityConfig, Rules, SessionLimits},
    tls::TlsFiles,
};

pub use data::default as default_data;
pub use error::{ConfigError, Mistake};
pub use identity::CALLBACK;
pub use limits::{ConnectionLimits, DEFAULT_CONNECTIONS, DEFAULT_PER_ADDRESS};
pub use listen::{ListenError, parse_listen};
pub use listener::ListenerConfig;
pub use socket::{SocketArg, SocketArgError};

pub(crate) use url::origin;

pub use url::{PublicUrl, PublicUrlError};

/// Where the dashboard is served by default.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// How often a node is polled by default: as often as a person can follow, and about 3.5 ms of HAProxy's time per 1,000
/// servers.
pub const DEFAULT_POLL: Duration = Duration::from_secs(1);

/// The file that is read when neither `--config` nor `--socket` is given.
pub const DEFAULT_FILE: &str = "/etc/sluice/sluice.toml";

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the dashboard is served.
    pub listen: SocketAddr,
    /// How clients reach it.
    pub listener: ListenerConfig,
    /// Sluice's own certificate, where it has one.
    pub tls: Option<TlsFiles>,
    /// How many connections there may be.
    pub limits: ConnectionLimits,
    /// At least one node, names unique, in the order given.
    pub nodes: Vec<NodeConfig>,
    /// The data folder, of accounts and the audit log.
    pub data: PathBuf,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// Who may see and do what, and where.
    pub rules: Rules,
    /// How log lines look.
    pub log: LogFormat,
    /// What the audit log requires, how long it is kept, and where else it goes.
    pub audit: Settings,
    /// Other systems that vouch for people.
    pub identity: IdentityConfig,
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

/// Why a text is not a log format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no log format {0:?}: write \"human\" or \"json\"")]
pub struct LogFormatError(String);

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Sockets named on the command line, and the default of everything else.
    Sockets(Vec<SocketArg>),
    /// [`DEFAULT_FILE`] where it exists, otherwise the first stats socket at the usual places.
    Search,
}

/// The settings that commands on the machine need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSettings {
    /// The data folder, of accounts and the audit log.
    pub data: PathBuf,
    /// The address that browsers use, where it is configured.
    pub url: Option<PublicUrl>,
}

impl LocalSettings {
    /// Reads them from a file, whatever else is wrong there: a certificate that only the service can read must not keep
    /// anybody from making the first account.
    ///
    /// # Errors
    /// When the file can't be read, is not TOML, or one of these settings is wrong.
    pub fn of(file: &Path) -> Result<Self, ConfigError> {
        file::local_settings(file)
    }
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// With every mistake of a file at once, each at its line and column; or with what to do when there is nothing.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        match source {
            Source::File(path) => file::load(path),
            Source::Sockets(sockets) => Ok(Self::of_nodes(socket::nodes(sockets)?)),
            Source::Search => search::search(),
        }
    }

    /// These nodes, and the default of everything else.
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
            identity: IdentityConfig::default(),
        }
    }

    /// Its parts by their keys in the file, for the audit log, which notes what changed between two starts. Secrets and
    /// their files are not in it.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let node = |n: &NodeConfig| format!("{} {} {} {:?}\n", n.name, n.cluster, n.connector.address, n.poll);
        Parts::from([
            ("listen", self.listen.to_string()),
            ("node", self.nodes.iter().map(node).collect()),
            ("audit", digested(&self.audit)),
            ("sessions", digested(&self.sessions)),
            ("rule", digested(&self.rules)),
            ("limits", digested(&self.limits)),
            ("tls", self.tls.is_some().to_string()),
            ("behind_proxy", digested(&self.listener)),
            ("identity", digested(&self.identity)),
        ])
    }

    /// What is not wrong, and yet likely a mistake; a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        rules::warnings(&self.rules, &self.nodes)
    }
}

/// Types that were renamed, and what they were called when their values were first digested. Under another name the audit
/// log would tell of a change that nobody made.
const DIGESTED_NAMES: [(&str, &str); 3] =
    [("ListenerConfig {", "DoorConfig {"), ("IdentityConfig {", "Identity {"), ("RoleMapping {", "Roles {")];

/// The text of a part whose digest the audit log keeps.
fn digested(part: &impl fmt::Debug) -> String {
    DIGESTED_NAMES.iter().fold(format!("{part:?}"), |text, (now, first)| text.replace(now, first))
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

/// Whether a node or a cluster can have this name. The rule is HAProxy's own, so that a topic, an address or a log line
/// never has a slash, a space or a quote in it.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_whose_digests_are_kept_read_as_when_they_were_first_written() {
        let parts = Config::of_nodes(Vec::new()).parts();
        let expected = [
            (
                "audit",
                "Settings { needs_reason: false, keep: Keep { age: 34560000s, size: 1073741824 }, syslog: None }",
            ),
            ("behind_proxy", "DoorConfig { proxies: None, url: None }"),
            ("identity", "Identity { oidc: None, header: None, roles: Roles { admin: [], operator: [], viewer: [] } }"),
            ("limits", "ConnectionLimits { connections: 10000, per_address: None }"),
            ("rule", "Rules([])"),
            ("sessions", "SessionLimits { idle: 43200s, absolute: 604800s }"),
        ];
        for (part, text) in expected {
            assert_eq!(parts[part], text, "{part}");
        }
    }
}
