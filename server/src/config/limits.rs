//! How many connections there may be.

use std::ops::RangeInclusive;

use toml::de::{DeTable, DeValue};

use super::reader::{Located, Mistakes, kind};

/// Connections in all by default: twice the 5,000 viewers that the design is for, as a page has a
/// stream and, for a moment, requests beside it. An idle one costs some 20 kB, with TLS 26.
pub const DEFAULT_CONNECTIONS: usize = 10_000;

/// Connections from one address by default: enough for a hundred people behind one router, each with a stream and a
/// connection for requests; and a fortieth of all.
pub const DEFAULT_PER_ADDRESS: usize = 256;

/// The values that may be configured. With fewer than ten, one page could take all connections, and lock out whoever would
/// repair that.
const ALLOWED: RangeInclusive<usize> = 10..=1_000_000;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub connections: usize,
    /// From one address (of IPv6, from one /64). Where it is not configured, [`DEFAULT_PER_ADDRESS`], and no limit for
    /// loopback addresses and trusted proxies, which stand for many people each.
    pub per_address: Option<usize>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: DEFAULT_CONNECTIONS, per_address: None }
    }
}

/// Reads `[limits]`.
pub(super) fn limits(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> ConnectionLimits {
    let defaults = ConnectionLimits::default();
    let Some(value) = table.get("limits") else { return defaults };
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        mistakes.add(
            &value.span(),
            format!("`limits` is {found}: write a table, as [limits] and connections = {DEFAULT_CONNECTIONS} below it"),
        );
        return defaults;
    };
    mistakes.unknown_keys(table, &["connections", "connections_per_address"]);
    let all = number(table, "connections", DEFAULT_CONNECTIONS, mistakes);
    let each = number(table, "connections_per_address", DEFAULT_PER_ADDRESS, mistakes);
    let connections = all.map_or(defaults.connections, |at| at.value);
    if let Some(Located { value, span }) = &each
        && *value > connections
    {
        mistakes.add(span, format!("`connections_per_address` is more than the {connections} `connections` in all"));
    }
    ConnectionLimits { connections, per_address: each.map(|at| at.value) }
}

fn number(table: &DeTable<'_>, key: &str, example: usize, mistakes: &mut Mistakes<'_>) -> Option<Located<usize>> {
    let value = table.get(key)?;
    let span = value.span();
    let DeValue::Integer(number) = value.get_ref() else {
        let found = kind(value.get_ref());
        mistakes.add(&span, format!("`{key}` is {found}: write a whole number, as {key} = {example}"));
        return None;
    };
    match usize::from_str_radix(number.as_str(), number.radix()) {
        Ok(value) if ALLOWED.contains(&value) => Some(Located { value, span }),
        _ => {
            let (least, most) = ALLOWED.into_inner();
            mistakes.add(&span, format!("`{key}` is {number}: write a number from {least} to {most}"));
            None
        }
    }
}
