//! Every route against everybody, and the list against what can be reached.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Method, Request as Asked},
};
use model::{
    rights::{Rights, Role},
    topic::TopicId,
};
use tower::ServiceExt as _;

mod revoked;

use super::*;
use crate::{
    auth::{
        Auth, AuthMethod, LogInAttempt, Password, Secret,
        authn::{
            credentials::{SESSION_COOKIE, WALL_COOKIE},
            tokens::{self, NewToken, Scope},
            wall_links::{self, NewWallLink},
        },
        authz::policy::{Permission, may_subscribe},
        testing,
    },
    clock::now,
    db::Database,
    web::{route::Route, router, tests::state_of},
};

/// Who asks, in the order of the expected answers: nobody, a session that ended, one of each role, a wall link, an admin's
/// token to read and one to act.
pub(in crate::web) const PRINCIPALS: [&str; 8] =
    ["nobody", "ended", "viewer", "operator", "admin", "wall", "read", "act"];

/// The place of the last of the expected answers: to an admin whose session ends between head and body.
const REVOKED: usize = PRINCIPALS.len();

/// In milliseconds.
const DAY: i64 = 86_400_000;

/// What each of [`PRINCIPALS`] is answered, and with what body. 303 is the way to the log-in page, or on from it.
const EXPECTED: &[(&str, &str, [u16; 9])] = &[
    ("GET /", "", [303, 303, 302, 302, 302, 403, 302, 302, 302]),
    ("GET /stats", "", [303, 303, 200, 200, 200, 403, 200, 200, 200]),
    ("POST /stats", "do=drain&s=lb1/be_http/s1", [303, 303, 403, 200, 200, 403, 403, 200, 303]),
    ("GET /events", "", [303, 303, 200, 200, 200, 403, 200, 200, 200]),
    ("GET /wall", "", [303, 303, 200, 200, 200, 200, 200, 200, 200]),
    ("GET /login", "", [200, 200, 303, 303, 303, 200, 303, 303, 303]),
    ("POST /login", "user=viewer&password=nope", [401, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("POST /logout", "", [303, 303, 303, 303, 303, 303, 303, 303, 303]),
    ("POST /api/v1/login", r#"{"user":"x","password":"y"}"#, [401, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("POST /api/v1/logout", "", [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET /api/v1/me", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
    ("GET /api/v1/nodes", "", [401, 401, 200, 200, 200, 403, 200, 200, 200]),
    ("GET /api/v1/stats", "", [401, 401, 200, 200, 200, 403, 200, 200, 200]),
    ("GET /api/v1/info", "", [401, 401, 200, 200, 200, 403, 200, 200, 200]),
    ("GET /api/v1/events", "", [401, 401, 200, 200, 200, 403, 200, 200, 200]),
    (
        "POST /api/v1/actions",
        r#"{"action":"drain","targets":[{"backend":"be_http","server":"s1"}]}"#,
        [401, 401, 403, 200, 200, 403, 403, 200, 401],
    ),
    ("GET /api/v1/openapi.json", "", [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    // No handshake was asked for: who gets so far would get the stream.
    ("GET /ws", "", [401, 401, 400, 400, 400, 400, 400, 400, 400]),
    ("GET /healthz", "", [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET /metrics", "", [401, 401, 200, 200, 200, 403, 200, 200, 200]),
    ("GET /pkg/{*path}", "", [404, 404, 404, 404, 404, 404, 404, 404, 404]),
    // Without a provider they lead to the log-in page.
    ("GET /login/oidc", "", [303, 303, 303, 303, 303, 303, 303, 303, 303]),
    ("GET /login/oidc/callback", "", [303, 303, 303, 303, 303, 303, 303, 303, 303]),
    ("GET /w/{token}", "", [404, 404, 404, 404, 404, 404, 404, 404, 404]),
    ("GET /account", "", [303, 303, 200, 200, 200, 403, 403, 403, 200]),
    ("POST /account/password", "current=x&new=a&again=b", [303, 303, 400, 400, 400, 403, 403, 403, 303]),
    ("POST /account/sessions/end", "id=x", [303, 303, 404, 404, 404, 403, 403, 403, 303]),
    (
        "POST /account/tokens/add",
        "scope=act&expires=1d&own_password=correct+horse+battery",
        [303, 303, 403, 200, 200, 403, 403, 403, 303],
    ),
    ("POST /account/tokens/end", "id=x", [303, 303, 404, 404, 404, 403, 403, 403, 303]),
    ("GET /admin", "", [303, 303, 403, 403, 200, 403, 403, 403, 200]),
    ("POST /admin/users/add", "user=x&role=admin&password=short", [303, 303, 403, 403, 400, 403, 403, 403, 303]),
    ("POST /admin/users/role", "user=nobody&role=viewer", [303, 303, 403, 403, 400, 403, 403, 403, 303]),
    ("POST /admin/users/groups", "user=nobody&groups=a,b", [303, 303, 403, 403, 400, 403, 403, 403, 303]),
    ("POST /admin/users/remove", "user=nobody", [303, 303, 403, 403, 400, 403, 403, 403, 303]),
    ("POST /admin/sessions/end", "id=x", [303, 303, 403, 403, 404, 403, 403, 403, 303]),
    ("POST /admin/sessions/end-all", "user=nobody", [303, 303, 403, 403, 303, 403, 403, 403, 303]),
    ("POST /admin/tokens/end", "id=x", [303, 303, 403, 403, 404, 403, 403, 403, 303]),
    (
        "POST /admin/walls/add",
        "name=x&cluster=edge&expires=1d&own_password=correct+horse+battery",
        [303, 303, 403, 403, 200, 403, 403, 403, 303],
    ),
    ("POST /admin/walls/end", "id=x", [303, 303, 403, 403, 404, 403, 403, 403, 303]),
    ("GET /api/v1/sessions", "", [401, 401, 200, 200, 200, 403, 403, 403, 200]),
    ("DELETE /api/v1/sessions", "", [401, 401, 400, 400, 400, 403, 403, 403, 401]),
    ("GET /api/v1/tokens", "", [401, 401, 200, 200, 200, 403, 403, 403, 200]),
    (
        "POST /api/v1/tokens",
        r#"{"scope":"act","expires":"1d","password":"correct horse battery"}"#,
        [401, 401, 403, 200, 200, 403, 403, 403, 401],
    ),
    ("DELETE /api/v1/tokens", "", [401, 401, 400, 400, 400, 403, 403, 403, 401]),
    ("GET /audit", "", [303, 303, 403, 403, 200, 403, 403, 200, 200]),
    ("GET /api/v1/audit", "", [401, 401, 403, 403, 200, 403, 403, 200, 200]),
];

async fn log_in(auth: &Auth, user: &str) -> Secret {
    let attempt = LogInAttempt {
        user: user.to_owned(),
        password: Password::new(testing::PASSWORD.to_owned()),
        device: None,
        session: None,
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    auth.log_in(attempt).await.expect("in").session_secret
}

pub(in crate::web) async fn with_accounts() -> AppState {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    for role in Role::ALL {
        testing::add(&database, role.word(), role).await;
    }
    state_of(database, testing::setup()).await
}

/// The header that shows who `who` is: each has a session, link or token of its own.
pub(in crate::web) async fn shown(state: &AppState, who: &str) -> Option<(HeaderName, String)> {
    let token = match who {
        "nobody" => return None,
        "ended" => {
            let token = log_in(&state.auth, "admin").await;
            let cookie = format!("{SESSION_COOKIE}={}", token.reveal());
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().expect("a value"));
            let principal = state.auth.identify(&headers, Peer::LOOPBACK).await.expect("answered").expect("admin");
            state.auth.log_out(&principal, false).await.expect("ended");
            return Some((header::COOKIE, cookie));
        }
        "wall" => {
            let new = NewWallLink { name: "noc".to_owned(), clusters: vec!["edge".to_owned()], expires: now() + DAY };
            let made =
                state.database.transact(move |c| wall_links::add(c, &new, &Principal::command_line("test"), now()));
            let (_, path) = made.await.expect("called").expect("a link");
            let secret = path.strip_prefix("/w/").expect("a path").to_owned();
            return Some((header::COOKIE, format!("{WALL_COOKIE}={secret}")));
        }
        "read" | "act" => {
            let (user, note) = ("admin".parse().expect("a name"), String::new());
            let scope = if who == "read" { Scope::Read } else { Scope::Act };
            let new = NewToken { user, scope, note, expires: now() + DAY };
            let made = state.database.transact(move |c| tokens::add(c, &new, &Principal::command_line("test"), now()));
            let (_, secret) = made.await.expect("called").expect("a token");
            return Some((header::AUTHORIZATION, format!("Bearer {secret}")));
        }
        role => log_in(&state.auth, role).await,
    };
    Some((header::COOKIE, format!("{SESSION_COOKIE}={}", token.reveal())))
}

/// A request for a route of the list.
fn asked(head: &str, body: Body, is_json: bool, shown: Option<(HeaderName, String)>) -> Request {
    let (method, path) = head.split_once(' ').expect("a method and a path");
    let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut request =
        Asked::builder().method(method).uri(path.replace("{*path}", "nope.js").replace("{token}", "nope"));
    request = request.header("host", "localhost:8080").header("origin", "http://localhost:8080");
    request = request.header("content-type", kind).header("accept", "text/html, */*");
    if let Some((name, value)) = shown {
        request = request.header(name, value);
    }
    let mut request = request.body(body).expect("a request");
    let address: IpAddr = "10.0.0.1".parse().expect("an address");
    request.extensions_mut().insert(Peer { address, ..Peer::LOOPBACK });
    request
}

pub(in crate::web) async fn ask(
    state: &AppState,
    head: &str,
    body: &str,
    shown: Option<(HeaderName, String)>,
) -> Response {
    let request = asked(head, Body::from(body.to_owned()), body.starts_with('{'), shown);
    router(state.clone()).oneshot(request).await.expect("an answer")
}

/// The routes that are expected to answer: all, and of the site's own files those that every site has.
pub(in crate::web) fn heads() -> BTreeSet<String> {
    let table = router::table();
    let is_fixed = |route: &&Route| route.audience != Audience::Asset || route.path.contains('{');
    table.iter().filter(is_fixed).map(|route| format!("{} {}", route.method, route.path)).collect()
}

#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    let expected = EXPECTED.iter().map(|(head, _, _)| *head).map(str::to_owned);
    assert_eq!(heads(), expected.collect(), "a route of the list is not expected, or one that is expected is missing");
    let state = with_accounts().await;
    for (place, who) in PRINCIPALS.into_iter().enumerate() {
        for (head, body, expected) in EXPECTED {
            // Log-outs end their session; failed log-ins make others wait; an account has so many tokens and no more.
            let is_apart = head.contains("login") || matches!(who, "read" | "act");
            let state = if is_apart { with_accounts().await } else { state.clone() };
            let shown = shown(&state, who).await;
            let response = ask(&state, head, body, shown).await;
            let (status, headers) = (response.status().as_u16(), response.headers());
            assert_eq!(status, expected[place], "{head} by {who}: {headers:?}");
            match status {
                401 if !head.contains("login") => assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer", "{head}"),
                303 if place < 2 && !head.contains("logout") => {
                    let to = headers[header::LOCATION].to_str().expect("ascii");
                    let path = head.split_once(' ').expect("a path").1;
                    if path.starts_with("/login/") {
                        continue;
                    }
                    // There is no way back into the middle of a form.
                    let is_page = EXPECTED.iter().any(|(head, _, _)| *head == format!("GET {path}"));
                    assert_eq!(to, format!("/login?next={}", if is_page { path } else { "/stats" }), "{head}");
                }
                _ => {}
            }
        }
    }
}

/// The paths of every route, as axum itself lists them.
fn paths(router: &Router<AppState>) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let lists = text.split("paths: {").skip(1).map(|rest| rest.split_once('}').map_or(rest, |(list, _)| list));
    let mut out = BTreeSet::new();
    for list in text.match_indices("RouteId(").map(|(at, _)| &text[at..]) {
        let Some((_, rest)) = list.split_once("): \"") else { continue };
        if list[8..].find(|c: char| !c.is_ascii_digit()) == list[8..].find("): \"") {
            out.extend(rest.split_once('"').map(|(path, _)| path.to_owned()));
        }
    }
    assert!(lists.count() > 0, "axum writes its routes in another way: {text}");
    out
}

#[tokio::test]
async fn a_route_that_is_not_in_the_list_is_found_and_can_t_be_reached() {
    let state = with_accounts().await;
    let all = router::routes();
    let found = paths(&all);
    let listed: BTreeSet<String> = router::table().iter().map(|route| route.path.clone()).collect();
    let is_axums_own = |path: &&String| path.contains("__private__axum");
    let ours: BTreeSet<String> = found.iter().filter(|path| !is_axums_own(path)).cloned().collect();
    assert_eq!(ours, listed);
    // Methods: what the routes themselves allow, without the list before them.
    let app = all.with_state(state.clone());
    for path in &listed {
        let request = Asked::builder().method("TRACE").uri(path.replace("{*path}", "x").replace("{token}", "x"));
        let answer = app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let allowed = answer.headers()[header::ALLOW].to_str().expect("ascii").to_owned();
        let allowed: BTreeSet<&str> = allowed.split(',').collect();
        assert_eq!(allowed, router::table().allowed(path).into_iter().collect(), "{path}");
    }
    let forgotten = Router::new().route("/forgotten", axum::routing::get(|| async { "secret" }));
    let admin = shown(&state, "admin").await.expect("a cookie").1;
    let request = Asked::get("/forgotten").header("host", "localhost").header(header::COOKIE, admin);
    let request = request.body(Body::empty()).expect("a request");
    let state = AppState { routes: router::table(), ..state };
    let answer = router::layered(forgotten, state).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_method_that_a_route_does_not_have_is_told_to_everybody_with_those_that_it_has() {
    let state = with_accounts().await;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"];
    for head in heads() {
        let path = head.split_once(' ').expect("a path").1;
        let listed: BTreeSet<Method> =
            router::table().iter().filter(|route| route.path == path).map(|route| route.method.clone()).collect();
        for method in methods.iter().filter(|method| !listed.contains(&method.parse::<Method>().expect("a method"))) {
            // Without an origin, as a program asks, and with that of another site's page.
            for origin in ["", "http://evil.example"] {
                let mut request = Asked::builder().method(*method).uri(path.replace(['{', '}', '*'], ""));
                request = request.header("host", "localhost:8080");
                if !origin.is_empty() {
                    request = request.header("origin", origin);
                }
                let request = request.body(Body::empty()).expect("a request");
                let answer = router(state.clone()).oneshot(request).await.expect("an answer");
                assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
                let allowed = answer.headers()[header::ALLOW].to_str().expect("ascii").to_owned();
                let allowed: BTreeSet<&str> = allowed.split(',').filter(|method| *method != "HEAD").collect();
                assert_eq!(allowed, listed.iter().map(Method::as_str).collect(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn refusals_of_what_changes_something_are_recorded_and_a_page_says_why_in_words() {
    let state = with_accounts().await;
    let viewer = shown(&state, "viewer").await;
    let page = ask(&state, "POST /stats", "do=drain&s=lb1/be_http/s1", viewer).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let body = axum::body::to_bytes(page.into_body(), usize::MAX).await.expect("a body");
    assert!(String::from_utf8_lossy(&body).contains("This needs the role operator"));
    ask(&state, "POST /api/v1/actions", "{}", None).await;
    ask(&state, "GET /stats", "", None).await;
    let lines = testing::audit_lines(&state.database).await;
    let refusals: Vec<_> = lines.iter().filter(|line| line.starts_with("refusal")).collect();
    assert_eq!(
        refusals,
        ["refusal POST /stats viewer not allowed", "refusal POST /api/v1/actions nobody not logged in"]
    );
}

#[test]
fn a_wall_link_shows_the_wall_and_never_acts_whatever_its_rights_say() {
    let by = |method: AuthMethod, role| Principal {
        name: "x".to_owned(),
        method,
        rights: Arc::new(Rights::of(role)),
        address: Peer::LOOPBACK.address,
    };
    let wall = by(AuthMethod::WallLink("1".to_owned()), Role::Admin);
    let met = |need: Permission, principal: &Principal| need.is_granted_to(Some(principal));
    assert!(met(Permission::Public, &wall) && met(Permission::ViewWall, &wall));
    assert!(!met(Permission::View, &wall) && !met(Permission::Act, &wall) && !met(Permission::Admin, &wall));
    // A token reads or acts, by the role that its scope leaves.
    let [reads, acts] = [Role::Viewer, Role::Operator].map(|role| by(AuthMethod::Token("1".to_owned()), role));
    assert!(
        met(Permission::View, &reads)
            && !met(Permission::Act, &reads)
            && met(Permission::Act, &acts)
            && !met(Permission::Admin, &acts)
    );
    let nobody = Principal::anonymous("nobody", Peer::LOOPBACK.address);
    for need in [Permission::ViewWall, Permission::View, Permission::Act, Permission::Admin] {
        assert!(!need.is_granted_to(None) && !met(need, &nobody), "{need:?}");
    }
    let topics = [
        TopicId::Fleet,
        TopicId::Events,
        TopicId::Accounts,
        TopicId::proxy("edge", "web"),
        TopicId::node("lb1", "web"),
    ];
    for (principal, expected) in [(&wall, [true, false, false, false, false]), (&reads, [true; 5])] {
        assert_eq!(topics.each_ref().map(|topic| may_subscribe(principal, topic)), expected);
    }
}
