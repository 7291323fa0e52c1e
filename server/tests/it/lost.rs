//! Reloads and what they take along: events, lost states, and states that HAProxy kept.

use lab::Haproxy;
use model::{
    action::Action,
    col::Col,
    event::{Event, EventKind},
    outcome::{Outcome, Target},
};
use server::hub::World;

use crate::harness::{
    raw,
    servers::{Server, traffic},
    sluice::{Sluice, highest_rate, row},
};

/// `SERVERS` are those of the backend; `w` alone takes the traffic of the test when the others are away.
const PROXIES: &str = "\
frontend web
	bind unix@DIR/web.sock
	default_backend be
backend be
	option httpchk
	server w 127.0.0.1:WEB
SERVERS
";

const SERVERS: [&str; 4] = ["drained", "maint", "off", "leaves"];

/// More than this machine moves in a second.
const ABSURD: u64 = 10_000_000_000;

/// The proxies with these servers, each with a quick check.
fn proxies(web: &Server, servers: &[&str]) -> String {
    let line = |name: &&str| format!("\tserver {name} 127.0.0.1:{} check inter 100ms\n", web.port);
    let lines: String = servers.iter().map(line).collect();
    PROXIES.replace("WEB", &web.port.to_string()).replace("SERVERS", &lines)
}

fn events(world: &World, kind: EventKind) -> Vec<Event> {
    world.events.iter().filter(|e| e.kind == kind).map(|e| Event::clone(e)).collect()
}

/// What is lost: node, server, action and who had set it.
fn lost(world: &World) -> Vec<(&str, &str, Action, &str)> {
    world.fleet.lost.iter().map(|l| (l.node.as_str(), l.server.as_str(), l.action, l.by.as_str())).collect()
}

#[tokio::test]
async fn a_reload_tells_what_it_lost_and_setting_it_again_ends_the_list() {
    let web = Server::web().await;
    let before = proxies(&web, &SERVERS);
    let (Some(one), Some(two)) =
        (Haproxy::builder().master().start(&before).await, Haproxy::builder().master().start(&before).await)
    else {
        return;
    };
    let sluice = Sluice::watching(&[("lb1", "edge", &one.admin()), ("lb2", "edge", &two.admin())]).await;
    let _traffic = (traffic(&one.path("web.sock")), traffic(&two.path("web.sock")));
    for server in SERVERS {
        for node in ["lb1", "lb2"] {
            sluice.until_status(&format!("{node}/be/{server}"), "UP").await;
        }
    }
    assert!(sluice.hub.world().events.is_empty(), "{:?}", sluice.hub.world().events);

    // One by hand, two through Sluice.
    raw::tell(&two.admin(), "set server be/drained state drain").await;
    sluice.until("the drain is seen", |w| row(w, "lb2/be/drained").is_some_and(|r| r.get(Col::AdminState) == 8)).await;
    assert_eq!(sluice.act(Action::Maint, "lb2/be/maint").await.outcome, Outcome::Done);
    assert_eq!(sluice.act(Action::Dhlth, "lb2/be/off").await.outcome, Outcome::Done);
    let world = sluice.until("both operations", |w| events(w, EventKind::Operation).len() == 2).await;
    let maint = events(&world, EventKind::Operation).remove(0);
    let told = (maint.server.as_str(), maint.before.as_str(), maint.after.as_str(), maint.by.as_str());
    assert_eq!(told, ("maint", "UP", "MAINT", "tester"));
    assert_eq!(maint.cause, "Set state to MAINT: done; a test");
    let states: Vec<_> = events(&world, EventKind::State).into_iter().map(|e| (e.server, e.after)).collect();
    assert!(states.contains(&("drained".into(), "DRAIN".into())), "{states:?}");

    // Another configuration: one server goes, one comes.
    two.configure(&proxies(&web, &["drained", "maint", "off", "comes"]));
    two.reload();
    let mut last = world;
    while lost(&last).len() < 3 {
        let polled = last.fleet.nodes[1].stats.polled;
        last = sluice.until("another poll", |w| w.fleet.nodes[1].stats.polled > polled).await;
        assert!(highest_rate(&last) < ABSURD);
    }
    let expected = [
        ("lb2", "drained", Action::Drain, ""),
        ("lb2", "maint", Action::Maint, "tester"),
        ("lb2", "off", Action::Dhlth, "tester"),
    ];
    assert_eq!(lost(&last), expected);
    let of_maint = &last.fleet.lost[1];
    assert_eq!(of_maint.operation, maint.operation);
    assert!(of_maint.since > 0 && of_maint.since <= maint.at && of_maint.at > maint.at, "{of_maint:?}");
    assert!(last.fleet.lost[0].since > 0 && last.fleet.lost[0].operation.is_empty(), "{:?}", last.fleet.lost[0]);
    let reloads = events(&last, EventKind::Reload);
    assert_eq!(reloads.len(), 1, "{reloads:?}");
    assert_eq!((reloads[0].node.as_str(), reloads[0].cluster.as_str()), ("lb2", "edge"));
    assert_eq!(reloads[0].cause, "3 states set by operators were lost; 1 server new; 1 server gone");
    let said = raw::ask(&two.admin(), "show info").await;
    let pid = said.lines().find_map(|l| l.strip_prefix("Pid: ")).expect("a pid");
    assert!(reloads[0].after.starts_with(&format!("pid {pid},")), "{reloads:?}");
    assert!(row(&last, "lb2/be/comes").is_some() && row(&last, "lb2/be/leaves").is_none());
    assert!(row(&last, "lb1/be/leaves").is_some());

    // Under traffic the counters of the new process grow past those of the old: no rate may show it.
    for _ in 0..20 {
        let polled = last.fleet.nodes[1].stats.polled;
        last = sluice.until("another poll", |w| w.fleet.nodes[1].stats.polled > polled).await;
        assert!(highest_rate(&last) < ABSURD);
        assert!(row(&last, "lb2/be/w").is_some_and(|r| r.get(Col::ErrorsMinute) == 0));
    }
    assert_eq!(lost(&last), expected, "nothing was set again yet");
    assert!(last.fleet.nodes.iter().all(|n| n.error.is_empty()));
    assert!(events(&last, EventKind::Link).is_empty(), "{:?}", events(&last, EventKind::Link));
    // Checks began anew with the reload, and only what differs afterwards is an event: the two servers that are in use again.
    let since = |e: &Event| e.id > reloads[0].id;
    let differ: Vec<_> = events(&last, EventKind::State).into_iter().filter(since).collect();
    let short: Vec<_> = differ.iter().map(|e| (e.server.as_str(), e.before.as_str(), e.after.as_str())).collect();
    assert_eq!(short.len(), 3, "{short:?}");
    for change in [("drained", "DRAIN", "UP"), ("maint", "MAINT", "UP"), ("off", "no check", "UP")] {
        assert!(short.contains(&change), "{short:?}");
    }

    // Set again, by the actions that the list names.
    for (action, server) in [(Action::Drain, "drained"), (Action::Maint, "maint"), (Action::Dhlth, "off")] {
        let target = Target::new("lb2", "be", server);
        let outcomes = sluice.request(action, vec![target.into()]).await.expect("a known server");
        assert_eq!(outcomes[0].outcome, Outcome::Done, "{outcomes:?}");
    }
    sluice.until("nothing is lost any more", |w| w.fleet.lost.is_empty()).await;
    for (server, bits) in [("drained", 8), ("maint", 1)] {
        assert_eq!(raw::server(&two.admin(), "be", server).await.admin, bits, "{server}");
    }
}

