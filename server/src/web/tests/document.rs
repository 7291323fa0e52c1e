//! That `openapi.json` and the program say the same.

use std::collections::BTreeSet;

use super::*;
use crate::{
    auth::{IdentityProviders, authz::policy::Permission},
    web::{account::page::tests as account, route::Audience},
};

fn document() -> Value {
    serde_json::from_str(&router::openapi_text()).expect("JSON")
}

/// Every operation with its method and path as the list of routes has them.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

#[test]
fn every_route_for_programs_is_in_the_document_and_the_other_way_round() {
    let document = document();
    let listed = router::table();
    let listed = listed.iter().filter(|route| route.audience == Audience::Api);
    let listed: BTreeSet<String> = listed.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(operations(&document).into_keys().collect::<BTreeSet<_>>(), listed);
}

#[test]
fn every_route_says_why_it_may_be_denied_and_how_one_shows_who_one_is() {
    let document = document();
    for (head, operation) in operations(&document) {
        let (method, path) = head.split_once(' ').expect("a method");
        let has = |status: &str| {
            let content = &operation["responses"][status]["content"];
            !content["application/problem+json"]["schema"]["$ref"].is_null()
        };
        let route = router::table().find(&method.parse().expect("a method"), path).cloned().expect("a route");
        let is_for_all = route.permission == Permission::Public;
        assert!(has("400") && has("403") && has("421") && has("503"), "{head}");
        assert_eq!(has("401"), !is_for_all || path == "/api/v1/login", "{head}");
        assert_eq!(has("408") && has("413"), method != "GET", "{head}");
        assert_eq!(has("415") && has("422"), operation["requestBody"].is_object(), "{head}");
        assert_eq!(operation["security"].is_null(), is_for_all, "{head}");
        assert!(
            operation["responses"]
                .as_object()
                .expect("answers")
                .keys()
                .all(|status| !status.starts_with('5') || status == "503")
        );
    }
    for (head, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
            let description = [&parameter["description"], &parameter["schema"]["description"]];
            assert!(description.iter().any(|text| text.is_string()), "{head}: {parameter}");
        }
    }
    let needs: BTreeSet<&str> = document["paths"]["/ws"]["get"]["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .filter(|parameter| parameter["in"] == "header" && parameter["required"] == true)
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert_eq!(needs, BTreeSet::from(["Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade"]));
}

/// The schema that a reference stands for.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(name) => {
            let pointer = name.strip_prefix('#').expect("a reference into the document");
            resolved(document, document.pointer(pointer).expect("a schema"))
        }
        None => schema,
    }
}

/// Whether a schema is of the kind of value: what is described as an object is not sent as a text.
fn is_of_kind(schema: &Value, value: &Value) -> bool {
    let is = |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|t| t.contains(&kind.into()));
    match value {
        Value::Null => is("null"),
        Value::Bool(_) => is("boolean"),
        Value::Number(_) => is("integer"),
        Value::String(_) => is("string"),
        Value::Array(_) => is("array"),
        Value::Object(_) => is("object") || schema["allOf"].is_array(),
    }
}

/// Every property that a schema of an object names, with its own schema.
fn properties<'d>(document: &'d Value, schema: &'d Value) -> BTreeMap<&'d String, &'d Value> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut out: BTreeMap<_, _> = parts.flat_map(|part| properties(document, resolved(document, part))).collect();
    out.extend(schema["properties"].as_object().into_iter().flatten());
    out
}

