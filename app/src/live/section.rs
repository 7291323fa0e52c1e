//! One proxy's rows on one node, or merged over a cluster, as signals.

use leptos::prelude::*;
use model::{
    change::{Change, MisfitError},
    outcome::{Target, TargetRef},
    row::{Row, RowKind},
    topic::{Section, Spark},
};

/// One row.
#[derive(Clone)]
pub(crate) struct RowStore {
    /// What names it on the whole page: node, proxy and `svname`. Of merged rows the node is `@CLUSTER`.
    pub(crate) target: Target,
    /// Its cells.
    pub(crate) row: ArcRwSignal<Row>,
    /// Its sessions over the last minutes.
    pub(crate) spark: ArcRwSignal<Spark>,
    /// Whether the page's filter lets it be seen.
    pub(crate) shown: ArcRwSignal<bool>,
}

impl RowStore {
    /// Whether it can be acted on.
    pub(crate) fn is_server(&self) -> bool {
        self.row.with_untracked(|r| r.kind == RowKind::Server)
    }

    /// Whether it is merged over a cluster's nodes.
    pub(crate) fn is_merged(&self) -> bool {
        self.target.node.starts_with(TargetRef::CLUSTER_MARK)
    }

    /// The cluster of a merged row.
    pub(super) fn cluster(&self) -> &str {
        self.target.node.strip_prefix(TargetRef::CLUSTER_MARK).unwrap_or_default()
    }

    /// The row of the same object among those of a node.
    pub(crate) fn same_among(&self, rows: &[Self]) -> Option<Self> {
        self.row.with_untracked(|row| {
            let same = |r: &&Self| r.row.with_untracked(|r| r.same_object(row));
            rows.iter().find(same).cloned()
        })
    }
}

/// One proxy's rows on one node, or merged.
#[derive(Clone)]
pub(crate) struct SectionStore {
    /// The node's name; [`Section::MERGED`] for the merged rows.
    pub(crate) node: String,
    /// The cluster's name, where the section is one of its proxy's.
    pub(crate) cluster: String,
    /// HAProxy's `pxname`.
    pub(crate) proxy: String,
    /// In HAProxy's order. Changes only when a row comes or goes.
    pub(crate) rows: ArcRwSignal<Vec<RowStore>>,
}

impl SectionStore {
    pub(super) fn new(cluster: &str, proxy: &str, section: Section) -> Self {
        let store = Self {
            node: section.node,
            cluster: cluster.to_owned(),
            proxy: proxy.to_owned(),
            rows: ArcRwSignal::new(Vec::new()),
        };
        store.replace(&section.rows, Some(&section.sparks));
        store
    }

    /// Whether its rows are merged over a cluster's nodes.
    pub(crate) fn is_merged(&self) -> bool {
        self.node == Section::MERGED
    }

    /// The node's name, or `@CLUSTER` for the merged rows: what its rows' targets begin with.
    pub(crate) fn place(&self) -> String {
        if self.is_merged() { format!("{}{}", TargetRef::CLUSTER_MARK, self.cluster) } else { self.node.clone() }
    }

    pub(super) fn apply(&self, change: Change) -> Result<(), MisfitError> {
        let patch = match change {
            Change::Rows(rows) => {
                self.replace(&rows, None);
                return Ok(());
            }
            Change::Patch(patch) => patch,
        };
        let rows = self.rows.get_untracked();
        let at = |at: usize| rows.get(at).ok_or(MisfitError { row: at, rows: rows.len() });
        for (place, numbers) in patch.rows() {
            at(place)?.row.update(|row| numbers.apply(row));
        }
        for (place, text, value) in patch.texts {
            at(place as usize)?.row.update(|row| row.set_text(text, value));
        }
        Ok(())
    }

    /// Puts new rows in place; those that stay keep their signals and, unless new ones are given, their sparklines.
    pub(super) fn replace(&self, rows: &[Row], sparks: Option<&[Spark]>) {
        let place = self.place();
        let old = self.rows.get_untracked();
        let new: Vec<RowStore> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                let spark = sparks.map(|s| s.get(at).cloned().unwrap_or_default());
                let same = |r: &&RowStore| r.row.with_untracked(|r| r.same_object(row));
                match old.get(at).filter(same).or_else(|| old.iter().find(same)) {
                    Some(known) => {
                        if known.row.with_untracked(|known| known != row) {
                            known.row.set(row.clone());
                        }
                        if let Some(spark) = spark {
                            known.spark.set(spark);
                        }
                        known.clone()
                    }
                    None => RowStore {
                        target: Target::new(&place, &self.proxy, &row.name),
                        row: ArcRwSignal::new(row.clone()),
                        spark: ArcRwSignal::new(spark.unwrap_or_default()),
                        shown: ArcRwSignal::new(true),
                    },
                }
            })
            .collect();
        let names = |rows: &[RowStore]| rows.iter().map(|r| r.target.clone()).collect::<Vec<_>>();
        if names(&old) != names(&new) {
            self.rows.set(new);
        }
    }
}
