//! A wall link over HTTP, from its making to its end.

use super::*;
use crate::{
    auth::IdentityProviders,
    web::account::page::tests::{ask, logged_in, state},
};

#[tokio::test]
async fn a_wall_link_opens_the_wall_and_nothing_else_until_it_ends() {
    let state = state(IdentityProviders::default()).await;
    let admin = logged_in(&state, "admin").await;
    let form = "name=%3Cscript%3E+NOC&cluster=edge&expires=90d&own_password=correct+horse+battery";
    let made = ask(&state, "POST /admin/walls/add", form, &[("cookie", &admin)]).await.body;
    assert!(!made.contains("<script"), "{made}");
    let at = made.find("http://localhost:8080/w/slw_").expect("the address");
    let path = made[at + "http://localhost:8080".len()..].split('<').next().expect("a path").to_owned();
    let opened = ask(&state, &format!("GET {path}"), "", &[]).await;
    assert_eq!((opened.status, opened.location()), (303, "/login?next=/wall&kept="));
    let set = opened.headers[SET_COOKIE].to_str().expect("text").to_owned();
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=77759"] {
        assert!(set.contains(attribute), "{set}");
    }
    let wall = format!("{WALL_COOKIE}={}", opened.cookie(WALL_COOKIE).expect("a cookie"));
    for (head, want) in [
        ("GET /wall", 200),
        ("GET /ws", 400),
        ("GET /healthz", 200),
        ("GET /pkg/nope.js", 404),
        ("GET /login", 200),
        ("GET /", 403),
        ("GET /stats", 403),
        ("POST /stats", 403),
        ("GET /events", 403),
        ("GET /account", 403),
        ("GET /admin", 403),
        ("GET /api/v1/nodes", 403),
        ("GET /api/v1/stats", 403),
        ("GET /api/v1/events", 403),
        ("POST /api/v1/actions", 403),
        ("POST /api/v1/tokens", 403),
        ("GET /metrics", 403),
    ] {
        assert_eq!(ask(&state, head, "", &[("cookie", &wall)]).await.status, want, "{head}");
    }
    // A session goes before it.
    assert_eq!(ask(&state, "GET /stats", "", &[("cookie", &format!("{wall}; {admin}"))]).await.status, 200);
    let id: String =
        state.database.run(|c| c.query_row("SELECT id FROM walls", [], |r| r.get(0))).await.expect("an id");
    ask(&state, "POST /admin/walls/end", &format!("id={id}"), &[("cookie", &admin)]).await;
    assert_eq!(ask(&state, "GET /wall", "", &[("cookie", &wall)]).await.location(), "/login?next=/wall");
    let unknown = ask(&state, &format!("GET {path}"), "", &[]).await;
    assert!(unknown.status == 404 && unknown.cookie(WALL_COOKIE).is_none(), "{}", unknown.body);
    assert!(unknown.body.contains("There is no such wall link"), "{}", unknown.body);
    let made = ask(&state, "POST /admin/walls/add", form, &[("cookie", &admin)]).await.body;
    let path = made[made.find("/w/slw_").expect("a path")..].split('<').next().expect("a path").to_owned();
    state.database.run(|c| c.execute("UPDATE walls SET expires = 1", [])).await.expect("expired");
    let over = ask(&state, &format!("GET {path}"), "", &[]).await;
    assert!(over.status == 410 && over.cookie(WALL_COOKIE).is_none() && over.body.contains("lasted until"));
}
