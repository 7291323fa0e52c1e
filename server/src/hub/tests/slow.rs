//! A viewer that stops reading slows nobody, and is brought up to date when it reads again.

use model::topic::TopicId;

use super::{Fixture, every_topic, page::Page};

/// Far more changes than a queue has room for their frames.
const MANY: usize = 600;

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_gets_one_snapshot() {
    let mut fixture = Fixture::start(1);
    fixture.changes(50).await;
    let mut quick = Page::open(&fixture.hub, every_topic()).await;
    let mut slow = Page::open(&fixture.hub, every_topic()).await;
    slow.catch_up(&fixture.hub).await;
    for _ in 0..MANY {
        fixture.change().await;
        quick.catch_up(&fixture.hub).await;
    }
    assert!(quick.snapshots.values().all(|n| *n == 1), "{:?}", quick.snapshots);
    assert_eq!(fixture.metrics.viewers_behind.get(), 1);

    slow.catch_up(&fixture.hub).await;
    let world = fixture.hub.world();
    for topic in every_topic() {
        let exists = match &topic {
            TopicId::Fleet | TopicId::Events => true,
            TopicId::Accounts => false,
            TopicId::Proxy { cluster, proxy } => world.proxy(cluster, proxy).is_some(),
            // Of a node's topic the world doesn't tell whether it ever was.
            TopicId::Node { .. } => continue,
        };
        assert_eq!(slow.snapshots_of(&topic), 2 * usize::from(exists), "{topic}");
    }

    // From here on it follows as before.
    for _ in 0..50 {
        fixture.change().await;
        slow.catch_up(&fixture.hub).await;
    }
    assert!(slow.snapshots.values().all(|n| *n == 2), "{:?}", slow.snapshots);
    assert_eq!(fixture.metrics.viewers_behind.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_never_reads_takes_no_more_than_its_queue() {
    let mut fixture = Fixture::start(2);
    let _never = Page::open(&fixture.hub, every_topic()).await;
    fixture.changes(MANY).await;
    let sent = fixture.metrics.frames_sent.get();
    assert!(sent <= crate::hub::subscribers::QUEUE as u64, "{sent}");
    fixture.changes(MANY).await;
    assert_eq!(fixture.metrics.frames_sent.get(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_left_is_forgotten() {
    let mut fixture = Fixture::start(3);
    let page = Page::open(&fixture.hub, every_topic()).await;
    let _stays = Page::open(&fixture.hub, vec![TopicId::Fleet]).await;
    fixture.change().await;
    assert_eq!(fixture.metrics.viewers.get(), 2);
    drop(page);
    fixture.change().await;
    assert_eq!(fixture.metrics.viewers.get(), 1);
}
