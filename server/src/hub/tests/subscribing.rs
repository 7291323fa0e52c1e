//! Topics come and go: those of a viewer, and those of the hub.

use std::time::Duration;

use model::topic::{Spark, TopicId};
use tokio::time::sleep;

use super::{Lab, every_topic, page::Page, source};

fn web() -> TopicId {
    TopicId::proxy(source::CLUSTERS[0], "web")
}

fn api() -> TopicId {
    TopicId::proxy(source::CLUSTERS[0], "api")
}

#[tokio::test(start_paused = true)]
async fn a_viewer_gets_the_topics_that_it_shows_and_no_others() {
    let mut lab = Lab::start(1);
    lab.changes(100).await;
    let mut page = Page::open(&lab.hub, vec![TopicId::Fleet, web()]).await;
    page.catch_up(&lab.hub).await;
    page.show(vec![TopicId::Fleet, api()]).await;
    page.catch_up(&lab.hub).await;
    let update = lab.source.change_of("web");
    lab.tell(update).await;
    let update = lab.source.change_of("api");
    lab.tell(update).await;
    page.catch_up(&lab.hub).await;
    // Of each its snapshot; then two changes of the fleet, one of `api`, none of `web`.
    assert_eq!((page.snapshots_of(&web()), page.snapshots_of(&api()), page.deltas), (1, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_topic_taken_again_comes_whole() {
    let mut lab = Lab::start(2);
    lab.changes(100).await;
    let mut page = Page::open(&lab.hub, every_topic()).await;
    page.catch_up(&lab.hub).await;
    page.show(vec![TopicId::Fleet]).await;
    lab.changes(30).await;
    sleep(Duration::from_secs(3 * Spark::INTERVAL_S)).await;
    page.show(every_topic()).await;
    page.catch_up(&lab.hub).await;
    assert_eq!((page.snapshots_of(&TopicId::Fleet), page.snapshots_of(&web())), (1, 2));
}

/// Before it reads a frame of what it gave up and took again.
#[tokio::test(start_paused = true)]
async fn a_viewer_may_change_its_mind_faster_than_it_reads() {
    let mut lab = Lab::start(3);
    lab.changes(100).await;
    let mut page = Page::open(&lab.hub, every_topic()).await;
    for round in 0..10 {
        page.show(vec![TopicId::Fleet, web()]).await;
        lab.changes(3).await;
        page.show(if round % 2 == 0 { Vec::new() } else { vec![api(), TopicId::Fleet] }).await;
        lab.changes(3).await;
        page.show(every_topic()).await;
        lab.change().await;
    }
    page.catch_up(&lab.hub).await;
}

/// Samples are told by the fleet alone: who did without it has missed some.
#[tokio::test(start_paused = true)]
async fn with_the_fleet_taken_again_the_sparks_are_right_again() {
    let mut lab = Lab::start(4);
    lab.changes(100).await;
    let mut page = Page::open(&lab.hub, vec![TopicId::Fleet, web()]).await;
    page.catch_up(&lab.hub).await;
    page.show(vec![web()]).await;
    sleep(Duration::from_secs(3 * Spark::INTERVAL_S)).await;
    page.show(vec![TopicId::Fleet, web()]).await;
    page.catch_up(&lab.hub).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_may_be_wanted_before_it_exists() {
    let mut lab = Lab::start(5);
    let mut page = Page::open(&lab.hub, vec![web(), TopicId::proxy("nowhere", "at-all")]).await;
    let update = lab.source.change_of("api");
    lab.tell(update).await;
    assert!(page.shows(&lab.hub.world()), "nothing to show yet");
    for _ in 0..3 {
        let update = lab.source.change_of("web");
        lab.tell(update).await;
        page.catch_up(&lab.hub).await;
    }
    assert_eq!((page.snapshots_of(&web()), page.deltas), (1, 2));
    assert_eq!(page.snapshots.len(), 1);
}
