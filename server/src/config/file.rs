//! The configuration file: TOML in, a [`Config`] or everything that is wrong with it out.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use haproxy::Address;
use toml::de::{DeTable, DeValue};

use super::{
    audit, data,
    defaults::{DEFAULT_LISTEN, DEFAULT_POLL},
    error::{ConfigError, Mistake},
    identity, limits,
    listen::parse_listen,
    listener,
    log_format::{LogFormat, LogFormatError},
    node::{NodeConfig, is_name},
    reader::{Located, Mistakes, kind, tables},
    rules, sessions,
    settings::{Config, LocalSettings},
    tls,
    transport::{self, ADDRESS_EXAMPLE},
};

/// The shortest time between two polls: ten a second are more than a person can see, and cost HAProxy ten times as much.
const MIN_POLL: Duration = Duration::from_millis(100);
/// The longest: beyond it the dashboard would only ever show old data.
const MAX_POLL: Duration = Duration::from_secs(3600);

/// A node as somebody would write it.
const NODE_EXAMPLE: &str = "[[node]]\n  name = \"lb1\"\n  address = \"unix:/run/haproxy/admin.sock\"";

/// Reads and checks a file.
///
/// # Errors
/// When it can't be read, or with everything that is wrong in it.
pub(super) fn load(path: &Path) -> Result<Config, ConfigError> {
    of_file(path, parse)
}

impl LocalSettings {
    /// Reads them from a file, whatever else is wrong there: a certificate that only the service can read must not keep
    /// anybody from making the first account.
    ///
    /// # Errors
    /// When the file can't be read, is not TOML, or one of these settings is wrong.
    pub fn of(file: &Path) -> Result<Self, ConfigError> {
        let settings = |table: &DeTable<'_>, mistakes: &mut Mistakes<'_>| Self {
            data: data(table, mistakes),
            url: listener::url(table, mistakes),
        };
        of_file(file, |text| document(text, settings))
    }
}

fn of_file<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, Vec<Mistake>>) -> Result<T, ConfigError> {
    let path = path.to_owned();
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|mistakes| ConfigError::Invalid { path, mistakes }),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// Checks the text of a file.
///
/// # Errors
/// With every mistake, in the order of the text.
pub(super) fn parse(text: &str) -> Result<Config, Vec<Mistake>> {
    document(text, root)
}

