//! The browser's end of the stream and of the API: decode, apply, signals. It draws nothing.

pub(crate) mod api;
mod clock;
mod connection;
mod section;
mod store;
mod wanted;

use leptos::prelude::*;
use model::{event::Event, fleet::Fleet, topic::TopicId};
use wanted::Wanted;

use crate::snapshot::Snapshot;

pub(crate) use clock::Clock;
pub(crate) use connection::StreamState;
pub(crate) use section::{RowStore, SectionStore};
pub(crate) use store::Store;

/// Everything a page reads. Cloning it is cheap: all clones are the same state.
#[derive(Clone)]
pub(crate) struct Live {
    /// The topic `fleet`.
    pub(crate) fleet: ArcRwSignal<Fleet>,
    /// What happened lately, oldest first; filled only while something shows it.
    pub(crate) events: ArcRwSignal<Vec<Event>>,
    /// What changed about accounts, oldest first; filled only while something shows it.
    pub(crate) account_events: ArcRwSignal<Vec<Event>>,
    /// Every proxy's rows.
    pub(crate) store: Store,
    /// Sluice's time, as far as the browser can tell.
    pub(crate) clock: Clock,
    /// Whether the stream is open.
    pub(crate) connection: ArcRwSignal<StreamState>,
    /// What is shown beside the fleet and every proxy.
    wanted: Wanted,
    /// Which build rendered this page.
    build: String,
}

impl Live {
    /// The state that the page was rendered from.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            clock: Clock::new(snapshot.fleet.now),
            store: Store::new(snapshot.proxies, snapshot.opened),
            fleet: ArcRwSignal::new(snapshot.fleet),
            events: ArcRwSignal::new(snapshot.events),
            account_events: ArcRwSignal::new(snapshot.account_events),
            connection: ArcRwSignal::new(StreamState::Opening),
            wanted: Wanted::default(),
            build: snapshot.build,
        }
    }

    /// Follows a topic for as long as the part of the page that asks for it is there.
    pub(crate) fn follow(&self, topic: TopicId) {
        let wanted = self.wanted.clone();
        // The stream is the browser's: an effect runs there alone.
        Effect::new({
            let topic = topic.clone();
            move || wanted.add(topic.clone())
        });
        let wanted = self.wanted.clone();
        on_cleanup(move || wanted.remove(&topic));
    }

    /// Follows the rows of every proxy for as long as the part of the page that asks for them is there.
    pub(crate) fn follow_rows(&self) {
        let wanted = self.wanted.clone();
        Effect::new(move || wanted.add_rows());
        let wanted = self.wanted.clone();
        on_cleanup(move || wanted.remove_rows());
    }

    /// Starts the clock and the stream. In the browser only, once.
    pub(crate) fn start(&self) {
        self.clock.start();
        leptos::task::spawn_local(connection::run(self.clone()));
    }

    /// The live state of this page.
    pub(crate) fn expect() -> Self {
        expect_context()
    }
}
