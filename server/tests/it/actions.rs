//! Every action does what it says, and says so only when HAProxy shows it.

use std::path::Path;

use lab::Haproxy;
use model::{action::Action, outcome::Outcome};

use crate::harness::{
    raw::{self, Server as State},
    servers::Server,
    sluice::Sluice,
};

/// One server with a health check and an agent. The check runs once, and passes (3.4 counts from 0 to `rise` even for a
/// server that it takes for UP), the agent tells the weight alone: neither undoes an action.
pub(crate) fn proxies(web: &Server, agent: &Server) -> String {
    format!(
        "backend be\n\
         \tserver s1 127.0.0.1:{} check inter 1h rise 1 agent-check agent-port {} agent-inter 300ms\n",
        web.port, agent.port
    )
}

/// The action on `be/s1`; whether a second time finds nothing to do; the status, operational and administrative state,
/// and whether check and agent are on, as HAProxy tells them afterwards.
type Step = (Action, bool, (&'static str, u32, u32, bool, bool));

const STEPS: [Step; 13] = [
    (Action::Drain, true, ("DRAIN (agent)", 2, 8, true, true)),
    (Action::Maint, true, ("MAINT", 0, 1, true, true)),
    (Action::Ready, true, ("UP 1/3", 2, 0, true, true)),
    (Action::Hrunn, true, ("UP", 2, 0, true, true)),
    (Action::Hnolb, true, ("NOLB", 3, 0, true, true)),
    (Action::Hdown, true, ("DOWN", 0, 0, true, true)),
    (Action::Hrunn, true, ("UP", 2, 0, true, true)),
    (Action::Dhlth, true, ("no check", 2, 0, false, true)),
    (Action::Ehlth, true, ("UP", 2, 0, true, true)),
    (Action::Dagent, true, ("UP", 2, 0, true, false)),
    (Action::Eagent, true, ("UP", 2, 0, true, true)),
    (Action::Adown, false, ("DOWN (agent)", 0, 0, true, true)),
    (Action::Arunn, false, ("UP", 2, 0, true, true)),
];

#[tokio::test]
async fn each_action_is_done_and_then_there_is_nothing_left_to_do() {
    let (web, agent) = (Server::web().await, Server::agent().await);
    let Some(haproxy) = Haproxy::start(&proxies(&web, &agent)).await else { return };
    let socket = haproxy.admin();
    let sluice = Sluice::watching(&[("lb1", "edge", &socket)]).await;
    sluice.until_status("lb1/be/s1", "UP").await;

    walk(&socket, &sluice).await;
}

/// Takes `lb1/be/s1` through the steps, and looks at HAProxy after each.
pub(crate) async fn walk(socket: &Path, sluice: &Sluice) {
    for (action, idempotent, (status, op, admin, check_enabled, agent_enabled)) in STEPS {
        let before = raw::server(socket, "be", "s1").await;
        let got = sluice.act(action, "lb1/be/s1").await;
        let after = raw::server(socket, "be", "s1").await;
        assert_eq!(got.outcome, Outcome::Done, "{action}: {got:?}");
        assert_eq!((&got.before, &got.after), (&before.status, &after.status), "{action}");
        let expected = State { status: status.into(), scur: 0, op, admin, check_enabled, agent_enabled };
        assert_eq!(after, expected, "{action}");

        let again = sluice.act(action, "lb1/be/s1").await;
        let outcome = if idempotent { Outcome::Unchanged } else { Outcome::Done };
        assert_eq!(again.outcome, outcome, "{action} again: {again:?}");
        assert_eq!((again.before.as_str(), again.after.as_str()), (status, status), "{action} again");
        assert_eq!(raw::server(socket, "be", "s1").await, expected, "{action} again");
        // The row that everybody sees is the one that was verified, without a further poll.
        sluice.until_status("lb1/be/s1", status).await;
    }
}

#[tokio::test]
async fn one_operation_acts_on_every_node_of_a_cluster_and_answers_in_the_order_asked_for() {
    let (web, agent) = (Server::web().await, Server::agent().await);
    let proxies = format!("{}backend two\n\tserver s2 127.0.0.1:{}\n", proxies(&web, &agent), web.port);
    let (Some(one), Some(two)) = (Haproxy::start(&proxies).await, Haproxy::start(&proxies).await) else { return };
    let sluice = Sluice::watching(&[("lb1", "edge", &one.admin()), ("lb2", "edge", &two.admin())]).await;
    let target = |node: Option<&str>, backend: &str, server: &str| model::outcome::TargetRef {
        node: node.map(str::to_owned),
        cluster: node.is_none().then(|| "edge".to_owned()),
        backend: backend.to_owned(),
        server: server.to_owned(),
    };
    let targets = vec![target(Some("lb2"), "two", "s2"), target(None, "be", "s1"), target(Some("lb2"), "two", "s2")];
    let outcomes = sluice.request(Action::Maint, targets).await.expect("known servers");
    let names: Vec<_> = outcomes.iter().map(|o| o.target.to_string()).collect();
    assert_eq!(names, ["lb2/two/s2", "lb1/be/s1", "lb2/be/s1"]);
    assert!(outcomes.iter().all(|o| o.outcome == Outcome::Done), "{outcomes:?}");
    let maint = [(&one, "be", "s1", 1), (&one, "two", "s2", 0), (&two, "be", "s1", 1), (&two, "two", "s2", 1)];
    for (haproxy, backend, server, admin) in maint {
        assert_eq!(raw::server(&haproxy.admin(), backend, server).await.admin, admin, "{backend}/{server}");
    }
}
