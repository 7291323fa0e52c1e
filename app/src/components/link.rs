//! Whether what the page shows is the present: the pill in the header.

use leptos::prelude::*;
use model::{fleet::Fleet, format::age};

use crate::live::{Live, StreamState};

/// What the pill says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageFreshness {
    /// All nodes answer; the oldest answer's age, milliseconds.
    Live(u64),
    /// Some do not: how many of how many.
    Some(usize, usize),
    /// None does.
    None,
    /// The stream is lost; the age of what is shown, milliseconds.
    Lost(u64),
    /// There are too many streams for one of this page; the age of what is shown, milliseconds.
    TooMany(u64),
    /// The stream is not opened again: the user is not logged in any more.
    SignedOut,
    /// There are no nodes.
    Empty,
}

impl PageFreshness {
    /// How fresh everything on the page is.
    pub(crate) fn of(fleet: &Fleet, connection: StreamState, now: u64) -> Self {
        let newest = fleet.nodes.iter().filter_map(|n| n.age_ms(now)).min();
        match connection {
            StreamState::Lost(since) => return Self::Lost(newest.unwrap_or_else(|| now.saturating_sub(since))),
            StreamState::TooMany(since) => return Self::TooMany(newest.unwrap_or_else(|| now.saturating_sub(since))),
            StreamState::SignedOut => return Self::SignedOut,
            StreamState::Opening | StreamState::Open => {}
        }
        let fresh = fleet.nodes.iter().filter(|n| n.is_fresh(now)).count();
        match (fresh, fleet.nodes.len()) {
            (_, 0) => Self::Empty,
            (0, _) => Self::None,
            (fresh, all) if fresh < all => Self::Some(all - fresh, all),
            _ => Self::Live(fleet.nodes.iter().filter_map(|n| n.age_ms(now)).max().unwrap_or(0)),
        }
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Live(ms) => format!("live · {}", age(*ms)),
            Self::Some(away, all) => format!("{away} of {all} nodes silent"),
            Self::None => "no node answers".to_owned(),
            Self::Lost(ms) => format!("reconnecting · {} old", age(*ms)),
            Self::TooMany(ms) => format!("too many pages are open: close some · {} old", age(*ms)),
            Self::SignedOut => "signed out".to_owned(),
            Self::Empty => "no nodes".to_owned(),
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Live(_) => "pill pill-live",
            Self::Some(..) => "pill pill-warn",
            Self::None | Self::Lost(_) | Self::TooMany(_) | Self::SignedOut | Self::Empty => "pill pill-bad",
        }
    }
}

/// The pill.
#[component]
pub(crate) fn LinkPill() -> impl IntoView {
    let live = Live::expect();
    let freshness =
        Memo::new(move |_| live.fleet.with(|f| PageFreshness::of(f, live.connection.get(), live.clock.ms())));
    view! {
        <span class=move || freshness.with(PageFreshness::class) data-testid="link">
            <span class="size-2 rounded-full bg-current" aria-hidden="true"></span>
            {move || freshness.with(PageFreshness::words)}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use model::fleet::{Link, Node, NodeStats};

    use super::*;

    #[test]
    fn the_pill_is_green_only_when_every_node_is_fresh() {
        let node = |link, polled| Node {
            link,
            poll_ms: 1_000,
            stats: NodeStats { polled, ..NodeStats::default() },
            ..Node::default()
        };
        let fleet = |nodes| Fleet { nodes, ..Fleet::default() };
        let of = |nodes, connection| PageFreshness::of(&fleet(nodes), connection, 10_000);
        let (fresh, old, down) = (node(Link::Live, 9_600), node(Link::Live, 3_000), node(Link::Down, 9_000));
        assert_eq!(of(vec![fresh.clone()], StreamState::Open), PageFreshness::Live(400));
        assert_eq!(of(vec![fresh.clone(), old], StreamState::Open), PageFreshness::Some(1, 2));
        assert_eq!(of(vec![down], StreamState::Open), PageFreshness::None);
        assert_eq!(of(vec![fresh.clone()], StreamState::SignedOut), PageFreshness::SignedOut);
        assert_eq!(of(vec![fresh.clone()], StreamState::TooMany(9_000)), PageFreshness::TooMany(400));
        assert_eq!(of(vec![fresh], StreamState::Lost(9_000)), PageFreshness::Lost(400));
        assert_eq!(of(vec![], StreamState::Open), PageFreshness::Empty);
    }
}
