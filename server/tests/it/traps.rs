//! Commands that HAProxy takes in silence although they do nothing: an outcome never says more than the state.

use lab::Haproxy;
use model::{action::Action, outcome::Outcome};

use crate::harness::{raw, servers::Server, sluice::Sluice};

const PROXIES: &str = "\
backend be
	server s1 127.0.0.1:WEB check inter 1h agent-check agent-port 1 agent-inter 1h
	server plain 127.0.0.1:WEB
	server tracker 127.0.0.1:WEB track be/s1
resolvers none
	nameserver nobody 127.0.0.1:9
backend names
	server unresolved no-such-name.invalid:80 resolvers none init-addr none
";

async fn start() -> Option<(Server, Haproxy, Sluice)> {
    let web = Server::web().await;
    let haproxy = Haproxy::start(&PROXIES.replace("WEB", &web.port.to_string())).await?;
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    Some((web, haproxy, sluice))
}

#[tokio::test]
async fn what_has_no_check_and_no_agent_is_left_as_it_is() {
    let Some((_web, haproxy, sluice)) = start().await else { return };
    for (action, target, why) in [
        (Action::Dhlth, "lb1/be/plain", "no health check is configured"),
        (Action::Dhlth, "lb1/be/tracker", "no health check is configured"),
        (Action::Dagent, "lb1/be/plain", "no agent is configured"),
        (Action::Ready, "lb1/be/plain", ""),
        (Action::Shutdown, "lb1/be/plain", "there was no session"),
    ] {
        let before = raw::server(&haproxy.admin(), "be", "plain").await;
        let got = sluice.act(action, target).await;
        assert_eq!((got.outcome, got.message.as_str()), (Outcome::Unchanged, why), "{action} {target}");
        assert_eq!(raw::server(&haproxy.admin(), "be", "plain").await, before);
    }
}

#[tokio::test]
async fn ready_does_not_end_a_maint_that_is_another_s() {
    let Some((_web, haproxy, sluice)) = start().await else { return };
    let socket = haproxy.admin();
    assert_eq!(sluice.act(Action::Maint, "lb1/be/s1").await.outcome, Outcome::Done);
    let follows = raw::server(&socket, "be", "tracker").await;
    assert_eq!((follows.status.as_str(), follows.admin), ("MAINT (via be/s1)", 2));

    let got = sluice.act(Action::Ready, "lb1/be/tracker").await;
    assert_eq!(got.outcome, Outcome::Unchanged);
    assert_eq!(got.message, "not set to MAINT itself: it follows be/s1");
    assert_eq!(raw::server(&socket, "be", "tracker").await, follows);

    // With a MAINT of its own on top, which READY does end.
    assert_eq!(sluice.act(Action::Maint, "lb1/be/tracker").await.outcome, Outcome::Done);
    assert_eq!(raw::server(&socket, "be", "tracker").await.admin, 3);
    let got = sluice.act(Action::Ready, "lb1/be/tracker").await;
    assert_eq!(got.outcome, Outcome::Unverified);
    assert!(got.message.contains("MAINT (via be/s1)"), "{}", got.message);
    assert_eq!(raw::server(&socket, "be", "tracker").await, follows);

    assert_eq!(sluice.act(Action::Ready, "lb1/be/s1").await.outcome, Outcome::Done);
    assert_eq!(raw::server(&socket, "be", "tracker").await.admin, 0);
}

#[tokio::test]
async fn ready_does_not_resolve_a_name() {
    let Some((_web, haproxy, sluice)) = start().await else { return };
    let socket = haproxy.admin();
    let before = raw::server(&socket, "names", "unresolved").await;
    assert_eq!(before.status, "MAINT (resolution)");
    let got = sluice.act(Action::Ready, "lb1/names/unresolved").await;
    assert_eq!(got.outcome, Outcome::Unchanged, "{got:?}");
    assert!(got.message.contains("does not resolve"), "{}", got.message);
    assert_eq!(raw::server(&socket, "names", "unresolved").await, before);
}

#[tokio::test]
async fn a_server_in_maint_takes_no_force() {
    let Some((_web, haproxy, sluice)) = start().await else { return };
    let socket = haproxy.admin();
    sluice.act(Action::Maint, "lb1/be/s1").await;
    let before = raw::server(&socket, "be", "s1").await;
    for action in [Action::Hrunn, Action::Hnolb, Action::Hdown, Action::Arunn, Action::Adown] {
        let got = sluice.act(action, "lb1/be/s1").await;
        assert_eq!(got.outcome, Outcome::Unverified, "{action}: {got:?}");
        assert_eq!(got.message, "HAProxy took the command, but the server is MAINT", "{action}");
        assert_eq!((got.before.as_str(), got.after.as_str()), ("MAINT", "MAINT"), "{action}");
        let after = raw::server(&socket, "be", "s1").await;
        assert_eq!((after.status, after.admin), (before.status.clone(), before.admin), "{action}");
    }
}
