//! Topics that parts of the page ask for while they are there, beside the fleet, which every page shows.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use model::topic::TopicId;

/// The topics, each as often as it is asked for.
#[derive(Clone, Default)]
pub(super) struct Wanted(Arc<Mutex<WantedState>>);

#[derive(Default)]
struct WantedState {
    topics: Vec<TopicId>,
    /// How many parts of the page show the rows of every proxy.
    rows: usize,
    is_changed: bool,
    waker: Option<Waker>,
}

impl Wanted {
    pub(super) fn add(&self, topic: TopicId) {
        self.change(|state| state.topics.push(topic));
    }

    pub(super) fn remove(&self, topic: &TopicId) {
        self.change(|state| {
            if let Some(at) = state.topics.iter().position(|t| t == topic) {
                state.topics.swap_remove(at);
            }
        });
    }

    /// Asks for the rows of every proxy.
    pub(super) fn add_rows(&self) {
        self.change(|state| state.rows += 1);
    }

    pub(super) fn remove_rows(&self) {
        self.change(|state| state.rows = state.rows.saturating_sub(1));
    }

    /// Whether the rows of every proxy are asked for.
    pub(super) fn has_rows(&self) -> bool {
        self.state().rows > 0
    }

    /// Each once, in order.
    pub(super) fn topics(&self) -> Vec<TopicId> {
        let mut topics = self.state().topics.clone();
        topics.sort();
        topics.dedup();
        topics
    }

    /// Waits until something was added or removed.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Unpin + '_ {
        poll_fn(|context| {
            let mut state = self.state();
            if mem::take(&mut state.is_changed) {
                return Poll::Ready(());
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
    }

    fn change(&self, change: impl FnOnce(&mut WantedState)) {
        let mut state = self.state();
        change(&mut state);
        state.is_changed = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, WantedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
