//! Remembers which states operators set through Sluice, and lists those that a reload lost, whoever had set them.

use std::collections::HashMap;

use model::{
    action::Action,
    fleet::Node,
    lost::{Lost, holds},
    outcome::Target,
    row::Row,
};

use super::reload::Reload;

/// How long a lost state is listed, in milliseconds: who has not set it again within a day does not want it back.
const LISTED_MS: u64 = 86_400_000;

/// Who asked for an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requester {
    /// Who, as far as Sluice knows.
    pub by: String,
    /// The operation's name.
    pub operation: String,
}

/// The part of a server that a state belongs to: setting one state ends the others of the same part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Aspect {
    Admin,
    Check,
    Agent,
    Health,
}

fn aspect(action: Action) -> Option<Aspect> {
    match action {
        Action::Ready | Action::Drain | Action::Maint => Some(Aspect::Admin),
        Action::Dhlth | Action::Ehlth => Some(Aspect::Check),
        Action::Dagent | Action::Eagent => Some(Aspect::Agent),
        Action::Hrunn | Action::Hnolb | Action::Hdown => Some(Aspect::Health),
        Action::Arunn | Action::Adown | Action::Shutdown => None,
    }
}

/// The action that set an aspect last.
#[derive(Debug)]
struct Override {
    action: Action,
    at: u64,
    requester: Requester,
}

/// What operators set on one node.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    /// By backend, server and aspect, for servers that the node has.
    set: HashMap<(String, String, Aspect), Override>,
    lost: Vec<Lost>,
    is_changed: bool,
}

impl Overrides {
    /// An action was done at `now` (Unix milliseconds), or found nothing to do: what was lost of that aspect is not
    /// wanted back.
    pub(super) fn action_done(
        &mut self,
        target: &Target,
        action: Action,
        is_done: bool,
        requester: &Requester,
        now: u64,
    ) {
        let Some(aspect) = aspect(action) else { return };
        let of_aspect = |l: &Lost| self::aspect(l.action) == Some(aspect);
        self.forget(|l| l.proxy == target.backend && l.server == target.server && of_aspect(l));
        if is_done {
            let key = (target.backend.clone(), target.server.clone(), aspect);
            self.set.insert(key, Override { action, at: now, requester: requester.clone() });
        }
    }

    /// A reload was seen at `now`.
    pub(super) fn reloaded(&mut self, node: &Node, reload: &Reload, now: u64) {
        for gone in &reload.lost {
            let key = aspect(gone.action).map(|a| (gone.proxy.clone(), gone.server.clone(), a));
            let set = key.and_then(|key| self.set.get(&key)).filter(|set| set.action == gone.action);
            let (since, requester) = match set {
                Some(set) => (set.at, set.requester.clone()),
                None if gone.has_agent => (
                    gone.since * 1_000,
                    Requester { by: "an operator or its agent".to_owned(), operation: String::new() },
                ),
                None => (gone.since * 1_000, Requester::default()),
            };
            let lost = Lost {
                node: node.name.clone(),
                cluster: node.cluster.clone(),
                proxy: gone.proxy.clone(),
                server: gone.server.clone(),
                action: gone.action,
                since,
                by: requester.by,
                operation: requester.operation,
                at: now,
            };
            self.forget(|l| l.proxy == lost.proxy && l.server == lost.server && l.action == lost.action);
            self.lost.push(lost);
            self.is_changed = true;
        }
    }

    /// Takes off the list what shows again, what belongs to servers that are gone, and what is too old. `row` finds a server.
    pub(super) fn review<'a>(&mut self, row: impl Fn(&str, &str) -> Option<&'a Row>, now: u64) {
        let is_over = |l: &Lost| {
            row(&l.proxy, &l.server).is_none_or(|row| holds(l.action, row)) || now.saturating_sub(l.at) >= LISTED_MS
        };
        self.forget(is_over);
    }

    /// Forgets what was set on servers that are gone.
    pub(super) fn forget_removed_servers<'a>(&mut self, row: impl Fn(&str, &str) -> Option<&'a Row>) {
        self.set.retain(|(proxy, server, _), _| row(proxy, server).is_some());
    }

    /// What is lost, where that changed since the last call.
    pub(super) fn take_lost(&mut self) -> Option<Vec<Lost>> {
        std::mem::take(&mut self.is_changed).then(|| self.lost.clone())
    }

    /// How many states are known to have been set.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.set.len()
    }

    fn forget(&mut self, which: impl Fn(&Lost) -> bool) {
        let before = self.lost.len();
        self.lost.retain(|l| !which(l));
        self.is_changed |= self.lost.len() != before;
    }
}

