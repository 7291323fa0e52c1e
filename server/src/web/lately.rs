//! What happened to accounts lately, for the pages Account and Admin: whoever did not do it should notice.

use app::pages::account_pages::LatelyLine;
use model::audit::{COMMAND_LINE, Entry, Kind, StoredEntry};
use rusqlite::Connection;

use super::form_fields::moment;
use crate::audit::{Filter, in_words, query};

/// Lines that a page shows.
const SHOWN: usize = 10;

/// What happened to an account: log-ins, and what was changed about it. Of a long audit log the newest part is read alone.
pub(super) fn of_account(connection: &Connection, name: &str) -> Result<Vec<LatelyLine>, rusqlite::Error> {
    let log_ins = entries(connection, &[("kind", Kind::Login.word()), ("who", name)])?;
    let changes = entries(connection, &[("kind", Kind::Account.word()), ("target", name)])?;
    Ok(lines(log_ins.into_iter().chain(changes).collect()))
}

/// What was changed about any account, token or wall link.
pub(super) fn of_all(connection: &Connection) -> Result<Vec<LatelyLine>, rusqlite::Error> {
    Ok(lines(entries(connection, &[("kind", Kind::Account.word())])?))
}

fn entries(connection: &Connection, texts: &[(&str, &str)]) -> Result<Vec<StoredEntry>, rusqlite::Error> {
    let mut filter = Filter::default();
    for (name, text) in texts {
        filter.texts.set(name, text);
    }
    Ok(query::newest(connection, &filter, None, SHOWN)?.entries)
}

fn lines(mut entries: Vec<StoredEntry>) -> Vec<LatelyLine> {
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
    entries.truncate(SHOWN);
    entries.into_iter().map(|stored| line(stored.entry)).collect()
}

fn line(entry: Entry<String>) -> LatelyLine {
    let Entry { at, kind, who, means, address, action, targets, outcome, detail, .. } = entry;
    let targets: Vec<String> = serde_json::from_str(&targets).unwrap_or_default();
    let what = match action.as_str() {
        "log-in" => "Log-in".to_owned(),
        "log-out" => "Log-out".to_owned(),
        change => in_words(change, &targets.join(", ")),
    };
    let outcome = if outcome == "done" { String::new() } else { format!(", {outcome}") };
    let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
    let means = if means == COMMAND_LINE { " on the command line".to_owned() } else { format!(" from {address}") };
    let by = if kind == Kind::Account.word() { format!("by {who}{means}") } else { means.trim().to_owned() };
    LatelyLine { time: moment(at), what: format!("{what}{outcome}{detail}"), by }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_in_words() {
        let entry = |kind: Kind, action: &str, means: &str, detail: &str| Entry {
            kind: kind.word().to_owned(),
            who: "anna".to_owned(),
            means: means.to_owned(),
            address: "10.0.0.7".to_owned(),
            action: action.to_owned(),
            targets: "[\"ben\"]".to_owned(),
            outcome: "done".to_owned(),
            detail: detail.to_owned(),
            at: 0,
            role: String::new(),
            operation: String::new(),
            reason: String::new(),
        };
        let told = |entry| {
            let LatelyLine { what, by, .. } = line(entry);
            format!("{what} · {by}")
        };
        assert_eq!(
            told(entry(Kind::Account, "token.add", "session 1", "token 3f, scope act")),
            "API token of ben made: token 3f, scope act · by anna from 10.0.0.7"
        );
        assert_eq!(
            told(entry(Kind::Account, "user.role", "command line", "viewer to admin")),
            "Role of ben changed: viewer to admin · by anna on the command line"
        );
        let failed = Entry { outcome: "refused".to_owned(), ..entry(Kind::Login, "log-in", "", "wrong") };
        assert_eq!(told(failed), "Log-in, refused: wrong · from 10.0.0.7");
    }
}
