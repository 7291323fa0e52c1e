//! Other systems that vouch for people, `[oidc]` and `[header]`, and `[roles]`, which both need.

use std::{fs, ops::Range, path::Path};

use axum::http::{HeaderName, header};
use ipnet::IpNet;
use model::rights::Pattern;
use toml::de::{DeTable, DeValue};

use super::reader::{Located, Mistakes, kind};
use crate::auth::{
    IdentityConfig, RoleMapping, TrustedHeader,
    authn::oidc::{ClientSecret, OidcConfig, PATIENCE, authorities, check_issuer},
};

/// The keys of the whole file that are read here.
pub(super) const KEYS: [&str; 3] = ["oidc", "header", "roles"];

/// The path that the provider sends browsers back to.
pub const CALLBACK: &str = "/login/oidc/callback";

/// The largest file with a secret or certificates, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// `[roles]` as somebody would write it.
const ROLES_EXAMPLE: &str = "[roles]\n  admin = [\"sluice-admins\"]\n  operator = [\"ops\"]\n  viewer = [\"*\"]";

/// Headers that have another meaning, or that every client sends.
const RESERVED: [HeaderName; 6] =
    [header::HOST, header::COOKIE, header::AUTHORIZATION, header::ORIGIN, header::CONTENT_LENGTH, header::CONTENT_TYPE];

/// Reads all three; `url` is the address that browsers use.
pub(super) fn read(table: &DeTable<'_>, url: Option<&str>, mistakes: &mut Mistakes<'_>) -> IdentityConfig {
    let oidc = section(table, "oidc", mistakes);
    let header = section(table, "header", mistakes);
    let roles = section(table, "roles", mistakes);
    let provider = oidc.as_ref().or(header.as_ref()).map(|(_, span)| span.clone());
    match (&provider, &roles) {
        (Some(span), None) if !table.contains_key("roles") => {
            mistakes.add(span, format!("nobody could log in: say which groups may do what, as\n  {ROLES_EXAMPLE}"));
        }
        (None, Some((_, span))) if KEYS[..2].iter().all(|key| !table.contains_key(*key)) => {
            mistakes.add(span, "`roles` is for groups of [oidc] or [header], and there is neither");
        }
        _ => {}
    }
    IdentityConfig {
        oidc: oidc.and_then(|(table, span)| oidc_config(table, &span, url, mistakes)),
        header: header.and_then(|(table, span)| trusted_header(table, &span, url, mistakes)),
        roles: roles.map(|(table, span)| self::roles(table, &span, mistakes)).unwrap_or_default(),
    }
}

fn section<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<(&'t DeTable<'i>, Range<usize>)> {
    let value = table.get(key)?;
    let inner = value.get_ref().as_table();
    if inner.is_none() {
        mistakes.add(&value.span(), format!("`{key}` is {}: write a table, as [{key}]", kind(value.get_ref())));
    }
    Some((inner?, value.span()))
}

fn oidc_config(
    table: &DeTable<'_>,
    span: &Range<usize>,
    url: Option<&str>,
    mistakes: &mut Mistakes<'_>,
) -> Option<OidcConfig> {
    mistakes.unknown_keys(
        table,
        &[
            "issuer",
            "client_id",
            "client_secret",
            "client_secret_file",
            "name",
            "scopes",
            "user_claim",
            "groups_claim",
            "ca",
        ],
    );
    let required = |key: &str, example: &str, mistakes: &mut Mistakes<'_>| {
        if !table.contains_key(key) {
            mistakes.add(span, format!("[oidc] has no `{key}`: write {key} = \"{example}\""));
        }
        words(table, key, example, mistakes)
    };
    let issuer = required("issuer", "https://id.example.org/", mistakes).and_then(|Located { value, span }| {
        check_issuer(&value).map_err(|error| mistakes.add(&span, error.to_string())).ok().map(|()| value)
    });
    let client_id = required("client_id", "sluice", mistakes).map(|at| at.value);
    if url.is_none() {
        mistakes.add(
            span,
            "[oidc] needs the address that browsers use, to lead people back: write url = \"https://sluice.example.org\" \
             at the top of the file",
        );
    }
    let client_secret = client_secret(table, mistakes);
    let name = words(table, "name", "Example ID", mistakes).map_or_else(|| "OpenID Connect".to_owned(), |at| at.value);
    let scopes = list(table, "scopes", "[\"openid\", \"profile\", \"groups\"]", mistakes);
    let default = || ["openid", "profile", "groups"].map(str::to_owned).to_vec();
    let scopes = scopes.map_or_else(default, |scopes| scopes.into_iter().map(|at| at.value).collect());
    let user_claim = words(table, "user_claim", "preferred_username", mistakes).map(|at| at.value);
    let groups_claim = words(table, "groups_claim", "groups", mistakes).map_or_else(|| "groups".into(), |at| at.value);
    let ca = file(table, "ca", "/etc/sluice/ca.pem", mistakes).and_then(|Located { value, span }| {
        let found = authorities(&value).is_ok_and(|found| !found.is_empty());
        if !found {
            mistakes.add(
                &span,
                "there is no certificate in the file: it has to be PEM, with `-----BEGIN CERTIFICATE-----`",
            );
        }
        found.then_some(value)
    });
    Some(OidcConfig {
        issuer: issuer?,
        client_id: client_id?,
        client_secret,
        name,
        scopes,
        user_claim,
        groups_claim,
        ca,
        redirect: format!("{}{CALLBACK}", url?.trim_end_matches('/')),
        patience: PATIENCE,
    })
}

