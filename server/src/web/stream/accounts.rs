//! The topic `accounts`. Each stream sends its viewer's own: no two accounts see the same.

use std::{future::pending, sync::Arc};

use model::{event::Event, frame::Seq, topic::TopicId};
use tokio::sync::watch;

use crate::{
    auth::{Principal, authz::policy::sees_account},
    hub::{Encoding, Payload, account_events},
};

/// One viewer's share of it.
#[derive(Debug)]
pub(super) struct AccountTopic {
    events: watch::Receiver<Arc<[Event]>>,
    encoding: Encoding,
    is_wanted: bool,
    /// How many events the viewer knows of, with the newest's id; nothing before the first snapshot.
    known: Option<(usize, u64)>,
    seq: Seq,
}

impl AccountTopic {
    pub(super) fn new(events: watch::Receiver<Arc<[Event]>>, encoding: Encoding) -> Self {
        Self { events, encoding, is_wanted: false, known: None, seq: Seq::default() }
    }

    /// Takes the topic out of those that the viewer wants. Whoever wants it anew gets a snapshot.
    pub(super) fn take(&mut self, topics: &mut Vec<TopicId>) {
        let before = topics.len();
        topics.retain(|topic| *topic != TopicId::Accounts);
        let is_wanted = topics.len() < before;
        if is_wanted && !self.is_wanted {
            self.known = None;
            self.events.mark_changed();
        }
        self.is_wanted = is_wanted;
    }

    /// The next frame, which holds all that the principal sees; never one while the topic is not wanted.
    pub(super) async fn next(&mut self, principal: &Principal) -> Payload {
        loop {
            if !self.is_wanted || self.events.changed().await.is_err() {
                return pending().await;
            }
            let all = self.events.borrow_and_update().clone();
            let seen: Vec<Event> =
                all.iter().filter(|event| sees_account(principal, &event.account)).cloned().collect();
            let known = Some((seen.len(), seen.last().map_or(0, |event| event.id)));
            // What happened to others is not told by a frame either.
            if self.known != known {
                self.known = known;
                self.seq = self.seq.next();
                return account_events(self.seq, seen, self.encoding);
            }
        }
    }
}