/// Fails unless `value` has exactly the properties that the schema names, of their kinds, all the way down.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    if let Some(forms) = schema["oneOf"].as_array() {
        let form = forms.iter().find(|form| is_of_kind(resolved(document, form), value));
        return check(document, form.unwrap_or_else(|| panic!("{at}: {value}")), value, at);
    }
    assert!(is_of_kind(schema, value), "{at}: {value} for {schema}");
    match value {
        Value::Object(object) => {
            if let Some(each) = schema.get("additionalProperties") {
                return object.iter().for_each(|(name, value)| check(document, each, value, &format!("{at}.{name}")));
            }
            let named = properties(document, schema);
            let names: BTreeSet<_> = named.keys().copied().collect();
            assert_eq!(object.keys().collect::<BTreeSet<_>>(), names, "{at}");
            for (name, value) in object {
                check(document, named[name], value, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{at}: nothing to compare");
            items.iter().for_each(|item| check(document, &schema["items"], item, at));
        }
        Value::String(text) => {
            if let Some(words) = schema["enum"].as_array() {
                assert!(words.contains(value), "{at}: {text}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn answer_schema<'d>(document: &'d Value, method: &str, path: &str, kind: &str) -> &'d Value {
    let status = if kind == "application/json" { "200" } else { "400" };
    &document["paths"][path][method]["responses"][status]["content"][kind]["schema"]
}

#[tokio::test]
async fn real_answers_have_the_properties_that_the_document_names() {
    let document = document();
    for (path, query) in [
        ("/api/v1/nodes", ""),
        ("/api/v1/stats", "?node=lb1"),
        ("/api/v1/info", ""),
        ("/api/v1/events", "?kind=link"),
        ("/api/v1/me", ""),
        ("/healthz", ""),
    ] {
        let schema = answer_schema(&document, "get", path, "application/json");
        assert!(schema.is_object(), "{path}");
        check(&document, schema, &get_json(&format!("{path}{query}")).await, path);
    }
    let path = "/api/v1/actions";
    let request = serde_json::json!({
        "action": "drain", "reason": "x", "targets": [{"node": "lb1", "backend": PROXY, "server": "s1"}],
    });
    let (_, outcome) = act(&request.to_string()).await;
    check(&document, answer_schema(&document, "post", path, "application/json"), &outcome, "outcome");
    let path_of_record = "/api/v1/audit";
    let (_, entries) = recorded("GET /api/v1/audit?outcome=%3Cb%3E").await;
    let entries: Value = serde_json::from_slice(&entries).expect("JSON");
    check(&document, answer_schema(&document, "get", path_of_record, "application/json"), &entries, "audit");
    let (_, problem) = act(r#"{"action":"drain","targets":[]}"#).await;
    check(&document, answer_schema(&document, "post", path, "application/problem+json"), &problem, "problem");
}

#[tokio::test]
async fn what_somebody_with_an_account_is_answered_is_in_the_document_too() {
    let document = document();
    let state = account::state(IdentityProviders::default()).await;
    let cookie = account::logged_in(&state, "admin").await;
    let ask = async |head: &str, body: &str| account::ask(&state, head, body, &[("cookie", &cookie)]).await.json();
    let made =
        ask("POST /api/v1/tokens", r#"{"scope":"read","expires":"1d","note":"x","password":"correct horse battery"}"#)
            .await;
    let id = made["id"].as_str().expect("a name").to_owned();
    let password = format!(r#"{{"user":"viewer","password":"{}"}}"#, testing::PASSWORD);
    for (method, path, answer) in [
        ("post", "/api/v1/tokens", made),
        ("get", "/api/v1/tokens", ask("GET /api/v1/tokens", "").await),
        ("get", "/api/v1/sessions", ask("GET /api/v1/sessions", "").await),
        ("delete", "/api/v1/tokens", ask(&format!("DELETE /api/v1/tokens?id={id}"), "").await),
        ("get", "/api/v1/me", ask("GET /api/v1/me", "").await),
        // The session that comes with it ends.
        ("post", "/api/v1/login", ask("POST /api/v1/login", &password).await),
    ] {
        check(&document, answer_schema(&document, method, path, "application/json"), &answer, path);
    }
}

#[tokio::test]
async fn the_document_s_actions_and_outcomes_are_the_program_s() {
    use model::{action::Action, outcome::Outcome};

    let document = document();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    assert_eq!(words("Action"), serde_json::json!(Action::ALL));
    assert_eq!(words("Outcome"), serde_json::json!(Outcome::ALL));
    // Every property of a request that the document names is taken, and no other.
    let request = document["components"]["schemas"]["ActionRequest"]["properties"].as_object().expect("properties");
    assert_eq!(request.keys().collect::<Vec<_>>(), ["action", "reason", "targets"]);
    let (status, _) = act(r#"{"action":"drain","why":"x","targets":[]}"#).await;
    assert_eq!(status, 422);
    // A reason is taken as long as the document says, and no longer.
    let most = request["reason"]["maxLength"].as_u64().expect("a bound");
    let most = usize::try_from(most).expect("a length");
    let with = |length: usize| {
        let reason = "x".repeat(length);
        format!(r#"{{"action":"drain","targets":[{{"backend":"be_http","server":"s1"}}],"reason":"{reason}"}}"#)
    };
    assert_eq!((act(&with(most)).await.0, act(&with(most + 1)).await.0), (200, 422));
}
