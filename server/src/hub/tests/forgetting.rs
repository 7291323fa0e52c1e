//! A proxy that is gone from HAProxy is forgotten after ten minutes; one of a node that does not answer is not.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use model::{
    change::diff,
    col::Col,
    fleet::Link,
    frame::{Frame, Seq},
    rights::{Grant, Pattern, Rights, Role},
    row::{Row, RowKind},
    topic::TopicId,
};
use tokio::time::{Instant, sleep};

use super::{Fixture, page::Page, program::Program, source::CLUSTERS};
use crate::hub::{
    ProxyUpdate, Replies, Update,
    state::HubState,
    topics::{KEPT_EMPTY, TopicFrame},
};

const SECOND: Duration = Duration::from_secs(1);

/// Two nodes of one cluster, and one of another.
const NODES: [(&str, &str); 3] = [("lb1", CLUSTERS[0]), ("lb2", CLUSTERS[0]), ("lb3", CLUSTERS[1])];

/// What polls of these nodes find.
struct Polls {
    /// Counts the polls: `polled` of each.
    count: u64,
}

impl Polls {
    /// A good poll of the `place`-th node in which `proxy` has one server, or is not there any more.
    fn good(&mut self, fixture: &Fixture, place: usize, proxy: &str, is_there: bool) -> Update {
        let (node, cluster) = NODES[place];
        let known = fixture.hub.world().proxy(cluster, proxy).and_then(|p| p.sections.section(node).cloned());
        let old = known.map(|s| s.rows).unwrap_or_default();
        let rows = is_there.then(|| {
            let mut row = Row::new(RowKind::Server, "s1");
            row.set(Col::Stot, Some(self.count));
            let rows = vec![row];
            let change = diff(&old, &rows).expect("another count");
            (Arc::new(rows), change)
        });
        let info = haproxy::Info::parse(b"Name: HAProxy\nPid: 1\n\n").expect("a reply");
        let stat = Bytes::from_static(b"# pxname,svname,type,status,\n\n");
        let stat = haproxy::StatTable::parse(stat).expect("a reply");
        let update = self.bare(fixture, place, Link::Live);
        Update {
            replies: Some(Arc::new(Replies { info, stat, polled: self.count })),
            proxies: vec![ProxyUpdate { proxy: proxy.into(), rows }],
            ..update
        }
    }

    /// A poll of which nothing is known but how the node's link is.
    fn bare(&mut self, fixture: &Fixture, place: usize, link: Link) -> Update {
        self.count += 1;
        let mut node = fixture.source.nodes()[place].clone();
        (node.link, node.stats.polled) = (link, self.count);
        Update { place, node, replies: None, proxies: Vec::new(), events: Vec::new(), lost: None }
    }
}

/// Whether the hub has a proxy of the first cluster, in every place where it stands.
fn knows(fixture: &Fixture, proxy: &str) -> bool {
    let world = fixture.hub.world();
    let is_listed = world.fleet.proxies.iter().any(|p| p.cluster == CLUSTERS[0] && p.proxy == proxy);
    assert_eq!(world.proxy(CLUSTERS[0], proxy).is_some(), is_listed);
    is_listed
}

