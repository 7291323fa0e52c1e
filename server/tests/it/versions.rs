//! Every version of HAProxy that can be had, for real: the same configuration, the same actions, the same questions.
//!
//! A version that can't be had is skipped by name; its replies are covered by recordings in `haproxy` and `ingest`.

mod columns;
mod old;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use lab::{Haproxy, program};
use model::{
    action::Action,
    availability::refused,
    col::{Col, Text},
    fleet::{Level, Link},
    outcome::Outcome,
    row::RowKind,
};
use server::{hub::World, metrics::Metrics};
use tokio::{net::UnixStream, time::timeout};

use crate::{
    actions,
    harness::{
        raw,
        servers::Server,
        sluice::{Sluice, row},
    },
};

/// One branch, and what sets it apart.
struct Version {
    branch: &'static str,
    /// Columns of `show stat`, without the nameless last one, in Debian's build.
    columns: usize,
    /// Some of them that the version before does not have.
    new: &'static [&'static str],
}

const VERSIONS: [Version; 5] = [
    Version { branch: "2.2", columns: 99, new: &["eint", "srv_icur"] },
    Version { branch: "2.6", columns: 128, new: &["uweight", "h1_open_streams", "h2_headers_rcvd"] },
    Version { branch: "3.0", columns: 205, new: &["srid", "h1req", "quic_retry_sent"] },
    Version { branch: "3.2", columns: 207, new: &["ssl_reused_sess"] },
    Version { branch: "3.4", columns: 213, new: &["reqbin", "resbout", "priv_idle_cur"] },
];

/// Those of them that are here, each with its program.
fn versions() -> impl Iterator<Item = (Version, PathBuf)> {
    let programs = program::for_test_of_branches(VERSIONS.map(|version| version.branch));
    VERSIONS.into_iter().zip(programs).filter_map(|(version, program)| Some((version, program?)))
}

/// The servers behind HAProxy: whoever drops them ends them.
struct Behind {
    web: Server,
    agent: Server,
    holder: Server,
}

impl Behind {
    async fn start() -> Self {
        Self { web: Server::web().await, agent: Server::agent().await, holder: Server::holder().await }
    }

    fn proxies(&self) -> String {
        format!(
            "frontend web\n\
             \tbind unix@DIR/web.sock name public\n\
             \toption socket-stats\n\
             \tdefault_backend be\n\
             {}\
             \tserver plain 127.0.0.1:{web}\n\
             \tserver tracker 127.0.0.1:{web} track be/s1\n\
             \tserver spare 127.0.0.1:{web} check inter 1h backup\n\
             backend be_odd.name:with_all-chars_1\n\
             \tserver s.1:a_b-c 127.0.0.1:{web}\n\
             listen hold\n\
             \tmode tcp\n\
             \tbind unix@DIR/hold.sock\n\
             \tserver h 127.0.0.1:{hold}\n",
            actions::proxies(&self.web, &self.agent),
            web = self.web.port,
            hold = self.holder.port,
        )
    }
}

/// What HAProxy's manual says for an action.
fn line(action: Action, server: &str) -> String {
    match action {
        Action::Ready => format!("set server {server} state ready"),
        Action::Drain => format!("set server {server} state drain"),
        Action::Maint => format!("set server {server} state maint"),
        Action::Dhlth => format!("disable health {server}"),
        Action::Ehlth => format!("enable health {server}"),
        Action::Hrunn => format!("set server {server} health up"),
        Action::Hnolb => format!("set server {server} health stopping"),
        Action::Hdown => format!("set server {server} health down"),
        Action::Dagent => format!("disable agent {server}"),
        Action::Eagent => format!("enable agent {server}"),
        Action::Arunn => format!("set server {server} agent up"),
        Action::Adown => format!("set server {server} agent down"),
        Action::Shutdown => format!("shutdown sessions server {server}"),
    }
}

