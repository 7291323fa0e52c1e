//! The fleet and the events as those see them who may not see everything: one view for all who see the same.
//!
//! A view has sequence numbers of its own. It lives as long as somebody looks at it.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    event::Event,
    fleet::Fleet,
    frame::{Frame, Seq},
    problem::Problem,
    rights::Rights,
};

use super::{
    ProxyState,
    events::{EVENTS_SHOWN, EventLog},
    redaction,
    visibility::Visibility,
};

/// Views at one time: more ways to see a fleet than anybody writes rules for. Each costs a fleet and a diff per flush;
/// whoever would need one more is turned away until another is left.
pub(super) const MOST_VIEWS: usize = 200;

/// Names a view on this run; nothing stands for the view of everything.
pub(super) type ViewId = u64;

/// Too many views are looked at already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crowded;

/// One view.
#[derive(Debug)]
pub(super) struct View {
    pub(super) sight: Visibility,
    fleet: Arc<Fleet>,
    fleet_seq: Seq,
    events_seq: Seq,
    viewers: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Views {
    all: BTreeMap<ViewId, View>,
    last: ViewId,
}

/// What a view is made of.
pub(super) struct Whole<'a> {
    pub(super) fleet: &'a Fleet,
    /// Every problem, worst first.
    pub(super) problems: &'a [Problem],
    /// Every proxy.
    pub(super) proxies: &'a [Arc<ProxyState>],
}

impl Whole<'_> {
    fn seen_by(&self, sight: &Visibility, known: Option<&Fleet>) -> Fleet {
        redaction::fleet(sight, self.fleet, self.problems, self.proxies, known)
    }
}

impl Views {
    /// The view of one viewer more; nothing for who sees everything.
    pub(super) fn enter(&mut self, rights: &Rights, whole: &Whole<'_>) -> Result<Option<ViewId>, Crowded> {
        let Some(sight) = Visibility::of(rights) else { return Ok(None) };
        if let Some((id, view)) = self.all.iter_mut().find(|(_, view)| view.sight == sight) {
            view.viewers += 1;
            return Ok(Some(*id));
        }
        if self.all.len() >= MOST_VIEWS {
            return Err(Crowded);
        }
        let fleet = Arc::new(whole.seen_by(&sight, None));
        self.last += 1;
        let (fleet_seq, events_seq) = (Seq::default(), Seq::default());
        self.all.insert(self.last, View { sight, fleet, fleet_seq, events_seq, viewers: 1 });
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

    pub(super) fn get(&self, id: ViewId) -> Option<&View> {
        self.all.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ViewId, &View)> {
        self.all.iter().map(|(id, view)| (*id, view))
    }

    /// Brings every view's fleet up to date: a frame for each.
    pub(super) fn tell_fleet(&mut self, whole: &Whole<'_>) -> Vec<(ViewId, Frame)> {
        let tell = |(id, view): (&ViewId, &mut View)| {
            let fleet = whole.seen_by(&view.sight, Some(&view.fleet));
            let delta = view.fleet.diff(&fleet);
            view.fleet = Arc::new(fleet);
            view.fleet_seq = view.fleet_seq.next();
            (*id, Frame::FleetDelta(view.fleet_seq, Box::new(delta)))
        };
        self.all.iter_mut().map(tell).collect()
    }

    /// Tells the last `count` events of the log to every view that sees one of them.
    pub(super) fn tell_events(&mut self, log: &EventLog, count: usize) -> Vec<(ViewId, Frame)> {
        let newest = log.iter().skip(log.len().saturating_sub(count));
        let mut out = Vec::new();
        for (id, view) in &mut self.all {
            let mut events: Vec<Event> = newest.clone().filter_map(|event| view.sight.event(event)).collect();
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

impl View {
    /// Its fleet, as a frame.
    pub(super) fn fleet(&self) -> Frame {
        Frame::Fleet(self.fleet_seq, Box::new(Fleet::clone(&self.fleet)))
    }

    /// Its newest events, as a frame.
    pub(super) fn events(&self, log: &EventLog) -> Frame {
        Frame::Events(self.events_seq, redaction::newest(&self.sight, log, EVENTS_SHOWN))
    }
}
