//! What operators had set and a reload lost, with buttons that set it again.

use leptos::prelude::*;
use model::{
    action::Action,
    format::{plural, span},
    lost::Lost,
    outcome::Target,
};

use super::StatsContext;
use crate::live::Live;

/// States that a notice names; the others are counted.
const NAMED: usize = 5;

/// Where the browser keeps which losses somebody has hidden: the [`mark`] of each.
const HIDDEN: &str = "sluice-lost-hidden";

/// What of it is kept, in characters: that of the last few dozen reloads.
const KEPT: usize = 1_000;

/// Names what one reload of one node lost. Names are ASCII.
fn mark(lost: &Lost) -> String {
    format!("{}@{};", lost.node, lost.at)
}

/// A notice per node that lost something.
#[component]
pub(super) fn LostStates() -> impl IntoView {
    let live = Live::expect();
    let hidden = RwSignal::new(String::new());
    Effect::new(move || {
        let kept = window().local_storage().ok().flatten().and_then(|s| s.get_item(HIDDEN).ok().flatten());
        hidden.set(kept.unwrap_or_default());
    });
    let lost = Memo::new(move |_| {
        let is_new = |l: &&Lost| hidden.with(|h| !h.contains(&mark(l)));
        live.fleet.with(|f| f.lost.iter().filter(is_new).cloned().collect::<Vec<_>>())
    });
    let notices = move || {
        lost.with(|lost| lost.chunk_by(|a, b| a.node == b.node).map(|lost| notice(lost, hidden)).collect::<Vec<_>>())
    };
    view! { <div role="status" class="px-4 max-[520px]:px-2">{move || notices()}</div> }
}

/// The notice of one node; `lost` is not empty.
fn notice(lost: &[Lost], hidden: RwSignal<String>) -> AnyView {
    let context = StatsContext::expect();
    let clock = Live::expect().clock;
    let reloaded = lost.iter().map(|l| l.at).max().unwrap_or(0) / 1_000;
    let marks: String = lost.iter().map(mark).collect();
    let hide = move |_| {
        hidden.update(|h| {
            h.push_str(&marks);
            h.drain(..h.len().saturating_sub(KEPT));
        });
        if let Ok(Some(storage)) = window().local_storage() {
            let _: Result<(), _> = storage.set_item(HIDDEN, &hidden.get_untracked());
        }
    };
    let now = clock.now_untracked() / 1_000;
    let ago = move || format!(" was reloaded {} ago and lost ", span(clock.since(reloaded)));
    let mut states: Vec<String> = lost.iter().take(NAMED).map(|l| state(l, now)).collect();
    if lost.len() > NAMED {
        states.push(format!("and {} more", lost.len() - NAMED));
    }
    let text = format!("{}: {}.", plural(lost.len(), "state"), states.join("; "));
    let again = Action::ALL.into_iter().filter_map(|action| {
        let of_action = lost.iter().filter(|l| l.action == action);
        let targets: Vec<Target> = of_action.map(|l| Target::new(&l.node, &l.proxy, &l.server)).collect();
        let label = format!("{} again", action.verb(&plural(targets.len(), "server")));
        let denial = context.operation.denied_on_all(action, &targets);
        let begin = move |_| context.operation.begin(action, targets.iter().cloned().collect());
        lost.iter().any(|l| l.action == action).then(|| {
            view! { <button type="button" class="btn needs-script" title=denial.clone() disabled=denial.is_some() on:click=begin>{label}</button> }.into_any()
        })
    });
    view! {
        <div class="notice notice-lost">
            <p><b>{lost[0].node.clone()}</b>{move || ago()}{text}</p>
            {again.collect::<Vec<_>>()}
            <button type="button" class="btn needs-script" on:click=hide>"Hide"</button>
        </div>
    }
    .into_any()
}

/// One state: what, and since when and by whom it had been set.
fn state(lost: &Lost, now: u64) -> String {
    let what = match lost.action {
        Action::Ready => "READY",
        Action::Drain => "DRAIN",
        Action::Maint => "MAINT",
        Action::Dhlth => "health checks off",
        Action::Dagent => "agent checks off",
        Action::Hnolb => "NOLB",
        Action::Hdown => "forced DOWN",
        other => other.id(),
    };
    let by = match lost.by.as_str() {
        "" => "outside Sluice".to_owned(),
        by => format!("by {by}"),
    };
    let when = match lost.since {
        0 => String::new(),
        since => format!("{} ago ", span(now.saturating_sub(since / 1_000))),
    };
    format!("{}/{} {what}, set {when}{by}", lost.proxy, lost.server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_state_says_what_when_and_who() {
        let mut lost = Lost {
            node: "lb2".into(),
            cluster: "edge".into(),
            proxy: "web".into(),
            server: "web1".into(),
            action: Action::Drain,
            since: 40_000,
            by: "ann".into(),
            operation: "x-1".into(),
            at: 90_000,
        };
        assert_eq!(state(&lost, 100), "web/web1 DRAIN, set 1 min ago by ann");
        (lost.since, lost.by, lost.action) = (0, String::new(), Action::Dhlth);
        assert_eq!(state(&lost, 100), "web/web1 health checks off, set outside Sluice");
    }
}
