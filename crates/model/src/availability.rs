//! Which actions HAProxy would refuse on a server, and why: the page greys them out.

use crate::{
    action::Action,
    col::{Col, Text},
    fleet::{Level, Link, Node},
    row::{Row, check},
};

/// Major and minor number of HAProxy's version: 2 and 4 of `2.4.0-1`; nothing where it has none.
#[must_use]
pub fn release(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Why nothing at all may be done on a node that answers: its socket's level, or its version.
#[must_use]
pub fn read_only(node: &Node) -> Option<String> {
    if matches!(node.level, Level::Operator | Level::User) {
        return Some(format!("{}: the socket's level is {}, not admin", node.name, node.level.word()));
    }
    match release(&node.version) {
        // No action was ever tried on these, and 1.8 does not tell the level of its socket.
        Some((major @ 0..2, minor)) => {
            Some(format!("{}: HAProxy {major}.{minor} is supported for reading only", node.name))
        }
        _ => None,
    }
}

/// Why `action` must not be sent to the node, although HAProxy might take it.
///
/// Before 2.6 HAProxy takes `enable health` for a server without a check in silence, and switches on what is not there.
#[must_use]
pub fn withheld(action: Action, row: &Row, node: &Node) -> Option<String> {
    let is_trap = action == Action::Ehlth && release(&node.version).is_some_and(|release| release < (2, 6));
    read_only(node).or_else(|| if is_trap { refused(action, row, None) } else { None })
}

/// Why HAProxy would refuse `action` on the server, in a few words; nothing where it would not.
#[must_use]
pub fn refused(action: Action, row: &Row, node: Option<&Node>) -> Option<String> {
    if let Some(node) = node {
        if node.link == Link::Down {
            return Some(format!("{} does not answer", node.name));
        }
        if let Some(reason) = read_only(node) {
            return Some(reason);
        }
    }
    let tracked = row.text(Text::Tracked);
    // Nothing is known until `show servers state` was read once: then nothing is refused.
    let bits = |col| row.num(col);
    match action {
        Action::Hrunn | Action::Hnolb | Action::Hdown if !tracked.is_empty() => Some(format!("follows {tracked}")),
        Action::Dhlth | Action::Ehlth if bits(Col::CheckState).is_some_and(|b| b & check::CONFIGURED == 0) => {
            Some(if tracked.is_empty() {
                "no health check configured".to_owned()
            } else {
                format!("follows {tracked}")
            })
        }
        Action::Dagent | Action::Eagent if bits(Col::AgentState).is_some_and(|b| b & check::CONFIGURED == 0) => {
            Some("no agent configured".to_owned())
        }
        Action::Arunn | Action::Adown => match bits(Col::AgentState)? {
            b if b & check::CONFIGURED == 0 => Some("no agent configured".to_owned()),
            b if b & check::ENABLED == 0 => Some("agent checks are disabled".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// Why `action` can be done to none of the servers; nothing where it can be done to one of them.
#[must_use]
pub fn refused_by_all<'a>(
    action: Action,
    servers: impl IntoIterator<Item = (&'a Row, Option<&'a Node>)>,
) -> Option<String> {
    let mut first = None;
    for (row, node) in servers {
        match refused(action, row, node) {
            None => return None,
            Some(reason) => first = first.or(Some(reason)),
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::RowKind;

    #[test]
    fn what_haproxy_would_refuse_is_refused_with_the_reason() {
        let mut plain = Row::new(RowKind::Server, "s1");
        plain.set(Col::CheckState, Some(0));
        plain.set(Col::AgentState, Some(0));
        let mut checked = plain.clone();
        checked.set(Col::CheckState, Some(6));
        checked.set(Col::AgentState, Some(18));
        let mut tracker = plain.clone();
        tracker.set_text(Text::Tracked, "web/s1");
        let of = |action, row| refused(action, row, None);
        assert_eq!(of(Action::Ehlth, &plain).as_deref(), Some("no health check configured"));
        assert_eq!(of(Action::Ehlth, &checked), None);
        assert_eq!(of(Action::Eagent, &checked), None);
        assert_eq!(of(Action::Arunn, &checked).as_deref(), Some("agent checks are disabled"));
        assert_eq!(of(Action::Arunn, &plain).as_deref(), Some("no agent configured"));
        assert_eq!(of(Action::Hdown, &tracker).as_deref(), Some("follows web/s1"));
        assert_eq!(of(Action::Drain, &tracker), None);
        let node = Node { name: "lb1".into(), link: Link::Live, level: Level::Operator, ..Node::default() };
        assert_eq!(
            refused(Action::Ready, &plain, Some(&node)).as_deref(),
            Some("lb1: the socket's level is operator, not admin")
        );
        assert_eq!(refused_by_all(Action::Ehlth, [(&plain, None), (&checked, None)]), None);
    }

    #[test]
    fn a_release_is_read_from_every_form_of_version() {
        for (version, expected) in [
            ("2.6.12-1+deb12u3", Some((2, 6))),
            ("3.5-dev5-50872da", Some((3, 5))),
            ("1.8.0", Some((1, 8))),
            ("10.0", Some((10, 0))),
            ("3", None),
            ("3.x", None),
            ("", None),
            ("99999999999.1", None),
        ] {
            assert_eq!(release(version), expected, "{version}");
        }
    }

    #[test]
    fn a_version_that_is_only_read_and_a_low_level_withhold_everything() {
        let row = Row::new(RowKind::Server, "s1");
        let of = |version: &str, level| {
            let node = Node { name: "lb1".into(), version: version.into(), level, ..Node::default() };
            let reasons = Action::ALL.map(|action| withheld(action, &row, &node));
            assert!(reasons.iter().all(|reason| *reason == reasons[0]), "{reasons:?}");
            assert_eq!(refused(Action::Maint, &row, Some(&Node { link: Link::Live, ..node })), reasons[0]);
            reasons[0].clone()
        };
        assert_eq!(of("1.8.0", Level::Unknown).as_deref(), Some("lb1: HAProxy 1.8 is supported for reading only"));
        assert_eq!(of("1.9.16", Level::Admin).as_deref(), Some("lb1: HAProxy 1.9 is supported for reading only"));
        assert_eq!(of("3.4.7-1", Level::User).as_deref(), Some("lb1: the socket's level is user, not admin"));
        assert_eq!(of("2.0.0", Level::Admin), None);
        assert_eq!(of("", Level::Unknown), None);
    }

    #[test]
    fn a_check_that_is_not_there_is_switched_on_by_no_version() {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set(Col::CheckState, Some(0));
        let of = |version: &str, action| withheld(action, &row, &Node { version: version.into(), ..Node::default() });
        assert_eq!(of("2.4.0", Action::Ehlth).as_deref(), Some("no health check configured"));
        assert_eq!(of("2.4.0", Action::Dhlth), None);
        assert_eq!(of("2.6.12", Action::Ehlth), None);
    }
}
