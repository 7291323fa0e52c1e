//! The HTML around a page, as the server sends it.

use leptos::{
    config::LeptosOptions, hydration::HydrationScripts, nonce::use_nonce, prelude::*, tachys::view::any_view::AnyView,
};
use leptos_meta::MetaTags;

use crate::{
    app::App,
    components::theme::Theme,
    pages::lazy,
    snapshot::{ELEMENT, Snapshot},
};

/// The document of the live page at `path`: its rows, the state they come from, and the program that takes over.
#[must_use]
pub fn shell(options: LeptosOptions, theme: Option<Theme>, path: &str) -> AnyView {
    let snapshot = Snapshot::current().encode();
    // What the page has for itself comes beside the program, not after it.
    let own = lazy::file(path).map(|name| {
        let address = format!("/{}/{name}.wasm", options.site_pkg_dir);
        view! { <link rel="preload" href=address r#as="fetch" r#type="application/wasm" crossorigin="" /> }
    });
    let head = view! {
        <script type="application/octet-stream" id=ELEMENT nonce=use_nonce()>
            {snapshot}
        </script>
        <HydrationScripts options />
        {own}
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
