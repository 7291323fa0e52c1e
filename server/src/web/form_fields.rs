//! The fields of a posted form, and how pages write times and errors.

use std::time::{Duration, UNIX_EPOCH};

use axum::{
    Form,
    extract::rejection::FormRejection,
    http::{HeaderMap, header::USER_AGENT},
};
use model::format::span;

/// The fields of a form, in its order.
pub(super) struct Fields(Vec<(String, String)>);

/// A form as axum hands it over.
pub(super) type FormBody = Result<Form<Vec<(String, String)>>, FormRejection>;

impl Fields {
    /// A form that can't be read has no fields. Its text may be secret, and is not repeated.
    pub(super) fn of(posted: FormBody) -> Self {
        Self(posted.map(|Form(fields)| fields).unwrap_or_default())
    }

    /// The last field of that name; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// Every field of that name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    }
}

/// What a browser calls itself.
pub(super) fn user_agent(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()).unwrap_or_default()
}

/// A moment for people, `2026-11-21 13:20 UTC`.
pub(super) fn moment(at: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or(0));
    let text = humantime::format_rfc3339_seconds(time).to_string().replace('T', " ");
    text.get(..16).map_or(String::new(), |text| format!("{text} UTC"))
}

/// How long ago that was.
pub(super) fn ago(at: i64, now: i64) -> String {
    match u64::try_from(now.saturating_sub(at)).unwrap_or(0) / 1_000 {
        0..60 => "just now".to_owned(),
        seconds => format!("{} ago", span(seconds)),
    }
}

/// A text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// An error's text as a sentence.
pub(super) fn sentence(error: &dyn std::fmt::Display) -> String {
    format!("{}.", capitalised(error.to_string().trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        assert_eq!(moment(1_795_264_805_000), "2026-11-21 12:40 UTC");
        assert_eq!((moment(-5), ago(10_000, 5_000)), ("1970-01-01 00:00 UTC".to_owned(), "just now".to_owned()));
        assert_eq!(ago(0, 7_500_000), "2 h 5 min ago");
    }

    #[test]
    fn a_sentence_begins_large_and_ends() {
        assert_eq!(sentence(&"there is no token \"x\""), "There is no token \"x\".");
        assert_eq!(sentence(&"Begin again."), "Begin again.");
    }
}
