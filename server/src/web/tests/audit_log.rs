//! The audit log over HTTP: the call, the exports, the page, and what is not done without it.

use axum::response::Response;

use super::*;
use crate::{
    audit::{Entry, Kind, append, by_sluice},
    auth::Principal,
};

const NASTY: &str = "=1+1\"; DROP TABLE record; --\n</script><script>alert(1)</script>\u{1b}[31m";

/// A state with an operation in its audit log, its outcome, and an entry of nasty texts.
async fn with_entries() -> AppState {
    let state = state().await;
    let body = r#"{"action":"drain","targets":[{"node":"lb1","backend":"be_http","server":"s1"}],"reason":"a kernel"}"#;
    let (status, _, body) = send(&state, act_on(body)).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let nasty = Entry {
        who: NASTY.into(),
        role: NASTY.into(),
        means: NASTY.into(),
        address: NASTY.into(),
        action: NASTY.into(),
        operation: NASTY.into(),
        targets: serde_json::json!([NASTY]).to_string(),
        reason: NASTY.into(),
        detail: NASTY.into(),
        ..by_sluice(Kind::Account, "user.add")
    };
    let outcome = r#"[{"target":"x","outcome":"<b>","before":"<i>","after":"","message":"<script>"}]"#;
    state.audit.append(Entry { outcome: outcome.into(), ..nasty.clone() }).await.expect("written");
    state.audit.append(nasty).await.expect("written");
    state
}

fn act_on(body: &str) -> Request<Body> {
    let request =
        Request::post("/api/v1/actions").header("host", "localhost").header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).expect("a request")
}

fn get_of(path: &str) -> Request<Body> {
    Request::get(path).header("host", "localhost").body(Body::empty()).expect("a request")
}

async fn send(state: &AppState, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
    let response: Response = router(state.clone()).oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.expect("a body"))
}

/// The answer of a state with entries; `head` is a method and a path.
pub(super) async fn recorded(head: &str) -> (HeaderMap, Bytes) {
    let path = head.split_once(' ').expect("a path").1;
    let (status, headers, body) = send(&with_entries().await, get_of(path)).await;
    assert_eq!(status, StatusCode::OK, "{head}: {}", String::from_utf8_lossy(&body));
    (headers, body)
}

