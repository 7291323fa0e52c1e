//! Which rows are shown: the address says it (`?q=web&show=problems&node=lb1`), so that a view can be passed on.

use leptos_router::params::ParamsMap;
use model::{
    col::Text,
    outcome::Target,
    row::{Row, RowKind},
    status::RowState,
};

/// What a view shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowFilter {
    /// Part of a server's, a backend's name or an address, in lower case.
    pub(crate) text: String,
    /// Which states.
    pub(crate) show: Show,
    /// One node only.
    pub(crate) node: Option<String>,
}

/// Which states are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Show {
    /// All.
    #[default]
    All,
    /// Those that somebody should look at.
    Problems,
    /// One.
    Only(RowState),
}

impl Show {
    /// Its name in the address.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Problems => "problems",
            Self::Only(state) => state.id(),
        }
    }

    fn parse(id: &str) -> Self {
        match id {
            "problems" => Self::Problems,
            _ => RowState::ALL.into_iter().find(|s| s.id() == id).map_or(Self::All, Self::Only),
        }
    }

    /// Whether a server in that state is shown.
    pub(crate) fn matches(self, state: RowState) -> bool {
        match self {
            Self::All => true,
            Self::Problems => state.is_problem(),
            Self::Only(only) => only == state,
        }
    }
}

impl RowFilter {
    /// Reads an address.
    pub(crate) fn from_query(query: &ParamsMap) -> Self {
        let get = |name| query.get(name).unwrap_or_default();
        Self {
            text: get("q").trim().to_ascii_lowercase(),
            show: Show::parse(&get("show")),
            node: Some(get("node")).filter(|n| !n.is_empty()),
        }
    }

    /// The address of this view.
    pub(crate) fn address(&self) -> String {
        let mut query = ParamsMap::new();
        let node = self.node.as_deref().unwrap_or_default();
        for (name, value) in [("q", self.text.as_str()), ("show", self.show.id()), ("node", node)] {
            if !value.is_empty() {
                query.insert(name.to_owned(), value.to_owned());
            }
        }
        format!("/stats{}", query.to_query_string())
    }

    /// Whether every row is shown.
    pub(crate) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a row is shown. A backend's own row and a frontend are shown when their name is.
    pub(crate) fn matches(&self, target: &Target, row: &Row) -> bool {
        let is_server = row.kind == RowKind::Server;
        let state_fits = if is_server { self.show.matches(row.state()) } else { self.show == Show::All };
        let text_fits = || {
            let names = [target.backend.as_str(), row.name.as_str(), row.text(Text::Addr)];
            let names = if is_server { &names[..] } else { &names[..1] };
            names.iter().any(|n| n.to_ascii_lowercase().contains(&self.text))
        };
        state_fits && (self.text.is_empty() || text_fits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_from_the_address_and_fits_names_addresses_and_states() {
        let filter = |pairs: &[(&str, &str)]| {
            let mut query = ParamsMap::new();
            pairs.iter().for_each(|(k, v)| query.insert((*k).to_owned(), (*v).to_owned()));
            RowFilter::from_query(&query)
        };
        let mut row = Row::new(RowKind::Server, "web1");
        row.set_text(Text::Status, "DOWN");
        row.set_text(Text::Addr, "10.0.0.7:80");
        let target = Target::new("lb1", "shop", "web1");
        for (pairs, shown) in [
            (&[][..], true),
            (&[("q", "WEB")], true),
            (&[("q", "shop")], true),
            (&[("q", "0.7")], true),
            (&[("q", "nope")], false),
            (&[("show", "problems")], true),
            (&[("show", "down"), ("q", "web")], true),
            (&[("show", "up")], false),
            (&[("show", "what")], true),
        ] {
            assert_eq!(filter(pairs).matches(&target, &row), shown, "{pairs:?}");
        }
        let summary = Row::new(RowKind::Backend, "BACKEND");
        assert!(!filter(&[("show", "down")]).matches(&target, &summary));
        assert!(filter(&[("q", "shop")]).matches(&target, &summary));
        assert!(!filter(&[("q", "backend")]).matches(&target, &summary));
    }
}
