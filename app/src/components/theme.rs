//! Light or dark: the system's choice, unless the operator made one. It is kept in a cookie, so that the server renders it.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A choice that differs from the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The cookie's name.
const COOKIE: &str = "sluice-theme";

/// How long the choice is kept, in seconds: a year.
const KEPT_S: u32 = 31_536_000;

impl Theme {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the choice from a `Cookie` header.
    #[must_use]
    pub fn from_cookie(header: &str) -> Option<Self> {
        let value = header.split(';').filter_map(|c| c.trim().split_once('=')).find(|(name, _)| *name == COOKIE)?.1;
        [Self::Light, Self::Dark].into_iter().find(|t| t.id() == value)
    }
}

/// Switches between light and dark.
#[component]
pub(crate) fn ThemeSwitch() -> impl IntoView {
    view! {
        <button type="button" class="btn needs-script" on:click=move |_| switch() aria-label="Switch between light and dark" title="Light or dark">
            <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6" aria-hidden="true">
                <circle cx="8" cy="8" r="5.6" />
                <path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" />
            </svg>
        </button>
    }
}

fn switch() {
    let Some(root) = document().document_element() else { return };
    let system_is_dark =
        || window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches());
    let is_dark = match root.get_attribute("data-theme").as_deref() {
        Some(theme) => theme == Theme::Dark.id(),
        None => system_is_dark(),
    };
    let theme = if is_dark { Theme::Light } else { Theme::Dark };
    let _: Result<(), _> = root.set_attribute("data-theme", theme.id());
    if let Some(document) = document().dyn_ref::<web_sys::HtmlDocument>() {
        let cookie = format!("{COOKIE}={}; Path=/; Max-Age={KEPT_S}; SameSite=Strict", theme.id());
        let _: Result<(), _> = document.set_cookie(&cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_read_from_the_cookie() {
        assert_eq!(Theme::from_cookie("a=b; sluice-theme=dark"), Some(Theme::Dark));
        assert_eq!(Theme::from_cookie("sluice-theme=light"), Some(Theme::Light));
        assert_eq!(Theme::from_cookie("sluice-theme=\"><script>"), None);
        assert_eq!(Theme::from_cookie(""), None);
    }
}
