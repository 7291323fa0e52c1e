//! The rows as signals: a row that changes touches its own cells and no others.

use std::collections::HashSet;

use leptos::prelude::*;
use model::{
    change::MisfitError,
    fleet::{Fleet, Node},
    outcome::Target,
    row::Row,
    topic::{Delta, Section, Sections, Spark, TopicId},
};

use super::section::{RowStore, SectionStore};

/// One proxy of a cluster.
#[derive(Clone)]
pub(crate) struct ProxyStore {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// HAProxy's `pxname`.
    pub(crate) proxy: String,
    /// A lone node's section; otherwise the merged one, then each node's with its state alone.
    pub(crate) sections: ArcRwSignal<Vec<SectionStore>>,
}

/// Every proxy. Changes only when one comes or goes.
#[derive(Clone)]
pub(crate) struct Store {
    proxies: ArcRwSignal<Vec<ProxyStore>>,
    /// What was asked for of single nodes of a cluster: all of their figures.
    opened: ArcRwSignal<Vec<SectionStore>>,
}

impl Store {
    /// The rows that the page was rendered from: every proxy's, and those of single nodes.
    pub(crate) fn new(proxies: Vec<(String, String, Sections)>, opened: Vec<(TopicId, Sections)>) -> Self {
        let proxies = proxies.into_iter().map(|(cluster, proxy, sections)| {
            let sections = sections.0.into_iter().map(|s| SectionStore::new(&cluster, &proxy, s)).collect();
            ProxyStore { cluster, proxy, sections: ArcRwSignal::new(sections) }
        });
        let store = Self { proxies: ArcRwSignal::new(proxies.collect()), opened: ArcRwSignal::new(Vec::new()) };
        opened.into_iter().for_each(|(id, sections)| store.replace(&id, sections));
        store
    }

    /// What the page lists: of each proxy the merged rows or those of its lone node; or all of one node's.
    pub(crate) fn listed(&self, node: Option<&str>) -> Vec<SectionStore> {
        let of = |proxy: ProxyStore| {
            let sections = proxy.sections.get();
            let is_merged = sections.first().is_some_and(SectionStore::is_merged);
            match node {
                None if is_merged => sections.into_iter().take(1).collect(),
                None => sections,
                Some(node) if is_merged => self.opened(node, &proxy.proxy).into_iter().collect(),
                Some(node) => sections.into_iter().filter(|s| s.node == node).collect(),
            }
        };
        self.proxies.get().into_iter().flat_map(of).collect()
    }

    /// All figures of one proxy on one node of a cluster, once they are there.
    pub(crate) fn opened(&self, node: &str, proxy: &str) -> Option<SectionStore> {
        self.opened.with(|all| all.iter().find(|s| s.node == node && s.proxy == proxy).cloned())
    }

    /// The same row on each node that has it: the row itself, where it is a node's own.
    pub(crate) fn on_nodes(&self, row: &RowStore) -> Vec<RowStore> {
        if !row.is_merged() {
            return vec![row.clone()];
        }
        let sections = self.find(row.cluster(), &row.target.backend).map(|p| p.sections.get()).unwrap_or_default();
        sections.iter().filter(|s| !s.is_merged()).filter_map(|s| s.rows.with(|rows| row.same_among(rows))).collect()
    }

    /// Follows the coming and going of every row.
    pub(crate) fn track(&self) {
        for proxy in self.proxies.get() {
            proxy.sections.get().iter().for_each(|s| s.rows.track());
        }
    }

