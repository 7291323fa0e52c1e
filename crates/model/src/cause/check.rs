//! What a server's health check, or its agent, has against it.
//!
//! The codes are those of HAProxy's `src/check.c`; its manual (`management.txt`, 9.1) lists most of them.

use super::follows;
use crate::{
    col::{Col, Text},
    row::{Row, admin, check},
    status::RowState,
};

/// Why a server is DOWN, or on its way there or back.
pub(super) fn cause(row: &Row) -> String {
    let (tracked, code) = (row.text(Text::Tracked), row.text(Text::CheckStatus));
    let by_agent =
        row.text(Text::Status).ends_with("(agent)") || code.is_empty() && !row.text(Text::AgentStatus).is_empty();
    let mut text = if !tracked.is_empty() {
        // A follower's check columns are empty, whatever it shows.
        follows(tracked)
    } else if by_agent {
        agent(row.text(Text::LastAgt))
    } else {
        health(code, row)
    };
    // HAProxy writes DOWN and keeps to itself that the server gets no traffic when it is back.
    if row.get(Col::AdminState) & admin::DRAIN != 0 {
        text += ", in drain too";
    }
    text
}

/// The agent's own words, without HAProxy's `via agent : ` or `agent reports an error : ` before them.
fn agent(said: &str) -> String {
    match said.split_once(" : ").map_or(said, |(_, words)| words) {
        "" => "its agent says so".to_owned(),
        words => "its agent says: ".to_owned() + words,
    }
}

fn health(code: &str, row: &Row) -> String {
    let words = words(row.text(Text::LastChk));
    let mut words = words.trim();
    let mut what = match code {
        "L4CON" if words.is_empty() => "connection failed",
        // The system's words are the best there are: connection refused, no route to host.
        "L4CON" => "",
        "L4TOUT" => "no connection in time",
        "L6TOUT" => "no TLS handshake in time",
        "L6RSP" => "TLS handshake failed",
        "L7TOUT" => "no answer in time",
        "L7RSP" => "bad answer",
        "L7STS" if row.get(Col::CheckCode) > 0 => "answers ",
        "L7STS" => "answers with an error",
        "SOCKERR" => "socket error",
        "HANA" => "too many errors in its traffic",
        "PROCERR" => "the external check failed",
        "PROCTOUT" => "the external check took too long",
        "INI" | "UNK" => return "not checked yet".to_owned(),
        "L4OK" | "L6OK" | "L7OK" | "L7OKC" | "PROCOK" => return passed(row),
        "" => return unchecked(row).to_owned(),
        _ => "its check says ",
    }
    .to_owned();
    match code {
        "L4CON" => {
            what += &uncapitalised(words);
            words = "";
        }
        "L6RSP" => words = words.strip_prefix("SSL handshake failure").unwrap_or(words).trim_matches([' ', '(', ')']),
        "L7STS" if row.get(Col::CheckCode) > 0 => what += &row.get(Col::CheckCode).to_string(),
        "HANA" => words = words.strip_prefix("Detected ").unwrap_or(words),
        "PROCERR" if row.get(Col::CheckCode) > 0 => {
            what += ", exit code ";
            what += &row.get(Col::CheckCode).to_string();
        }
        _ if what.ends_with("says ") => what += code,
        _ => {}
    }
    if words.starts_with("at step ") {
        what = what + " " + words;
    } else if !words.is_empty() {
        what = what + " (" + words + ")";
    }
    // Traffic and a program have no address of their own, and a step may name another port than the server's.
    let is_elsewhere = code.starts_with("PROC") || code == "HANA" || what.contains("(connect port");
    match row.text(Text::Addr) {
        _ if is_elsewhere => {}
        "" => {}
        "unix" => what += " on its unix socket",
        addr => what = what + " on " + addr,
    }
    what += match code.get(..2) {
        Some("L4") => " (layer 4)",
        Some("L6") => " (layer 6)",
        Some("L7") => " (layer 7)",
        _ => "",
    };
    if code != "HANA" {
        count(row, &mut what);
    }
    what
}

/// How many checks failed: of those that it takes while the server is still UP, and up to those that it took.
fn count(row: &Row, what: &mut String) {
    let fall = row.get(Col::CheckFall);
    let full = row.get(Col::CheckRise).saturating_add(fall);
    let (failed, of) = match row.state() {
        RowState::Failing => (full.saturating_sub(row.get(Col::CheckHealth).saturating_add(1)), true),
        // The first check after a start takes a server DOWN alone: then fewer have failed than `fall`.
        RowState::Down => (fall.min(row.get(Col::Chkfail)), false),
        _ => return,
    };
    if failed == 0 || failed > fall {
        return;
    }
    *what += ", ";
    *what += &failed.to_string();
    if of {
        *what += " of ";
        *what += &fall.to_string();
    }
    *what += if failed == 1 && !of { " check failed" } else { " checks failed" };
}

fn passed(row: &Row) -> String {
    let (health, rise) = (row.get(Col::CheckHealth), row.get(Col::CheckRise));
    match row.state() {
        RowState::Recovering if health > 0 => health.to_string() + " of " + &rise.to_string() + " checks passed",
        // No check brings a server down that it finds well.
        RowState::Down => "set down by an operator, the last check passed".to_owned(),
        _ => "the last check passed".to_owned(),
    }
}

fn unchecked(row: &Row) -> &'static str {
    match row.num(Col::CheckState) {
        Some(bits) if bits & check::CONFIGURED != 0 => "its checks are off: it stays down",
        _ => "set down by an operator: it has no check",
    }
}

/// The words of a check without those that say nothing. HAProxy 3.4 writes `ECONNREFUSED returned by OS (Connection refused)`
/// where older versions write `Connection refused`; and `at initial connection step` is true of every failed connection.
fn words(told: &str) -> String {
    let told = told.split(" at initial connection step").next().unwrap_or_default();
    match told.split_once(" returned by OS (").and_then(|(_, rest)| rest.split_once(')')) {
        Some((inside, after)) => inside.to_owned() + after,
        None => told.to_owned(),
    }
}

/// The same as the middle of a sentence; an abbreviation stays as it is.
fn uncapitalised(words: &str) -> String {
    let mut words = words.to_owned();
    if words.as_bytes().get(1).is_some_and(u8::is_ascii_lowercase)
        && let Some(first) = words.get_mut(..1)
    {
        first.make_ascii_lowercase();
    }
    words
}
