//! Viewers that read what they are sent see what the hub knows, whenever they came.

use std::time::Duration;

use model::topic::{Spark, TopicId};
use tokio::time::sleep;

use super::{Fixture, every_topic, page::Page, program::Program};

/// Changes between two looks of those who read seldom: fewer frames than a queue holds.
const SELDOM: usize = 40;

#[tokio::test(start_paused = true)]
async fn whoever_came_when_sees_the_same_after_a_thousand_changes() {
    for seed in 0..4 {
        let mut fixture = Fixture::start(seed);
        let mut early = Page::open(&fixture.hub, every_topic()).await;
        let (mut late, mut program) = (None, None);
        for count in 0..1_000_usize {
            fixture.change().await;
            sleep(Duration::from_millis(100 * (count as u64 % 16))).await;
            early.catch_up(&fixture.hub).await;
            match count {
                300 => late = Some(Page::open(&fixture.hub, every_topic()).await),
                500 => program = Some(Program::open(&fixture.hub, every_topic()).await),
                _ if !count.is_multiple_of(SELDOM) => continue,
                _ => {}
            }
            if let Some(late) = &mut late {
                late.catch_up(&fixture.hub).await;
            }
            if let Some(program) = &mut program {
                program.catch_up(&fixture.hub).await;
            }
        }
        let (mut late, mut program) = (late.expect("came"), program.expect("came"));
        for page in [&mut early, &mut late] {
            page.catch_up(&fixture.hub).await;
            assert!(page.snapshots.values().all(|n| *n == 1), "seed {seed}: {:?}", page.snapshots);
        }
        program.catch_up(&fixture.hub).await;

        let world = fixture.hub.world();
        assert!(world.fleet.epoch > Spark::SAMPLES as u64, "time passed");
        assert_eq!(world.fleet.requests.0.len(), Spark::SAMPLES);
        assert!(early.deltas > 2_000 && late.deltas > 1_000, "{} and {}", early.deltas, late.deltas);
        assert_eq!(fixture.metrics.viewers_behind.get(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sample_is_taken_every_ten_seconds_without_a_poll() {
    let mut fixture = Fixture::start(7);
    fixture.changes(30).await;
    let mut page = Page::open(&fixture.hub, every_topic()).await;
    page.catch_up(&fixture.hub).await;
    let before = fixture.hub.world().fleet.epoch;
    sleep(Duration::from_secs(5 * Spark::INTERVAL_S + 1)).await;
    page.catch_up(&fixture.hub).await;
    let world = fixture.hub.world();
    assert_eq!(world.fleet.epoch, before + 5);
    let sparks = world.proxies.iter().flat_map(|p| &p.sections.0).flat_map(|s| s.sparks.iter());
    assert!(sparks.clone().count() > 0 && sparks.into_iter().all(|s| s.0.len() >= 5));
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_every_viewer_s_frames_end() {
    let mut fixture = Fixture::start(8);
    let mut page = Page::open(&fixture.hub, every_topic()).await;
    let mut idle = Page::open(&fixture.hub, vec![TopicId::Fleet]).await;
    fixture.changes(20).await;
    fixture.shutdown.cancel();
    fixture.tracker.close();
    fixture.tracker.wait().await;
    // What was on its way still comes, then the end.
    while page.read().await {}
    while idle.read().await {}
    assert!(page.shows(&fixture.hub.world()) && idle.shows(&fixture.hub.world()));
    assert!(!page.read().await);
    let update = fixture.source.change();
    assert!(!fixture.hub.update(update).await);
    assert!(fixture.hub.join(crate::hub::Encoding::Json, &std::sync::Arc::default()).await.is_none());
    assert!(fixture.hub.wait_for(|_| false).await.is_none());
}