#[tokio::test]
async fn what_a_state_file_kept_is_not_lost() {
    let web = Server::web().await;
    let kept = "global\n\tserver-state-file DIR/state\ndefaults\n\tmode http\n\ttimeout connect 10s\n\
                \ttimeout client 60s\n\ttimeout server 60s\n\tload-server-state-from-file global\n";
    let Some(haproxy) = Haproxy::builder().master().start(&format!("{kept}{}", proxies(&web, &SERVERS))).await else {
        return;
    };
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    for server in SERVERS {
        sluice.until_status(&format!("lb1/be/{server}"), "UP").await;
    }
    assert_eq!(sluice.act(Action::Drain, "lb1/be/drained").await.outcome, Outcome::Done);
    assert_eq!(sluice.act(Action::Maint, "lb1/be/maint").await.outcome, Outcome::Done);
    let pid = sluice.hub.world().fleet.nodes[0].pid;
    let state = raw::ask(&haproxy.admin(), "show servers state").await;
    std::fs::write(haproxy.path("state"), state).expect("a state file");
    haproxy.reload();
    let world = sluice.until("the new worker", |w| w.fleet.nodes[0].pid != pid).await;
    assert!(world.fleet.lost.is_empty(), "{:?}", world.fleet.lost);
    let reloads = events(&world, EventKind::Reload);
    let causes: Vec<_> = reloads.iter().map(|e| e.cause.as_str()).collect();
    assert_eq!(causes, ["2 states set by operators were kept"]);
    assert_eq!(row(&world, "lb1/be/maint").map(|r| r.get(Col::AdminState)), Some(1));
}

#[tokio::test]
async fn a_node_that_goes_and_comes_back_is_told_with_its_reason() {
    let web = Server::web().await;
    let Some(mut haproxy) = Haproxy::start(&proxies(&web, &SERVERS)).await else { return };
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    haproxy.stop();
    sluice.until("it is gone", |w| !events(w, EventKind::Link).is_empty()).await;
    haproxy.start_again().await;
    let world = sluice.until("it was started again", |w| !events(w, EventKind::Reload).is_empty()).await;
    let links = events(&world, EventKind::Link);
    let told: Vec<_> = links.iter().map(|e| (e.before.as_str(), e.after.as_str())).collect();
    assert_eq!(told.first(), Some(&("live", "stale")), "{links:?}");
    assert_eq!(told.last().map(|t| t.1), Some("live"), "{links:?}");
    assert!(links.iter().all(|e| !e.cause.is_empty()), "{links:?}");
    assert!(world.fleet.lost.is_empty());
}
