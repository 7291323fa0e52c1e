//! What changed about accounts, as events: whoever did not do it should notice.

use std::sync::Arc;

use model::{
    audit::{COMMAND_LINE, Entry, Kind, StoredEntry},
    event::{Event, EventKind},
};
use tokio::sync::watch;

use crate::opaque_id::opaque_id;

/// Events that are kept, and that a snapshot of the topic has. One more drops the oldest.
const KEPT: usize = 200;

/// The newest changes of accounts since Sluice was started, oldest first. A clone reaches the same.
#[derive(Clone, Debug, Default)]
pub(super) struct AccountEvents(watch::Sender<Arc<[Event]>>);

impl AccountEvents {
    /// Adds those of new entries, which are in order.
    pub(super) fn add(&self, entries: &[StoredEntry]) {
        let new: Vec<Event> = entries.iter().filter_map(event).collect();
        if new.is_empty() {
            return;
        }
        self.0.send_modify(|kept| {
            let older = (kept.len() + new.len()).saturating_sub(KEPT).min(kept.len());
            let newer = new.len().saturating_sub(KEPT);
            *kept = kept[older..].iter().chain(&new[newer..]).cloned().collect();
        });
    }

    /// The events as they are, and a way to wait for others.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<[Event]>> {
        self.0.subscribe()
    }
}

/// The event that an entry is; nothing where it tells of no account. A wall link concerns whoever made or ended it: from the
/// command line no account, though one may be called like the system's user.
fn event(stored: &StoredEntry) -> Option<Event> {
    let Entry { at, kind, who, means, action, targets, outcome, detail, .. } = &stored.entry;
    if kind != Kind::Account.word() || outcome != "done" {
        return None;
    }
    let targets: Vec<String> = serde_json::from_str(targets).unwrap_or_default();
    let target = targets.join(", ");
    let account = match action.starts_with("wall.") {
        false => target.clone(),
        true if means == COMMAND_LINE => String::new(),
        true => who.clone(),
    };
    Some(Event {
        // It does not tell how many entries the audit log has.
        id: opaque_id("account event", u64::try_from(stored.id).unwrap_or_default()),
        at: u64::try_from(*at).unwrap_or_default(),
        after: in_words(action, &target),
        account,
        kind: EventKind::Account,
        cause: detail.clone(),
        by: who.clone(),
        ..Event::default()
    })
}

/// A change of `target` in words.
pub(crate) fn in_words(action: &str, target: &str) -> String {
    match action {
        "session.end" => format!("Session of {target} ended"),
        "token.add" => format!("API token of {target} made"),
        "token.remove" => format!("API token of {target} ended"),
        "wall.add" => format!("Wall link {target} made"),
        "wall.remove" => format!("Wall link {target} ended"),
        "user.add" => format!("Account {target} made"),
        "user.passwd" => format!("Password of {target} changed"),
        "user.role" => format!("Role of {target} changed"),
        "user.groups" => format!("Groups of {target} changed"),
        "user.remove" => format!("Account {target} removed"),
        other => format!("{other} {target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, kind: Kind, action: &str, target: &str) -> StoredEntry {
        let entry = Entry {
            kind: kind.word().to_owned(),
            who: "anna".to_owned(),
            action: action.to_owned(),
            targets: format!("[\"{target}\"]"),
            outcome: "done".to_owned(),
            detail: "a detail".to_owned(),
            ..Entry::new(1_000 + id, String::new())
        };
        StoredEntry { id, entry, hash: String::new() }
    }

    #[test]
    fn a_change_of_an_account_is_an_event_of_it_and_nothing_else_is() {
        let told = |entry: &StoredEntry| {
            let Event { account, after, by, cause, at, .. } = event(entry)?;
            Some(format!("{at} {account}: {after}, by {by}, {cause}"))
        };
        let token = entry(1, Kind::Account, "token.add", "ben");
        assert_eq!(told(&token).as_deref(), Some("1001 ben: API token of ben made, by anna, a detail"));
        let mut wall = entry(2, Kind::Account, "wall.add", "ben");
        assert_eq!(told(&wall).as_deref(), Some("1002 anna: Wall link ben made, by anna, a detail"));
        wall.entry.means = COMMAND_LINE.to_owned();
        assert_eq!(told(&wall).as_deref(), Some("1002 : Wall link ben made, by anna, a detail"));
        assert_eq!(told(&entry(3, Kind::Login, "log-in", "ben")), None);
        let mut sum = entry(4, Kind::Account, "sum", "");
        sum.entry.outcome = "counted".to_owned();
        assert_eq!(told(&sum), None);
    }

    #[test]
    fn the_newest_are_kept() {
        let (events, ids) = (AccountEvents::default(), |range: std::ops::Range<i64>| -> Vec<StoredEntry> {
            range.map(|id| entry(id, Kind::Account, "token.add", "ben")).collect()
        });
        let mut receiver = events.subscribe();
        events.add(&[entry(1, Kind::Login, "log-in", "ben")]);
        assert!(!receiver.has_changed().expect("open") && receiver.borrow_and_update().is_empty());
        let times = |kept: &[Event]| (kept.len(), kept[0].at, kept[kept.len() - 1].at);
        for (range, expected) in
            [(1..4, (3, 1_001, 1_003)), (4..202, (KEPT, 1_002, 1_201)), (202..902, (KEPT, 1_702, 1_901))]
        {
            events.add(&ids(range));
            assert_eq!(times(&receiver.borrow_and_update()), expected);
        }
    }
}