fn web() -> TopicId {
    TopicId::proxy(CLUSTERS[0], "web")
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_gone_from_every_node_is_forgotten_after_ten_minutes() {
    let (fixture, mut polls) = (Fixture::start(1), Polls { count: 0 });
    let topics = vec![TopicId::Fleet, web(), TopicId::node("lb1", "web")];
    let mut page = Page::open(&fixture.hub, topics.clone()).await;
    let mut program = Program::open(&fixture.hub, topics).await;
    for place in [0, 1] {
        fixture.tell(polls.good(&fixture, place, "web", true)).await;
        fixture.tell(polls.good(&fixture, place, "api", true)).await;
    }
    page.catch_up(&fixture.hub).await;
    fixture.tell(polls.good(&fixture, 0, "web", false)).await;
    sleep(300 * SECOND).await;
    fixture.tell(polls.good(&fixture, 1, "web", false)).await;
    let replies = fixture.hub.world().replies.clone();

    sleep(KEPT_EMPTY - SECOND).await;
    page.catch_up(&fixture.hub).await;
    assert!(knows(&fixture, "web") && knows(&fixture, "api"));
    sleep(2 * SECOND).await;
    assert!(!knows(&fixture, "web") && knows(&fixture, "api"));
    for (now, before) in fixture.hub.world().replies.iter().zip(&replies) {
        assert_eq!(now.as_ref().map(Arc::as_ptr), before.as_ref().map(Arc::as_ptr), "what the nodes answered stays");
    }

    // Both still want it. It begins anew, with a snapshot for each.
    let before = page.snapshots_of(&web());
    for _ in 0..3 {
        fixture.tell(polls.good(&fixture, 0, "web", true)).await;
        page.catch_up(&fixture.hub).await;
        program.catch_up(&fixture.hub).await;
    }
    assert!(knows(&fixture, "web"));
    assert_eq!(page.snapshots_of(&web()), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_back_within_ten_minutes_is_the_same_one() {
    let (fixture, mut polls) = (Fixture::start(2), Polls { count: 0 });
    fixture.tell(polls.good(&fixture, 0, "web", true)).await;
    let mut page = Page::open(&fixture.hub, vec![TopicId::Fleet, web()]).await;
    page.catch_up(&fixture.hub).await;
    for _ in 0..3 {
        fixture.tell(polls.good(&fixture, 0, "web", false)).await;
        sleep(KEPT_EMPTY - SECOND).await;
        fixture.tell(polls.good(&fixture, 0, "web", true)).await;
        page.catch_up(&fixture.hub).await;
    }
    sleep(2 * KEPT_EMPTY).await;
    page.catch_up(&fixture.hub).await;
    assert!(knows(&fixture, "web"));
    assert_eq!(page.snapshots_of(&web()), 1, "deltas led from one to the next");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_keeps_its_proxies() {
    for link in [Link::Stale, Link::Down] {
        let (fixture, mut polls) = (Fixture::start(3), Polls { count: 0 });
        for place in [0, 1] {
            fixture.tell(polls.good(&fixture, place, "web", true)).await;
        }
        fixture.tell(polls.good(&fixture, 1, "api", true)).await;
        fixture.tell(polls.bare(&fixture, 1, link)).await;
        // The other node says that it has the proxy no more; of this one nothing is known.
        fixture.tell(polls.good(&fixture, 0, "web", false)).await;
        sleep(3_600 * SECOND).await;
        assert!(knows(&fixture, "web") && knows(&fixture, "api"), "{link:?}");
        let world = fixture.hub.world();
        let sections = &world.proxy(CLUSTERS[0], "web").expect("the proxy").sections;
        assert_eq!(sections.0.iter().map(|s| s.node.as_str()).collect::<Vec<_>>(), ["lb2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_one_node_of_a_cluster_loses_a_proxy_the_other_keeps_it() {
    let (fixture, mut polls) = (Fixture::start(4), Polls { count: 0 });
    for place in [0, 1] {
        fixture.tell(polls.good(&fixture, place, "web", true)).await;
    }
    let of_node = TopicId::node("lb2", "web");
    let mut page = Page::open(&fixture.hub, vec![TopicId::Fleet, web(), of_node.clone()]).await;
    page.catch_up(&fixture.hub).await;
    fixture.tell(polls.good(&fixture, 1, "web", false)).await;
    sleep(2 * KEPT_EMPTY).await;
    fixture.tell(polls.good(&fixture, 0, "web", true)).await;
    page.catch_up(&fixture.hub).await;
    assert!(knows(&fixture, "web"));
    fixture.tell(polls.good(&fixture, 1, "web", true)).await;
    page.catch_up(&fixture.hub).await;
    assert_eq!((page.snapshots_of(&web()), page.snapshots_of(&of_node)), (1, 2), "the node's own topic ended alone");
}

/// Bound to the backend `web`.
fn bound() -> Arc<Rights> {
    let grant = Grant { clusters: vec![], backends: vec![Pattern("web".into())], actions: vec![] };
    Arc::new(Rights { role: Role::Viewer, grants: Some(vec![grant]) })
}

#[tokio::test(start_paused = true)]
async fn it_leaves_the_fleet_of_those_who_may_not_see_everything() {
    let (fixture, mut polls) = (Fixture::start(5), Polls { count: 0 });
    for proxy in ["web", "api"] {
        fixture.tell(polls.good(&fixture, 0, proxy, true)).await;
    }
    let mut page = Page::open_as(&fixture.hub, vec![TopicId::Fleet, web()], &bound()).await;
    page.catch_up(&fixture.hub).await;
    assert_eq!(page.fleet_proxies(), ["web"]);
    fixture.tell(polls.good(&fixture, 0, "web", false)).await;
    sleep(KEPT_EMPTY + SECOND).await;
    fixture.tell(polls.bare(&fixture, 0, Link::Live)).await;
    // The hub has forgotten the proxy, and so has the view: there is nothing left for the page to show.
    while !page.fleet_proxies().is_empty() {
        assert!(page.read().await, "the hub ended");
    }
    fixture.tell(polls.good(&fixture, 0, "web", true)).await;
    page.catch_up(&fixture.hub).await;
    assert_eq!((page.fleet_proxies(), page.snapshots_of(&web())), (vec!["web".to_owned()], 2));
}

/// The same on the state alone, where its memory can be looked into.
#[test]
fn what_is_forgotten_leaves_no_memory() {
    let source = super::source::Source::new(6);
    let mut state = HubState::new(source.nodes());
    let start = Instant::now();
    let update = |proxy: usize, is_there: bool| {
        let rows = is_there.then(|| {
            let rows = Arc::new(vec![Row::new(RowKind::Server, "s1")]);
            (rows.clone(), diff(&[], &rows).expect("rows"))
        });
        let mut node = source.nodes()[0].clone();
        node.link = Link::Live;
        let proxies = vec![ProxyUpdate { proxy: format!("p{proxy}"), rows }];
        Update { place: 0, node, replies: None, proxies, events: Vec::new(), lost: None }
    };
    let mut seqs = Vec::new();
    for round in 0..3 {
        for proxy in 0..50 {
            state.apply_update(update(proxy, true), start + round * 2 * KEPT_EMPTY);
        }
        let frames = state.flush(0);
        seqs.extend(frames.iter().filter_map(first_number));
        assert_eq!(
            (state.world().proxies.len(), state.topics().count()),
            (50, 100),
            "of each the cluster's and the node's"
        );
        for proxy in 0..50 {
            state.apply_update(update(proxy, false), start + round * 2 * KEPT_EMPTY);
        }
        state.flush(0);
        let end = state.topics().next_end().expect("some are empty");
        assert_eq!(end, start + round * 2 * KEPT_EMPTY + KEPT_EMPTY);
        state.forget_empty(end - SECOND);
        assert_eq!(state.topics().count(), 100);
        state.forget_empty(end);
        state.flush(0);
        assert_eq!((state.world().proxies.len(), state.topics().count()), (0, 0));
        assert_eq!((state.world().fleet.proxies.len(), state.topics().next_end()), (0, None));
    }
    assert!(seqs.len() == 300 && seqs.iter().all(|seq| *seq == Seq(1)), "each begins to count anew");
}

/// The number of a frame of rows.
fn first_number(frame: &TopicFrame) -> Option<Seq> {
    match &frame.frame {
        Frame::ProxyDelta(_, seq, _) => Some(*seq),
        _ => None,
    }
}