async fn entries(path: &str) -> Value {
    let (_, body) = recorded(&format!("GET {path}")).await;
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn an_operation_is_two_entries_that_say_everything() {
    let got = entries("/api/v1/audit?target=be_http").await;
    let [outcome, operation] = [&got["entries"][0], &got["entries"][1]];
    assert_eq!((&operation["kind"], &outcome["kind"]), (&"operation".into(), &"outcome".into()));
    assert_eq!(operation["operation"], outcome["operation"]);
    for (name, want) in [
        ("who", "somebody on this machine"),
        ("role", "admin"),
        ("means", "no accounts"),
        ("address", "127.0.0.1"),
        ("action", "drain"),
        ("reason", "a kernel"),
    ] {
        assert_eq!(operation[name], want);
    }
    assert_eq!(operation["targets"], serde_json::json!(["lb1/be_http/s1"]));
    let target = &outcome["outcomes"][0];
    assert_eq!((&target["target"], &target["outcome"]), (&"lb1/be_http/s1".into(), &"unreachable".into()));
    assert_eq!((&outcome["detail"], &got["next"]), (&"1 unreachable".into(), &Value::Null));
}

#[tokio::test]
async fn entries_are_filtered_and_paged_and_what_can_not_be_asked_is_told() {
    let first = entries("/api/v1/audit?limit=3&who=&kind=").await;
    assert_eq!((first["entries"].as_array().map(Vec::len), &first["next"]), (Some(3), &2.into()));
    let rest = entries("/api/v1/audit?limit=3&before=2").await;
    assert_eq!((&rest["entries"][0]["id"], &rest["next"]), (&1.into(), &Value::Null));
    assert_eq!(entries("/api/v1/audit?outcome=unreachable").await["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(entries("/api/v1/audit?to=2020-01-01").await["entries"], serde_json::json!([]));
    let state = state().await;
    for path in ["from=tomorrow", "kind=drain", "format=xml", "limit=-1", "before=x", "whom=a"] {
        let (status, headers, _) = send(&state, get_of(&format!("/api/v1/audit?{path}"))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn an_export_is_a_file_of_all_that_fits_oldest_first() {
    let (headers, body) = recorded("GET /api/v1/audit?format=csv").await;
    assert_eq!(headers[CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"sluice-audit.csv\"");
    let mut reader = csv::Reader::from_reader(&body[..]);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(rows.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    assert!(rows[3][3].starts_with("'=1+1\"; DROP TABLE record; -- </script>"), "{:?}", rows[3]);
    let (headers, body) = recorded("GET /api/v1/audit?format=jsonl&kind=operation").await;
    assert_eq!(headers[CONTENT_TYPE], "application/jsonl");
    let lines: Vec<Value> = body.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!((lines.len(), &lines[0]["reason"]), (1, &"a kernel".into()));
}

#[tokio::test]
async fn a_large_export_comes_in_pieces() {
    let state = state().await;
    let large = Entry { targets: "x".repeat(500_000), ..by_sluice(Kind::Account, "test") };
    let written = state.database.run(move |c| (0..20).try_for_each(|_| append(c, &large)));
    written.await.expect("written");
    let response = router(state).oneshot(get_of("/api/v1/audit?format=jsonl")).await.expect("an answer");
    let mut parts = response.into_body().into_data_stream();
    let (mut all, mut largest) = (0, 0);
    while let Some(part) = futures::StreamExt::next(&mut parts).await {
        let part = part.expect("a part");
        largest = largest.max(part.len());
        all += part.len();
    }
    assert!(all > 10_000_000 && largest < 2_500_000, "{all} {largest}");
}

#[tokio::test]
async fn the_page_shows_texts_as_texts() {
    let (headers, body) = recorded("GET /audit").await;
    assert!(headers[CONTENT_SECURITY_POLICY].to_str().is_ok_and(|policy| !policy.contains("script-src")));
    let html = String::from_utf8(body.to_vec()).expect("text");
    for markup in ["<script", "<i>", "\u{1b}"] {
        let around = html.find(markup).map(|at| html[..at].chars().rev().take(80).collect::<String>());
        assert_eq!(around.map(|a| a.chars().rev().collect::<String>()), None, "{markup}");
    }
    assert!(html.contains("DROP TABLE record; --") && html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("Times are in UTC.") && html.contains("a kernel") && html.contains("lb1/be_http/s1"));
    // A filter stays in the form, in the links, and is text there.
    let (_, body) = recorded("GET /audit?target=be_http&who=%22%3E%3Cscript%3E").await;
    let html = String::from_utf8(body.to_vec()).expect("text");
    assert!(!html.contains("\"><script") && html.contains("No entry fits the filter."), "{html}");
    assert!(html.contains("&amp;target=be_http&amp;format=csv"), "{html}");
    assert!(html.contains("value=\"be_http\""), "{html}");
    let (_, _, body) = send(&state().await, get_of("/audit")).await;
    assert!(String::from_utf8_lossy(&body).contains("Nothing was recorded yet."));
    let (status, _, body) = send(&state().await, get_of("/audit?from=tomorrow")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("`from` is no time"));
}

#[tokio::test]
async fn a_denial_is_recorded_with_who_and_what() {
    let state = state().await;
    let body = r#"{"action":"maint","targets":[{"node":"lb9","backend":"be_http","server":"s1"}],"reason":"because"}"#;
    assert_eq!(send(&state, act_on(body)).await.0, StatusCode::NOT_FOUND);
    let (_, _, body) = send(&state, get_of("/api/v1/audit")).await;
    let got: Value = serde_json::from_slice(&body).expect("JSON");
    let entry = &got["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["action"], &entry["outcome"]),
        (&"refusal".into(), &"maint".into(), &"unknown".into())
    );
    assert_eq!((&entry["targets"][0], &entry["reason"]), (&"lb9/be_http/s1".into(), &"because".into()));
    assert_eq!(entry["detail"], "there is no node \"lb9\"");
}

#[tokio::test]
async fn a_reason_is_asked_for_where_the_configuration_says_so_and_bounded_everywhere() {
    let mut state = state().await;
    let target = r#""targets":[{"node":"lb1","backend":"be_http","server":"s1"}]"#;
    let with = |reason: &str| format!(r#"{{"action":"ready",{target},"reason":"{reason}"}}"#);
    let (status, _, body) = send(&state, act_on(&with(&"x".repeat(501)))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(String::from_utf8_lossy(&body).contains("The reason has 501 characters, 500 are the most"));
    assert_eq!(send(&state, act_on(&format!(r#"{{"action":"ready",{target}}}"#))).await.0, StatusCode::OK);
    state.operations = state.operations.clone().with_reasons(true);
    assert!(state.who(&Principal::command_line("anna")).needs_reason);
    for body in [format!(r#"{{"action":"ready",{target}}}"#), with(""), with(" \\n\\t ")] {
        let (status, _, body) = send(&state, act_on(&body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(String::from_utf8_lossy(&body).contains("An action needs a reason here: say why"));
    }
    assert_eq!(send(&state, act_on(&with("a kernel"))).await.0, StatusCode::OK);
    // The form asks for it.
    let form = |fields: &str| {
        let request = Request::post("/stats").header("host", "localhost").header("origin", "http://localhost");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(format!("do=ready&s=lb1%2Fbe_http%2Fs1{fields}"))).expect("a request")
    };
    let post = |state: AppState, request: Request<Body>| async move {
        let response = router(state).oneshot(request).await.expect("an answer");
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
    };
    let (status, body) = post(state.clone(), form("")).await;
    assert_eq!(status, StatusCode::OK);
    let question = String::from_utf8_lossy(&body);
    assert!(question.contains("name=\"reason\"") && !question.contains("Back to the servers"), "{question}");
    assert_eq!(post(state.clone(), form("&reason=a+kernel")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn too_many_actions_are_told_to_wait_and_recorded_once() {
    let state = state().await;
    let body = r#"{"action":"ready","targets":[{"node":"lb1","backend":"be_http","server":"s1"}]}"#;
    let mut waiting = 0;
    for _ in 0..160 {
        let (status, headers, _) = send(&state, act_on(body)).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            assert!(headers["retry-after"].to_str().is_ok_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)));
            waiting += 1;
        }
    }
    assert!(waiting > 0, "160 in a moment");
    let (_, _, body) = send(&state, get_of("/api/v1/audit?kind=refusal")).await;
    let got: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(got["entries"].as_array().map(Vec::len), Some(1), "{got}");
    assert_eq!(got["entries"][0]["outcome"], "rate");
}

#[tokio::test]
async fn without_an_audit_log_nothing_is_done_and_the_reason_is_told() {
    let state = state().await;
    let body = r#"{"action":"ready","targets":[{"node":"lb1","backend":"be_http","server":"s1"}]}"#;
    state.database.run(|c| c.pragma_update(None, "query_only", true)).await.expect("set");
    let (status, _, answer) = send(&state, act_on(body)).await;
    let problem: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["title"].as_str().is_some_and(|t| t.starts_with("The audit log can't be written")), "{problem}");
    assert_eq!(problem["detail"], "Nothing was sent to HAProxy.");
    state.database.run(|c| c.pragma_update(None, "query_only", false)).await.expect("set");
    assert_eq!(send(&state, act_on(body)).await.0, StatusCode::OK);
}
