//! A hostile peer in place of HAProxy: what it says is shown as text, and never sent back.

use model::{
    action::Action,
    col::{Col, Text},
    frame::Frame,
    outcome::{Outcome, TargetRef},
    row::RowKind,
    topic::TopicId,
};
use server::hub::Encoding;
use tokio::time::timeout;

use crate::{
    PATIENCE,
    harness::{
        fake::{Fake, recorded},
        sluice::Sluice,
    },
};

/// Names that no HAProxy allows.
const NAMES: [&str; 14] = [
    "a b",
    "a;show env",
    "a\nset server b/c state maint",
    "<<",
    "\"quoted\"",
    "a,b",
    "<script>alert(1)</script>",
    "\u{1b}[31mred",
    "nul\0",
    "\u{e9}t\u{e9}",
    "\u{202e}flip",
    "#1",
    "../up",
    "a/b/c",
];

/// A table in which every name is proxy and server, with numbers at their largest.
fn table() -> Vec<u8> {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut out = "# pxname,svname,scur,type,status,req_rate,bin,weight,last_chk,\n".to_owned();
    for name in NAMES.map(quote) {
        let max = u64::MAX;
        out += &format!("{name},FRONTEND,{max},0,OPEN,{max},{max},,,\n");
        out += &format!("{name},{name},{max},2,{name},,{max},{max},{name},\n");
        out += &format!("{name},BACKEND,{max},1,{name},,{max},{max},,\n");
    }
    out += "b\u{fffd},latin1,0,2,UP,0,0,1,\n\n";
    // A byte that is no UTF-8.
    out.replace('\u{fffd}', "\u{1}").into_bytes().into_iter().map(|b| if b == 1 { 0xe9 } else { b }).collect()
}

async fn start() -> (Fake, Sluice) {
    let fake = Fake::start(|line| Some(if line == "show stat" { table() } else { recorded(line) }));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    (fake, sluice)
}

#[tokio::test]
async fn bad_names_are_shown_and_never_sent() {
    let (fake, sluice) = start().await;
    let world = sluice.hub.world();
    assert_eq!(world.proxies.len(), NAMES.len() + 1);
    let mut targets = Vec::new();
    for proxy in &world.proxies {
        let rows = &proxy.sections.section("lb1").expect("a section").rows;
        let row = rows.iter().find(|r| r.kind == RowKind::Server).expect("a server");
        for text in [&proxy.proxy, &row.name, row.text(Text::Status), row.text(Text::LastChk)] {
            assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
        }
        let (backend, server) = (proxy.proxy.clone(), row.name.clone());
        targets.push(TargetRef { node: Some("lb1".into()), cluster: None, backend, server });
    }
    for action in Action::ALL {
        let outcomes = sluice.request(action, targets.clone()).await.expect("servers that are shown");
        assert_eq!(outcomes.len(), targets.len());
        for outcome in outcomes {
            assert!(matches!(outcome.outcome, Outcome::Refused | Outcome::Unchanged), "{outcome:?}");
        }
    }
    let shown: Vec<&str> = world.proxies.iter().map(|p| p.proxy.as_str()).collect();
    for plain in ["a b", "a;show env", "\"quoted\"", "<script>alert(1)</script>", "\u{e9}t\u{e9}", "#1", "a/b/c"] {
        assert!(shown.contains(&plain), "{plain} in {shown:?}");
    }
    assert_eq!(fake.told(), Vec::<String>::new());
}

#[tokio::test]
async fn the_largest_numbers_and_the_worst_names_reach_every_viewer() {
    let (_fake, sluice) = start().await;
    let world = sluice.hub.world();
    let topics: Vec<TopicId> = std::iter::once(TopicId::Fleet).chain(world.proxies.iter().map(|p| p.id())).collect();
    for encoding in [Encoding::Postcard, Encoding::Json] {
        let mut viewer = sluice.hub.join(encoding, &std::sync::Arc::default()).await.expect("the hub runs");
        assert!(viewer.subscribe(topics.clone()).await);
        // A hello, and each topic.
        for _ in 0..=topics.len() {
            let bytes = timeout(PATIENCE, viewer.next()).await.expect("in time").expect("a frame");
            match encoding {
                Encoding::Postcard => drop(Frame::decode(&bytes).expect("decodes")),
                Encoding::Json => drop(serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")),
            }
        }
    }
    assert_eq!(world.fleet.nodes[0].stats.requests, u64::MAX);
    let row = &world.proxies[0].sections.0[0].rows[0];
    assert_eq!(row.num(Col::Bin), Some(u64::MAX - 1));
    let polled = world.fleet.nodes[0].stats.polled;
    sluice.until("another poll", |w| w.fleet.nodes[0].stats.polled > polled).await;
}
