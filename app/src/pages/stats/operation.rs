//! What is being done: asked about, running, finished.

use std::collections::HashSet;

use leptos::prelude::*;
use model::{
    action::Action,
    fleet::Fleet,
    impact::{Impact, impact, needs_confirmation},
    outcome::{ActionResponse, Target},
    rights::Who,
};

use super::{permissions, selection::Selection};
use crate::live::{Live, Store, api};

/// An action and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedAction {
    pub(super) action: Action,
    pub(super) targets: HashSet<Target>,
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is being done.
    #[default]
    Idle,
    /// The operator is asked whether to do it.
    Asking(PlannedAction),
    /// The commands are being sent.
    Running(PlannedAction),
    /// What became of it.
    Finished(PlannedAction, ActionResponse),
    /// It did not begin, or its answer did not come: what happened, and whether anything may have been done.
    Failed(PlannedAction, String),
    /// There is nothing to act on.
    Nothing,
}

/// The one operation of this page.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    phase: RwSignal<Phase>,
    live: StoredValue<Live>,
    who: StoredValue<Who>,
    selection: Selection,
    /// Why, in the operator's words.
    pub(super) reason: RwSignal<String>,
}

impl Operation {
    pub(super) fn new(live: &Live, selection: Selection) -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            live: StoredValue::new(live.clone()),
            who: StoredValue::new(use_context().unwrap_or_default()),
            selection,
            reason: RwSignal::default(),
        }
    }

    pub(super) fn phase(self) -> Phase {
        self.phase.get()
    }

    /// Whether nothing is done without a reason.
    pub(super) fn needs_reason(self) -> bool {
        self.who.with_value(|who| who.needs_reason)
    }

    /// Why an action may be done to none of the targets; without one, why nowhere.
    pub(super) fn denied_on_all<'a>(
        self,
        action: Action,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Option<String> {
        self.who.with_value(|who| self.fleet(|fleet| permissions::denied_on_all(&who.rights, fleet, action, targets)))
    }

    /// What of the plan is not allowed, a sentence per reason.
    pub(super) fn denials(self, plan: &PlannedAction) -> Vec<String> {
        self.who
            .with_value(|who| self.fleet(|fleet| permissions::denials(&who.rights, fleet, plan.action, &plan.targets)))
    }

    /// Nodes stay in their clusters: nobody needs to follow the fleet for them.
    fn fleet<T>(self, read: impl FnOnce(&Fleet) -> T) -> T {
        self.live.with_value(|live| live.fleet.with_untracked(read))
    }

    /// Begins an action: at once, or after asking when capacity goes down, sessions end, or something stands against it.
    pub(super) fn begin(self, action: Action, targets: HashSet<Target>) {
        if matches!(self.phase.get_untracked(), Phase::Running(_)) {
            return;
        }
        if targets.is_empty() {
            self.phase.set(Phase::Nothing);
            return;
        }
        let plan = PlannedAction { action, targets };
        let is_asked =
            self.needs_reason() || needs_confirmation(action, &self.impact(&plan)) || !self.denials(&plan).is_empty();
        if is_asked {
            self.phase.set(Phase::Asking(plan));
        } else {
            self.run(plan);
        }
    }

    /// What the plan would do, by the rows as they are now.
    pub(super) fn impact(self, plan: &PlannedAction) -> Vec<Impact> {
        let sections = self.live.with_value(|live| Store::sections_now(&live.store));
        impact(plan.action, &plan.targets, sections.iter().map(|(proxy, section)| (proxy.as_str(), section)))
    }

    /// Does what was asked about.
    pub(super) fn confirm(self) {
        if let Phase::Asking(plan) = self.phase.get_untracked() {
            self.run(plan);
        }
    }

    /// Does not.
    pub(super) fn cancel(self) {
        if matches!(self.phase.get_untracked(), Phase::Asking(_)) {
            self.phase.set(Phase::Idle);
        }
    }

    /// Takes the outcome off the page.
    pub(super) fn dismiss(self) {
        if !matches!(self.phase.get_untracked(), Phase::Running(_)) {
            self.phase.set(Phase::Idle);
        }
    }

    fn run(self, plan: PlannedAction) {
        self.phase.set(Phase::Running(plan.clone()));
        leptos::task::spawn_local(async move {
            let reason = self.reason.get_untracked();
            match api::act(plan.action, &plan.targets, reason.trim()).await {
                Ok(response) => {
                    let good: Vec<_> =
                        response.outcomes.iter().filter(|o| o.outcome.is_good()).map(|o| &o.target).collect();
                    // What is tried again is so for the same reason.
                    if good.len() == response.outcomes.len() {
                        self.reason.set(String::new());
                    }
                    self.selection.remove(good);
                    self.phase.set(Phase::Finished(plan, response));
                }
                Err(problem) => self.phase.set(Phase::Failed(plan, problem)),
            }
        });
    }
}
