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
    Config, ConfigError, DEFAULT_LISTEN, DEFAULT_POLL, LogFormat, LogFormatError, NodeConfig, Place, Problem, audit,
    default_data, identity, is_name, limits, listen, listener, parse_listen,
    reader::{At, Problems, kind, tables},
    rules, sessions, tls,
    transport::{self, ADDRESS_EXAMPLE},
};

/// The shortest time between two polls: ten a second are more than a person can see, and cost HAProxy ten times as much.
const MIN_POLL: Duration = Duration::from_millis(100);
/// The longest: beyond it the dashboard would only ever show old data.
const MAX_POLL: Duration = Duration::from_secs(3600);

/// A node as one would write it.
const NODE_EXAMPLE: &str = "[[node]]\n  name = \"lb1\"\n  address = \"unix:/run/haproxy/admin.sock\"";

/// Reads and checks a file.
///
/// # Errors
/// When it can't be read, or with everything that is wrong in it.
pub(super) fn load(path: &Path) -> Result<Config, ConfigError> {
    of_file(path, parse)
}

/// Reads just the [`Place`], whatever is wrong in the rest of the file.
///
/// # Errors
/// When the file can't be read, is no TOML, or says of the place what can't be.
pub(super) fn place(path: &Path) -> Result<Place, ConfigError> {
    let place = |table: &DeTable<'_>, problems: &mut Problems<'_>| Place {
        data: data(table, problems),
        url: listener::url(table, problems),
    };
    of_file(path, |text| document(text, place))
}

fn of_file<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, Vec<Problem>>) -> Result<T, ConfigError> {
    let path = path.to_owned();
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|problems| ConfigError::Invalid { path, problems }),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// Checks the text of a file.
///
/// # Errors
/// With every problem, in the order of the text.
pub(super) fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    document(text, root)
}

