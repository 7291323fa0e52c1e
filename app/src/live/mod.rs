//! The browser's end of the stream and of the API: decode, apply, signals. It draws nothing.

pub(crate) mod api;
mod clock;
mod connection;
mod store;

use leptos::prelude::*;

use crate::{
    model::{event::Event, fleet::Fleet},
    snapshot::Snapshot,
};

pub(crate) use clock::Clock;
pub(crate) use connection::Connection;
pub(crate) use store::{RowStore, Store};

/// Everything a page reads. Cloning it is cheap: all clones are the same state.
#[derive(Clone)]
pub(crate) struct Live {
    /// The topic `fleet`.
    pub(crate) fleet: ArcRwSignal<Fleet>,
    /// What happened lately, oldest first; filled only while something shows it.
    pub(crate) events: ArcRwSignal<Vec<Event>>,
    /// How many parts of the page show events: the topic is subscribed to while it is more than none.
    pub(crate) shows_events: ArcRwSignal<u32>,
    /// Every proxy's rows.
    pub(crate) store: Store,
    /// Sluice's time, as far as the browser can tell.
    pub(crate) clock: Clock,
    /// Whether the stream is open.
    pub(crate) connection: ArcRwSignal<Connection>,
    /// Which build rendered this page.
    build: String,
}

impl Live {
    /// The state that the page was rendered from.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            clock: Clock::new(snapshot.fleet.now),
            store: Store::new(snapshot.proxies),
            fleet: ArcRwSignal::new(snapshot.fleet),
            events: ArcRwSignal::new(snapshot.events),
            shows_events: ArcRwSignal::new(0),
            connection: ArcRwSignal::new(Connection::Opening),
            build: snapshot.build,
        }
    }

    /// Has the events sent for as long as the caller's part of the page stands.
    pub(crate) fn follow_events(&self) {
        let shown = self.shows_events.clone();
        shown.update(|n| *n += 1);
        on_cleanup(move || shown.update(|n| *n -= 1));
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
