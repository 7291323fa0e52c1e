//! What happened: changes of state, operations, reloads, links, and what changed about accounts.

use serde::{Deserialize, Serialize};

use crate::fleet::Node;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A row changed its state.
    #[default]
    State,
    /// An action was asked for on a server.
    Operation,
    /// A node has another process.
    Reload,
    /// A node stopped answering, or answers again.
    Link,
    /// An account, token or wall link was made, changed or ended.
    Account,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::State, Self::Operation, Self::Reload, Self::Link, Self::Account];

    /// Its word in an address and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Operation => "operation",
            Self::Reload => "reload",
            Self::Link => "link",
            Self::Account => "account",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }

    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::Operation => "Operation",
            Self::Reload => "Reload",
            Self::Link => "Link",
            Self::Account => "Account",
        }
    }
}

/// One thing that happened. Texts are empty where they do not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Names it on this run of Sluice. It counts up from 1, is an opaque number for viewers who may not see every event and
    /// for every event of an account, and 0 until the hub has numbered it.
    pub id: u64,
    /// When, Unix milliseconds: when Sluice saw it.
    pub at: u64,
    /// The node's name.
    pub node: String,
    /// Its cluster.
    pub cluster: String,
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// HAProxy's `svname`; `FRONTEND` or `BACKEND` for the proxy itself.
    pub server: String,
    /// The account that it concerns; then it tells of no node.
    pub account: String,
    /// What kind of thing.
    pub kind: EventKind,
    /// How it was: a `status`, a link, a process.
    pub before: String,
    /// How it is.
    pub after: String,
    /// Why, or what became of it, in a sentence's half.
    pub cause: String,
    /// Who did it, as far as Sluice knows.
    pub by: String,
    /// The operation that it belongs to.
    pub operation: String,
}

impl Event {
    /// Something that happened at `at` (Unix milliseconds) to a node as a whole.
    #[must_use]
    pub fn of(node: &Node, kind: EventKind, at: u64) -> Self {
        Self { at, node: node.name.clone(), cluster: node.cluster.clone(), kind, ..Self::default() }
    }
}

/// Which events are asked for; what is empty filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// This text, anywhere in the event; large and small letters are alike.
    pub text: String,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this node.
    pub node: String,
    /// Only this cluster.
    pub cluster: String,
    /// Only this proxy.
    pub proxy: String,
    /// Only this server.
    pub server: String,
}

impl EventFilter {
    /// Whether an event is asked for.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let is = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
        self.kind.is_none_or(|k| k == event.kind)
            && is(&self.node, &event.node)
            && is(&self.cluster, &event.cluster)
            && is(&self.proxy, &event.proxy)
            && is(&self.server, &event.server)
            && self.finds(event)
    }

    /// Whether the event has the text. `web/s1` finds a server by its backend as well.
    fn finds(&self, event: &Event) -> bool {
        let text = self.text.trim().to_ascii_lowercase();
        let Event { node, proxy, server, account, before, after, cause, by, operation, .. } = event;
        text.is_empty()
            || [node, &format!("{proxy}/{server}"), account, before, after, cause, by, operation]
                .iter()
                .any(|t| t.to_ascii_lowercase().contains(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_back_from_its_word() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(EventKind::from_word("State"), None);
    }

    #[test]
    fn a_filter_wants_what_fits_all_of_it() {
        let event = Event {
            node: "lb1".into(),
            cluster: "edge".into(),
            proxy: "web".into(),
            server: "s1".into(),
            after: "DOWN".into(),
            cause: "connection refused".into(),
            ..Event::default()
        };
        let text = |text: &str| EventFilter { text: text.into(), ..EventFilter::default() };
        for (filter, wanted) in [
            (EventFilter::default(), true),
            (text(" Refused "), true),
            (text("web/s1"), true),
            (text("web/s2"), false),
            (EventFilter { kind: Some(EventKind::State), ..text("down") }, true),
            (EventFilter { kind: Some(EventKind::Link), ..text("down") }, false),
            (EventFilter { node: "lb1".into(), server: "s1".into(), ..EventFilter::default() }, true),
            (EventFilter { node: "lb".into(), ..EventFilter::default() }, false),
            (EventFilter { proxy: "web".into(), cluster: "lab".into(), ..EventFilter::default() }, false),
        ] {
            assert_eq!(filter.wants(&event), wanted, "{filter:?}");
        }
    }
}