/// Has a document read, where the text is one.
fn document<T>(text: &str, read: impl FnOnce(&DeTable<'_>, &mut Problems<'_>) -> T) -> Result<T, Vec<Problem>> {
    let mut problems = Problems::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What a broken text seems to say is no ground for further complaints.
        for error in errors {
            problems.add(&error.span().unwrap_or(0..0), error.message());
        }
        return Err(problems.into_vec());
    }
    let read = read(document.get_ref(), &mut problems);
    let problems = problems.into_vec();
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// The whole document. Where something is wrong its default stands in, so that the rest is checked too.
fn root(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Config {
    let known = ["listen", "data", "log", "tls", "limits", "audit", "sessions", "rule", "node"];
    problems.unknown_keys(table, &[known.as_slice(), &listener::KEYS, &identity::KEYS].concat());
    let listen = problems.text(table, "listen", DEFAULT_LISTEN).and_then(|At { value, span }| {
        parse_listen(&value).map_err(|error| problems.add(&span, error.to_string())).ok().zip(Some(span))
    });
    let listener = listener::read(table, problems);
    let config = Config {
        listen: listen.as_ref().map_or_else(listen::default, |(address, _)| *address),
        identity: identity::read(table, listener.url.as_ref().map(ToString::to_string).as_deref(), problems),
        listener,
        tls: tls::tls(table, problems),
        limits: limits::limits(table, problems),
        data: data(table, problems),
        nodes: nodes(table, problems),
        sessions: sessions::read(table, problems),
        rules: rules::rules(table, problems),
        log: log(table, problems).unwrap_or_default(),
        audit: audit::read(table, problems),
    };
    // Half a `[tls]` has its own complaint.
    if let (Some((_, span)), Err(error), false) = (listen, config.refuse_clear_text(), table.contains_key("tls")) {
        problems.add(&span, error.to_string());
    }
    if let (Some(url), Some(_)) = (config.listener.url.as_ref().filter(|url| !url.is_secure()), &config.tls) {
        let span = table.get("url").map_or(0..0, toml::Spanned::span);
        problems.add(&span, format!("Sluice has a certificate, and {url} is not encrypted: write https"));
    }
    config
}

fn data(table: &DeTable<'_>, problems: &mut Problems<'_>) -> PathBuf {
    problems.text(table, "data", "/var/lib/sluice").map_or_else(default_data, |at| at.value.into())
}

fn log(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Option<LogFormat> {
    let value = table.get("log")?;
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        problems
            .add(&value.span(), format!("`log` is {found}: write a table, as [log] and format = \"json\" below it"));
        return None;
    };
    problems.unknown_keys(table, &["format"]);
    let At { value, span } = problems.text(table, "format", "json")?;
    value.parse().map_err(|error: LogFormatError| problems.add(&span, error.to_string())).ok()
}

fn nodes(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Vec<NodeConfig> {
    let Some(value) = table.get("node") else {
        problems.add(&(0..0), format!("there is no node: write\n  {NODE_EXAMPLE}"));
        return Vec::new();
    };
    let list = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => tables(list),
        other => {
            let found = if other.is_array() { "an empty list" } else { kind(other) };
            problems.add(&value.span(), format!("`node` is {found}: write\n  {NODE_EXAMPLE}"));
            return Vec::new();
        }
    };
    let mut seen = Seen::default();
    let mut nodes = Vec::new();
    for (span, item) in list {
        match item {
            Some(item) => nodes.extend(node(item, &span, &mut seen, problems)),
            None => problems.add(&span, format!("a node is a table: write\n  {NODE_EXAMPLE}")),
        }
    }
    nodes
}

/// Names and addresses of the nodes so far.
#[derive(Default)]
struct Seen {
    names: Vec<String>,
    addresses: Vec<(Address, String)>,
}

/// One node, where it has what it needs.
fn node(table: &DeTable<'_>, span: &Range<usize>, seen: &mut Seen, problems: &mut Problems<'_>) -> Option<NodeConfig> {
    problems.unknown_keys(
        table,
        &["name", "cluster", "address", "poll", "master", "ca", "certificate", "key", "server_name"],
    );
    for (key, example) in [("name", "lb1"), ("address", ADDRESS_EXAMPLE)] {
        if !table.contains_key(key) {
            problems.add(span, format!("this node has no `{key}`: write {key} = \"{example}\""));
        }
    }
    let poll = poll(table, problems).unwrap_or(DEFAULT_POLL);
    let cluster = name(table, "cluster", "edge", problems);
    let name = name(table, "name", "lb1", problems);
    let address = transport::address(table, problems);
    let connector = address.as_ref().and_then(|address| transport::connector(table, address, problems));
    if let Some(At { value, span }) = &name {
        if seen.names.contains(value) {
            problems.add(span, format!("there are two nodes `{value}`: give each a name of its own"));
        }
        seen.names.push(value.clone());
    }
    let (name, address) = (name?.value, address?);
    // The sums over a cluster would count it twice.
    match seen.addresses.iter().find(|(known, _)| *known == address.value) {
        Some((_, other)) => {
            problems.add(&address.span, format!("this is the address of node `{other}` too: each node has its own"));
        }
        None => seen.addresses.push((address.value.clone(), name.clone())),
    }
    let cluster = cluster.map_or_else(|| name.clone(), |at| at.value);
    Some(NodeConfig { name, cluster, connector: connector?, poll })
}

fn name(table: &DeTable<'_>, key: &str, example: &str, problems: &mut Problems<'_>) -> Option<At<String>> {
    let at = problems.text(table, key, example)?;
    if is_name(&at.value) {
        return Some(at);
    }
    let message = if at.value.is_empty() {
        format!("`{key}` is empty: write a name, as {key} = \"{example}\"")
    } else {
        format!("{:?} can't be a name: take letters, digits, `_`, `.`, `:` and `-` alone", at.value)
    };
    problems.add(&at.span, message);
    None
}

fn poll(table: &DeTable<'_>, problems: &mut Problems<'_>) -> Option<Duration> {
    let At { value, span } = problems.text(table, "poll", "1s")?;
    match humantime::parse_duration(&value) {
        Ok(poll) if (MIN_POLL..=MAX_POLL).contains(&poll) => Some(poll),
        Ok(_) => {
            problems.add(&span, format!("`poll` is {value}: write a time from 100ms to 1h"));
            None
        }
        Err(_) => {
            problems.add(
                &span,
                format!("`poll` is no time: {value:?}; write a number and its unit, as \"1s\" or \"500ms\""),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
