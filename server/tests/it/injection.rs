//! Whatever names a client asks for, only names that HAProxy itself listed reach its socket.

use model::{
    action::Action,
    outcome::{Outcome, TargetRef},
};

use crate::harness::{
    fake::{Fake, recorded},
    sluice::Sluice,
};

/// Names that would end, bend or widen a command.
pub(crate) const BAD: [&str; 24] = [
    "",
    " ",
    "s1 ",
    "s1\n",
    "s1\nshutdown sessions server be_http/s1",
    "s1\r\ndisable server be_http/s1",
    "s1;show env",
    "s1; set server be_http/s2 state maint",
    "s1 state maint",
    "s1 <<",
    "<<\nshow env\n\n",
    "\"s1\"",
    "'s1'",
    "`id`",
    "$(id)",
    "s1\0",
    "s\u{e9}1",
    "\u{ff53}\u{ff11}",
    "s1\u{202e}",
    "#1",
    "../be_http",
    "be_http/s1",
    "s\\1",
    "@1 show info",
];

fn target(node: Option<&str>, cluster: Option<&str>, backend: &str, server: &str) -> TargetRef {
    TargetRef {
        node: node.map(str::to_owned),
        cluster: cluster.map(str::to_owned),
        backend: backend.to_owned(),
        server: server.to_owned(),
    }
}

/// A bad name in each of the places where a name may stand.
fn targets(bad: &str) -> [TargetRef; 6] {
    [
        target(Some(bad), None, "be_http", "s1"),
        target(None, Some(bad), "be_http", "s1"),
        target(Some("lb1"), None, bad, "s1"),
        target(Some("lb1"), None, "be_http", bad),
        target(None, None, "be_http", bad),
        target(None, Some("edge"), bad, bad),
    ]
}

async fn start() -> (Fake, Sluice) {
    let fake = Fake::start(|line| Some(recorded(line)));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    (fake, sluice)
}

#[tokio::test]
async fn a_name_that_no_node_told_is_never_sent() {
    let (fake, sluice) = start().await;
    let good = target(Some("lb1"), None, "be_http", "s1");
    for action in Action::ALL {
        for bad in BAD {
            for target in targets(bad) {
                let refused = sluice.request(action, vec![target.clone()]).await.expect_err("refused");
                assert!(matches!(refused.status(), 400..500), "{refused}");
                assert!(!refused.to_string().contains(['\n', '\r', '\0', '\u{1b}', '\u{202e}']), "{refused:?}");
                // A good target beside a bad one is not acted on either.
                sluice.request(action, vec![good.clone(), target.clone()]).await.expect_err("refused");
                sluice.request(action, vec![target, good.clone()]).await.expect_err("refused");
            }
        }
    }
    // Polls go on, and nothing else came.
    let lines = fake.lines();
    let polled = sluice.hub.world().fleet.nodes[0].stats.polled;
    sluice.until("another poll", |w| w.fleet.nodes[0].stats.polled > polled).await;
    assert!(fake.lines() > lines);
    assert_eq!(fake.told(), Vec::<String>::new());
}

#[tokio::test]
async fn random_names_are_never_sent() {
    let (fake, sluice) = start().await;
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..2_000 {
        let mut name: String = (0..rng.usize(..8)).map(|_| rng.char(..)).collect();
        if rng.bool() {
            name.insert_str(0, "s1");
        }
        // That alone is a server's name.
        if name == "s1" {
            continue;
        }
        let action = Action::ALL[rng.usize(..Action::ALL.len())];
        for target in targets(&name) {
            sluice.request(action, vec![target]).await.expect_err("refused");
        }
    }
    assert_eq!(fake.told(), Vec::<String>::new());
}

/// The recorder does hear what is sent: one line, with a line feed at its end and nowhere else.
#[tokio::test]
async fn a_name_that_the_node_told_is_sent_as_it_told_it() {
    let (fake, sluice) = start().await;
    let got = sluice.act(Action::Maint, "lb1/be_odd.name:with_all-chars_1/s.1:a_b-c").await;
    assert_eq!(got.outcome, Outcome::Unverified, "the recording does not change: {got:?}");
    assert_eq!(fake.told(), ["set server be_odd.name:with_all-chars_1/s.1:a_b-c state maint"]);
}