#[cfg(test)]
mod tests {
    use model::{col::Col, row::RowKind};

    use super::*;
    use crate::collector::reload::LostState;

    fn server(bits: u64) -> Row {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set(Col::AdminState, Some(bits));
        row
    }

    fn reload(action: Action, has_agent: bool) -> Reload {
        let gone = LostState { proxy: "web".into(), server: "s1".into(), action, since: 5, has_agent };
        Reload { lost: vec![gone], ..Reload::default() }
    }

    fn by(who: &str) -> Requester {
        Requester { by: who.into(), operation: format!("op-{who}") }
    }

    fn target() -> Target {
        Target::new("lb1", "web", "s1")
    }

    /// Overrides of a node that saw a reload lose DRAIN of `web/s1` at 10,000 ms.
    fn after_a_loss() -> Overrides {
        let mut overrides = Overrides::default();
        overrides.reloaded(&Node::default(), &reload(Action::Drain, false), 10_000);
        assert_eq!(overrides.take_lost().map(|l| l.len()), Some(1));
        assert_eq!(overrides.take_lost(), None);
        overrides
    }

    #[test]
    fn who_set_it_is_known_where_it_was_set_here_and_set_last() {
        for (acts, agent, who, operation, since) in [
            (vec![], false, "", "", 5_000),
            (vec![], true, "an operator or its agent", "", 5_000),
            (vec![(Action::Drain, "ann")], true, "ann", "op-ann", 1_000),
            (vec![(Action::Drain, "ann"), (Action::Dhlth, "bob")], false, "ann", "op-ann", 1_000),
            (vec![(Action::Drain, "ann"), (Action::Ready, "bob")], false, "", "", 5_000),
        ] {
            let mut overrides = Overrides::default();
            for (action, by_whom) in acts {
                overrides.action_done(&target(), action, true, &by(by_whom), 1_000);
            }
            overrides.reloaded(&Node::default(), &reload(Action::Drain, agent), 10_000);
            let lost = overrides.take_lost().expect("a change");
            let got = (lost[0].by.as_str(), lost[0].operation.as_str(), lost[0].since, lost[0].at);
            assert_eq!(got, (who, operation, since, 10_000));
        }
    }

    #[test]
    fn an_entry_ends_when_it_shows_again_when_the_server_goes_and_after_a_day() {
        let (ready, drained) = (server(0), server(8));
        for (row, now, is_listed) in [
            (Some(&ready), 11_000, true),
            (Some(&drained), 11_000, false),
            (None, 11_000, false),
            (Some(&ready), 10_000 + LISTED_MS, false),
        ] {
            let mut overrides = after_a_loss();
            overrides.review(|_, _| row, now);
            assert_eq!(overrides.take_lost(), (!is_listed).then(Vec::new));
        }
    }

    #[test]
    fn an_entry_ends_when_another_state_is_set_on_purpose() {
        for (action, is_done, is_listed) in [
            (Action::Ready, false, false),
            (Action::Maint, true, false),
            (Action::Dhlth, true, true),
            (Action::Shutdown, true, true),
        ] {
            let mut overrides = after_a_loss();
            overrides.action_done(&target(), action, is_done, &by("ann"), 11_000);
            assert_eq!(overrides.take_lost().is_none(), is_listed, "{action}");
        }
    }

    #[test]
    fn a_second_loss_of_the_same_is_one_entry() {
        let mut overrides = after_a_loss();
        overrides.reloaded(&Node::default(), &reload(Action::Drain, false), 20_000);
        assert_eq!(overrides.take_lost().expect("a change").iter().map(|l| l.at).collect::<Vec<_>>(), [20_000]);
    }
}
