//! Nodes that disagree on a server, brought together: one state for all of them.

use leptos::prelude::*;
use model::{action::Action, cause::set_by, outcome::Target};

use super::{
    StatsContext,
    on_nodes::{OnNodes, Split},
};
use crate::components::modal::Modal;

/// The server whose nodes disagree, and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    name: String,
    text: String,
    targets: Vec<Target>,
    actions: Vec<Action>,
}

/// Which question is open.
pub(super) type Align = RwSignal<Option<Choice>>;

/// The button of a row that commands have set differently on its nodes.
#[component]
pub(super) fn AlignButton(nodes: OnNodes, split: Memo<Option<Split>>) -> impl IntoView {
    let context = StatsContext::expect();
    let is_shown = Memo::new(move |_| split.with(|s| s.as_ref().is_some_and(|s| s.disagreement.is_admin)));
    let open = move |_| {
        let Some(split) = split.get_untracked() else { return };
        let set = untrack(|| nodes.heard(|rows| rows.iter().map(|(_, row)| set_by(row)).collect::<Vec<_>>()));
        let actions = [Action::Ready, Action::Drain, Action::Maint].into_iter().filter(|a| set.contains(a)).collect();
        let targets = untrack(|| nodes.targets());
        context.align.set(Some(Choice { name: nodes.name(), text: split.disagreement.text, targets, actions }));
    };
    view! {
        {move || is_shown.get().then(|| view! {
            <button type="button" class="align needs-script" title="Bring the nodes together: one state for all" on:click=open>
                "Align"
            </button>
        }.into_any())}
    }
}

/// The question which state all nodes are to have.
#[component]
pub(super) fn AlignDialog() -> impl IntoView {
    let context = StatsContext::expect();
    let is_open = Signal::derive(move || context.align.with(Option::is_some));
    let on_close = Callback::new(move |()| context.align.set(None));
    view! {
        <Modal is_open on_close class="dialog" labelled_by="align-title">
            {move || context.align.get().map(|choice| view! { <Question choice /> })}
        </Modal>
    }
}

#[component]
fn Question(choice: Choice) -> impl IntoView {
    let context = StatsContext::expect();
    let Choice { name, text, targets, actions } = choice;
    let denials: Vec<_> = actions.iter().map(|action| context.operation.denied_on_all(*action, &targets)).collect();
    let begin = move |action| {
        context.align.set(None);
        context.operation.begin(action, targets.iter().cloned().collect());
    };
    view! {
        <h2 id="align-title" class="text-[17px] font-semibold">{format!("One state for {name} on all nodes?")}</h2>
        <p class="mt-1 mb-4 text-ink-2">{format!("Now: {text}.")}</p>
        <div class="flex flex-wrap justify-end gap-2.5">
            <button type="button" class="btn" autofocus on:click=move |_| context.align.set(None)>"Cancel"</button>
            {actions.into_iter().zip(denials).map(|(action, denial)| {
                let begin = begin.clone();
                view! { <button type="button" class="btn btn-primary" title=denial.clone() disabled=denial.is_some() on:click=move |_| begin(action)>{action.label()}</button> }.into_any()
            }).collect_view()}
        </div>
    }
}
