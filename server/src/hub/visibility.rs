//! What a principal may see: which topics, which events, and which names inside a text.
//!
//! Rows of one proxy name servers of another where they follow them (`track`). Whoever may not see the other reads
//! [`HIDDEN`] in the place of its name; every other cell is as it is.

use std::borrow::Cow;

use model::{
    change::Change,
    col::Text,
    event::{Event, EventKind},
    frame::Frame,
    rights::{Grant, Rights, Role},
    row::Row,
    topic::{Delta, Section, Sections, TopicId},
};

use crate::opaque_id::opaque_id;

/// What stands where a server's name may not.
pub(crate) const HIDDEN: &str = "another server";

/// What stands before `backend/server` in the texts that HAProxy and Sluice make of `track`.
const MARKS: [&str; 2] = ["follows ", "(via "];

/// What a principal may see, where that is not everything. It is equal for all who may see the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visibility(Rights);

impl Visibility {
    /// What is left of the rights when nothing is done; nothing where everything may be seen.
    pub(crate) fn of(rights: &Rights) -> Option<Self> {
        if rights.sees_all() {
            return None;
        }
        let mut seen: Vec<Grant> = Vec::new();
        for grant in rights.grants.iter().flatten() {
            let mut grant = Grant { actions: Vec::new(), ..grant.clone() };
            for patterns in [&mut grant.clusters, &mut grant.backends] {
                patterns.sort_by(|a, b| a.0.cmp(&b.0));
                patterns.dedup();
            }
            seen.push(grant);
        }
        let key = |grant: &Grant| {
            let names = |patterns: &[_]| patterns.iter().map(|p: &model::rights::Pattern| p.0.clone()).collect();
            (names(&grant.clusters), names(&grant.backends)) as (Vec<String>, Vec<String>)
        };
        seen.sort_by_cached_key(key);
        seen.dedup();
        Some(Self(Rights { role: Role::Viewer, grants: Some(seen) }))
    }

    pub(crate) fn sees_cluster(&self, cluster: &str) -> bool {
        self.0.sees_cluster(cluster)
    }

    pub(crate) fn sees(&self, cluster: &str, proxy: &str) -> bool {
        self.0.sees(cluster, proxy)
    }

    /// Whether no proxy of the cluster is hidden, whatever its name.
    pub(crate) fn sees_whole(&self, cluster: &str) -> bool {
        self.0.sees_whole(cluster)
    }

    /// Whether a topic is there at all; `cluster_of` tells a node's.
    pub(super) fn sees_topic<'a>(&self, id: &TopicId, cluster_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        match id {
            TopicId::Fleet | TopicId::Events => true,
            // A stream tells its viewer of accounts by itself.
            TopicId::Accounts => false,
            TopicId::Proxy { cluster, proxy } => self.sees(cluster, proxy),
            TopicId::Node { node, proxy } => cluster_of(node).is_some_and(|cluster| self.sees(cluster, proxy)),
        }
    }

    /// An event as it is seen; nothing where it is not. Its number does not tell how many others there were.
    pub(super) fn event(&self, event: &Event) -> Option<Event> {
        let Event { cluster, proxy, .. } = event;
        let is_seen = if proxy.is_empty() { self.sees_cluster(cluster) } else { self.sees(cluster, proxy) };
        is_seen.then(|| {
            let mut event = Event { id: opaque_id("event", event.id), ..event.clone() };
            for text in [&mut event.before, &mut event.after, &mut event.cause] {
                self.hide(&event.cluster, text);
            }
            if event.kind == EventKind::Reload && !self.sees_whole(&event.cluster) {
                // It counts states and servers of every proxy. What was lost of those that are seen is listed in the fleet.
                event.cause.clear();
            }
            event
        })
    }

    /// Takes the names that may not be seen out of a text about something in `cluster`.
    pub(crate) fn hide(&self, cluster: &str, text: &mut String) {
        if let Cow::Owned(hidden) = self.hidden(cluster, text) {
            *text = hidden;
        }
    }

    /// The text without the names that may not be seen; borrowed where it has none.
    pub(crate) fn hidden<'t>(&self, cluster: &str, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = MARKS.iter().filter_map(|mark| Some(rest.find(mark)? + mark.len())).min() {
            let (before, after) = rest.split_at(at);
            let end = after.find(|c: char| !is_name_char(c) && c != '/').unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            out += before;
            out += if self.names_seen(cluster, name) { name } else { HIDDEN };
            rest = after;
        }
        out += rest;
        if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
    }

    /// Whether a name may be shown: `backend/server` where the backend is seen. Anything else is no server's name.
    pub(crate) fn names_seen(&self, cluster: &str, name: &str) -> bool {
        name.split_once('/').is_none_or(|(backend, _)| self.sees(cluster, backend))
    }

    /// A cell's text as it is seen.
    fn cell<'t>(&self, cluster: &str, column: Text, value: &'t str) -> Cow<'t, str> {
        match column {
            Text::Tracked if !self.names_seen(cluster, value) => HIDDEN.into(),
            Text::Status => self.hidden(cluster, value),
            _ => value.into(),
        }
    }

    /// The same rows, should something in them not be seen.
    fn rows(&self, cluster: &str, rows: &[Row]) -> Option<Vec<Row>> {
        let is_clean =
            |row: &Row| [Text::Tracked, Text::Status].iter().all(|c| self.is_clean(cluster, *c, row.text(*c)));
        (!rows.iter().all(is_clean)).then(|| {
            let mut rows = rows.to_vec();
            for row in &mut rows {
                for column in [Text::Tracked, Text::Status] {
                    let text = self.cell(cluster, column, row.text(column)).into_owned();
                    row.set_text(column, text);
                }
            }
            rows
        })
    }

    fn is_clean(&self, cluster: &str, column: Text, value: &str) -> bool {
        matches!(self.cell(cluster, column, value), Cow::Borrowed(text) if text == value)
    }

    /// The same section, should something in it not be seen.
    pub(super) fn section(&self, cluster: &str, section: &Section) -> Option<Section> {
        let rows = self.rows(cluster, &section.rows)?;
        Some(Section { node: section.node.clone(), rows: rows.into(), sparks: section.sparks.clone() })
    }

    /// The same sections, should something in them not be seen.
    pub(super) fn sections(&self, cluster: &str, sections: &Sections) -> Option<Sections> {
        let hidden: Vec<Option<Section>> = sections.0.iter().map(|s| self.section(cluster, s)).collect();
        let either = |(hidden, section): (Option<Section>, &Section)| hidden.unwrap_or_else(|| section.clone());
        hidden.iter().any(Option::is_some).then(|| Sections(hidden.into_iter().zip(&sections.0).map(either).collect()))
    }

    /// The same frame of a topic of rows, should something in it not be seen.
    pub(super) fn frame(&self, cluster: &str, frame: &Frame) -> Option<Frame> {
        match frame {
            Frame::Proxy(handle, seq, id, sections) => {
                Some(Frame::Proxy(*handle, *seq, id.clone(), self.sections(cluster, sections)?))
            }
            Frame::ProxyDelta(handle, seq, deltas) => {
                let hidden: Vec<Option<Change>> =
                    deltas.iter().map(|d| self.change(cluster, d.change.as_ref()?)).collect();
                hidden.iter().any(Option::is_some).then(|| {
                    let deltas = deltas.iter().zip(hidden).map(|(delta, hidden)| Delta {
                        change: hidden.or_else(|| delta.change.clone()),
                        ..delta.clone()
                    });
                    Frame::ProxyDelta(*handle, *seq, deltas.collect())
                })
            }
            _ => None,
        }
    }

    fn change(&self, cluster: &str, change: &Change) -> Option<Change> {
        match change {
            Change::Rows(rows) => self.rows(cluster, rows).map(Change::Rows),
            Change::Patch(patch) => {
                let is_clean = patch.texts.iter().all(|(_, column, value)| self.is_clean(cluster, *column, value));
                (!is_clean).then(|| {
                    let mut patch = patch.clone();
                    for (_, column, value) in &mut patch.texts {
                        *value = self.cell(cluster, *column, value).into_owned();
                    }
                    Change::Patch(patch)
                })
            }
        }
    }
}