/// Parses a text, and reads it with `read` where it is TOML.
fn document<T>(text: &str, read: impl FnOnce(&DeTable<'_>, &mut Mistakes<'_>) -> T) -> Result<T, Vec<Mistake>> {
    let mut mistakes = Mistakes::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What can be read of a broken text may not be what was meant: no further mistakes are reported.
        for error in errors {
            mistakes.add(&error.span().unwrap_or(0..0), error.message());
        }
        return Err(mistakes.into_vec());
    }
    let read = read(document.get_ref(), &mut mistakes);
    let mistakes = mistakes.into_vec();
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// Reads the whole document. A default replaces what is wrong, so that the rest is checked, too.
fn root(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Config {
    let known = ["listen", "data", "log", "tls", "limits", "audit", "sessions", "rule", "node"];
    mistakes.unknown_keys(table, &[known.as_slice(), &listener::KEYS, &identity::KEYS].concat());
    let listen = mistakes.text(table, "listen", &DEFAULT_LISTEN.to_string()).and_then(|Located { value, span }| {
        parse_listen(&value).map_err(|error| mistakes.add(&span, error.to_string())).ok().zip(Some(span))
    });
    let listener = listener::read(table, mistakes);
    let config = Config {
        listen: listen.as_ref().map_or(DEFAULT_LISTEN, |(address, _)| *address),
        identity: identity::read(table, listener.url.as_ref().map(ToString::to_string).as_deref(), mistakes),
        listener,
        tls: tls::tls(table, mistakes),
        limits: limits::limits(table, mistakes),
        data: data(table, mistakes),
        nodes: nodes(table, mistakes),
        sessions: sessions::read(table, mistakes),
        rules: rules::rules(table, mistakes),
        log: log(table, mistakes).unwrap_or_default(),
        audit: audit::read(table, mistakes),
    };
    // Where `[tls]` is incomplete, that is reported already.
    if let (Some((_, span)), Err(error), false) = (listen, config.refuse_clear_text(), table.contains_key("tls")) {
        mistakes.add(&span, error.to_string());
    }
    if let (Some(url), Some(_)) = (config.listener.url.as_ref().filter(|url| !url.is_secure()), &config.tls) {
        let span = table.get("url").map_or(0..0, toml::Spanned::span);
        mistakes.add(&span, format!("Sluice has a certificate, and {url} is not encrypted: write https"));
    }
    config
}

fn data(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> PathBuf {
    mistakes.text(table, "data", "/var/lib/sluice").map_or_else(data::default, |at| at.value.into())
}

fn log(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<LogFormat> {
    let value = table.get("log")?;
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        mistakes
            .add(&value.span(), format!("`log` is {found}: write a table, as [log] and format = \"json\" below it"));
        return None;
    };
    mistakes.unknown_keys(table, &["format"]);
    let Located { value, span } = mistakes.text(table, "format", "json")?;
    value.parse().map_err(|error: LogFormatError| mistakes.add(&span, error.to_string())).ok()
}

fn nodes(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Vec<NodeConfig> {
    let Some(value) = table.get("node") else {
        mistakes.add(&(0..0), format!("there is no node: write\n  {NODE_EXAMPLE}"));
        return Vec::new();
    };
    let list = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => tables(list),
        other => {
            let found = if other.is_array() { "an empty list" } else { kind(other) };
            mistakes.add(&value.span(), format!("`node` is {found}: write\n  {NODE_EXAMPLE}"));
            return Vec::new();
        }
    };
    let mut known = KnownNodes::default();
    let mut nodes = Vec::new();
    for (span, item) in list {
        match item {
            Some(item) => nodes.extend(node(item, &span, &mut known, mistakes)),
            None => mistakes.add(&span, format!("a node is a table: write\n  {NODE_EXAMPLE}")),
        }
    }
    nodes
}

/// Names and addresses of the nodes that were read so far.
#[derive(Default)]
struct KnownNodes {
    names: Vec<String>,
    addresses: Vec<(Address, String)>,
}

/// Reads one node; nothing where it lacks something.
fn node(
    table: &DeTable<'_>,
    span: &Range<usize>,
    known: &mut KnownNodes,
    mistakes: &mut Mistakes<'_>,
) -> Option<NodeConfig> {
    mistakes.unknown_keys(
        table,
        &["name", "cluster", "address", "poll", "master", "ca", "certificate", "key", "server_name"],
    );
    for (key, example) in [("name", "lb1"), ("address", ADDRESS_EXAMPLE)] {
        if !table.contains_key(key) {
            mistakes.add(span, format!("this node has no `{key}`: write {key} = \"{example}\""));
        }
    }
    let poll = poll(table, mistakes).unwrap_or(DEFAULT_POLL);
    let cluster = name(table, "cluster", "edge", mistakes);
    let name = name(table, "name", "lb1", mistakes);
    let address = transport::address(table, mistakes);
    let connector = address.as_ref().and_then(|address| transport::connector(table, address, mistakes));
    if let Some(Located { value, span }) = &name {
        if known.names.contains(value) {
            mistakes.add(span, format!("there are two nodes `{value}`: give each a name of its own"));
        }
        known.names.push(value.clone());
    }
    let (name, address) = (name?.value, address?);
    // A process with two nodes would be counted twice in the sums of its cluster.
    match known.addresses.iter().find(|(taken, _)| *taken == address.value) {
        Some((_, other)) => {
            mistakes.add(&address.span, format!("this is the address of node `{other}` too: each node has its own"));
        }
        None => known.addresses.push((address.value.clone(), name.clone())),
    }
    let cluster = cluster.map_or_else(|| name.clone(), |at| at.value);
    Some(NodeConfig { name, cluster, connector: connector?, poll })
}

fn name(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Located<String>> {
    let at = mistakes.text(table, key, example)?;
    if is_name(&at.value) {
        return Some(at);
    }
    let message = if at.value.is_empty() {
        format!("`{key}` is empty: write a name, as {key} = \"{example}\"")
    } else {
        format!("{:?} can't be a name: take letters, digits, `_`, `.`, `:` and `-` alone", at.value)
    };
    mistakes.add(&at.span, message);
    None
}

fn poll(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Duration> {
    let Located { value, span } = mistakes.text(table, "poll", "1s")?;
    match humantime::parse_duration(&value) {
        Ok(poll) if (MIN_POLL..=MAX_POLL).contains(&poll) => Some(poll),
        Ok(_) => {
            mistakes.add(&span, format!("`poll` is {value}: write a time from 100ms to 1h"));
            None
        }
        Err(_) => {
            mistakes.add(
                &span,
                format!("`poll` is no time: {value:?}; write a number and its unit, as \"1s\" or \"500ms\""),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
