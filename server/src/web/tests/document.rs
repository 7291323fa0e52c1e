//! That `openapi.json` and the program say the same.

use std::collections::BTreeSet;

use super::*;
use crate::{auth::IdentityProviders, web::account::page::tests as account};

fn document() -> Value {
    serde_json::from_str(&openapi::document()).expect("JSON")
}

#[tokio::test]
async fn every_route_is_in_the_document_and_the_other_way_round() {
    let document = document();
    let described: BTreeSet<String> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    let routed: BTreeSet<String> = documented().iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(described, routed);
    for path in routed {
        let (_, headers, _) = ask(&format!("TRACE {path} origin=http://localhost:8080"), Body::empty()).await;
        let allowed = headers[ALLOW].to_str().expect("ascii").to_ascii_lowercase();
        let allowed: BTreeSet<&str> = allowed.split(',').filter(|method| *method != "head").collect();
        let described = document["paths"][&path].as_object().expect("methods");
        assert_eq!(allowed, described.keys().map(String::as_str).collect(), "{path}");
    }
}

/// Fails unless `value` has exactly the properties that the schema names, all the way down.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').expect("a reference into the document");
        return check(document, document.pointer(pointer).expect("a schema"), value, at);
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let fits = |form: &&Value| form["type"] != "null" && !value.is_null();
        return match forms.iter().find(fits) {
            Some(form) => check(document, form, value, at),
            None => assert!(value.is_null(), "{at}"),
        };
    }
    match value {
        Value::Object(object) => {
            if let Some(each) = schema.get("additionalProperties") {
                return object.iter().for_each(|(name, value)| check(document, each, value, &format!("{at}.{name}")));
            }
            let named: BTreeSet<&String> = schema["properties"].as_object().expect(at).keys().collect();
            assert_eq!(object.keys().collect::<BTreeSet<_>>(), named, "{at}");
            for (name, value) in object {
                check(document, &schema["properties"][name], value, &format!("{at}.{name}"));
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
    let responses = &document["paths"][path][method]["responses"];
    let response = if kind == "application/json" { &responses["200"] } else { &responses["4XX"] };
    &response["content"][kind]["schema"]
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
    let made = ask("POST /api/v1/tokens", r#"{"scope":"read","expires":"1d","note":"x"}"#).await;
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
}
