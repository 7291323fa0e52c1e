//! Sluice's time in the browser: the browser's own clock may be wrong by hours.

use std::time::Duration;

use leptos::prelude::*;

/// How often ages on the page move on.
const TICK: Duration = Duration::from_millis(500);

/// Sluice's time. It stands still until [`Clock::start`], so that server and browser render the same.
#[derive(Clone)]
pub(crate) struct Clock {
    /// Now, Unix milliseconds.
    now: ArcRwSignal<u64>,
    /// Now, Unix seconds; changes once a second.
    seconds: ArcMemo<u64>,
    /// What to add to the browser's clock, milliseconds.
    offset: StoredValue<f64>,
}

impl Clock {
    /// A clock that shows `now`.
    pub(crate) fn new(now: u64) -> Self {
        let now = ArcRwSignal::new(now);
        let seconds = ArcMemo::new({
            let now = now.clone();
            move |_| now.get() / 1_000
        });
        Self { now, seconds, offset: StoredValue::new(0.0) }
    }

    /// Lets it run.
    pub(crate) fn start(&self) {
        self.set(self.now.get_untracked());
        let clock = self.clone();
        set_interval(move || clock.tick(), TICK);
    }

    /// Sets it to what Sluice just said.
    pub(crate) fn set(&self, now: u64) {
        self.offset.set_value(now as f64 - js_sys::Date::now());
        self.now.set(now);
    }

    /// Now, Unix milliseconds.
    pub(crate) fn ms(&self) -> u64 {
        self.now.get()
    }

    /// Now, Unix milliseconds, without following it.
    pub(crate) fn now_untracked(&self) -> u64 {
        self.now.get_untracked()
    }

    /// Now, Unix seconds.
    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.get()
    }

    /// How long ago an instant was, in seconds.
    pub(crate) fn since(&self, unix_seconds: u64) -> u64 {
        self.seconds().saturating_sub(unix_seconds)
    }

    fn tick(&self) {
        self.now.set((js_sys::Date::now() + self.offset.get_value()).max(0.0) as u64);
    }
}
