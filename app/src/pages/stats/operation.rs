//! What is being done: asked about, running, finished.

use std::collections::HashSet;

use leptos::prelude::*;

use super::selection::Selection;
use crate::{
    live::{Live, Store, api},
    model::{
        action::Action,
        impact::{Impact, impact, needs_confirmation},
        outcome::{ActionResponse, Target},
    },
};

/// An action and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) action: Action,
    pub(super) targets: HashSet<Target>,
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is being done.
    #[default]
    Idle,
    /// The operator is asked.
    Asking(Plan),
    /// HAProxy is told.
    Running(Plan),
    /// What became of it.
    Finished(Plan, ActionResponse),
    /// It did not begin, or its answer did not come: what happened, and whether anything may have been done.
    Failed(Plan, String),
    /// There is nothing to act on.
    Nothing,
}

/// The one operation of this page.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    phase: RwSignal<Phase>,
    store: StoredValue<Store>,
    selection: Selection,
}

impl Operation {
    pub(super) fn new(live: &Live, selection: Selection) -> Self {
        Self { phase: RwSignal::new(Phase::Idle), store: StoredValue::new(live.store.clone()), selection }
    }

    pub(super) fn phase(self) -> Phase {
        self.phase.get()
    }

    /// Begins an action: at once, or after asking when capacity goes down or sessions end.
    pub(super) fn begin(self, action: Action, targets: HashSet<Target>) {
        if matches!(self.phase.get_untracked(), Phase::Running(_)) {
            return;
        }
        if targets.is_empty() {
            self.phase.set(Phase::Nothing);
            return;
        }
        let plan = Plan { action, targets };
        if needs_confirmation(action, &self.impact(&plan)) {
            self.phase.set(Phase::Asking(plan));
        } else {
            self.run(plan);
        }
    }

    /// What the plan would do, by the rows as they are now.
    pub(super) fn impact(self, plan: &Plan) -> Vec<Impact> {
        let sections = self.store.with_value(Store::sections_now);
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

    fn run(self, plan: Plan) {
        self.phase.set(Phase::Running(plan.clone()));
        leptos::task::spawn_local(async move {
            match api::act(plan.action, &plan.targets).await {
                Ok(response) => {
                    let good: Vec<_> =
                        response.outcomes.iter().filter(|o| o.outcome.is_good()).map(|o| &o.target).collect();
                    self.selection.remove(good);
                    self.phase.set(Phase::Finished(plan, response));
                }
                Err(problem) => self.phase.set(Phase::Failed(plan, problem)),
            }
        });
    }
}
