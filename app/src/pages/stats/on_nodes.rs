//! A merged row's nodes: what each of them says of it, and how they differ.

use leptos::prelude::*;
use model::{
    cause::{Disagreement, cause, disagreement},
    outcome::Target,
    row::Row,
};

use super::StatsContext;
use crate::live::{Live, RowStore};

/// A merged row on each node that has it.
#[derive(Clone, Copy)]
pub(super) struct OnNodes {
    merged: StoredValue<RowStore>,
    rows: Memo<RowsOnNodes>,
    silent: Memo<Vec<String>>,
}

/// How the nodes of a cluster differ over a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// What each of them says.
    pub(super) disagreement: Disagreement,
    /// Why, on the node that is worst off.
    pub(super) cause: String,
    /// On how many nodes the row is as the merged one tells, of how many that answer: `on 1 of 3`.
    pub(super) share: String,
}

/// The rows; which they are is all that a change of them can tell.
#[derive(Clone)]
struct RowsOnNodes(Vec<RowStore>);

impl PartialEq for RowsOnNodes {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.target == b.target)
    }
}

impl OnNodes {
    pub(super) fn new(merged: &RowStore) -> Self {
        let (store, row) = (Live::expect().store, merged.clone());
        let rows = Memo::new(move |_| RowsOnNodes(store.on_nodes(&row)));
        Self { merged: StoredValue::new(merged.clone()), rows, silent: StatsContext::expect().silent }
    }

    /// The row's own name, `BACKEND/SERVER`.
    pub(super) fn name(self) -> String {
        self.merged.with_value(|r| format!("{}/{}", r.target.backend, r.target.server))
    }

    /// Whether what a node says is not the present.
    pub(super) fn is_silent(self, node: &str) -> bool {
        self.silent.with(|silent| silent.iter().any(|s| s == node))
    }

    /// The row on each node.
    pub(super) fn rows(self) -> Vec<RowStore> {
        self.rows.with(|rows| rows.0.clone())
    }

    /// The same server on each node.
    pub(super) fn targets(self) -> Vec<Target> {
        self.rows.with(|rows| rows.0.iter().map(|r| r.target.clone()).collect())
    }

    /// What each node that answers says of the row.
    pub(super) fn heard<T>(self, read: impl FnOnce(&[(&str, &Row)]) -> T) -> T {
        let heard: Vec<(String, Row)> = self.rows.with(|rows| {
            let is_heard = |row: &&RowStore| !self.is_silent(&row.target.node);
            rows.0.iter().filter(is_heard).map(|r| (r.target.node.clone(), r.row.get())).collect()
        });
        let refs: Vec<(&str, &Row)> = heard.iter().map(|(name, row)| (name.as_str(), row)).collect();
        read(&refs)
    }

    /// How those that answer differ over it.
    pub(super) fn split(self) -> Option<Split> {
        self.heard(|nodes| {
            let disagreement = if nodes.len() < 2 { None } else { disagreement(nodes) }?;
            let worst = self.merged.with_value(|merged| merged.row.with(Row::state));
            let mut alike = nodes.iter().filter(|(_, row)| row.state() == worst);
            let share = format!("on {} of {}", alike.clone().count(), nodes.len());
            Some(Split { disagreement, cause: alike.next().map(|(_, row)| cause(row)).unwrap_or_default(), share })
        })
    }
}
