//! What the pages Account and Admin draw alike: the frame, cards, sessions and tokens with their buttons.
//!
//! Drawn by the server alone; every change is an ordinary form.

use leptos::prelude::*;

use crate::components::{account::Account, brand::Brand, nav::Nav};

/// How long a token or a wall link may last: the value that is sent, and its label.
const EXPIRIES: [(&str, &str); 6] = [
    ("1d", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("90d", "90 days"),
    ("365d", "1 year"),
    ("400d", "400 days"),
];

/// How a form ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It was carried out.
    Done(String),
    /// It was not, and why.
    Denied(String),
}

/// A secret that was just made, shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealedSecret {
    /// What it is, in a sentence.
    pub what: String,
    /// The secret itself: a token, or an address.
    pub secret: String,
    /// How it is used; empty where that is clear.
    pub usage: String,
}

/// A session in a list; times are in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionLine {
    /// Its id.
    pub id: String,
    /// Its account.
    pub user: String,
    /// Where it was opened from.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Since when, and when it was used last.
    pub times: String,
    /// Whether it is the one that the page was asked for with.
    pub is_this: bool,
}

/// A token in a list; times are in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenLine {
    /// Its id.
    pub id: String,
    /// Its account.
    pub user: String,
    /// `read` or `act`.
    pub scope: String,
    /// What it is for.
    pub note: String,
    /// Until when, and when it was used last.
    pub times: String,
    /// Whether it has expired.
    pub is_expired: bool,
}

/// Something that happened to an account; the time is in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatelyLine {
    /// When.
    pub time: String,
    /// What.
    pub what: String,
    /// By whom, and from where.
    pub by: String,
}

/// The frame of a page.
pub(super) fn page(current: &'static str, title: &'static str, notice: Option<Notice>, body: AnyView) -> AnyView {
    let notice = notice.map(|notice| match notice {
        Notice::Done(text) => {
            view! { <p class="pill pill-live mb-3 whitespace-normal" role="status">{text}</p> }.into_any()
        }
        Notice::Denied(text) => view! { <p class="notice mb-3" role="alert">{text}</p> }.into_any(),
    });
    view! {
        <header class="flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5">
            <Brand />
            <Nav current />
            <Account />
        </header>
        <main class="mx-auto max-w-4xl px-4 pt-4 pb-8 max-[520px]:px-2">
            <h1 class="mb-3 text-[19px] font-semibold">{title}</h1>
            {notice}
            {body}
        </main>
    }
    .into_any()
}

/// A card with a heading.
pub(super) fn card(title: &'static str, body: AnyView) -> AnyView {
    view! {
        <section class="card">
            <h2 class="card-head font-semibold">{title}</h2>
            {body}
        </section>
    }
    .into_any()
}

/// What happened lately, newest first: whoever did not do it should notice.
pub(super) fn lately(lines: Vec<LatelyLine>) -> AnyView {
    let body = match lines.is_empty() {
        true => empty_list("Nothing happened yet."),
        false => {
            let line = |LatelyLine { time, what, by }| {
                view! {
                    <li class="flex flex-wrap gap-x-3 border-t border-line px-3.5 py-2">
                        <span class="text-ink-3">{time}</span>
                        <span class="wrap-anywhere">{what}</span>
                        <span class="text-ink-2 wrap-anywhere">{by}</span>
                    </li>
                }
                .into_any()
            };
            view! { <ul class="text-[13px]">{lines.into_iter().map(line).collect_view()}</ul> }.into_any()
        }
    };
    let hint = view! { <p class="card-foot text-[13px] text-ink-2">"Was it not you? End the sessions and tokens that you do not know, and change the password."</p> };
    card("Lately", view! { {body} {hint} }.into_any())
}

/// The field for the password of whoever makes something that outlasts their session.
pub(super) fn own_password(label: &'static str, is_required: bool) -> AnyView {
    let input = view! { <input class="field text-ink" type="password" name="own_password" autocomplete="current-password" maxlength="1024" required=is_required /> };
    field(label, input.into_any())
}

