//! Sessions: those that an action ends, and those that it leaves.

use lab::Haproxy;
use model::{action::Action, col::Col, outcome::Outcome};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use crate::{
    PATIENCE,
    harness::{
        raw,
        servers::Server,
        sluice::{Sluice, row},
    },
};

async fn start(holder: &Server) -> Option<(Haproxy, Sluice)> {
    let proxies = format!("listen hold\n\tmode tcp\n\tbind unix@DIR/hold.sock\n\tserver h 127.0.0.1:{}\n", holder.port);
    let haproxy = Haproxy::start(&proxies).await?;
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    Some((haproxy, sluice))
}

/// Opens so many sessions and waits until they are seen.
async fn visit(haproxy: &Haproxy, sluice: &Sluice, count: u64) -> Vec<UnixStream> {
    let mut visitors = Vec::new();
    for _ in 0..count {
        let mut visitor = UnixStream::connect(haproxy.path("hold.sock")).await.expect("a visitor");
        visitor.write_all(b"hello").await.expect("words");
        visitors.push(visitor);
    }
    sluice.until("the sessions", |w| row(w, "lb1/hold/h").is_some_and(|r| r.get(Col::Scur) == count)).await;
    visitors
}

#[tokio::test]
async fn kill_sessions_ends_those_that_are_open() {
    let holder = Server::holder().await;
    let Some((haproxy, sluice)) = start(&holder).await else { return };
    let visitors = visit(&haproxy, &sluice, 3).await;
    assert_eq!(raw::server(&haproxy.admin(), "hold", "h").await.scur, 3);

    let got = sluice.act(Action::Shutdown, "lb1/hold/h").await;
    assert_eq!((got.outcome, got.message.as_str()), (Outcome::Done, "3 sessions ended"));
    assert_eq!((got.before.as_str(), got.after.as_str()), ("no check", "no check"));
    assert_eq!(raw::server(&haproxy.admin(), "hold", "h").await.scur, 0);
    for mut visitor in visitors {
        let end = timeout(PATIENCE, visitor.read(&mut [0])).await.expect("an end");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }

    let again = sluice.act(Action::Shutdown, "lb1/hold/h").await;
    assert_eq!((again.outcome, again.message.as_str()), (Outcome::Unchanged, "there was no session"));
}

#[tokio::test]
async fn drain_and_maint_leave_sessions_and_say_how_many() {
    let holder = Server::holder().await;
    let Some((haproxy, sluice)) = start(&holder).await else { return };
    let _visitors = visit(&haproxy, &sluice, 2).await;
    for action in [Action::Drain, Action::Maint] {
        let got = sluice.act(action, "lb1/hold/h").await;
        assert_eq!((got.outcome, got.message.as_str()), (Outcome::Done, "2 sessions left"), "{action}");
    }
    assert_eq!(raw::server(&haproxy.admin(), "hold", "h").await.scur, 2);
}
