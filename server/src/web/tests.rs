//! The whole router over a hub that was told of one live node and one that never answered.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, Request, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
        },
    },
};
use haproxy::{Info, StatTable};
use model::{
    change::Change,
    event::{Event, EventKind},
    fleet::{Level, Link, Node, NodeStats},
    row::{Row, RowKind},
};
use serde_json::Value;
use testkit::recordings::NEWEST;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::*;
use crate::{
    auth::{Auth, AuthConfig, testing},
    clock::unix_ms,
    db::Database,
    hub::{Hub, ProxyUpdate, Replies, Update},
    metrics::Metrics,
    operations::Operations,
};

use self::audit_log::recorded;

mod audit_log;
mod document;
mod export;
mod fuzz;
pub(super) mod header;
mod injection;
mod reach;
mod rebinding;
mod tampering;
mod theft;
mod unwritable;

const STAT: &[u8] = NEWEST.stat;
const INFO: &[u8] = NEWEST.info;

/// A proxy that the node `lb1` has, with one server.
const PROXY: &str = "be_http";

async fn state() -> AppState {
    state_of(Database::in_memory(crate::schema::MIGRATIONS).expect("memory"), testing::setup()).await
}

/// The state of a program that keeps its accounts there.
pub(super) async fn state_of(database: Database, setup: AuthConfig) -> AppState {
    let shutdown = CancellationToken::new();
    let metrics = Arc::new(Metrics::new());
    let node = |name: &str| Node { name: name.to_owned(), cluster: "edge".to_owned(), ..Node::default() };
    let nodes = vec![node("lb1"), Node { error: "nobody listens".to_owned(), ..node("lb2") }];
    let build: Arc<str> = "test-build".into();
    let hub = Hub::spawn(nodes, build.clone(), metrics.clone(), &TaskTracker::new(), shutdown.clone());
    let rows = vec![Row::new(RowKind::Server, "s1")];
    let polled = unix_ms() - 100;
    let told = hub.update(Update {
        place: 0,
        node: Node {
            link: Link::Live,
            version: "3.2.26".to_owned(),
            pid: 7,
            started: unix_ms() / 1_000 - 60,
            level: Level::Admin,
            stats: NodeStats { polled, ..NodeStats::default() },
            ..node("lb1")
        },
        replies: Some(Arc::new(Replies {
            info: Info::parse(INFO).expect("a reply"),
            stat: StatTable::parse(Bytes::from_static(STAT)).expect("a reply"),
            polled,
        })),
        proxies: vec![ProxyUpdate {
            proxy: PROXY.to_owned(),
            rows: Some((Arc::new(rows.clone()), Change::Rows(rows))),
        }],
        events: vec![Event::of(&node("lb1"), EventKind::Link, polled)],
        lost: None,
    });
    assert!(told.await);
    hub.wait_for(|world| !world.proxies.is_empty()).await.expect("a hub");
    let auth = Auth::start(database.clone(), setup).expect("access");
    let operations = Operations::new(hub.clone(), BTreeMap::new(), auth.clone(), metrics.clone());
    AppState::new(hub, operations, database, auth, metrics, build, shutdown)
}

/// A program that serves on a real port.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) state: AppState,
    pub(super) shutdown: CancellationToken,
    pub(super) served: JoinHandle<io::Result<()>>,
}

/// Starts one.
pub(super) async fn running() -> Running {
    running_with(state().await).await
}

/// Starts one with that state.
pub(super) async fn running_with(state: AppState) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(run(listener, state.clone()));
    Running { address, shutdown: state.shutdown.clone(), state, served }
}

/// Asks the router; `head` is a method, a path, and headers as `name=value`.
async fn ask(head: &str, body: impl Into<Body>) -> (StatusCode, HeaderMap, Bytes) {
    let mut words = head.split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    for (name, value) in words.map(|word| word.split_once('=').expect("a header")) {
        request = request.header(name, value);
    }
    let request = request.body(body.into()).expect("a request");
    let response = router(state().await).oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.expect("a body"))
}

async fn get_json(path: &str) -> Value {
    let (status, headers, body) = ask(&format!("GET {path}"), Body::empty()).await;
    assert_eq!((status, &headers[CONTENT_TYPE]), (StatusCode::OK, &"application/json".parse().expect("a value")));
    serde_json::from_slice(&body).expect("JSON")
}

