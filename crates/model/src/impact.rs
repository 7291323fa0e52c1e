//! What an action would do to capacity, before it is done.

use std::collections::HashSet;

use crate::{
    action::Action,
    col::{Col, Text},
    outcome::Target,
    row::{Row, RowKind, admin},
    topic::Section,
};

/// One backend of one node, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// The node's name.
    pub node: String,
    /// HAProxy's `pxname`.
    pub backend: String,
    /// Servers that take traffic now.
    pub up: usize,
    /// Servers that would take traffic afterwards.
    pub up_after: usize,
    /// All servers.
    pub total: usize,
    /// Open sessions of the servers that the action names.
    pub sessions: u64,
    /// Servers here that are not named but follow one that is.
    pub followers: Vec<String>,
    /// Servers that take traffic afterwards but fail their checks now.
    pub failing: Vec<String>,
}

impl Impact {
    /// Whether it leaves the backend without a server that it had.
    #[must_use]
    pub fn leaves_none(&self) -> bool {
        self.up > 0 && self.up_after == 0
    }
}

/// What `action` on `targets` would do, per backend and node that it touches, in the order of `sections`.
///
/// `sections` gives every proxy's name with its rows on one node.
#[must_use]
pub fn impact<'a>(
    action: Action,
    targets: &HashSet<Target>,
    sections: impl IntoIterator<Item = (&'a str, &'a Section)>,
) -> Vec<Impact> {
    sections.into_iter().filter_map(|(proxy, section)| backend(action, targets, proxy, section)).collect()
}

fn backend(action: Action, targets: &HashSet<Target>, proxy: &str, section: &Section) -> Option<Impact> {
    let named = |backend: &str, server: &str| targets.contains(&Target::new(&section.node, backend, server));
    let follows = |row: &Row| {
        action.takes_capacity() && row.text(Text::Tracked).split_once('/').is_some_and(|(b, s)| named(b, s))
    };
    let mut out = Impact {
        node: section.node.clone(),
        backend: proxy.to_owned(),
        up: 0,
        up_after: 0,
        total: 0,
        sessions: 0,
        followers: Vec::new(),
        failing: Vec::new(),
    };
    let mut touched = false;
    for row in section.rows.iter().filter(|r| r.kind == RowKind::Server) {
        let (is_target, is_follower) = (named(proxy, &row.name), follows(row));
        touched |= is_target || is_follower;
        if is_target {
            out.sessions += row.get(Col::Scur);
        } else if is_follower {
            out.followers.push(row.name.clone());
        }
        let up = row.takes_traffic();
        let up_after = if is_target || is_follower { after(action, row, up) } else { up };
        out.total += 1;
        out.up += usize::from(up);
        out.up_after += usize::from(up_after);
        if up_after && row.state() == crate::status::RowState::Failing {
            out.failing.push(row.name.clone());
        }
    }
    touched.then_some(out)
}

/// Whether a server that the action reaches would take traffic afterwards, as far as is known.
fn after(action: Action, row: &Row, up: bool) -> bool {
    match action {
        _ if action.takes_capacity() => false,
        Action::Hrunn | Action::Arunn => up || row.get(Col::AdminState) & (admin::MAINT | admin::DRAIN) == 0,
        // READY takes a drain back at once; out of MAINT a check decides.
        Action::Ready => up || row.get(Col::AdminState) & admin::FORCED_DRAIN != 0 && !row.is_stopped(),
        _ => up,
    }
}

/// Whether to ask before it is done: capacity goes down, or sessions end.
#[must_use]
pub fn needs_confirmation(action: Action, impacts: &[Impact]) -> bool {
    match action {
        Action::Shutdown => true,
        _ => {
            impacts.iter().any(|i| i.up_after < i.up)
                || action == Action::Maint && impacts.iter().any(|i| i.sessions > 0)
        }
    }
}

/// The backends whose names have to be typed: none of their servers would take traffic on a node.
#[must_use]
pub fn names_to_type(impacts: &[Impact]) -> Vec<String> {
    let mut names: Vec<String> = impacts.iter().filter(|i| i.leaves_none()).map(|i| i.backend.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, status: &str, scur: u64, tracked: &str) -> Row {
        let mut row = Row::new(RowKind::Server, name);
        row.set_text(Text::Status, status);
        row.set_text(Text::Tracked, tracked);
        row.set(Col::Scur, Some(scur));
        row.set(Col::Weight, Some(1));
        row
    }

    fn section(rows: Vec<Row>) -> Section {
        Section::new("lb1", rows.into())
    }

    #[test]
    fn followers_in_other_backends_count() {
        let web =
            section(vec![server("web1", "UP", 7, ""), server("web2", "UP 1/3", 2, ""), server("web3", "DOWN", 0, "")]);
        let api = section(vec![server("mirror", "UP", 0, "web/web1")]);
        let targets = HashSet::from([Target::new("lb1", "web", "web1")]);
        let got = impact(Action::Maint, &targets, [("web", &web), ("api", &api)]);
        let short: Vec<_> = got.iter().map(|i| (i.backend.as_str(), i.up, i.up_after, i.total, i.sessions)).collect();
        assert_eq!(short, [("web", 2, 1, 3, 7), ("api", 1, 0, 1, 0)]);
        assert_eq!(got[0].failing, ["web2"]);
        assert_eq!(got[1].followers, ["mirror"]);
        assert_eq!(names_to_type(&got), ["api"]);
        assert!(needs_confirmation(Action::Maint, &got));
    }

    #[test]
    fn what_adds_capacity_is_not_asked_about() {
        let mut drained = server("web1", "DRAIN", 7, "");
        drained.set(Col::AdminState, Some(admin::FORCED_DRAIN));
        let web = section(vec![drained, server("web2", "UP", 2, "")]);
        let targets = HashSet::from([Target::new("lb1", "web", "web1")]);
        let got = impact(Action::Ready, &targets, [("web", &web)]);
        assert_eq!((got[0].up, got[0].up_after), (1, 2));
        assert!(!needs_confirmation(Action::Ready, &got));
        let kill = impact(Action::Shutdown, &targets, [("web", &web)]);
        assert_eq!((kill[0].up_after, kill[0].sessions), (1, 7));
        assert!(needs_confirmation(Action::Shutdown, &kill));
    }

    #[test]
    fn other_nodes_are_left_alone() {
        let web = section(vec![server("web1", "UP", 7, "")]);
        let targets = HashSet::from([Target::new("lb2", "web", "web1")]);
        assert!(impact(Action::Maint, &targets, [("web", &web)]).is_empty());
    }
}
