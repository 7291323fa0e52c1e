//! Every route that tells or does something, asked by somebody who may see a part of one cluster: nothing that it answers
//! names the rest.

use axum::Extension;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::{
    action::Action,
    col::Text,
    lost::Lost,
    rights::{Grant, Pattern, Rights, Role},
};

use super::*;
use crate::auth::{Peer, Principal};

/// Stands in every name that may not be told.
const MARK: &str = "zqx";

/// A reply with a server of `app` that follows one of `zqx-db`, and that one.
const STAT: &str = "# pxname,svname,status,type,tracked,desc,iid,sid,\n\
    app,s1,MAINT (via zqx-db/zqx-s1),2,zqx-db/zqx-s1,mine,4,1,\n\
    zqx-db,zqx-s1,MAINT,2,,zqx-desc,5,1,\n\n";

/// Two clusters: `edge` with `app` and `zqx-db`, `zqx-lab` with `zqx-web`.
async fn state() -> AppState {
    let (shutdown, metrics) = (CancellationToken::new(), Arc::new(Metrics::new()));
    let node = |name: &str, cluster: &str| Node {
        link: Link::Live,
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        level: Level::Admin,
        stats: NodeStats { polled: unix_ms(), ..NodeStats::default() },
        ..Node::default()
    };
    let nodes = [node("lb1", "edge"), node("zqx-lb3", "zqx-lab")];
    let hub = Hub::spawn(nodes.to_vec(), "test-build".into(), metrics.clone(), &TaskTracker::new(), shutdown.clone());
    let server = |name: &str, status: &str, tracked: &str| {
        let mut row = Row::new(RowKind::Server, name);
        row.set_text(Text::Status, status);
        row.set_text(Text::Tracked, tracked);
        row
    };
    let proxy = |name: &str, rows: Vec<Row>| ProxyUpdate {
        proxy: name.to_owned(),
        rows: Some((Arc::new(rows.clone()), Change::Rows(rows))),
    };
    let event = |node: &Node, proxy: &str, cause: &str| Event {
        proxy: proxy.to_owned(),
        cause: cause.to_owned(),
        ..Event::of(node, EventKind::State, unix_ms())
    };
    let lost = |server: &str| Lost {
        node: "lb1".into(),
        cluster: "edge".into(),
        proxy: "zqx-db".into(),
        server: server.into(),
        action: Action::Drain,
        since: 0,
        by: String::new(),
        operation: String::new(),
        at: 1,
    };
    let proxies = [
        vec![
            proxy("app", vec![server("s1", "MAINT (via zqx-db/zqx-s1)", "zqx-db/zqx-s1"), server("s2", "UP", "")]),
            proxy("zqx-db", vec![server("zqx-s1", "DOWN", "")]),
        ],
        vec![proxy("zqx-web", vec![server("zqx-s1", "UP", "")])],
    ];
    for ((place, node), proxies) in nodes.iter().enumerate().zip(proxies) {
        let replies = Replies {
            info: Info::parse(INFO).expect("a reply"),
            stat: StatTable::parse(Bytes::from_static(STAT.as_bytes())).expect("a reply"),
            polled: unix_ms(),
        };
        let events = vec![event(node, "app", "follows zqx-db/zqx-s1"), event(node, "zqx-db", "gone")];
        let lost = (place == 0).then(|| vec![lost("zqx-s1")]);
        let update = Update { place, node: node.clone(), replies: Some(Arc::new(replies)), proxies, events, lost };
        assert!(hub.update(update).await);
    }
    hub.wait_for(|world| world.proxies.len() == 3 && world.events.len() == 4).await.expect("a hub");
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let auth = Auth::start(database.clone(), testing::setup()).expect("access");
    let operations = Operations::new(hub.clone(), BTreeMap::new(), auth.clone(), metrics.clone());
    AppState::new(hub, operations, database, auth, metrics, "test-build".into(), shutdown)
}

/// Somebody who may see `app` of `edge`, and drain its servers.
fn anna() -> Principal {
    let pattern = |name: &str| vec![Pattern(name.to_owned())];
    let grant = Grant { clusters: pattern("edge"), backends: pattern("app"), actions: vec![Action::Drain] };
    let rights = Rights { role: Role::Operator, grants: Some(vec![grant]) };
    Principal { name: "anna".to_owned(), rights: Arc::new(rights), ..Principal::open(Peer::LOOPBACK.address) }
}