#[tokio::test]
async fn every_version_is_polled_and_shows_what_it_is() {
    let behind = Behind::start().await;
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let sockets = [haproxy.admin(), haproxy.operator(), haproxy.user()];
        let sluice = Sluice::watching(&[
            ("lb1", "edge", &sockets[0]),
            ("lb2", "lab", &sockets[1]),
            ("lb3", "hall", &sockets[2]),
        ])
        .await;
        let world = sluice.until_status("lb1/be/s1", "UP").await;
        let info = raw::ask(&haproxy.admin(), "show info").await;
        for (node, level) in world.fleet.nodes.iter().zip([Level::Admin, Level::Operator, Level::User]) {
            assert_eq!((node.link, node.level, node.error.as_str()), (Link::Live, level, ""), "{branch}");
            assert!(node.version.starts_with(&format!("{branch}.")), "{}", node.version);
            assert!(info.contains(&format!("\nVersion: {}\n", node.version)), "{branch}: {info}");
            assert!(info.contains(&format!("\nPid: {}\n", node.pid)), "{branch}: {info}");
        }
        for (target, kind, status) in [
            ("lb1/web/FRONTEND", RowKind::Frontend, "OPEN"),
            ("lb1/web/public", RowKind::Listener, "OPEN"),
            ("lb1/be/s1", RowKind::Server, "UP"),
            ("lb1/be/plain", RowKind::Server, "no check"),
            ("lb1/be/tracker", RowKind::Server, "UP"),
            ("lb1/be/BACKEND", RowKind::Backend, "UP"),
            ("lb1/be_odd.name:with_all-chars_1/s.1:a_b-c", RowKind::Server, "no check"),
        ] {
            let row = row(&world, target).unwrap_or_else(|| panic!("{branch}: no {target}"));
            assert_eq!((row.kind, row.text(Text::Status)), (kind, status), "{branch} {target}");
        }
        let spare = row(&world, "lb1/be/spare").expect("a backup");
        assert_eq!((spare.get(Col::Act), spare.get(Col::Bck)), (0, 1), "{branch}");
        assert_eq!(row(&world, "lb1/be/tracker").expect("a tracker").text(Text::Tracked), "be/s1", "{branch}");
        eprintln!("HAProxy {}: live at three levels", world.fleet.nodes[0].version);
    }
}

#[tokio::test]
async fn every_version_does_each_action_and_shows_it() {
    let behind = Behind::start().await;
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let socket = haproxy.admin();
        let sluice = Sluice::watching(&[("lb1", "edge", &socket)]).await;
        sluice.until_status("lb1/be/s1", "UP").await;
        actions::walk(&socket, &sluice).await;

        let _visitor = UnixStream::connect(haproxy.path("hold.sock")).await.expect("a visitor");
        sluice.until("a session", |w| row(w, "lb1/hold/h").is_some_and(|r| r.get(Col::Scur) == 1)).await;
        let got = sluice.act(Action::Shutdown, "lb1/hold/h").await;
        assert_eq!((got.outcome, got.message.as_str()), (Outcome::Done, "1 session ended"), "{branch}");
        assert_eq!(raw::server(&socket, "hold", "h").await.scur, 0, "{branch}");
        eprintln!("HAProxy {branch}: thirteen actions done, seen on the socket");
    }
}

/// What HAProxy has nothing for is refused with its words, left as it is where it would say nothing, and never made
/// worse.
#[tokio::test]
async fn every_version_refuses_what_it_has_nothing_for() {
    let behind = Behind::start().await;
    let refused = |words: &str| (Outcome::Refused, words.to_owned());
    let unchanged = |words: &str| (Outcome::Unchanged, words.to_owned());
    let tracking = refused("cannot change health on a tracking server.");
    let no_check = refused("Health check was not configured on this server, cannot enable.");
    let no_agent = refused("Agent was not configured on this server, cannot enable.");
    let agent_off = refused("agent checks are not enabled on this server.");
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let socket = haproxy.admin();
        let sluice = Sluice::watching(&[("lb1", "edge", &socket)]).await;
        sluice.until_status("lb1/be/s1", "UP").await;
        // It would switch on a check that is not there, and say nothing.
        let is_trap = branch == "2.2";
        let withheld =
            |words: &str| if is_trap { refused(&format!("{words}; nothing was sent")) } else { no_check.clone() };
        for (action, server, expected) in [
            (Action::Hrunn, "tracker", tracking.clone()),
            (Action::Hnolb, "tracker", tracking.clone()),
            (Action::Hdown, "tracker", tracking.clone()),
            (Action::Ehlth, "tracker", withheld("follows be/s1")),
            (Action::Ehlth, "plain", withheld("no health check configured")),
            (Action::Dhlth, "plain", unchanged("no health check is configured")),
            (Action::Dagent, "plain", unchanged("no agent is configured")),
            (Action::Eagent, "plain", no_agent.clone()),
            (Action::Arunn, "plain", agent_off.clone()),
            (Action::Adown, "plain", agent_off.clone()),
            (Action::Ready, "plain", unchanged("")),
            (Action::Shutdown, "plain", unchanged("there was no session")),
        ] {
            let before = raw::server(&socket, "be", server).await;
            let got = sluice.act(action, &format!("lb1/be/{server}")).await;
            assert_eq!((got.outcome, got.message), expected, "{branch} {action} {server}");
            assert_eq!(raw::server(&socket, "be", server).await, before, "{branch} {action} {server}");
        }
        eprintln!("HAProxy {branch}: refusals in its words");
    }
}