/// The characters of HAProxy's names.
fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}

#[cfg(test)]
mod tests {
    use model::{action::Action, rights::Pattern};

    use super::*;

    fn visibility(grants: &[(&[&str], &[&str], &[Action])]) -> Option<Visibility> {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect();
        let grants = grants.iter().map(|(clusters, backends, actions)| Grant {
            clusters: patterns(clusters),
            backends: patterns(backends),
            actions: actions.to_vec(),
        });
        Visibility::of(&Rights { role: Role::Operator, grants: Some(grants.collect()) })
    }

    #[test]
    fn who_sees_the_same_is_the_same() {
        let one = visibility(&[(&["a", "b"], &["x"], &[Action::Drain]), (&["c"], &[], &[])]);
        let other = visibility(&[(&["c"], &[], &[Action::Ready]), (&["b", "a", "b"], &["x"], &[]), (&["c"], &[], &[])]);
        assert!(one.is_some() && one == other);
        assert_ne!(one, visibility(&[(&["a", "b"], &["x"], &[])]));
        assert_eq!(visibility(&[(&["a"], &[], &[]), (&[], &[], &[])]), None);
        assert_eq!(Visibility::of(&Rights::of(Role::Viewer)), None);
    }

    #[test]
    fn a_followed_server_that_is_not_seen_is_not_named() {
        let seen = visibility(&[(&["edge"], &["app"], &[])]).expect("bound");
        for (text, want) in [
            ("MAINT (via db/s1)", "MAINT (via another server)"),
            ("MAINT (via app/s1)", "MAINT (via app/s1)"),
            ("MAINT (resolution)", "MAINT (resolution)"),
            ("follows db/s1, 3 sessions left", "follows another server, 3 sessions left"),
            ("MAINT (via db/s1) for 3 s; follows app/s2", "MAINT (via another server) for 3 s; follows app/s2"),
            ("drain: refused; follows db/s-1.x:2", "drain: refused; follows another server"),
            ("via agent : down", "via agent : down"),
            ("follows ", "follows "),
        ] {
            assert_eq!(seen.hidden("edge", text), want);
        }
        let mut row = Row::new(model::row::RowKind::Server, "s1");
        assert_eq!(seen.rows("edge", &[row.clone()]), None);
        row.set_text(Text::Tracked, "db/s1");
        let rows = seen.rows("edge", &[row.clone()]).expect("another text");
        assert_eq!(rows[0].text(Text::Tracked), HIDDEN);
        row.set_text(Text::Tracked, "app/s1");
        assert_eq!(seen.rows("edge", &[row]), None);
    }
}