async fn act(body: &str) -> (u16, Value) {
    let (status, _, body) = ask("POST /api/v1/actions content-type=application/json", body.to_owned()).await;
    (status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn nodes_say_how_well_they_answer() {
    let got = get_json("/api/v1/nodes").await;
    let [live, down] = [&got["nodes"][0], &got["nodes"][1]];
    assert_eq!((&live["name"], &live["link"], &live["level"]), (&"lb1".into(), &"live".into(), &"admin".into()));
    assert!(live["age_ms"].as_u64().is_some_and(|age| (100..10_000).contains(&age)), "{live}");
    assert!(live["uptime_sec"].as_u64().is_some_and(|up| (60..70).contains(&up)), "{live}");
    assert_eq!((&down["link"], &down["error"]), (&"down".into(), &"nobody listens".into()));
    assert_eq!((&down["age_ms"], &down["pid"], &down["level"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[tokio::test]
async fn stats_and_info_are_filtered_and_an_unknown_name_is_not_found() {
    let all = get_json("/api/v1/stats?node=&proxy=").await;
    let lines = STAT.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!(all["nodes"][0]["rows"].as_array().map(|rows| rows.len() + 1), Some(lines));
    assert_eq!(all["nodes"][1], serde_json::json!({"name": "lb2", "age_ms": null, "rows": []}));
    assert_eq!(get_json("/api/v1/stats?node=lb1").await["nodes"].as_array().map(Vec::len), Some(1));
    let one = get_json(&format!("/api/v1/stats?node=lb1&proxy={PROXY}")).await;
    let rows = one["nodes"][0]["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["pxname"] == PROXY));
    let info = get_json("/api/v1/info").await;
    assert_eq!(info["nodes"][0]["info"]["Name"], "HAProxy");
    assert!(info["nodes"][0]["info"]["Pid"].is_u64());
    assert_eq!(info["nodes"][1]["info"], serde_json::json!({}));
    for (path, title) in [
        ("/api/v1/stats?node=lb9", "There is no node \"lb9\""),
        ("/api/v1/stats?proxy=nope", "There is no proxy \"nope\""),
        ("/api/v1/stats?node=lb2&proxy=be_http", "There is no proxy \"be_http\""),
        ("/api/v1/info?node=lb9", "There is no node \"lb9\""),
        ("/api/v1/events?node=lb9", "There is no node \"lb9\""),
        ("/api/v1/nope", "There is nothing at /api/v1/nope"),
        ("/nope", "There is nothing at /nope"),
    ] {
        let (status, headers, body) = ask(&format!("GET {path}"), Body::empty()).await;
        let problem: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!((&problem["title"], &problem["status"]), (&title.into(), &404.into()));
    }
    for path in [
        "stats?nodes=lb1",
        "events?nodes=lb1",
        "events?kind=LINK",
        "events?since=today",
        "events?since=253402300800000",
        "events?limit=-1",
        "events?limit=1000001",
    ] {
        let (status, headers, _) = ask(&format!("GET /api/v1/{path}"), Body::empty()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn an_action_is_answered_per_target() {
    let (status, got) = act(r#"{"action":"drain","targets":[{"backend":"be_http","server":"s1"}],"reason":"x"}"#).await;
    assert_eq!(status, 200, "{got}");
    let outcome = &got["outcomes"][0];
    assert_eq!((&outcome["node"], &outcome["outcome"]), (&"lb1".into(), &"unreachable".into()));
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_as_a_problem() {
    let target = r#"{"backend":"be_http","server":"s1"}"#;
    for (body, expected) in [
        (format!(r#"{{"action":"drian","targets":[{target}]}}"#), 422),
        (r#"{"action":"drain","targets":[{"backend":"be_http","server":"s9"}]}"#.to_owned(), 404),
        (r#"{"action":"drain","targets":[]}"#.to_owned(), 400),
        (r#"{"action":"drain","targets":[{"backend":"be_http","server":"s1","nod":"x"}]}"#.to_owned(), 422),
        ("{".to_owned(), 400),
        (String::new(), 400),
        (" ".repeat(1024 * 1024 + 1), 413),
    ] {
        let (status, problem) = act(&body).await;
        assert_eq!(status, expected, "{problem}");
        assert_eq!(problem["status"], expected);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
    let (status, _, _) = ask("POST /api/v1/actions content-type=text/plain", "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_wrong_method_is_told_with_what_is_allowed() {
    let (status, headers, body) = ask("DELETE /api/v1/actions", Body::empty()).await;
    assert_eq!((status, &headers[ALLOW]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().expect("a value")));
    assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
    assert!(String::from_utf8_lossy(&body).contains("does not take DELETE"));
}

#[tokio::test]
async fn strangers_are_refused_on_every_kind_of_route() {
    for (head, expected) in [
        ("POST /stats", 403),
        // It gets as far as the form itself, which misses its content type.
        ("POST /stats origin=http://localhost:8080", 415),
        ("POST /stats origin=http://evil.example", 403),
        ("POST /api/v1/actions origin=http://evil.example", 403),
        ("GET /ws origin=http://evil.example", 403),
        ("GET /healthz origin=http://evil.example", 200),
        ("GET /ws", 400),
    ] {
        let (status, headers, _) = ask(head, Body::empty()).await;
        assert_eq!(status.as_u16(), expected, "{head}");
        assert!(headers.contains_key(CONTENT_SECURITY_POLICY), "{head}");
    }
    let request = Request::get("/api/v1/nodes").header("host", "evil.example").body(Body::empty()).expect("a request");
    let answer = router(state().await).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(answer.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_supervisor_and_a_prometheus_get_their_answers() {
    let health = get_json("/healthz").await;
    assert_eq!(health, serde_json::json!({"status": "ok", "nodes_live": 1, "nodes_stale": 0, "nodes_down": 1}));
    let (status, headers, body) = ask("GET /metrics", Body::empty()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert!(body.starts_with(b"# HELP ") && !body.ends_with(b"# EOF\n"));
    let (_, headers, body) = ask("GET /metrics accept=application/openmetrics-text", Body::empty()).await;
    assert_eq!(headers[CONTENT_TYPE], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn large_answers_are_compressed() {
    for coding in ["br", "gzip"] {
        let (_, headers, body) = ask(&format!("GET /api/v1/stats accept-encoding={coding}"), Body::empty()).await;
        assert_eq!(headers[CONTENT_ENCODING], coding);
        assert!(body.len() < STAT.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_cut() {
    let (status, _, _) = ask(
        "POST /api/v1/actions content-type=application/json",
        Body::from_stream(futures::stream::pending::<io::Result<Bytes>>()),
    )
    .await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
}
