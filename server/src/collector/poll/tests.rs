//! Polls of processes that follow one another, as replies and a clock.

use bytes::Bytes;
use haproxy::{Limits, StatTable};
use model::{
    action::Action,
    col::{Col, Text},
    event::EventKind,
    outcome::Target,
};

use super::*;
use crate::collector::Requester;

fn poller() -> Poller {
    let client = Client::new("unix:/nowhere".parse::<haproxy::Address>().expect("an address"), Limits::default());
    Poller::new(Node { name: "lb1".into(), ..Node::default() }, client, Arc::new(Metrics::new()))
}

/// What the poller finds when process `pid`, up for `uptime` seconds, tells of one server: bytes in, failed connections
/// and status.
fn poll(poller: &mut Poller, now: u64, (pid, uptime): (u64, u64), server: (u64, u64, &str, &str)) -> PollResult {
    let info = format!("Name: HAProxy\nPid: {pid}\nUptime_sec: {uptime}\n\n");
    let (bin, econ, status, check) = server;
    let stat = format!(
        "# pxname,svname,type,bin,bout,econ,status,check_status,\nbe,s1,2,{bin},0,{econ},{status},{check},\n\n"
    );
    let info = Info::parse(info.as_bytes()).expect("a reply");
    poller.compare_replies(info, StatTable::parse(Bytes::from(stat)).expect("a reply"), now)
}

fn cell(poller: &Poller, col: Col) -> u64 {
    poller.server("be", "s1").expect("the server").get(col)
}

#[test]
fn counters_of_a_new_process_give_no_rate_however_far_they_have_grown() {
    let mut poller = poller();
    poll(&mut poller, 1_000, (7, 100), (1_000, 2, "UP", "L4OK"));
    poll(&mut poller, 2_000, (7, 101), (3_000, 2, "UP", "L4OK"));
    assert_eq!(cell(&poller, Col::BinRate), 2_000);
    poll(&mut poller, 3_000, (8, 0), (9_000_000_000_000, 900, "UP", "L4OK"));
    assert_eq!((cell(&poller, Col::BinRate), cell(&poller, Col::ErrorsMinute)), (0, 0));
    poll(&mut poller, 4_000, (8, 1), (9_000_000_005_000, 901, "UP", "L4OK"));
    assert_eq!((cell(&poller, Col::BinRate), cell(&poller, Col::ErrorsMinute)), (5_000, 1));
    // Within the same pid as well, as in a container; and with counters that were cleared or came round.
    poll(&mut poller, 5_000, (8, 0), (9_100_000_000_000, 999, "UP", "L4OK"));
    assert_eq!((cell(&poller, Col::BinRate), cell(&poller, Col::ErrorsMinute)), (0, 0));
    poll(&mut poller, 6_000, (8, 1), (12, 0, "UP", "L4OK"));
    assert_eq!((cell(&poller, Col::BinRate), cell(&poller, Col::ErrorsMinute)), (0, 0));
}

#[test]
fn a_worker_that_leaves_is_no_reload_and_its_counters_no_rate() {
    let mut poller = poller();
    poll(&mut poller, 1_000, (8, 5), (1_000, 0, "UP", "L4OK"));
    let info = Info::parse(b"Name: HAProxy\nPid: 7\nUptime_sec: 900\nStopping: 1\n\n").expect("a reply");
    let stat = Bytes::from_static(b"# pxname,svname,type,bin,status,\nbe,s1,2,9000000000,UP,\n\n");
    let found = poller.compare_replies(info, StatTable::parse(stat).expect("a reply"), 2_000);
    assert!(found.events.is_empty(), "{:?}", found.events);
    assert_eq!(cell(&poller, Col::BinRate), 0);
    let found = poll(&mut poller, 3_000, (8, 7), (2_000, 0, "UP", "L4OK"));
    assert!(found.events.is_empty(), "{:?}", found.events);
    assert_eq!(cell(&poller, Col::BinRate), 0);
}

#[test]
fn after_a_reload_only_what_checks_find_different_is_told() {
    let mut poller = poller();
    assert!(poll(&mut poller, 1_000, (7, 100), (0, 0, "UP", "L4OK")).events.is_empty());
    let found = poll(&mut poller, 2_000, (8, 0), (0, 0, "UP 1/3", "INI"));
    assert_eq!(found.events.iter().map(|e| e.kind).collect::<Vec<_>>(), [EventKind::Reload]);
    assert!(poll(&mut poller, 3_000, (8, 1), (0, 0, "UP 1/3", "INI")).events.is_empty());
    assert!(poll(&mut poller, 4_000, (8, 2), (0, 0, "UP", "L4OK")).events.is_empty(), "as before the reload");
    poll(&mut poller, 5_000, (9, 0), (0, 0, "UP 1/3", "INI"));
    let found = poll(&mut poller, 6_000, (9, 1), (0, 0, "DOWN", "L4CON"));
    let told: Vec<_> = found.events.iter().map(|e| (e.before.as_str(), e.after.as_str(), e.node.as_str())).collect();
    assert_eq!(told, [("UP", "DOWN", "lb1")]);
    assert_eq!(poller.server("be", "s1").expect("the server").text(Text::Status), "DOWN");
}

#[test]
fn what_haproxy_does_not_list_any_more_is_not_remembered() {
    let mut poller = poller();
    poll(&mut poller, 1_000, (7, 100), (1_000, 2, "UP", "L4OK"));
    let target = Target::new("lb1", "be", "s1");
    poller.overrides.action_done(&target, Action::Drain, true, &Requester::default(), 1_500);
    poll(&mut poller, 2_000, (7, 101), (1_000, 2, "UP", "L4OK"));
    assert_eq!((poller.proxies.len(), poller.overrides.count()), (1, 1));
    let info = Info::parse(b"Name: HAProxy\nPid: 7\nUptime_sec: 102\n\n").expect("a reply");
    let stat = Bytes::from_static(b"# pxname,svname,type,bin,status,\n\n");
    let result = poller.compare_replies(info, StatTable::parse(stat).expect("a reply"), 3_000);
    assert!(matches!(result.proxies.as_slice(), [ProxyUpdate { rows: None, .. }]));
    assert_eq!((poller.proxies.len(), poller.overrides.count()), (0, 0));
    poll(&mut poller, 4_000, (7, 103), (9_000, 9, "UP", "L4OK"));
    assert_eq!((cell(&poller, Col::BinRate), cell(&poller, Col::ErrorsMinute)), (0, 0), "it begins anew");
}