fn client_secret(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<ClientSecret> {
    let inline = words(table, "client_secret", "...", mistakes);
    let of_file = file(table, "client_secret_file", "/etc/sluice/oidc-secret", mistakes);
    match (inline, of_file) {
        (Some(_), Some(Located { span, .. })) => {
            mistakes.add(&span, "there are two client secrets: leave out `client_secret` or `client_secret_file`");
            None
        }
        (Some(Located { value, .. }), None) => Some(ClientSecret(value)),
        (None, Some(Located { value, span })) => {
            let text = String::from_utf8(value).unwrap_or_default();
            let text = text.trim();
            if text.is_empty() || text.chars().any(char::is_control) {
                mistakes.add(&span, "there is no secret in the file: it has to be one line of text");
                return None;
            }
            Some(ClientSecret(text.to_owned()))
        }
        (None, None) => None,
    }
}

fn trusted_header(
    table: &DeTable<'_>,
    span: &Range<usize>,
    url: Option<&str>,
    mistakes: &mut Mistakes<'_>,
) -> Option<TrustedHeader> {
    mistakes.unknown_keys(table, &["user", "groups", "from"]);
    if url.is_none() {
        mistakes.add(
            span,
            "[header] needs the address that browsers use, under which alone the header counts: write \
             url = \"https://sluice.example.org\" at the top of the file",
        );
    }
    for (key, example) in [("user", "\"X-Forwarded-User\""), ("from", "[\"127.0.0.1\"]")] {
        if !table.contains_key(key) {
            mistakes.add(span, format!("[header] has no `{key}`: write {key} = {example}"));
        }
    }
    let user = header_name(table, "user", "X-Forwarded-User", mistakes);
    let groups = header_name(table, "groups", "X-Forwarded-Groups", mistakes);
    if user.is_some() && user == groups {
        mistakes.add(span, "`user` and `groups` are the same header: each needs its own");
    }
    let from = list(table, "from", "[\"127.0.0.1\", \"10.0.0.0/8\"]", mistakes)?;
    let mut nets = Vec::new();
    for Located { value, span } in from {
        match network(&value) {
            // Otherwise anybody could claim to be anybody.
            Some(net) if net.prefix_len() == 0 => {
                mistakes.add(&span, format!("{value:?} is every address: name those of the reverse proxy alone"));
            }
            Some(net) => nets.push(net),
            None => {
                mistakes.add(&span, format!("{value:?} is no address: write one, as \"127.0.0.1\" or \"10.0.0.0/8\""));
            }
        }
    }
    Some(TrustedHeader { user: user?, groups, from: nets })
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)))
}

fn header_name(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<HeaderName> {
    let Located { value, span } = words(table, key, example, mistakes)?;
    match value.parse::<HeaderName>() {
        Ok(name) if RESERVED.contains(&name) => {
            mistakes.add(&span, format!("{value:?} means something else already: take another header, as {example:?}"));
            None
        }
        Ok(name) => Some(name),
        Err(_) => {
            mistakes.add(&span, format!("{value:?} can't be a header's name: write one, as {key} = \"{example}\""));
            None
        }
    }
}

fn roles(table: &DeTable<'_>, span: &Range<usize>, mistakes: &mut Mistakes<'_>) -> RoleMapping {
    mistakes.unknown_keys(table, &["admin", "operator", "viewer"]);
    if table.is_empty() {
        mistakes.add(span, format!("[roles] is empty, so that nobody could log in: write\n  {ROLES_EXAMPLE}"));
    }
    let mut groups = |key: &str, example: &str| {
        let found = list(table, key, example, mistakes).unwrap_or_default();
        found.into_iter().map(|at| Pattern(at.value)).collect()
    };
    RoleMapping {
        admin: groups("admin", "[\"sluice-admins\"]"),
        operator: groups("operator", "[\"ops\"]"),
        viewer: groups("viewer", "[\"*\"]"),
    }
}

/// A text that is not empty.
fn words(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Located<String>> {
    let at = mistakes.text(table, key, example)?;
    if at.value.trim().is_empty() || at.value.chars().any(char::is_control) {
        mistakes.add(&at.span, format!("`{key}` is empty, or holds control characters: write {key} = \"{example}\""));
        return None;
    }
    Some(at)
}

/// A list of texts that are not empty; at least one.
fn list(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Vec<Located<String>>> {
    let value = table.get(key)?;
    let items = match value.get_ref() {
        DeValue::Array(items) if !items.is_empty() => items,
        other => {
            let found = if other.is_array() { "an empty list" } else { kind(other) };
            mistakes.add(&value.span(), format!("`{key}` is {found}: write a list, as {key} = {example}"));
            return None;
        }
    };
    let mut out = Vec::new();
    for item in items {
        match item.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => out.push(Located { value: text.to_owned(), span: item.span() }),
            None => {
                mistakes.add(&item.span(), format!("an item of `{key}` is no text, or empty: write {key} = {example}"));
            }
        }
    }
    Some(out)
}

/// The content of the file that a key names.
fn file(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Located<Vec<u8>>> {
    let Located { value, span } = mistakes.text(table, key, example)?;
    let path = Path::new(&value);
    // A relative path would mean another file after a change of the working directory.
    if !path.is_absolute() {
        mistakes.add(&span, format!("`{key}` is no absolute path: write the file's, as {key} = \"{example}\""));
        return None;
    }
    let read =
        fs::metadata(path).and_then(|found| if found.len() > MAX_FILE { Ok(Vec::new()) } else { fs::read(path) });
    match read {
        Ok(value) => Some(Located { value, span }),
        Err(error) => {
            mistakes.add(&span, format!("{value}: cannot read the file: {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
