//! The state that a page is rendered from, on the server and again in the browser.
//!
//! It travels inside the page, as text in a block that is no script, so that the first view needs no further request.

use leptos::prelude::*;
use model::{
    event::Event,
    fleet::Fleet,
    rights::Who,
    topic::{Sections, TopicId},
};
use serde::{Deserialize, Serialize};

/// Where the page carries it.
pub(crate) const ELEMENT: &str = "sluice-snapshot";

/// Everything that a page shows, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Who looks.
    pub who: Who,
    /// Names the program and the site inside it.
    pub build: String,
    /// The topic `fleet`.
    pub fleet: Fleet,
    /// Per proxy: its cluster, its name, its rows.
    pub proxies: Vec<(String, String, Sections)>,
    /// Further topics of rows: those of the node that the page is about.
    pub opened: Vec<(TopicId, Sections)>,
    /// What happened lately, oldest first; on the page that shows it alone.
    pub events: Vec<Event>,
    /// What changed about the accounts that the viewer sees, oldest first; on the same page alone.
    pub account_events: Vec<Event>,
}

impl Snapshot {
    /// The text that the page carries.
    #[cfg(feature = "ssr")]
    pub(crate) fn encode(&self) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        // Encoding our own types can't fail; the browser takes an empty text as "nothing known yet".
        STANDARD.encode(postcard::to_stdvec(self).unwrap_or_default())
    }

    /// The snapshot of this page: from the request's context on the server, from the page itself in the browser.
    pub(crate) fn current() -> Self {
        use_context::<Self>().or_else(from_page).unwrap_or_default()
    }
}

fn from_page() -> Option<Snapshot> {
    if cfg!(feature = "ssr") {
        return None;
    }
    let text = document().get_element_by_id(ELEMENT)?.text_content()?;
    let binary = window().atob(&text).ok()?;
    // `atob` gives one character a byte.
    let bytes: Vec<u8> = binary.chars().map(|c| c as u8).collect();
    postcard::from_bytes(&bytes).ok()
}
