//! Topics come and go: those of a viewer, and those of the hub.

use std::time::Duration;

use model::topic::{Spark, TopicId};
use tokio::time::sleep;

use super::{Fixture, every_topic, page::Page, source};

fn web() -> TopicId {
    TopicId::proxy(source::CLUSTERS[0], "web")
}

fn api() -> TopicId {
    TopicId::proxy(source::CLUSTERS[0], "api")
}

#[tokio::test(start_paused = true)]
async fn a_viewer_gets_the_topics_that_it_shows_and_no_others() {
    let mut fixture = Fixture::start(1);
    fixture.changes(100).await;
    let mut page = Page::open(&fixture.hub, vec![TopicId::Fleet, web()]).await;
    page.catch_up(&fixture.hub).await;
    page.show(vec![TopicId::Fleet, api()]).await;
    page.catch_up(&fixture.hub).await;
    let update = fixture.source.change_of("web");
    fixture.tell(update).await;
    let update = fixture.source.change_of("api");
    fixture.tell(update).await;
    page.catch_up(&fixture.hub).await;
    // Of each its snapshot; then two changes of the fleet, one of `api`, none of `web`.
    assert_eq!((page.snapshots_of(&web()), page.snapshots_of(&api()), page.deltas), (1, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_topic_taken_again_comes_whole() {
    let mut fixture = Fixture::start(2);
    fixture.changes(100).await;
    let mut page = Page::open(&fixture.hub, every_topic()).await;
    page.catch_up(&fixture.hub).await;
    page.show(vec![TopicId::Fleet]).await;
    fixture.changes(30).await;
    sleep(Duration::from_secs(3 * Spark::INTERVAL_S)).await;
    page.show(every_topic()).await;
    page.catch_up(&fixture.hub).await;
    assert_eq!((page.snapshots_of(&TopicId::Fleet), page.snapshots_of(&web())), (1, 2));
}

/// Before it reads a frame of what it gave up and took again.
#[tokio::test(start_paused = true)]
async fn a_viewer_may_change_its_mind_faster_than_it_reads() {
    let mut fixture = Fixture::start(3);
    fixture.changes(100).await;
    let mut page = Page::open(&fixture.hub, every_topic()).await;
    for round in 0..10 {
        page.show(vec![TopicId::Fleet, web()]).await;
        fixture.changes(3).await;
        page.show(if round % 2 == 0 { Vec::new() } else { vec![api(), TopicId::Fleet] }).await;
        fixture.changes(3).await;
        page.show(every_topic()).await;
        fixture.change().await;
    }
    page.catch_up(&fixture.hub).await;
}

/// Only the fleet says when to take a sample: a page without it has missed some.
#[tokio::test(start_paused = true)]
async fn with_the_fleet_taken_again_the_sparks_are_right_again() {
    let mut fixture = Fixture::start(4);
    fixture.changes(100).await;
    let mut page = Page::open(&fixture.hub, vec![TopicId::Fleet, web()]).await;
    page.catch_up(&fixture.hub).await;
    page.show(vec![web()]).await;
    sleep(Duration::from_secs(3 * Spark::INTERVAL_S)).await;
    page.show(vec![TopicId::Fleet, web()]).await;
    page.catch_up(&fixture.hub).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_may_be_wanted_before_it_exists() {
    let mut fixture = Fixture::start(5);
    let mut page = Page::open(&fixture.hub, vec![web(), TopicId::proxy("nowhere", "at-all")]).await;
    let update = fixture.source.change_of("api");
    fixture.tell(update).await;
    assert!(page.shows(&fixture.hub.world()), "nothing to show yet");
    for _ in 0..3 {
        let update = fixture.source.change_of("web");
        fixture.tell(update).await;
        page.catch_up(&fixture.hub).await;
    }
    assert_eq!((page.snapshots_of(&web()), page.deltas), (1, 2));
    assert_eq!(page.snapshots.len(), 1);
}
