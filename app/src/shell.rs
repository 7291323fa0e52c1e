//! The HTML around a page, as the server sends it.

use leptos::{
    config::LeptosOptions, hydration::HydrationScripts, nonce::use_nonce, prelude::*, tachys::view::any_view::AnyView,
};
use leptos_meta::MetaTags;

use crate::{
    app::App,
    components::theme::Theme,
    snapshot::{ELEMENT, Snapshot},
};

/// The document of a live page: its rows, the state they come from, and the program that takes over.
#[must_use]
pub fn shell(options: LeptosOptions, theme: Option<Theme>) -> AnyView {
    let snapshot = Snapshot::current().encode();
    let head = view! {
        <script type="application/octet-stream" id=ELEMENT nonce=use_nonce()>
            {snapshot}
        </script>
        <HydrationScripts options />
        <MetaTags />
    };
    frame(theme, head.into_any(), view! { <App /> }.into_any())
}

/// The document of a page that needs no program: an answer to a form.
#[must_use]
pub fn document(title: &str, theme: Option<Theme>, body: AnyView) -> String {
    let title = format!("{title} · Sluice");
    frame(theme, view! { <title>{title}</title> }.into_any(), body).to_html()
}

fn frame(theme: Option<Theme>, head: AnyView, body: AnyView) -> AnyView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.map(Theme::id)>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/site.webmanifest" />
                <link rel="stylesheet" href="/pkg/sluice.css" />
                {head}
            </head>
            <body>{body}</body>
        </html>
    }
    .into_any()
}
