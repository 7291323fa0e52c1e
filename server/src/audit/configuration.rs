//! That Sluice was started with another configuration: an entry with what is different, told by digests, so that no
//! secret and no path ever stands in the audit log.

use std::collections::BTreeMap;

use model::audit::{Entry, Kind};
use ring::digest::{SHA256, digest};
use rusqlite::{OptionalExtension as _, Transaction};

use super::{
    chain::{append, hex},
    entry::by_sluice,
};

/// The parts of a configuration by their keys in the file, each as a text that says all that matters of it.
pub type Parts = BTreeMap<&'static str, String>;

/// What the entries are about.
const ACTION: &str = "start";

/// Writes an entry when the configuration is not that of the last start; whether it did.
///
/// # Errors
/// What SQLite said.
pub fn note(transaction: &Transaction<'_>, parts: &Parts) -> Result<bool, rusqlite::Error> {
    let before: Option<String> = transaction
        .query_row(
            "SELECT outcome FROM record WHERE kind = 'configuration' AND action = ?1 ORDER BY id DESC LIMIT 1",
            [ACTION],
            |row| row.get(0),
        )
        .optional()?;
    // Half of a digest is enough to tell two configurations apart.
    let short = |text: &String| hex(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    let now: BTreeMap<String, String> = parts.iter().map(|(name, text)| ((*name).to_owned(), short(text))).collect();
    // A map of texts always is JSON.
    let outcome = serde_json::to_string(&now).unwrap_or_default();
    if before.as_ref() == Some(&outcome) {
        return Ok(false);
    }
    let detail = match before {
        None => "the first start with this audit log".to_owned(),
        Some(before) => {
            let before: BTreeMap<String, String> = serde_json::from_str(&before).unwrap_or_default();
            let mut names: Vec<&String> =
                now.keys().chain(before.keys()).filter(|n| now.get(*n) != before.get(*n)).collect();
            names.sort_unstable();
            names.dedup();
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            format!("changed since the last start: {}", names.join(", "))
        }
    };
    append(transaction, &Entry { outcome, detail, ..by_sluice(Kind::Configuration, ACTION) })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::query, db};

    #[test]
    fn a_start_is_noted_when_the_configuration_is_another_and_says_in_what() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut connection = db::connect(dir.path(), crate::schema::MIGRATIONS).expect("opens");
        let parts = |node: &str, listen: &str| Parts::from([("node", node.to_owned()), ("listen", listen.to_owned())]);
        assert!(connection.transact(|t| note(t, &parts("lb1", "127.0.0.1:1"))).expect("answered").expect("written"));
        assert!(!connection.transact(|t| note(t, &parts("lb1", "127.0.0.1:1"))).expect("answered").expect("read"));
        assert!(
            connection
                .transact(|t| note(t, &parts("lb1, password", "127.0.0.1:1")))
                .expect("answered")
                .expect("written")
        );
        let mut fewer = parts("lb1, password", "");
        fewer.remove("listen");
        assert!(connection.transact(|t| note(t, &fewer)).expect("answered").expect("written"));
        let entries = query::newest(&connection, &query::Filter::default(), None, 9).expect("read").entries;
        let details: Vec<&str> = entries.iter().map(|stored| stored.entry.detail.as_str()).collect();
        let changed = "changed since the last start: ";
        assert_eq!(
            details,
            [format!("{changed}listen"), format!("{changed}node"), "the first start with this audit log".to_owned()]
        );
        assert!(!format!("{details:?}").contains("password"));
    }
}