    /// What each node says right now of its own rows, without following it.
    pub(crate) fn sections_now(&self) -> Vec<(String, Section)> {
        let mut out = Vec::new();
        for proxy in self.proxies.get_untracked() {
            for section in proxy.sections.get_untracked().into_iter().filter(|s| !s.is_merged()) {
                let rows: Vec<Row> =
                    section.rows.with_untracked(|rows| rows.iter().map(|r| r.row.get_untracked()).collect());
                out.push((proxy.proxy.clone(), Section::new(&section.node, rows.into())));
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
            .find_map(|s| s.rows.with_untracked(|rows| rows.iter().find(|r| r.target == *target).cloned()))
    }

    /// Puts a whole topic in place. Rows that stay keep their signals, and so their place on the page.
    pub(crate) fn replace(&self, id: &TopicId, sections: Sections) {
        match id {
            TopicId::Fleet | TopicId::Events | TopicId::Accounts => {}
            TopicId::Proxy { cluster, proxy } => {
                let store = self.find(cluster, proxy).unwrap_or_else(|| {
                    let (cluster, proxy) = (cluster.clone(), proxy.clone());
                    let store = ProxyStore { cluster, proxy, sections: ArcRwSignal::new(Vec::new()) };
                    self.proxies.update(|proxies| proxies.push(store.clone()));
                    store
                });
                replace(&store.sections, cluster, proxy, sections);
            }
            TopicId::Node { node, proxy } => {
                let is_it = |s: &SectionStore| s.node == *node && s.proxy == *proxy;
                match (
                    sections.0.into_iter().next(),
                    self.opened.with_untracked(|all| all.iter().find(|s| is_it(s)).cloned()),
                ) {
                    (Some(section), Some(known)) => known.replace(&section.rows, Some(&section.sparks)),
                    (Some(section), None) => {
                        self.opened.update(|all| all.push(SectionStore::new("", proxy, section)));
                    }
                    (None, _) => self.opened.update(|all| all.retain(|s| !is_it(s))),
                }
            }
        }
    }

    /// Puts the proxies into the order of the fleet, which a new one may not have come in.
    pub(crate) fn arrange(&self, fleet: &Fleet) {
        let place = |p: &ProxyStore| fleet.proxies.iter().position(|f| f.cluster == p.cluster && f.proxy == p.proxy);
        if !self.proxies.with_untracked(|all| all.is_sorted_by_key(place)) {
            self.proxies.update(|all| all.sort_by_key(place));
        }
    }

    /// Drops the proxies that are gone: those that the fleet does not list although every node of their cluster has
    /// answered. Before that, Sluice may just have started, and what was known before stays on the page as old data.
    pub(crate) fn drop_gone(&self, fleet: &Fleet) {
        let has_answered = |n: &&Node| n.stats.polled > 0;
        let listed =
            |cluster: &str, proxy: &str| fleet.proxies.iter().find(|p| p.cluster == cluster && p.proxy == proxy);
        let is_gone = |p: &ProxyStore| {
            listed(&p.cluster, &p.proxy).is_none()
                && fleet.nodes.iter().filter(|n| n.cluster == p.cluster).all(|n| has_answered(&n))
        };
        drop_where(&self.proxies, is_gone);
        let is_gone = |s: &SectionStore| {
            let node = fleet.node(&s.node).filter(has_answered);
            let proxy = node.and_then(|n| listed(&n.cluster, &s.proxy));
            node.is_some() && proxy.is_none_or(|p| !p.nodes.iter().any(|n| n.node == s.node))
        };
        drop_where(&self.opened, is_gone);
    }

    /// Carries changes out.
    ///
    /// # Errors
    /// When one does not fit: the stream has to begin anew.
    pub(crate) fn apply(&self, id: &TopicId, deltas: Vec<Delta>) -> Result<(), MisfitError> {
        for delta in deltas {
            match id {
                TopicId::Fleet | TopicId::Events | TopicId::Accounts => {}
                TopicId::Proxy { cluster, proxy } => {
                    let store = self.find(cluster, proxy).ok_or(MisfitError { row: 0, rows: 0 })?;
                    apply(&store.sections, cluster, proxy, delta)?;
                }
                TopicId::Node { proxy, .. } => apply(&self.opened, "", proxy, delta)?,
            }
        }
        Ok(())
    }

    /// Takes a sample of every row for its sparkline.
    pub(crate) fn sample(&self) {
        let proxies = self.proxies.get_untracked().into_iter().map(|p| p.sections.get_untracked());
        for sections in proxies.chain([self.opened.get_untracked()]) {
            for section in sections {
                section.rows.with_untracked(|rows| {
                    for row in rows {
                        let sample = row.row.with_untracked(Spark::sample_of);
                        row.spark.update(|spark| spark.push(sample));
                    }
                });
            }
        }
    }

    /// The targets that exist, of those given.
    pub(crate) fn existing(&self, targets: &HashSet<Target>) -> HashSet<Target> {
        targets.iter().filter(|t| self.row(t).is_some()).cloned().collect()
    }

    fn find(&self, cluster: &str, proxy: &str) -> Option<ProxyStore> {
        self.proxies.with_untracked(|p| p.iter().find(|p| p.cluster == cluster && p.proxy == proxy).cloned())
    }
}

/// Drops some of a list, which changes only if there are any.
fn drop_where<T: Send + Sync + 'static>(all: &ArcRwSignal<Vec<T>>, is_gone: impl Fn(&T) -> bool) {
    if all.with_untracked(|all| all.iter().any(&is_gone)) {
        all.update(|all| all.retain(|one| !is_gone(one)));
    }
}

/// Puts sections in place of others; those that stay keep their rows' signals.
fn replace(all: &ArcRwSignal<Vec<SectionStore>>, cluster: &str, proxy: &str, sections: Sections) {
    let nodes = |sections: &[SectionStore]| sections.iter().map(|s| s.node.clone()).collect::<Vec<_>>();
    let old = all.get_untracked();
    let new: Vec<SectionStore> = sections
        .0
        .into_iter()
        .map(|section| match old.iter().find(|s| s.node == section.node) {
            Some(known) => {
                known.replace(&section.rows, Some(&section.sparks));
                known.clone()
            }
            None => SectionStore::new(cluster, proxy, section),
        })
        .collect();
    if nodes(&old) != nodes(&new) {
        all.set(new);
    }
}

fn apply(all: &ArcRwSignal<Vec<SectionStore>>, cluster: &str, proxy: &str, delta: Delta) -> Result<(), MisfitError> {
    let is_it = |s: &SectionStore| s.node == delta.node && s.proxy == proxy;
    let section = all.with_untracked(|s| s.iter().find(|s| is_it(s)).cloned());
    match (delta.change, section) {
        (None, _) => all.update(|s| s.retain(|s| s.node != delta.node || s.proxy != proxy)),
        (Some(change), Some(section)) => section.apply(change)?,
        (Some(change), None) => {
            let section = SectionStore::new(cluster, proxy, Section::new(&delta.node, <_>::default()));
            section.apply(change)?;
            all.update(|s| s.insert((delta.place as usize).min(s.len()), section));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
