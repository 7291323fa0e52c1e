//! The topics of rows: their names and handles, their sequence numbers, and which of them have no rows any more.
//!
//! A handle is given once on one run: a topic that ends and begins again has another one, and counts its frames anew.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use model::{
    frame::{Frame, Handle, Seq},
    topic::TopicId,
};
use tokio::time::Instant;

use super::views::ViewId;

/// The handle of the topic `fleet`.
pub(super) const FLEET: Handle = 0;

/// The handle of the topic `events`.
pub(super) const EVENTS: Handle = 1;

/// The handle of the first topic of rows.
pub(super) const FIRST: Handle = EVENTS + 1;

/// How long a topic without rows is kept. A reload that drops a proxy by mistake is put right within minutes, and then the
/// proxy is still the same one; what stays away for longer would only fill memory.
pub(super) const KEPT_EMPTY: Duration = Duration::from_secs(600);

/// A frame for the viewers of one topic.
#[derive(Debug)]
pub(super) struct TopicFrame {
    pub(super) handle: Handle,
    /// For `fleet` and `events`, the view that the frame is for. Frames of rows are for everybody who may see the rows.
    pub(super) view: Option<ViewId>,
    pub(super) frame: Frame,
}

/// A topic of rows: one proxy of a cluster, or one proxy on one node.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) id: TopicId,
    /// The handle of the proxy's own topic, which is this one for a proxy of a cluster.
    pub(super) proxy: Handle,
    /// The number of its last frame.
    pub(super) seq: Seq,
    empty_since: Option<Instant>,
}

/// Every topic of rows.
#[derive(Debug, Default)]
pub(super) struct Topics {
    all: HashMap<Handle, Topic>,
    handles: HashMap<TopicId, Handle>,
    /// How many there have been on this run.
    created: Handle,
    /// The topics without rows, the one that has had none for longest first.
    empty: BTreeSet<(Instant, Handle)>,
}

impl Topics {
    /// The handle of a topic, if it exists.
    pub(super) fn handle(&self, id: &TopicId) -> Option<Handle> {
        match id {
            TopicId::Fleet => Some(FLEET),
            TopicId::Events => Some(EVENTS),
            _ => self.handles.get(id).copied(),
        }
    }

    /// Whether a topic exists.
    pub(super) fn contains(&self, handle: Handle) -> bool {
        handle < FIRST || self.all.contains_key(&handle)
    }

    /// How many topics of rows there are, with all that is kept of them.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        assert_eq!(self.all.len(), self.handles.len());
        self.all.len()
    }

    /// A topic of rows.
    pub(super) fn get(&self, handle: Handle) -> Option<&Topic> {
        self.all.get(&handle)
    }

    /// Adds the topic of a proxy of a cluster.
    pub(super) fn add_proxy(&mut self, cluster: &str, proxy: &str) -> Handle {
        let handle = self.next_handle();
        self.add(handle, TopicId::proxy(cluster, proxy), handle);
        handle
    }

    /// The topic of a proxy on one node; a new one is added. `proxy` is the handle of the proxy's own topic.
    pub(super) fn of_node(&mut self, proxy: Handle, node: &str, name: &str) -> Handle {
        let id = TopicId::node(node, name);
        if let Some(handle) = self.handles.get(&id) {
            return *handle;
        }
        let handle = self.next_handle();
        self.add(handle, id, proxy);
        handle
    }

    /// Counts one frame more, and gives its number.
    pub(super) fn next_seq(&mut self, handle: Handle) -> Option<Seq> {
        let topic = self.all.get_mut(&handle)?;
        topic.seq = topic.seq.next();
        Some(topic.seq)
    }

    /// Whether the last frame of a topic was its first.
    pub(super) fn is_first_frame(&self, handle: Handle) -> bool {
        self.get(handle).is_some_and(|topic| topic.seq == Seq::default().next())
    }

    /// Notes at `now` that a topic has rows, or has none.
    pub(super) fn set_empty(&mut self, handle: Handle, is_empty: bool, now: Instant) {
        let Some(topic) = self.all.get_mut(&handle) else { return };
        match (topic.empty_since, is_empty) {
            (None, true) => {
                topic.empty_since = Some(now);
                self.empty.insert((now, handle));
            }
            (Some(since), false) => {
                topic.empty_since = None;
                self.empty.remove(&(since, handle));
            }
            _ => {}
        }
    }

    /// When the next topic has been without rows for [`KEPT_EMPTY`].
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.empty.first().map(|(since, _)| *since + KEPT_EMPTY)
    }

    /// Ends the topics that have been without rows for [`KEPT_EMPTY`] at `now`, and gives their handles.
    pub(super) fn end_empty(&mut self, now: Instant) -> Vec<Handle> {
        let mut ended = Vec::new();
        while self.next_end().is_some_and(|end| end <= now)
            && let Some((_, handle)) = self.empty.pop_first()
        {
            if let Some(topic) = self.all.remove(&handle) {
                self.handles.remove(&topic.id);
            }
            ended.push(handle);
        }
        ended
    }

    fn next_handle(&mut self) -> Handle {
        // Four thousand million topics do not come to be on one run.
        let handle = FIRST.saturating_add(self.created);
        self.created = self.created.saturating_add(1);
        handle
    }

    fn add(&mut self, handle: Handle, id: TopicId, proxy: Handle) {
        self.handles.insert(id.clone(), handle);
        self.all.insert(handle, Topic { id, proxy, seq: Seq::default(), empty_since: None });
    }
}
