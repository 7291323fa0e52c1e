//! The merged rows of one proxy, made of the last rows of the nodes that answer.

use std::sync::Arc;

use model::{
    change::{Change, diff},
    fleet::{Link, Node},
    jitter::suppress_jitter,
    merge::merge_rows,
    row::Row,
    topic::{Section, Sections},
};

/// The rows that count.
pub(super) struct Merged<'a> {
    nodes: Vec<&'a [Row]>,
}

impl<'a> Merged<'a> {
    /// Those of the nodes that are not down; where all are, the last that is known of each: the page tells its age.
    pub(super) fn new(nodes: &[Node], sections: &'a Sections) -> Self {
        let is_down = |name: &str| nodes.iter().any(|n| n.name == name && n.link == Link::Down);
        let rows = |section: &'a Section| section.rows.as_slice();
        let heard: Vec<_> = sections.0.iter().filter(|s| !is_down(&s.node)).map(rows).collect();
        let nodes = if heard.is_empty() { sections.0.iter().map(rows).collect() } else { heard };
        Self { nodes }
    }

    /// Brings the merged section up to date, and says what changed: nothing; something; or that no row is left.
    /// `now` is Unix seconds.
    pub(super) fn update(&self, merged: &mut Section, now: u64) -> Option<Option<Change>> {
        let mut rows = merge_rows(&self.nodes, now);
        // The downtime of several nodes is added up at another instant each time: it may move by a second.
        let is_same = merged.rows.len() == rows.len();
        for (old, new) in merged.rows.iter().zip(&mut rows).filter(|(a, b)| is_same && a.same_object(b)) {
            suppress_jitter(old, new);
        }
        let change = diff(&merged.rows, &rows)?;
        let is_gone = rows.is_empty();
        merged.replace(Arc::new(rows));
        Some((!is_gone).then_some(change))
    }
}
