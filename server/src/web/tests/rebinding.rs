//! A page whose name its owner's DNS turned to our address: same-origin for the browser, a stranger for us.

use super::*;
use crate::{auth::Peer, web::middleware::authorize::tests::with_accounts};

/// As the browser of such a page sends it.
async fn ask(state: &AppState, method: &str, path: &str, host: &str, body: &'static str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).header("host", host);
    let request = request.header("origin", format!("http://{host}")).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let mut request = request.body(Body::from(body)).expect("a request");
    request.extensions_mut().insert(Peer { is_by_loopback: host.starts_with("localhost"), ..Peer::LOOPBACK });
    let response = router(state.clone()).oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn it_guesses_no_password() {
    let state = with_accounts().await;
    for path in ["/login", "/api/v1/login"] {
        let (status, told) = ask(&state, "POST", path, "evil.example:8080", "user=admin&password=guess").await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(told.contains("http://localhost"), "{told}");
    }
    assert_eq!(state.auth.verified_passwords(), 0);
    assert_eq!(
        ask(&state, "POST", "/login", "localhost:8080", "user=admin&password=guess").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(state.auth.verified_passwords(), 1);
}

#[tokio::test]
async fn it_learns_that_sluice_serves_and_no_more() {
    let nodes = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["nodes_live"].clone();
    let open = state().await;
    for (state, host, expected) in [
        (&open, "localhost:8080", Value::from(1)),
        (&open, "evil.example", Value::Null),
        (&open, "10.0.0.1:8080", Value::Null),
        (&with_accounts().await, "localhost:8080", Value::Null),
    ] {
        let (status, text) = ask(state, "GET", "/healthz", host, "").await;
        assert_eq!((status, nodes(&text)), (StatusCode::OK, expected), "{host}");
    }
    for path in ["/", "/stats", "/api/v1/nodes", "/metrics", "/ws", "/favicon.svg", "/login"] {
        assert_eq!(ask(&open, "GET", path, "evil.example", "").await.0, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
}
