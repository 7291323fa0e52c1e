//! The page for an address that the program in the browser has no page for.

use leptos::prelude::*;
use leptos_meta::Title;

use super::answer;

/// Says so, and leads on.
#[component]
pub(crate) fn MissingPage() -> impl IntoView {
    view! {
        <Title text="Not found · Sluice" />
        {answer::missing()}
    }
}
