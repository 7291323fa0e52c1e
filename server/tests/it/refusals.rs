//! Where HAProxy says no, its words are the message and nothing has changed.

use std::time::Duration;

use lab::Haproxy;
use model::{action::Action, col::Col, fleet::Level, outcome::Outcome};
use tokio::net::UnixStream;

use crate::harness::{
    raw,
    servers::Server,
    sluice::{Sluice, row},
};

fn proxies(web: &Server, holder: &Server) -> String {
    let (web, holder) = (web.port, holder.port);
    format!(
        "backend be\n\
         \tserver s1 127.0.0.1:{web} check inter 1h agent-check agent-port 1 agent-inter 1h\n\
         \tserver plain 127.0.0.1:{web}\n\
         \tserver tracker 127.0.0.1:{web} track be/s1\n\
         listen hold\n\
         \tmode tcp\n\
         \tbind unix@DIR/hold.sock\n\
         \tserver h 127.0.0.1:{holder}\n"
    )
}

#[tokio::test]
async fn haproxy_s_words_are_the_message() {
    let (web, holder) = (Server::web().await, Server::holder().await);
    let Some(haproxy) = Haproxy::start(&proxies(&web, &holder)).await else { return };
    let socket = haproxy.admin();
    let sluice = Sluice::watching(&[("lb1", "edge", &socket)]).await;
    // A listen section whose frontend is shut down for good: its servers stay in the table.
    raw::ask(&socket, "shutdown frontend hold").await;
    raw::tell(&socket, "disable agent be/s1").await;
    let tracking = "cannot change health on a tracking server.";
    let no_check = "Health check was not configured on this server, cannot enable.";
    let no_agent = "Agent was not configured on this server, cannot enable.";
    let agent_off = "agent checks are not enabled on this server.";
    for (action, backend, server, words) in [
        (Action::Hrunn, "be", "tracker", tracking),
        (Action::Hnolb, "be", "tracker", tracking),
        (Action::Hdown, "be", "tracker", tracking),
        (Action::Ehlth, "be", "tracker", no_check),
        (Action::Ehlth, "be", "plain", no_check),
        (Action::Eagent, "be", "plain", no_agent),
        (Action::Arunn, "be", "plain", agent_off),
        (Action::Adown, "be", "plain", agent_off),
        (Action::Arunn, "be", "s1", agent_off),
        (Action::Adown, "be", "s1", agent_off),
        (Action::Maint, "hold", "h", "Proxy is disabled."),
        (Action::Drain, "hold", "h", "Proxy is disabled."),
        (Action::Hdown, "hold", "h", "Proxy is disabled."),
    ] {
        let before = raw::server(&socket, backend, server).await;
        let got = sluice.act(action, &format!("lb1/{backend}/{server}")).await;
        assert_eq!((got.outcome, got.message.as_str()), (Outcome::Refused, words), "{action} {backend}/{server}");
        assert_eq!((&got.before, &got.after), (&before.status, &before.status), "{action} {backend}/{server}");
        assert_eq!(raw::server(&socket, backend, server).await, before, "{action} {backend}/{server}");
    }
}

#[tokio::test]
async fn a_socket_of_level_operator_permits_no_action() {
    let (web, holder) = (Server::web().await, Server::holder().await);
    let Some(haproxy) = Haproxy::start(&proxies(&web, &holder)).await else { return };
    let socket = haproxy.admin();
    let sluice = Sluice::watching(&[("lb1", "edge", &socket), ("reader", "lab", &haproxy.operator())]).await;
    let world = sluice.hub.world();
    let levels: Vec<_> = world.fleet.nodes.iter().map(|n| n.level).collect();
    assert_eq!(levels, [Level::Admin, Level::Operator]);

    let _session = UnixStream::connect(haproxy.path("hold.sock")).await.expect("a session");
    sluice.until("a session", |w| row(w, "lb1/hold/h").is_some_and(|r| r.get(Col::Scur) == 1)).await;
    // Beforehand the server is brought to where the action has something to do.
    for (action, server, beforehand) in [
        (Action::Drain, "be/s1", ""),
        (Action::Maint, "be/s1", ""),
        (Action::Ready, "be/s1", "set server be/s1 state drain"),
        (Action::Hnolb, "be/s1", "set server be/s1 state ready"),
        (Action::Hdown, "be/s1", ""),
        (Action::Hrunn, "be/s1", "set server be/s1 health down"),
        (Action::Dhlth, "be/s1", ""),
        (Action::Ehlth, "be/s1", "disable health be/s1"),
        (Action::Adown, "be/s1", ""),
        (Action::Arunn, "be/s1", ""),
        (Action::Dagent, "be/s1", ""),
        (Action::Eagent, "be/s1", "disable agent be/s1"),
        (Action::Shutdown, "hold/h", ""),
    ] {
        if !beforehand.is_empty() {
            raw::tell(&socket, beforehand).await;
        }
        let (backend, name) = server.split_once('/').expect("a name");
        let before = raw::server(&socket, backend, name).await;
        let got = sluice.act(action, &format!("reader/{server}")).await;
        let words = "reader: the socket's level is operator, not admin; nothing was sent";
        assert_eq!((got.outcome, got.message.as_str()), (Outcome::Refused, words), "{action}");
        assert_eq!(raw::server(&socket, backend, name).await, before, "{action}");
    }
}

/// Between two polls a server was deleted.
#[tokio::test]
async fn a_server_that_is_gone_is_refused_without_a_command() {
    let (web, holder) = (Server::web().await, Server::holder().await);
    let Some(haproxy) = Haproxy::start(&proxies(&web, &holder)).await else { return };
    let socket = haproxy.admin();
    let sluice = Sluice::polling(Duration::from_secs(3_600), &[("lb1", "edge", &socket)]).await;
    raw::tell(&socket, "set server be/plain state maint").await;
    assert!(raw::ask(&socket, "del server be/plain").await.contains("deleted"));
    let got = sluice.act(Action::Ready, "lb1/be/plain").await;
    assert_eq!(got.outcome, Outcome::Refused);
    assert!(got.message.contains("not there any more"), "{}", got.message);
    sluice.until("the row is gone", |w| row(w, "lb1/be/plain").is_none()).await;
}
