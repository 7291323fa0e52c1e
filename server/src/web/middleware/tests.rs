//! The whole stack around routes of its own: what is logged, what is counted, and what a panic comes to.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    http::{Request, StatusCode, header::CONTENT_TYPE},
    routing::{MethodRouter, get},
};
use futures::{StreamExt as _, stream};
use tower::ServiceExt as _;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt;

use super::*;
use crate::{
    auth::testing::setup,
    db::Database,
    metrics::TextFormat,
    web::{
        router,
        router::{layered, table},
        tests::state_of,
    },
};

/// A route that everybody reaches, with another handler.
const OPEN: &str = "/healthz";

async fn state() -> AppState {
    state_of(Database::in_memory(crate::schema::MIGRATIONS).expect("memory"), setup()).await
}

/// The stack around one route.
fn around(state: &AppState, handler: MethodRouter<AppState>) -> Router {
    layered(Router::new().route(OPEN, handler), AppState { routes: table(), ..state.clone() })
}

/// Asks; `head` is a method and a path. The status, the content type and the body, or why that is not whole.
async fn ask(router: Router, head: &str) -> (u16, String, Result<Bytes, axum::Error>) {
    let (method, path) = head.split_once(' ').expect("a method and a path");
    let request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    let request = request.header("origin", "http://localhost:8080").body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().expect("ascii").to_owned());
    (response.status().as_u16(), kind.unwrap_or_default(), to_bytes(response.into_body(), usize::MAX).await)
}

/// The figures that begin with that.
fn figures(state: &AppState, start: &str) -> Vec<String> {
    let all = state.metrics.encode(TextFormat::Prometheus);
    let mut out: Vec<String> = all.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect();
    out.sort();
    out
}

/// What this thread logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let lines = fmt().with_max_level(tracing::Level::TRACE).without_time().with_target(false).with_ansi(false);
        (log, tracing::subscriber::set_default(lines.with_writer(move || writer.clone()).finish()))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }

    /// The lines about requests.
    fn lines(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains("request{"));
        lines.map(|line| line.trim().to_owned()).collect()
    }
}

