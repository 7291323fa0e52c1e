//! The rows as signals: a row that changes touches its own cells and no others.

use std::collections::HashSet;

use leptos::prelude::*;

use crate::model::{
    change::{Change, MisfitError},
    outcome::Target,
    row::{Kind, Row},
    topic::{Delta, Section, Sections, Spark, TopicId},
};

/// One row.
#[derive(Clone)]
pub(crate) struct RowStore {
    /// What names it on the whole page: node, proxy and `svname`.
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
        self.row.with_untracked(|r| r.kind == Kind::Server)
    }
}

/// One proxy's rows on one node.
#[derive(Clone)]
pub(crate) struct SectionStore {
    /// The node's name.
    pub(crate) node: String,
    /// HAProxy's `pxname`.
    pub(crate) proxy: String,
    /// In HAProxy's order. Changes only when a row comes or goes.
    pub(crate) rows: ArcRwSignal<Vec<RowStore>>,
}

/// One proxy of a cluster.
#[derive(Clone)]
pub(crate) struct ProxyStore {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// HAProxy's `pxname`.
    pub(crate) proxy: String,
    /// A section per node that has it.
    pub(crate) sections: ArcRwSignal<Vec<SectionStore>>,
}

/// Every proxy. Changes only when one comes or goes.
#[derive(Clone)]
pub(crate) struct Store {
    proxies: ArcRwSignal<Vec<ProxyStore>>,
}

impl Store {
    /// The rows that the page was rendered from.
    pub(crate) fn new(proxies: Vec<(String, String, Sections)>) -> Self {
        let proxies = proxies.into_iter().map(|(cluster, proxy, sections)| {
            let sections = sections.0.into_iter().map(|s| SectionStore::new(&proxy, s)).collect();
            ProxyStore { cluster, proxy, sections: ArcRwSignal::new(sections) }
        });
        Self { proxies: ArcRwSignal::new(proxies.collect()) }
    }

    /// All proxies.
    pub(crate) fn proxies(&self) -> Vec<ProxyStore> {
        self.proxies.get()
    }

    /// Every row of the page right now, without following it.
    pub(crate) fn sections_now(&self) -> Vec<(String, Section)> {
        let mut out = Vec::new();
        for proxy in self.proxies.get_untracked() {
            for section in proxy.sections.get_untracked() {
                let rows: Vec<Row> =
                    section.rows.with_untracked(|rows| rows.iter().map(|r| r.row.get_untracked()).collect());
                out.push((
                    proxy.proxy.clone(),
                    Section { node: section.node, rows: rows.into(), sparks: <_>::default() },
                ));
            }
        }
        out
    }

    /// The row of a target.
    pub(crate) fn row(&self, target: &Target) -> Option<RowStore> {
        let proxies = self.proxies.get_untracked();
        let proxy = proxies.iter().filter(|p| p.proxy == target.backend);
        proxy
            .flat_map(|p| p.sections.get_untracked())
            .filter(|s| s.node == target.node)
            .find_map(|s| s.rows.with_untracked(|rows| rows.iter().find(|r| r.target == *target).cloned()))
    }

    /// Puts a whole topic in place. Rows that stay keep their signals, and so their place on the page.
    pub(crate) fn replace(&self, id: &TopicId, sections: Sections) {
        let TopicId::Proxy { cluster, proxy } = id else { return };
        let known = self.find(cluster, proxy);
        let store = known.unwrap_or_else(|| {
            let store =
                ProxyStore { cluster: cluster.clone(), proxy: proxy.clone(), sections: ArcRwSignal::new(Vec::new()) };
            self.proxies.update(|proxies| proxies.push(store.clone()));
            store
        });
        let nodes = |sections: &[SectionStore]| sections.iter().map(|s| s.node.clone()).collect::<Vec<_>>();
        let old = store.sections.get_untracked();
        let new: Vec<SectionStore> = sections
            .0
            .into_iter()
            .map(|section| match old.iter().find(|s| s.node == section.node) {
                Some(known) => {
                    known.replace(&section.rows, Some(&section.sparks));
                    known.clone()
                }
                None => SectionStore::new(proxy, section),
            })
            .collect();
        if nodes(&old) != nodes(&new) {
            store.sections.set(new);
        }
    }

    /// Carries a delta out.
    ///
    /// # Errors
    /// When it does not fit: the stream has to begin anew.
    pub(crate) fn apply(&self, id: &TopicId, delta: Delta) -> Result<(), MisfitError> {
        let TopicId::Proxy { cluster, proxy } = id else { return Ok(()) };
        let Some(store) = self.find(cluster, proxy) else { return Err(MisfitError { row: 0, rows: 0 }) };
        let section = store.sections.with_untracked(|s| s.iter().find(|s| s.node == delta.node).cloned());
        match (delta.change, section) {
            (None, _) => store.sections.update(|s| s.retain(|s| s.node != delta.node)),
            (Some(change), Some(section)) => section.apply(change)?,
            (Some(change), None) => {
                let section = Section { node: delta.node, rows: <_>::default(), sparks: <_>::default() };
                let section = SectionStore::new(proxy, section);
                section.apply(change)?;
                store.sections.update(|s| s.insert((delta.place as usize).min(s.len()), section));
            }
        }
        Ok(())
    }

    /// Takes a sample of every row for its sparkline.
    pub(crate) fn sample(&self) {
        self.each_row(|row| {
            let sample = row.row.with_untracked(Spark::sample_of);
            row.spark.update(|spark| spark.push(sample));
        });
    }

    /// The targets that exist, of those given.
    pub(crate) fn existing(&self, targets: &HashSet<Target>) -> HashSet<Target> {
        targets.iter().filter(|t| self.row(t).is_some()).cloned().collect()
    }

    /// Hands out every row of the page right now, without following it.
    pub(crate) fn each_row(&self, mut f: impl FnMut(&RowStore)) {
        for proxy in self.proxies.get_untracked() {
            for section in proxy.sections.get_untracked() {
                section.rows.with_untracked(|rows| rows.iter().for_each(&mut f));
            }
        }
    }

    fn find(&self, cluster: &str, proxy: &str) -> Option<ProxyStore> {
        self.proxies.with_untracked(|p| p.iter().find(|p| p.cluster == cluster && p.proxy == proxy).cloned())
    }
}

impl SectionStore {
    fn new(proxy: &str, section: Section) -> Self {
        let store = Self { node: section.node, proxy: proxy.to_owned(), rows: ArcRwSignal::new(Vec::new()) };
        store.replace(&section.rows, Some(&section.sparks));
        store
    }

    fn apply(&self, change: Change) -> Result<(), MisfitError> {
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
    fn replace(&self, rows: &[Row], sparks: Option<&[Spark]>) {
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
                        target: Target::new(&self.node, &self.proxy, &row.name),
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