/// What `caller` is answered: status and text, with what a page carries in base64 written out.
async fn answered(principal: Principal, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
    let state = state().await;
    let request = Request::builder().method(method).uri(path).header("content-type", kind);
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response =
        router::routes().layer(Extension(principal)).with_state(state).oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let mut text = String::from_utf8(bytes.to_vec()).expect("text");
    if let Some((_, rest)) = text.split_once("application/octet-stream") {
        let carried = rest.split_once('>').and_then(|(_, rest)| rest.split_once('<')).expect("what it carries").0;
        let carried = STANDARD.decode(carried.trim()).expect("base64");
        text += &String::from_utf8_lossy(&carried);
    }
    (status, text)
}

async fn got(principal: Principal, path: &str) -> (u16, String) {
    answered(principal, "GET", path, "text/plain", "").await
}

async fn acted(principal: Principal, action: &str, target: &str) -> (u16, String) {
    let (node, rest) = target.split_once('/').expect("a node");
    let (backend, server) = rest.split_once('/').expect("a server");
    let target = serde_json::json!({ "node": node, "backend": backend, "server": server });
    let body = serde_json::json!({ "action": action, "targets": [target] }).to_string();
    answered(principal, "POST", "/api/v1/actions", "application/json", &body).await
}

async fn posted(principal: Principal, body: &str) -> (u16, String) {
    answered(principal, "POST", "/stats", "application/x-www-form-urlencoded", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_names_what_may_not_be_seen() {
    for path in [
        "/api/v1/nodes",
        "/api/v1/stats",
        "/api/v1/stats?node=lb1",
        "/api/v1/stats?proxy=app",
        "/api/v1/info",
        "/api/v1/events",
        "/healthz",
        "/stats",
        "/stats?node=lb1",
        "/events",
        "/wall",
    ] {
        let (status, text) = got(anna(), path).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(!text.contains(MARK), "{path}: {text}");
        if !matches!(path, "/healthz" | "/api/v1/info") {
            let (_, all) = got(Principal::open(Peer::LOOPBACK.address), path).await;
            assert!(all.contains(MARK), "{path} has something to hide: {all}");
        }
    }
    let (_, text) = got(anna(), "/api/v1/stats").await;
    let rows: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(rows["nodes"].as_array().map(Vec::len), Some(1));
    let row = &rows["nodes"][0]["rows"][0];
    assert_eq!((&row["tracked"], &row["status"]), (&"another server".into(), &"MAINT (via another server)".into()));
    assert_eq!(rows["nodes"][0]["rows"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_seen_is_not_found_like_what_is_not_there() {
    for (path, absent) in [
        ("/api/v1/stats?node=zqx-lb3", "/api/v1/stats?node=nothing"),
        ("/api/v1/stats?proxy=zqx-db", "/api/v1/stats?proxy=nothing"),
        ("/api/v1/info?node=zqx-lb3", "/api/v1/info?node=nothing"),
        ("/api/v1/events?node=zqx-lb3", "/api/v1/events?node=nothing"),
    ] {
        let name = path.split_once('=').expect("a name").1;
        let (status, text) = got(anna(), path).await;
        assert_eq!((status, text.replace(name, "nothing")), got(anna(), absent).await);
        assert_eq!(status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_refused_by_rule_by_role_and_as_unknown() {
    let viewer = || Principal { rights: Arc::new(Rights::of(Role::Viewer)), ..anna() };
    for (principal, action, target, status, words) in [
        (anna(), "shutdown", "lb1/app/s1", 403, "No rule lets you shutdown on app of edge (lb1/app/s1)"),
        (anna(), "drain", "lb1/zqx-db/zqx-s1", 404, "There is no server"),
        (anna(), "drain", "zqx-lb3/zqx-web/zqx-s1", 404, "There is no node"),
        (viewer(), "ready", "lb1/app/s1", 403, "A viewer may look, not act (lb1/app/s1)"),
        // Nobody answers for the node here: it was allowed, and got as far as that.
        (anna(), "drain", "lb1/app/s2", 200, "unreachable"),
    ] {
        let (got, text) = acted(principal.clone(), action, target).await;
        assert_eq!(got, status, "{text}");
        assert!(text.contains(words), "{text}");
        let encoded = target.replace('/', "%2F");
        let (got, text) = posted(principal, &format!("do={action}&s={encoded}&confirmed=yes&typed=app")).await;
        assert_eq!(got, status, "{text}");
        // The page has its words in a sentence's form, escaped.
        let word = words.split_once(' ').map_or(words, |(_, rest)| rest);
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_target_of_many_refuses_all() {
    let target =
        |backend: &str, server: &str| serde_json::json!({ "node": "lb1", "backend": backend, "server": server });
    let pattern = |name: &str| vec![Pattern(name.to_owned())];
    let looks = Grant { clusters: vec![], backends: vec![], actions: vec![] };
    let acts = Grant { clusters: vec![], backends: pattern("app"), actions: vec![Action::Drain] };
    let rights = Arc::new(Rights { role: Role::Operator, grants: Some(vec![looks, acts]) });
    let ben = || Principal { rights: rights.clone(), ..anna() };
    let targets = [target("app", "s1"), target("zqx-db", "zqx-s1")];
    let body = serde_json::json!({ "action": "drain", "targets": targets }).to_string();
    let (status, text) = answered(ben(), "POST", "/api/v1/actions", "application/json", &body).await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("on zqx-db of edge (lb1/zqx-db/zqx-s1)") && text.contains("Nothing was sent"), "{text}");
    let (status, _) = posted(ben(), "do=drain&s=lb1/app/s1&s=lb1/zqx-db/zqx-s1&confirmed=yes").await;
    assert_eq!(status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_s_reason_is_asked_about_shown_as_text_and_kept() {
    let question = "do=drain&s=lb1/app/s2&reason=%3Cscript%3E%22%26%0A";
    let (status, text) = posted(anna(), question).await;
    assert_eq!(status, 200);
    assert!(!text.contains("<script>"), "{text}");
    assert!(text.contains(r#"name="reason""#) && text.contains("&lt;script&gt;"), "{text}");
    // Both fields of a page may be sent: the one that says something counts.
    let (_, text) = posted(anna(), "do=drain&s=lb1/app/s2&reason=&reason=rack+7").await;
    assert!(text.contains(r#"value="rack 7""#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_the_program_has_grey_entries_where_nothing_is_allowed() {
    let (_, text) = got(anna(), "/stats").await;
    let entry = |action: &str| {
        let at = text.find(&format!(r#"<option value="{action}""#)).expect("an entry");
        text[at..].split_once("</option>").expect("an entry").0.to_owned()
    };
    assert!(!entry("drain").contains("disabled"), "{}", entry("drain"));
    assert!(entry("ready").contains("disabled") && entry("ready").contains("no rule lets you ready on app of edge"));
    let viewer = Principal { rights: Arc::new(Rights::of(Role::Viewer)), ..anna() };
    let (_, text) = got(viewer, "/stats").await;
    for action in Action::ALL {
        let at = text.find(&format!(r#"<option value="{action}""#)).expect("an entry");
        let entry = text[at..].split_once("</option>").expect("an entry").0;
        assert!(entry.contains("disabled") && entry.contains("a viewer may look, not act"), "{entry}");
    }
    assert!(text.contains("A viewer may look, not act"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_over_hidden_proxies_is_left_out() {
    let everybody = || Principal::open(Peer::LOOPBACK.address);
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (all, seen) = (got(everybody(), "/api/v1/info?node=lb1").await.1, got(anna(), "/api/v1/info?node=lb1").await.1);
    let (all, seen) = (json(&all)["nodes"][0]["info"].clone(), json(&seen)["nodes"][0]["info"].clone());
    assert!(all.get("CumReq").is_some() && all.get("CumConns").is_some(), "{all}");
    for name in ["CumReq", "CumConns", "SessRate", "MaxConnRate", "BytesOutRate", "Tasks", "CurrSslConns"] {
        assert!(seen.get(name).is_none(), "{name}: {seen}");
    }
    assert_eq!((&seen["Version"], &seen["Maxconn"]), (&all["Version"], &all["Maxconn"]));

    let (all, seen) =
        (got(everybody(), "/api/v1/stats?node=lb1").await.1, got(anna(), "/api/v1/stats?node=lb1").await.1);
    assert!(all.contains("\"iid\":") && all.contains("\"sid\":"), "{all}");
    assert!(seen.contains("\"svname\":") && !seen.contains("\"iid\":") && !seen.contains("\"sid\":"), "{seen}");

    for (principal, counted) in [(everybody(), true), (anna(), false)] {
        let state = state().await;
        let node = state.hub.world().fleet.node("lb1").expect("a node").clone();
        let reload =
            Event { cause: "3 states set by operators were lost".to_owned(), ..Event::of(&node, EventKind::Reload, 2) };
        assert!(state.hub.add_events(vec![reload]).await);
        state.hub.wait_for(|world| world.events.len() == 5).await.expect("a hub");
        let world = state.hub.world().seen_by(&principal.rights);
        let reload = world.events.iter().find(|event| event.kind == EventKind::Reload).expect("it is seen");
        assert_eq!(reload.cause.contains("3 states"), counted);
    }
}
