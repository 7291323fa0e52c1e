//! What happened lately: a bounded ring, and the frames of the topic `events`. No clock, no input or output.

use std::{collections::VecDeque, sync::Arc};

use model::{
    event::Event,
    frame::{Frame, Seq},
};

/// Events that are kept: a bad day of a large fleet, in less than a megabyte. One more drops the oldest.
pub const EVENTS_KEPT: usize = 2_000;

/// Events in a snapshot: more than anybody reads, in about 50 kB. The API gives the older ones.
pub(super) const EVENTS_SHOWN: usize = 500;

/// The events, oldest first. Cheap to clone: each is shared.
pub type EventLog = VecDeque<Arc<Event>>;

/// A bounded ring of them.
#[derive(Debug, Default)]
pub(super) struct EventRing {
    kept: Arc<EventLog>,
    /// The number of the newest event.
    last_id: u64,
    seq: Seq,
}

impl EventRing {
    /// The events as they are now.
    pub(super) fn log(&self) -> Arc<EventLog> {
        self.kept.clone()
    }

    /// Numbers the events and keeps them. Gives the frame that tells of them; nothing where there are none.
    pub(super) fn record(&mut self, mut events: Vec<Event>) -> Option<Frame> {
        if events.is_empty() {
            return None;
        }
        for event in &mut events {
            self.last_id += 1;
            event.id = self.last_id;
        }
        let kept = Arc::make_mut(&mut self.kept);
        kept.extend(events.iter().cloned().map(Arc::new));
        kept.drain(..kept.len().saturating_sub(EVENTS_KEPT));
        self.seq = self.seq.next();
        // A frame has no more events than a snapshot.
        events.drain(..events.len().saturating_sub(EVENTS_SHOWN));
        Some(Frame::EventsNew(self.seq, events))
    }

    /// The newest events, as a frame.
    pub(super) fn snapshot(&self) -> Frame {
        let newest = self.kept.iter().skip(self.kept.len().saturating_sub(EVENTS_SHOWN));
        Frame::Events(self.seq, newest.map(|event| Event::clone(event)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(count: usize) -> Vec<Event> {
        (0..count).map(|n| Event { cause: n.to_string(), ..Event::default() }).collect()
    }

    fn ids(frame: &Frame) -> (u64, Vec<u64>) {
        match frame {
            Frame::Events(seq, events) | Frame::EventsNew(seq, events) => {
                (seq.0, events.iter().map(|e| e.id).collect())
            }
            other => panic!("no events: {other:?}"),
        }
    }

    #[test]
    fn events_are_counted_and_a_snapshot_leads_on_to_the_next_frame() {
        let mut events = EventRing::default();
        assert!(events.record(Vec::new()).is_none());
        assert_eq!(ids(&events.snapshot()), (0, vec![]));
        assert_eq!(ids(&events.record(named(2)).expect("a frame")), (1, vec![1, 2]));
        assert_eq!(ids(&events.snapshot()), (1, vec![1, 2]));
        assert_eq!(ids(&events.record(named(1)).expect("a frame")), (2, vec![3]));
        assert_eq!(ids(&events.snapshot()), (2, vec![1, 2, 3]));
    }

    #[test]
    fn the_ring_is_bounded_and_keeps_the_newest() {
        let mut events = EventRing::default();
        let before = events.log();
        let (_, sent) = ids(&events.record(named(EVENTS_KEPT + 7)).expect("a frame"));
        assert_eq!((sent.len(), sent.last().copied()), (EVENTS_SHOWN, Some(2_007)));
        let kept = events.log();
        assert_eq!((kept.len(), kept.front().map(|e| e.id)), (EVENTS_KEPT, Some(8)));
        assert_eq!(ids(&events.snapshot()).1.len(), EVENTS_SHOWN);
        assert!(before.is_empty(), "what a reader holds does not change under it");
    }
}
