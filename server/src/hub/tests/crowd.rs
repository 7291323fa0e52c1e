//! A page may show more topics than its queue has room for.

use std::{sync::Arc, time::Duration};

use model::{
    change::diff,
    col::Col,
    fleet::{Link, Node, NodeStats},
    row::{Row, RowKind},
    topic::TopicId,
};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Fixture, PATIENCE, page::Page, source::CLUSTERS};
use crate::hub::{Hub, ProxyUpdate, Update, subscribers::QUEUE};

/// Proxies: several queues full of them.
const PROXIES: usize = 5 * QUEUE;

/// Every so manyth proxy is changed by one poll.
const STRIDE: usize = 25;

/// A node with many proxies of one server each.
struct Crowd {
    rows: Vec<Arc<Vec<Row>>>,
    tick: u64,
}

impl Crowd {
    fn new() -> Self {
        Self { rows: vec![Arc::default(); PROXIES], tick: 0 }
    }

    /// What the next poll finds: at first every proxy, later some with another count of sessions.
    fn poll(&mut self) -> Update {
        let mut proxies = Vec::new();
        for (at, known) in self.rows.iter_mut().enumerate() {
            if self.tick > 0 && !(at + self.tick as usize).is_multiple_of(STRIDE) {
                continue;
            }
            let mut row = Row::new(RowKind::Server, "s1");
            row.set(Col::Stot, Some(self.tick));
            let new = Arc::new(vec![row]);
            let change = diff(known, &new).expect("another count");
            *known = new.clone();
            proxies.push(ProxyUpdate { proxy: format!("p{at}"), rows: Some((new, change)) });
        }
        self.tick += 1;
        let stats = NodeStats { polled: self.tick, ..NodeStats::default() };
        let node = Node { name: "lb1".into(), cluster: CLUSTERS[0].into(), link: Link::Live, stats, ..Node::default() };
        Update { place: 0, node, replies: None, proxies, events: Vec::new(), lost: None }
    }
}

/// Polls every tenth of a second until it is stopped.
async fn keep_polling(hub: Hub, mut crowd: Crowd) {
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        hub.update(crowd.poll()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_more_topics_than_its_queue_holds_catches_up_while_polls_go_on() {
    let fixture = Fixture::start(0);
    let mut crowd = Crowd::new();
    fixture.tell(crowd.poll()).await;
    let topics = (0..PROXIES).map(|at| TopicId::proxy(CLUSTERS[0], &format!("p{at}")));
    let topics: Vec<_> = std::iter::once(TopicId::Fleet).chain(topics).collect();
    let polling = tokio::spawn(keep_polling(fixture.hub.clone(), crowd));
    let mut page = Page::open(&fixture.hub, topics).await;

    let all = async {
        while page.snapshots.len() <= PROXIES {
            assert!(page.read().await, "the hub ended");
        }
    };
    timeout(PATIENCE, all).await.expect("every topic comes");
    polling.abort();
    page.catch_up(&fixture.hub).await;
    assert_eq!(fixture.metrics.viewers_behind.get(), 0, "it read all the time");
}
