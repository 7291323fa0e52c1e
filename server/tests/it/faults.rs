//! What a real HAProxy does at the wrong moment only: hangs, or goes away, between two commands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::{
    action::Action,
    outcome::{Outcome, TargetRef},
    row::RowKind,
};
use server::metrics::OutcomeLabel;
use tokio::time::{sleep, timeout};

use crate::{
    PATIENCE,
    harness::{
        fake::{Fake, recorded},
        sluice::Sluice,
    },
};

/// A HAProxy that answers polls and hangs at the first command.
fn hanging() -> Fake {
    Fake::start(|line| line.starts_with("show ").then(|| recorded(line)))
}

#[tokio::test]
async fn a_node_that_hangs_is_not_waited_for_once_per_server() {
    let fake = hanging();
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    let world = sluice.hub.world();
    let mut targets = Vec::new();
    for proxy in &world.proxies {
        let rows = proxy.sections.0.iter().flat_map(|s| s.rows.iter()).filter(|r| r.kind == RowKind::Server);
        targets.extend(rows.map(|row| TargetRef {
            node: Some("lb1".into()),
            cluster: None,
            backend: proxy.proxy.clone(),
            server: row.name.clone(),
        }));
    }
    assert!(targets.len() > 20, "{} would each take three seconds", targets.len());
    let outcomes = sluice.request(Action::Drain, targets).await.expect("known servers");
    let (first, others) = outcomes.split_first().expect("outcomes");
    assert_eq!(first.outcome, Outcome::Unreachable);
    assert!(first.message.contains("may have got the command"), "{}", first.message);
    for outcome in others {
        assert_eq!(outcome.outcome, Outcome::Unreachable, "{outcome:?}");
        assert!(outcome.message.contains("nothing was sent"), "{}", outcome.message);
    }
    assert_eq!(fake.told(), [format!("set server {}/{} state drain", first.target.backend, first.target.server)]);
}

#[tokio::test]
async fn what_was_begun_is_recorded_although_nobody_waits_for_it() {
    let fake = hanging();
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    let gone = timeout(Duration::from_millis(500), sluice.act(Action::Drain, "lb1/be_http/s1")).await;
    assert!(gone.is_err(), "{gone:?}");
    let label = OutcomeLabel { action: "drain".into(), outcome: "unreachable".into() };
    let recorded = async {
        while sluice.metrics.outcomes.get_or_create(&label).get() == 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, recorded).await.expect("the outcome is recorded");
}

#[tokio::test]
async fn an_answer_that_got_lost_is_made_good_by_the_state() {
    let drained = Arc::new(AtomicBool::new(false));
    let fake = Fake::start({
        let drained = drained.clone();
        move |line| match line {
            "set server be_http/s1 state drain" => {
                drained.store(true, Ordering::Relaxed);
                Some(Vec::new())
            }
            "set server be_http/s2 state drain" => Some(Vec::new()),
            "show servers state" if drained.load(Ordering::Relaxed) => {
                let text = String::from_utf8(recorded(line)).expect("text");
                let (as_was, as_is) = ("7 be_http 1 s1 127.0.0.1 2 0 ", "7 be_http 1 s1 127.0.0.1 2 8 ");
                assert!(text.contains(as_was));
                Some(text.replace(as_was, as_is).into_bytes())
            }
            _ => Some(recorded(line)),
        }
    });
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    assert_eq!(sluice.act(Action::Drain, "lb1/be_http/s1").await.outcome, Outcome::Done);
    let lost = sluice.act(Action::Drain, "lb1/be_http/s2").await;
    assert_eq!(lost.outcome, Outcome::Unreachable);
    assert!(lost.message.contains("may have got the command"), "{}", lost.message);
    assert_eq!((lost.before.as_str(), lost.after.as_str()), ("UP", "UP"));
}
