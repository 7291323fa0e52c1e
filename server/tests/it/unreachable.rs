//! A node that can't be reached keeps no other from being acted on.

use lab::Haproxy;
use model::{
    action::Action,
    outcome::{Outcome, TargetOutcome, TargetRef},
};

use crate::harness::{raw, servers::Server, sluice::Sluice};

async fn start(web: &Server) -> Option<(Haproxy, Haproxy, Sluice)> {
    let proxies = format!("backend be\n\tserver s1 127.0.0.1:{0}\n\tserver s2 127.0.0.1:{0}\n", web.port);
    let (one, two) = (Haproxy::start(&proxies).await?, Haproxy::start(&proxies).await?);
    let sluice = Sluice::watching(&[("lb1", "edge", &one.admin()), ("lb2", "edge", &two.admin())]).await;
    Some((one, two, sluice))
}

/// Drains both servers on both nodes, of which the first is out of reach.
async fn drain_all(sluice: &Sluice) -> Vec<TargetOutcome> {
    let target = |server: &str| TargetRef {
        node: None,
        cluster: Some("edge".into()),
        backend: "be".into(),
        server: server.into(),
    };
    let outcomes = sluice.request(Action::Drain, vec![target("s1"), target("s2")]).await.expect("known servers");
    let names: Vec<_> = outcomes.iter().map(|o| o.target.to_string()).collect();
    assert_eq!(names, ["lb1/be/s1", "lb2/be/s1", "lb1/be/s2", "lb2/be/s2"]);
    outcomes
}

fn check(outcomes: &[TargetOutcome], reason: &str) {
    for outcome in outcomes {
        if outcome.target.node == "lb1" {
            assert_eq!(outcome.outcome, Outcome::Unreachable, "{outcome:?}");
            assert!(outcome.message.contains(reason), "{outcome:?}");
            assert_eq!((outcome.before.as_str(), outcome.after.as_str()), ("", ""));
        } else {
            assert_eq!(outcome.outcome, Outcome::Done, "{outcome:?}");
            assert_eq!((outcome.before.as_str(), outcome.after.as_str()), ("no check", "DRAIN"));
        }
    }
}

#[tokio::test]
async fn a_stopped_node_is_unreachable() {
    let web = Server::web().await;
    let Some((mut one, two, sluice)) = start(&web).await else { return };
    one.stop();
    check(&drain_all(&sluice).await, "HAProxy is stopped");
    assert_eq!(raw::server(&two.admin(), "be", "s2").await.admin, 8);
}

#[tokio::test]
async fn a_frozen_node_is_unreachable_and_does_nothing_later() {
    let web = Server::web().await;
    let Some((one, two, sluice)) = start(&web).await else { return };
    one.freeze();
    check(&drain_all(&sluice).await, "no answer in time");
    assert_eq!(raw::server(&two.admin(), "be", "s1").await.admin, 8);
    one.thaw();
    // Nothing waits in its socket to be carried out when it goes on.
    sluice.until("lb1 is back", |w| w.fleet.nodes[0].error.is_empty()).await;
    for server in ["s1", "s2"] {
        assert_eq!(raw::server(&one.admin(), "be", server).await.admin, 0);
    }
    assert_eq!(sluice.act(Action::Drain, "lb1/be/s1").await.outcome, Outcome::Done);
}
