//! Those who may not see everything: nothing that they are sent names what they may not see, and it is all that they may.

use std::{sync::Arc, time::Duration};

use model::{
    action::Action,
    change::diff,
    col::{Col, Text},
    fleet::{Fleet, Link, Node, NodeStats},
    rights::{Grant, Pattern, Rights, Role},
    row::{Row, RowKind},
    topic::TopicId,
};
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Fixture, PATIENCE, assert_free_of,
    page::Page,
    program::Program,
    source::CLUSTERS,
    world::{Busy, invisible, rights, topics},
};
use crate::{
    hub::{Encoding, Hub, ProxyUpdate, Update, World, state::HubState, views::MOST_VIEWS},
    metrics::Metrics,
};

/// A hub of the busy fleet.
fn hub(busy: &Busy, metrics: &Arc<Metrics>) -> Hub {
    Hub::spawn(busy.nodes.clone(), "build".into(), metrics.clone(), &Default::default(), Default::default())
}

/// Bound to these backends, everywhere.
fn bound(backends: &[&str], actions: &[Action]) -> Arc<Rights> {
    let backends = backends.iter().map(|b| Pattern((*b).to_owned())).collect();
    let grant = Grant { clusters: vec![], backends, actions: actions.to_vec() };
    Arc::new(Rights { role: Role::Operator, grants: Some(vec![grant]) })
}