/// A line without its milliseconds.
fn without_time(line: &str) -> String {
    line.split(' ').filter(|word| !word.starts_with("milliseconds=")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_request_is_one_line_in_the_log() {
    let state = state().await;
    let (log, _guard) = Log::start();
    for (head, status) in [
        ("GET /healthz", 200),
        ("HEAD /healthz", 200),
        ("GET /w/slw_secret", 404),
        ("GET /slt_secret", 404),
        ("BREW /healthz", 405),
        ("GET /pkg/slt_secret.js", 404),
    ] {
        assert_eq!(ask(router(state.clone()), head).await.0, status, "{head}");
    }
    let lines: Vec<String> =
        log.lines().iter().filter(|line| line.contains(": answered ")).map(|l| without_time(l)).collect();
    let who = " who=\"somebody on this machine\"";
    let expected = [
        format!("DEBUG request{{method=\"GET\" route=\"/healthz\"}}: answered status=200{who}"),
        format!("DEBUG request{{method=\"HEAD\" route=\"/healthz\"}}: answered status=200{who}"),
        format!("DEBUG request{{method=\"GET\" route=\"/w/{{token}}\"}}: answered status=404{who}"),
        format!("DEBUG request{{method=\"GET\" route=\"elsewhere\"}}: answered status=404{who}"),
        "DEBUG request{method=\"other\" route=\"/healthz\"}: answered status=405".to_owned(),
        "DEBUG request{method=\"GET\" route=\"assets\"}: answered status=404".to_owned(),
    ];
    assert_eq!(lines, expected);
    for path in
        ["/w/slw_secret/", "/w/slw_secret/x", "/api/v1/slt_secret", "/nowhere?token=slt_secret", "/stats/slt_secret"]
    {
        assert_eq!(ask(router(state.clone()), &format!("GET {path}")).await.0, 404, "{path}");
    }
    let text = log.text();
    assert!(text.contains("elsewhere") && !text.contains("secret"), "{text}");
    let entries = crate::auth::testing::audit_lines(&state.database).await;
    assert!(entries.iter().all(|line| !line.contains("secret")), "{entries:?}");
}

#[tokio::test]
async fn every_request_is_counted_by_route_method_and_status() {
    let state = state().await;
    for head in [
        "GET /healthz",
        "GET /healthz",
        "HEAD /healthz",
        "POST /healthz",
        "BREW /healthz",
        "STEEP /healthz",
        "GET /w/slw_secret",
        "GET /nowhere",
        "GET /elsewhere/still",
        "GET /pkg/a.js",
        "GET /pkg/b.js",
    ] {
        ask(router(state.clone()), head).await.2.expect("whole");
    }
    assert_eq!(
        figures(&state, "sluice_http_requests_total"),
        [
            r#"sluice_http_requests_total{route="/healthz",method="GET",status="200"} 2"#,
            r#"sluice_http_requests_total{route="/healthz",method="HEAD",status="200"} 1"#,
            r#"sluice_http_requests_total{route="/healthz",method="POST",status="405"} 1"#,
            r#"sluice_http_requests_total{route="/healthz",method="other",status="405"} 2"#,
            r#"sluice_http_requests_total{route="/w/{token}",method="GET",status="404"} 1"#,
            r#"sluice_http_requests_total{route="assets",method="GET",status="404"} 2"#,
            r#"sluice_http_requests_total{route="elsewhere",method="GET",status="404"} 2"#,
        ]
    );
    assert_eq!(
        figures(&state, "sluice_http_request_duration_seconds_count{route=\"/healthz\""),
        [
            r#"sluice_http_request_duration_seconds_count{route="/healthz",method="GET"} 2"#,
            r#"sluice_http_request_duration_seconds_count{route="/healthz",method="HEAD"} 1"#,
            r#"sluice_http_request_duration_seconds_count{route="/healthz",method="POST"} 1"#,
            r#"sluice_http_request_duration_seconds_count{route="/healthz",method="other"} 2"#,
        ]
    );
}

#[tokio::test]
async fn a_panic_is_answered_as_a_problem_logged_and_counted() {
    let state = state().await;
    let (log, _guard) = Log::start();
    let handler = get(|| async {
        if true {
            panic!("not {}", "today")
        }
    });
    let (status, kind, body) = ask(around(&state, handler), "GET /healthz").await;
    assert_eq!((status, kind.as_str()), (500, "application/problem+json"));
    let body = String::from_utf8(body.expect("whole").to_vec()).expect("text");
    assert!(body.contains("Sluice could not answer") && !body.contains("today"), "{body}");
    assert_eq!(figures(&state, "sluice_http_panics_total"), ["sluice_http_panics_total 1"]);
    assert_eq!(
        figures(&state, "sluice_http_requests_total"),
        [r#"sluice_http_requests_total{route="/healthz",method="GET",status="500"} 1"#]
    );
    let errors: Vec<String> = log.lines().into_iter().filter(|line| line.starts_with("ERROR")).collect();
    assert!(matches!(errors.as_slice(), [one] if one.contains("a handler panicked: not today")), "{errors:?}");
}

#[tokio::test]
async fn a_body_that_panics_is_cut_short_logged_and_counted() {
    let state = state().await;
    let (log, _guard) = Log::start();
    let handler = get(|| async {
        Body::from_stream(
            stream::iter(0..3).map(|n| if n < 2 { Ok::<_, io::Error>("part ") } else { panic!("at {n}") }),
        )
    });
    let (status, _, body) = ask(around(&state, handler), "GET /healthz").await;
    assert_eq!(status, 200);
    assert_eq!(body.expect_err("not whole").to_string(), "panicked: at 2");
    assert_eq!(figures(&state, "sluice_http_panics_total"), ["sluice_http_panics_total 1"]);
    let is_logged = |log: &Log| String::from_utf8_lossy(&log.0.lock().expect("no panic")).contains("at 2");
    assert!(is_logged(&log));
}

#[tokio::test]
async fn a_request_whose_client_goes_away_is_logged_and_counted() {
    let state = state().await;
    let (log, _guard) = Log::start();
    let handler = get(std::future::pending::<Json<()>>);
    let asking =
        tokio::time::timeout(std::time::Duration::from_millis(50), ask(around(&state, handler), "GET /healthz"));
    assert!(asking.await.is_err());
    assert_eq!(
        figures(&state, "sluice_http_requests_total"),
        [r#"sluice_http_requests_total{route="/healthz",method="GET",status="499"} 1"#]
    );
    let lines: Vec<String> = log.lines().iter().map(|line| without_time(line)).collect();
    assert_eq!(lines, [r#"DEBUG request{method="GET" route="/healthz"}: the client went away status=499"#]);
}

#[tokio::test]
async fn an_answer_that_is_whole_keeps_its_length() {
    let state = state().await;
    let request = Request::get(OPEN).header("host", "localhost").body(Body::empty()).expect("a request");
    let answer = around(&state, get(|| async { "four" })).oneshot(request).await.expect("an answer");
    assert_eq!(
        (answer.status(), &answer.headers()["content-length"]),
        (StatusCode::OK, &"4".parse().expect("a value"))
    );
}
