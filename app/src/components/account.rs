//! Who looks: the account and the way out of it, or that there are no accounts.

use leptos::prelude::*;
use model::rights::Who;

/// The account's name and role, and the way out; nothing where there are no accounts, and on a wall.
#[component]
pub(crate) fn Account() -> impl IntoView {
    let Who { name, rights, .. } = use_context().unwrap_or_default();
    (!name.is_empty()).then(|| {
        view! {
            <form method="post" action="/logout" class="account">
                <a class="tab" href="/account" rel="external" title="Your account: where it is logged in, its tokens, its password">
                    <b>{name}</b>
                    <span>{rights.role.word()}</span>
                </a>
                <button type="submit" class="btn">"Log out"</button>
            </form>
        }
    })
}

/// Says that there are no accounts, and how to make one; nothing where there are.
#[component]
pub(crate) fn OpenNote() -> impl IntoView {
    let is_open = use_context::<Who>().is_some_and(|who| who.is_open);
    is_open.then(|| {
        view! {
            <aside class="open-note" aria-label="Note">
                "No accounts: whoever reaches this machine's port may act. Add one with "
                <code>"sluice user add NAME --role admin"</code>
            </aside>
        }
    })
}
