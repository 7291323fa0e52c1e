//! The configuration as the program uses it.

use std::{fmt, net::SocketAddr, path::PathBuf};

use super::{
    data, defaults::DEFAULT_LISTEN, limits::ConnectionLimits, listener::ListenerConfig, log_format::LogFormat,
    node::NodeConfig, rules, url::PublicUrl,
};
use crate::{
    audit::{Settings, configuration::Parts},
    auth::{IdentityConfig, Rules, SessionLimits},
    tls::TlsFiles,
};

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

/// The settings that commands on the machine need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSettings {
    /// The data folder, of accounts and the audit log.
    pub data: PathBuf,
    /// The address that browsers use, where it is configured.
    pub url: Option<PublicUrl>,
}

impl Config {
    /// These nodes, and the default of everything else.
    #[must_use]
    pub fn of_nodes(nodes: Vec<NodeConfig>) -> Self {
        Self {
            listen: DEFAULT_LISTEN,
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
