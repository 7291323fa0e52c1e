//! The fleet and the events for viewers who may not see everything: one view for all who may see the same.
//!
//! A view has sequence numbers of its own. It exists while it has viewers.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    event::Event,
    fleet::Fleet,
    frame::{Frame, Seq},
    problem::Problem,
    rights::Rights,
};

use super::{
    events::{EVENTS_SHOWN, EventLog},
    proxies::Proxies,
    redaction,
    visibility::Visibility,
};

/// Views at one time: more than anybody writes rules for. Each costs a fleet and a diff per flush. A viewer who would need
/// one more is turned away until another view ends.
pub(super) const MOST_VIEWS: usize = 200;

/// Names a view on this run. Viewers who see everything have none.
pub(super) type ViewId = u64;

/// There are [`MOST_VIEWS`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyViews;

/// What those see who may see the same.
#[derive(Debug)]
pub(super) struct RestrictedView {
    pub(super) visibility: Visibility,
    fleet: Arc<Fleet>,
    fleet_seq: Seq,
    events_seq: Seq,
    viewers: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Views {
    all: BTreeMap<ViewId, RestrictedView>,
    last: ViewId,
}

/// What a view is made of.
pub(super) struct FullState<'a> {
    pub(super) fleet: &'a Fleet,
    /// Every problem, worst first.
    pub(super) problems: &'a [Problem],
    pub(super) proxies: &'a Proxies,
}

impl FullState<'_> {
    fn seen_by(&self, visibility: &Visibility, known: Option<&Fleet>) -> Fleet {
        redaction::fleet(visibility, self.fleet, self.problems, self.proxies.states(), known)
    }
}

impl Views {
    /// The view for one viewer more; nothing where they see everything.
    pub(super) fn join(&mut self, rights: &Rights, full: &FullState<'_>) -> Result<Option<ViewId>, TooManyViews> {
        let Some(visibility) = Visibility::of(rights) else { return Ok(None) };
        if let Some((id, view)) = self.all.iter_mut().find(|(_, view)| view.visibility == visibility) {
            view.viewers += 1;
            return Ok(Some(*id));
        }
        if self.all.len() >= MOST_VIEWS {
            return Err(TooManyViews);
        }
        let fleet = Arc::new(full.seen_by(&visibility, None));
        self.last += 1;
        let (fleet_seq, events_seq) = (Seq::default(), Seq::default());
        self.all.insert(self.last, RestrictedView { visibility, fleet, fleet_seq, events_seq, viewers: 1 });
        Ok(Some(self.last))
    }

    /// A viewer left its view.
    pub(super) fn leave(&mut self, id: Option<ViewId>) {
        let Some(view) = id.and_then(|id| self.all.get_mut(&id)) else { return };
        view.viewers = view.viewers.saturating_sub(1);
        if view.viewers == 0 {
            self.all.retain(|_, view| view.viewers > 0);
        }
    }

    pub(super) fn get(&self, id: ViewId) -> Option<&RestrictedView> {
        self.all.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ViewId, &RestrictedView)> {
        self.all.iter().map(|(id, view)| (*id, view))
    }

    /// Brings every view's fleet up to date: a frame for each view.
    pub(super) fn fleet_frames(&mut self, full: &FullState<'_>) -> Vec<(ViewId, Frame)> {
        let frame = |(id, view): (&ViewId, &mut RestrictedView)| {
            let fleet = full.seen_by(&view.visibility, Some(&view.fleet));
            let delta = view.fleet.diff(&fleet);
            view.fleet = Arc::new(fleet);
            view.fleet_seq = view.fleet_seq.next();
            (*id, Frame::FleetDelta(view.fleet_seq, Box::new(delta)))
        };
        self.all.iter_mut().map(frame).collect()
    }

    /// The last `count` events of the log, as a frame for every view that sees one of them.
    pub(super) fn event_frames(&mut self, log: &EventLog, count: usize) -> Vec<(ViewId, Frame)> {
        let newest = log.iter().skip(log.len().saturating_sub(count));
        let mut out = Vec::new();
        for (id, view) in &mut self.all {
            let mut events: Vec<Event> = newest.clone().filter_map(|event| view.visibility.event(event)).collect();
            if events.is_empty() {
                continue;
            }
            events.drain(..events.len().saturating_sub(EVENTS_SHOWN));
            view.events_seq = view.events_seq.next();
            out.push((*id, Frame::EventsNew(view.events_seq, events)));
        }
        out
    }
}

impl RestrictedView {
    /// Its fleet, as a frame.
    pub(super) fn fleet(&self) -> Frame {
        Frame::Fleet(self.fleet_seq, Box::new(Fleet::clone(&self.fleet)))
    }

    /// Its newest events, as a frame.
    pub(super) fn events(&self, log: &EventLog) -> Frame {
        Frame::Events(self.events_seq, redaction::newest(&self.visibility, log, EVENTS_SHOWN))
    }
}
