//! The page's calls of Sluice's own API: the same paths that programs use.
//!
//! Bodies are read and written by the browser's own JSON: a second one would make the page a tenth larger.

use std::collections::HashSet;

use gloo_net::http::{Request, Response};
use js_sys::{Array, JSON, Object, Reflect, encode_uri_component};
use model::{
    action::Action,
    format::exact,
    outcome::{ActionResponse, Outcome, Target, TargetOutcome},
};
use wasm_bindgen::JsValue;

/// Has Sluice do `action` on `targets`, for a reason that may be empty.
///
/// # Errors
/// What to tell the operator when there are no outcomes, and whether anything may have been done.
pub(crate) async fn act(action: Action, targets: &HashSet<Target>, reason: &str) -> Result<ActionResponse, String> {
    let lost = "Sluice did not answer. It is not known whether anything was done: look at the servers.";
    let mut sorted: Vec<&Target> = targets.iter().collect();
    sorted.sort_unstable();
    let list: Array = sorted
        .into_iter()
        .map(|t| object(&[("node", &t.node), ("backend", &t.backend), ("server", &t.server)]))
        .collect();
    let body = object(&[("action", action.id())]);
    set(&body, "targets", &list);
    if !reason.is_empty() {
        set(&body, "reason", &JsValue::from_str(reason));
    }
    let text = JSON::stringify(&body).map(String::from).unwrap_or_default();
    let request = Request::post("/api/v1/actions").header("content-type", "application/json").body(text);
    let response = request.map_err(|_| lost)?.send().await.map_err(|_| lost)?;
    let answer = json(&response).await.ok_or(lost)?;
    if !response.ok() {
        let parts = ["title", "detail"].map(|name| string(&answer, name));
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
        let said = parts.join(". ");
        return Err(match response.status() {
            // What can't be recorded is not done.
            503 => format!("Nothing was done. {said}"),
            500.. => format!("{said}. It is not known whether anything was done: look at the servers."),
            _ => format!("Nothing was done. {said}"),
        });
    }
    let outcomes = Array::from(&get(&answer, "outcomes")).iter().map(|o| outcome(&o)).collect::<Option<_>>();
    let (operation, warning) = (string(&answer, "operation"), string(&answer, "warning"));
    Ok(ActionResponse { operation, outcomes: outcomes.ok_or(lost)?, warning })
}

fn outcome(value: &JsValue) -> Option<TargetOutcome> {
    let word = string(value, "outcome");
    Some(TargetOutcome {
        target: Target::new(&string(value, "node"), &string(value, "backend"), &string(value, "server")),
        outcome: Outcome::ALL.into_iter().find(|o| o.word() == word)?,
        message: string(value, "message"),
        before: string(value, "before"),
        after: string(value, "after"),
    })
}

/// Whether Sluice answers at all.
pub(crate) async fn answers() -> bool {
    Request::get("/healthz").send().await.is_ok()
}

/// Whether Sluice says that nobody is logged in here; false where it says nothing.
pub(crate) async fn is_signed_out() -> bool {
    Request::get("/api/v1/me").send().await.is_ok_and(|response| response.status() == 401)
}

/// Every column of one row in its node's last reply, by HAProxy's name, as it is written.
///
/// # Errors
/// What to tell the operator.
pub(crate) async fn columns(target: &Target) -> Result<Vec<(String, String)>, String> {
    let gone = "Sluice did not answer; the next try follows.";
    let (node, proxy) = (encode_uri_component(&target.node), encode_uri_component(&target.backend));
    let address = format!("/api/v1/stats?node={node}&proxy={proxy}");
    let response = Request::get(&address).send().await.map_err(|_| gone)?;
    let body = json(&response).await.filter(|_| response.ok()).ok_or(gone)?;
    let rows = Array::from(&get(&Array::from(&get(&body, "nodes")).get(0), "rows"));
    let row = rows.iter().find(|row| string(row, "svname") == target.server);
    let row = row.ok_or("HAProxy does not have this row any more.")?;
    let entries = Object::entries(&Object::from(row));
    Ok(entries.iter().map(|entry| Array::from(&entry)).map(|e| (written(&e.get(0)), written(&e.get(1)))).collect())
}

async fn json(response: &Response) -> Option<JsValue> {
    JSON::parse(&response.text().await.ok()?).ok()
}

fn written(value: &JsValue) -> String {
    match value.as_f64() {
        Some(n) if n >= 0.0 => exact(n as u64),
        _ => value.as_string().unwrap_or_else(|| String::from(js_sys::JsString::from(value.clone()))),
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn string(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_default()
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object can't fail.
    let _: Result<bool, _> = Reflect::set(object, &JsValue::from_str(name), value);
}

fn object(properties: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        set(&object, name, &JsValue::from_str(value));
    }
    object
}