/// A secret that was just made.
pub(super) fn revealed(revealed: RevealedSecret) -> AnyView {
    let RevealedSecret { what, secret, usage } = revealed;
    let has_usage = !usage.is_empty();
    view! {
        <section class="card p-4" aria-label="Shown once">
            <p class="font-semibold">{what}</p>
            <p class="mt-1 text-ink-2">"It is shown this once. Sluice keeps its hash alone."</p>
            <pre id="secret" tabindex="0" class="mt-2 overflow-x-auto rounded-lg border border-line bg-bg px-3 py-2 text-[13px] select-all">{secret}</pre>
            {has_usage.then(|| view! {
                <pre tabindex="0" class="mt-2 overflow-x-auto rounded-lg border border-line bg-bg px-3 py-2 text-[13px] text-ink-2">{usage}</pre>
            })}
        </section>
    }
    .into_any()
}

/// A form with one button, about one thing.
pub(super) fn button(
    action: &'static str,
    name: &'static str,
    value: String,
    label: &'static str,
    about: String,
) -> AnyView {
    view! {
        <form method="post" action=action>
            <input type="hidden" name=name value=value />
            <button class="btn" aria-label=format!("{label} {about}")>{label}</button>
        </form>
    }
    .into_any()
}

/// One line of a list: what it is, details, and what can be done with it.
pub(super) fn line(head: AnyView, details: String, controls: AnyView) -> AnyView {
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line px-3.5 py-2.5 first:border-t-0">
            <div class="min-w-0 flex-[1_1_260px] wrap-anywhere">
                <div class="flex flex-wrap items-center gap-2 font-semibold">{head}</div>
                <div class="text-[13px] text-ink-2">{details}</div>
            </div>
            {controls}
        </li>
    }
    .into_any()
}

/// The text in place of an empty list.
pub(super) fn empty_list(text: &'static str) -> AnyView {
    view! { <p class="px-3.5 py-3 text-ink-2">{text}</p> }.into_any()
}

/// Sessions, each with a button that ends it. `with_user` says whether each has its account's name, as in a list of
/// everybody's.
pub(super) fn sessions(lines: Vec<SessionLine>, action: &'static str, with_user: bool) -> AnyView {
    if lines.is_empty() {
        return empty_list("Nobody is logged in with a session.");
    }
    let lines = lines.into_iter().map(|session| {
        let SessionLine { id, user, address, agent, times, is_this } = session;
        let head = view! {
            {with_user.then_some(user)}
            <span>{address.clone()}</span>
            {is_this.then(|| view! { <span class="tag">"this one"</span> })}
        };
        let details = [agent, times].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
        line(head.into_any(), details, button(action, "id", id, "End", format!("the session from {address}")))
    });
    view! { <ul>{lines.collect_view()}</ul> }.into_any()
}

/// Tokens, each with a button that ends it; `with_user` as for [`sessions`].
pub(super) fn tokens(lines: Vec<TokenLine>, action: &'static str, with_user: bool) -> AnyView {
    if lines.is_empty() {
        return empty_list("There are no tokens.");
    }
    let lines = lines.into_iter().map(|token| {
        let TokenLine { id, user, scope, note, times, is_expired } = token;
        let label = if note.is_empty() { id.clone() } else { note };
        let head = view! {
            {with_user.then_some(user)}
            <span>{label.clone()}</span>
            <span class="tag">{scope}</span>
            {is_expired.then(|| view! { <span class="tag">"ended"</span> })}
        };
        line(head.into_any(), format!("{id} · {times}"), button(action, "id", id, "End", format!("the token {label}")))
    });
    view! { <ul>{lines.collect_view()}</ul> }.into_any()
}

/// A field with its label.
pub(super) fn field(label: &'static str, input: AnyView) -> AnyView {
    view! { <label class="block min-w-0 flex-[1_1_180px] text-[13px] text-ink-2">{label}{input}</label> }.into_any()
}

/// The choice of how long something lasts.
pub(super) fn expiry(default: &'static str) -> AnyView {
    let options = EXPIRIES.map(|(value, text)| view! { <option value=value selected=value == default>{text}</option> });
    field("Lasts", view! { <select class="field text-ink" name="expires">{options.collect_view()}</select> }.into_any())
}
