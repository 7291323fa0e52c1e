//! Topics that parts of the page ask for while they are there, beside those that every page shows.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use crate::model::topic::TopicId;

/// The topics, each as often as it is asked for.
#[derive(Clone, Default)]
pub(super) struct Wanted(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    topics: Vec<TopicId>,
    is_changed: bool,
    waker: Option<Waker>,
}

impl Wanted {
    pub(super) fn add(&self, topic: TopicId) {
        self.change(|topics| topics.push(topic));
    }

    pub(super) fn remove(&self, topic: &TopicId) {
        self.change(|topics| {
            if let Some(at) = topics.iter().position(|t| t == topic) {
                topics.swap_remove(at);
            }
        });
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

    fn change(&self, change: impl FnOnce(&mut Vec<TopicId>)) {
        let mut state = self.state();
        change(&mut state.topics);
        state.is_changed = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
