//! One server on all nodes of its cluster: since when, why, and who agrees.

use super::cause;
use crate::{
    action::Action,
    col::{Col, Text},
    format::span,
    row::{Row, admin},
    status::RowState,
};

/// More nodes than this are counted, not named.
const MOST_NAMED: usize = 3;

/// How the nodes of a cluster differ over one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// `drain on lb1, up on lb2 and lb3`, in the order of the nodes.
    pub text: String,
    /// Whether somebody made it so: the server is ready, in DRAIN or in MAINT by command on some nodes only, and an
    /// action can bring them together. Otherwise it is what their checks see.
    pub is_admin: bool,
}

/// The whole sentence, without a capital and without a full stop: `down for 12 min: connection refused on 10.0.0.3:80
/// (layer 4), 3 checks failed, 2 of 3 nodes agree, up on lb3`.
///
/// `nodes` are the names of the nodes that have this server, each with its row, `row` among them; `now` is in Unix seconds.
#[must_use]
pub fn sentence(row: &Row, nodes: &[(&str, &Row)], now: u64) -> String {
    let state = row.state();
    let mut text = match state {
        RowState::Unknown => row.text(Text::Status).to_owned(),
        _ => state.label().to_ascii_lowercase(),
    };
    if let Some(since) = row.num(Col::Lastchg) {
        text = text + " for " + &span(now.saturating_sub(since));
    }
    let cause = cause(row);
    if !cause.is_empty() {
        text = text + ": " + &cause;
    }
    let alike = |(_, r): &&(&str, &Row)| r.state() == state;
    let agree = nodes.iter().filter(alike).count();
    match nodes.iter().find(alike) {
        _ if agree == nodes.len() => match agree {
            2 if state.is_problem() => text += ", both nodes agree",
            3.. if state.is_problem() => text = text + ", all " + &agree.to_string() + " nodes agree",
            _ => {}
        },
        Some((name, _)) if agree == 1 => text = text + ", only on " + name,
        _ => text = text + ", " + &agree.to_string() + " of " + &nodes.len().to_string() + " nodes agree",
    }
    if agree < nodes.len() {
        text = text + ", " + &grouped(nodes, health, health(row));
    }
    text
}

/// How `nodes` differ over one server; nothing where all of them see and treat it alike.
///
/// What a command set is told even where HAProxy's word hides it: a server in DRAIN that is DOWN shows `DOWN`.
#[must_use]
pub fn disagreement(nodes: &[(&str, &Row)]) -> Option<Disagreement> {
    let differ = |word: Word| nodes.iter().any(|(_, row)| word(row) != word(nodes[0].1));
    let is_admin = differ(command);
    let word = if differ(health) {
        health
    } else if is_admin {
        command
    } else {
        return None;
    };
    Some(Disagreement { text: grouped(nodes, word, ""), is_admin })
}

/// Something about a row in a word.
type Word = fn(&Row) -> &'static str;

fn health(row: &Row) -> &'static str {
    row.state().label()
}

/// What a command or the agent made of the server, as the action that makes it so.
#[must_use]
pub fn set_by(row: &Row) -> Action {
    match row.get(Col::AdminState) {
        bits if bits & admin::FORCED_MAINT != 0 => Action::Maint,
        bits if bits & admin::FORCED_DRAIN != 0 => Action::Drain,
        _ => Action::Ready,
    }
}

fn command(row: &Row) -> &'static str {
    set_by(row).id()
}

/// `drain on lb1, up on lb2 and lb3`, but for the nodes whose word is `except`.
fn grouped(nodes: &[(&str, &Row)], word: Word, except: &str) -> String {
    let mut text = String::new();
    for (at, (_, row)) in nodes.iter().enumerate() {
        let this = word(row);
        if this == except || nodes[..at].iter().any(|(_, r)| word(r) == this) {
            continue;
        }
        let names: Vec<&str> = nodes[at..].iter().filter(|(_, r)| word(r) == this).map(|(name, _)| *name).collect();
        if !text.is_empty() {
            text += ", ";
        }
        text += &this.to_ascii_lowercase();
        text += " on ";
        match names.as_slice() {
            [most @ .., last] if !most.is_empty() && names.len() <= MOST_NAMED => {
                text = text + &most.join(", ") + " and " + last;
            }
            [one] => text += one,
            _ => text = text + &names.len().to_string() + " nodes",
        }
    }
    text
}