/// The page greys an action out exactly where HAProxy would say no, or would do nothing in silence.
#[tokio::test]
async fn every_version_agrees_with_what_is_greyed_out() {
    let behind = Behind::start().await;
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let socket = haproxy.admin();
        let sluice = Sluice::watching(&[("lb1", "edge", &socket)]).await;
        let world = sluice.until_status("lb1/be/s1", "UP").await;
        let mut silent = BTreeSet::new();
        for name in ["be/s1", "be/plain", "be/tracker", "be/spare", "be_odd.name:with_all-chars_1/s.1:a_b-c", "hold/h"]
        {
            let row = row(&world, &format!("lb1/{name}")).expect("a server");
            for action in Action::ALL {
                let reason = refused(action, row, world.fleet.nodes.first());
                let said = raw::ask(&socket, &line(action, name)).await;
                match reason {
                    None => assert_eq!(said, "\n", "{branch} {action} {name}"),
                    Some(_) if said == "\n" => _ = silent.insert(action.id()),
                    Some(_) => {}
                }
            }
            raw::tell(&socket, &format!("set server {name} state ready")).await;
        }
        let expected: &[&str] = if branch == "2.2" { &["dagent", "dhlth", "ehlth"] } else { &["dagent", "dhlth"] };
        assert_eq!(silent.into_iter().collect::<Vec<_>>(), expected, "{branch}");

        raw::tell(&socket, "disable agent be/s1").await;
        let off = |w: &World| row(w, "lb1/be/s1").is_some_and(|r| r.get(Col::AgentState) & 4 == 0);
        let world = sluice.until("the agent is off", off).await;
        let row = row(&world, "lb1/be/s1").expect("a server");
        for action in [Action::Arunn, Action::Adown] {
            assert_eq!(refused(action, row, None).as_deref(), Some("agent checks are disabled"), "{branch}");
            let said = raw::ask(&socket, &line(action, "be/s1")).await;
            assert_eq!(said.trim_end(), "agent checks are not enabled on this server.", "{branch}");
        }
    }
}

#[tokio::test]
async fn no_version_is_sent_what_the_level_of_its_socket_does_not_allow() {
    let behind = Behind::start().await;
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let sluice = Sluice::watching(&[("lb2", "lab", &haproxy.operator()), ("lb3", "hall", &haproxy.user())]).await;
        let world = sluice.until_status("lb2/be/s1", "UP").await;
        let before = raw::server(&haproxy.admin(), "be", "s1").await;
        for (node, level) in world.fleet.nodes.iter().zip(["operator", "user"]) {
            for action in Action::ALL {
                let target = format!("{}/be/s1", node.name);
                let reason = format!("{}: the socket's level is {level}, not admin", node.name);
                let greyed = refused(action, row(&world, &target).expect("a server"), Some(node));
                assert_eq!(greyed.as_deref(), Some(reason.as_str()), "{branch} {action}");
                let got = sluice.act(action, &target).await;
                let expected = (Outcome::Refused, format!("{reason}; nothing was sent"));
                assert_eq!((got.outcome, got.message), expected, "{branch} {action}");
                assert_eq!(
                    raw::ask(&haproxy.path(&format!("{level}.sock")), &line(action, "be/s1")).await,
                    "Permission denied\n\n"
                );
            }
        }
        assert_eq!(raw::server(&haproxy.admin(), "be", "s1").await, before, "{branch}");
    }
}

/// Reloads until another process than `pid` answers.
async fn reload(haproxy: &Haproxy, sluice: &Sluice, pid: u64) -> Arc<World> {
    /// Longer than a reload takes.
    const MOMENT: Duration = Duration::from_secs(5);
    for _ in 0..5 {
        haproxy.reload();
        // A master that is still busy with its start misses the signal.
        if let Ok(world) = timeout(MOMENT, sluice.hub.wait_for(|w| w.fleet.nodes[0].pid != pid)).await {
            return world.expect("the hub runs");
        }
    }
    panic!("no other process than {pid} after five signals");
}

#[tokio::test]
async fn every_version_is_followed_through_a_reload() {
    let behind = Behind::start().await;
    for (Version { branch, .. }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).master().start(&behind.proxies()).await else { return };
        let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
        let world = sluice.until_status("lb1/be/s1", "UP").await;
        let node = &world.fleet.nodes[0];
        let world = reload(&haproxy, &sluice, node.pid).await;
        let after = &world.fleet.nodes[0];
        assert_eq!((after.link, after.level, &after.version), (Link::Live, Level::Admin, &node.version), "{branch}");
        let info = raw::ask(&haproxy.admin(), "show info").await;
        assert!(info.contains(&format!("\nPid: {}\n", after.pid)), "{branch}: {info}");
        assert_eq!(sluice.act(Action::Maint, "lb1/be/s1").await.outcome, Outcome::Done, "{branch}");
        assert_eq!(raw::server(&haproxy.admin(), "be", "s1").await.admin, 1, "{branch}");
        let errors = sluice.metrics.poll_errors.get_or_create(&Metrics::node("lb1")).get();
        assert_eq!(errors, 0, "{branch}");
        eprintln!("HAProxy {}: reloaded, pid {} then {}, no poll lost", after.version, node.pid, after.pid);
    }
}