/// All of a world but HAProxy's raw replies, as text.
fn written(world: &World) -> String {
    let World { fleet, proxies, events, problems, .. } = world;
    format!("{fleet:?} {proxies:?} {events:?} {problems:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_in_what_is_seen_names_what_is_not(seed in any::<u64>()) {
        let mut busy = Busy::new(seed);
        let rights = rights(seed.rotate_left(17));
        let invisible = invisible(&rights);
        let mut state = HubState::new(busy.nodes.clone());
        for now in 0..40 {
            state.apply_update(busy.change(), Instant::now());
            if now % 4 == 3 {
                state.sample(now);
            } else {
                state.flush(now);
            }
        }
        let world = Arc::new(state.world());
        let seen = world.seen_by(&rights);
        assert_free_of(written(&seen).as_bytes(), &invisible);
        assert_free_of(serde_json::to_string(&*seen.fleet).expect("JSON").as_bytes(), &invisible);
        // All else is there.
        let proxies = world.proxies.iter().filter(|p| rights.sees(&p.cluster, &p.proxy)).count();
        prop_assert_eq!(seen.proxies.len(), proxies);
        let problems = world.problems.iter().filter(|p| match p.proxy.as_str() {
            "" => rights.sees_cluster(&p.cluster),
            proxy => rights.sees(&p.cluster, proxy),
        });
        prop_assert_eq!(seen.fleet.problem_count, problems.count() as u64);
        prop_assert_eq!(&*seen.seen_by(&rights).fleet, &*seen.fleet, "a second look hides no more");
    }

    #[test]
    fn a_view_s_deltas_lead_from_its_snapshot_to_what_is_seen(seed in any::<u64>()) {
        let mut busy = Busy::new(seed);
        let rights = rights(seed.rotate_left(29));
        let mut state = HubState::new(busy.nodes.clone());
        for now in 0..10 {
            state.apply_update(busy.change(), Instant::now());
            state.flush(now);
        }
        let view = state.join_view(&rights).expect("room");
        let view = view.expect("bound");
        let frame = state.snapshot(crate::hub::topics::FLEET, Some(view)).expect("a fleet");
        let model::frame::Frame::Fleet(mut last, mut fleet) = frame else { panic!("no fleet") };
        for now in 10..60 {
            state.apply_update(busy.change(), Instant::now());
            let frames = if now % 7 == 0 { state.sample(now) } else { state.flush(now) };
            for frame in frames.into_iter().filter(|n| n.view == Some(view)) {
                if let model::frame::Frame::FleetDelta(seq, delta) = frame.frame {
                    prop_assert_eq!(seq, last.next());
                    last = seq;
                    fleet.apply(*delta);
                }
            }
            prop_assert_eq!(&*fleet, &*Arc::new(state.world()).seen_by(&rights).fleet);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_byte_that_a_bound_viewer_is_sent_names_what_they_may_not_see() {
    let mut bytes = 0;
    for seed in 0..12 {
        let mut busy = Busy::new(seed);
        let metrics = Arc::new(Metrics::new());
        let hub = hub(&busy, &metrics);
        let rights = rights(seed);
        // Both ask for everything, also before it exists.
        let mut page = Page::open_as(&hub, topics(), &rights).await;
        let mut program = Program::open_as(&hub, topics_of(&rights), &rights).await;
        let mut all = Page::open(&hub, topics()).await;
        (page.invisible, program.invisible) = (invisible(&rights), invisible(&rights));
        for count in 0..250_u64 {
            let update = busy.change();
            let (place, polled) = (update.place, update.node.stats.polled);
            assert!(hub.update(update).await);
            hub.wait_for(|w| w.fleet.nodes[place].stats.polled == polled).await.expect("the hub runs");
            sleep(Duration::from_millis(100 * (count % 16))).await;
            page.catch_up(&hub).await;
            all.catch_up(&hub).await;
            if count % 40 == 0 {
                program.catch_up(&hub).await;
            }
        }
        program.catch_up(&hub).await;
        assert_eq!(metrics.viewers_behind.get(), 0);
        bytes += page.deltas;
    }
    assert!(bytes > 1_000, "they were told of much: {bytes}");
}

/// The topics that can come to be for somebody: a program waits for nothing else.
fn topics_of(rights: &Rights) -> Vec<TopicId> {
    let is_seen = |t: &TopicId| match t {
        TopicId::Proxy { cluster, proxy } => rights.sees(cluster, proxy),
        TopicId::Accounts | TopicId::Node { .. } => false,
        TopicId::Fleet | TopicId::Events => true,
    };
    topics().into_iter().filter(is_seen).collect()
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_not_seen_is_as_if_it_were_not_there() {
    let mut fixture = Fixture::start(1);
    fixture.changes(100).await;
    let hidden = vec![TopicId::proxy(CLUSTERS[0], "db"), TopicId::node("lb1", "db"), TopicId::node("lb9", "web")];
    let mut viewer = fixture.hub.join(Encoding::Json, &bound(&["web"], &[])).await.expect("the hub runs");
    viewer.next().await.expect("a greeting");
    assert!(viewer.subscribe(hidden).await);
    for _ in 0..20 {
        let update = fixture.source.change_of("db");
        fixture.tell(update).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert!(timeout(Duration::from_secs(1), viewer.next()).await.is_err(), "nothing comes");
}

#[tokio::test(start_paused = true)]
async fn those_who_see_the_same_share_one_frame() {
    let mut fixture = Fixture::start(2);
    fixture.changes(30).await;
    let same = [bound(&["web"], &[Action::Drain]), bound(&["web", "web"], &[])];
    let mut viewers = Vec::new();
    for rights in &same {
        let mut viewer = fixture.hub.join(Encoding::Postcard, rights).await.expect("the hub runs");
        viewer.next().await.expect("a greeting");
        assert!(viewer.subscribe(vec![TopicId::Fleet]).await);
        viewer.next().await.expect("a snapshot");
        viewers.push(viewer);
    }
    fixture.change().await;
    let frames = [viewers[0].next().await.expect("a delta"), viewers[1].next().await.expect("a delta")];
    assert_eq!(frames[0].as_ptr(), frames[1].as_ptr(), "encoded once");
}

#[tokio::test(start_paused = true)]
async fn views_are_bounded_and_go_with_their_last_viewer() {
    let mut fixture = Fixture::start(3);
    fixture.changes(3).await;
    let join = async |n: usize| {
        let rights = bound(&[&format!("p{n}")], &[]);
        let mut viewer = fixture.hub.join(Encoding::Json, &rights).await.expect("the hub runs");
        let greeting = timeout(PATIENCE, viewer.next()).await.expect("an answer");
        greeting.map(|_| viewer)
    };
    // One after the other there may be any number.
    for n in 0..2 * MOST_VIEWS {
        drop(join(n).await.expect("room"));
    }
    let mut kept = Vec::new();
    for n in 0..MOST_VIEWS {
        kept.push(join(n).await.expect("room"));
    }
    assert!(join(MOST_VIEWS).await.is_none(), "one too many is turned away");
    assert!(join(0).await.is_some(), "whoever sees what another sees needs no further view");
    drop(kept.pop());
    assert!(join(MOST_VIEWS).await.is_some());
    let everything = fixture.hub.join(Encoding::Json, &Arc::default()).await.expect("the hub runs").next().await;
    assert!(everything.is_some());
}

/// One node; `app` with a server that is DOWN, `db` with very many that are, since longer; frontends in both.
fn crowd() -> (Vec<Node>, Update) {
    let node = Node { name: "lb1".into(), cluster: "edge".into(), link: Link::Live, ..Node::default() };
    let node = Node { stats: NodeStats { polled: 1, conns: 7, idle: 80, requests: 42 }, ..node };
    let proxy = |name: &str, servers: usize, since: u64, requests: u64| {
        let mut frontend = Row::new(RowKind::Frontend, "FRONTEND");
        frontend.set(Col::ReqRate, Some(requests));
        let server = |n| {
            let mut row = Row::new(RowKind::Server, format!("s{n}"));
            row.set_text(Text::Status, "DOWN");
            row.set(Col::Lastchg, Some(since));
            row
        };
        let rows: Arc<Vec<Row>> = Arc::new(std::iter::once(frontend).chain((0..servers).map(server)).collect());
        let change = diff(&[], &rows).expect("rows");
        ProxyUpdate { proxy: name.into(), rows: Some((rows, change)) }
    };
    let proxies = vec![proxy("db", 3 * Fleet::MOST_PROBLEMS, 10, 40), proxy("app", 1, 99, 2)];
    (vec![node.clone()], Update { place: 0, node, replies: None, proxies, events: Vec::new(), lost: None })
}

#[test]
fn problems_that_are_not_seen_push_none_that_is_off_the_list() {
    let (nodes, update) = crowd();
    let mut state = HubState::new(nodes);
    state.apply_update(update, Instant::now());
    state.flush(0);
    let world = Arc::new(state.world());
    assert_eq!(world.fleet.problems.len(), Fleet::MOST_PROBLEMS);
    assert!(world.fleet.problems.iter().all(|p| p.proxy == "db"));
    assert_eq!(world.fleet.problem_count, 3 * Fleet::MOST_PROBLEMS as u64 + 1);
    let fleet = &world.seen_by(&bound(&["app"], &[])).fleet;
    assert_eq!((fleet.problems.len(), fleet.problem_count), (1, 1));
    assert_eq!(fleet.problems[0].proxy, "app");
}

#[test]
fn requests_are_those_of_the_frontends_that_are_seen_and_a_process_s_figures_its_own() {
    let (nodes, update) = crowd();
    let mut state = HubState::new(nodes);
    state.apply_update(update, Instant::now());
    for now in 0..3 {
        state.sample(now);
    }
    let world = Arc::new(state.world());
    let of = |rights: &Rights| {
        let fleet = world.seen_by(rights).fleet.clone();
        let stats = fleet.nodes[0].stats.clone();
        (stats.requests, stats.conns, stats.idle, fleet.requests.0.clone())
    };
    assert_eq!(of(&bound(&["app"], &[])), (2, 7, 80, vec![2, 2, 2]));
    assert_eq!(of(&bound(&["app", "db"], &[])), (42, 7, 80, vec![42, 42, 42]));
    assert_eq!(of(&Rights::default()), (42, 7, 80, vec![42, 42, 42]));
    // By cluster alone the node's own figure stands.
    let grant = Grant { clusters: vec![Pattern("edge".into())], backends: vec![], actions: vec![] };
    assert_eq!(of(&Rights { role: Role::Viewer, grants: Some(vec![grant]) }).0, 42);
}

#[test]
fn whoever_sees_everything_sees_the_very_same_world() {
    let (nodes, update) = crowd();
    let mut state = HubState::new(nodes);
    state.apply_update(update, Instant::now());
    state.flush(0);
    let world = Arc::new(state.world());
    assert!(Arc::ptr_eq(&world, &world.seen_by(&Rights::of(Role::Viewer))));
    assert_eq!(state.join_view(&Rights::of(Role::Viewer)), Ok(None));
    let nothing = world.seen_by(&Rights { role: Role::Operator, grants: Some(vec![]) });
    assert!(nothing.fleet.nodes.is_empty() && nothing.proxies.is_empty() && nothing.events.is_empty());
}
