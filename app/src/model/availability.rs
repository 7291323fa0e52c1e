//! Which actions HAProxy would refuse on a server, and why: the page greys them out.

use super::{
    action::Action,
    col::{Col, Text},
    fleet::{Level, Link, Node},
    row::{Row, check},
};

/// Why HAProxy would refuse `action` on the server, in a few words; nothing where it would not.
#[must_use]
pub fn refusal(action: Action, row: &Row, node: Option<&Node>) -> Option<String> {
    if let Some(node) = node {
        if node.link == Link::Down {
            return Some(format!("{} does not answer", node.name));
        }
        if matches!(node.level, Level::Operator | Level::User) {
            return Some(format!("{}: the socket's level is {}, not admin", node.name, node.level.word()));
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
pub fn refusal_of_all<'a>(
    action: Action,
    servers: impl IntoIterator<Item = (&'a Row, Option<&'a Node>)>,
) -> Option<String> {
    let mut first = None;
    for (row, node) in servers {
        match refusal(action, row, node) {
            None => return None,
            Some(reason) => first = first.or(Some(reason)),
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Kind;

    #[test]
    fn what_haproxy_would_refuse_is_refused_with_the_reason() {
        let mut plain = Row::new(Kind::Server, "s1");
        plain.set(Col::CheckState, Some(0));
        plain.set(Col::AgentState, Some(0));
        let mut checked = plain.clone();
        checked.set(Col::CheckState, Some(6));
        checked.set(Col::AgentState, Some(18));
        let mut tracker = plain.clone();
        tracker.set_text(Text::Tracked, "web/s1");
        let of = |action, row| refusal(action, row, None);
        assert_eq!(of(Action::Ehlth, &plain).as_deref(), Some("no health check configured"));
        assert_eq!(of(Action::Ehlth, &checked), None);
        assert_eq!(of(Action::Eagent, &checked), None);
        assert_eq!(of(Action::Arunn, &checked).as_deref(), Some("agent checks are disabled"));
        assert_eq!(of(Action::Arunn, &plain).as_deref(), Some("no agent configured"));
        assert_eq!(of(Action::Hdown, &tracker).as_deref(), Some("follows web/s1"));
        assert_eq!(of(Action::Drain, &tracker), None);
        let node = Node { name: "lb1".into(), link: Link::Live, level: Level::Operator, ..Node::default() };
        assert_eq!(
            refusal(Action::Ready, &plain, Some(&node)).as_deref(),
            Some("lb1: the socket's level is operator, not admin")
        );
        assert_eq!(refusal_of_all(Action::Ehlth, [(&plain, None), (&checked, None)]), None);
    }
}
