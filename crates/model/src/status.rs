//! The `status` column, read: which state a word of HAProxy's means.
//!
//! The values are those of HAProxy's `src/stats-proxy.c`. A word that is not known is shown as HAProxy wrote it.

use serde::{Deserialize, Serialize};

use crate::{
    col::{Col, Text},
    row::{Row, RowKind, op},
};

/// A state that has a colour, a shape and a place in the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RowState {
    /// `DOWN`, `DOWN (agent)`.
    Down,
    /// `UP n/m`: some checks failed, the server still gets traffic.
    Failing,
    /// `DOWN n/m`: some checks passed, the server gets no traffic yet.
    Recovering,
    /// `DRAIN`, `NOLB`, with or without a suffix.
    Drain,
    /// `MAINT`, `MAINT (via b/s)`, `MAINT (resolution)`; `STOP` and `PAUSED` of a frontend.
    Maint,
    /// `FULL` and `WAITING` of a listener.
    Full,
    /// `no check`: gets traffic, nobody looks at its health.
    NoCheck,
    /// `UP`, `OPEN`.
    Up,
    /// A word that this program does not know.
    Unknown,
}

impl RowState {
    /// Every state, worst first.
    pub const ALL: [Self; 9] = [
        Self::Down,
        Self::Failing,
        Self::Recovering,
        Self::Drain,
        Self::Maint,
        Self::Full,
        Self::NoCheck,
        Self::Up,
        Self::Unknown,
    ];

    /// Reads the word that HAProxy wrote.
    #[must_use]
    pub fn parse(status: &str) -> Self {
        let word = status.split(' ').next().unwrap_or_default();
        let rest = status[word.len()..].trim_start();
        // 3.4 begins with `UP -1/3`, before the first check.
        let counted = rest
            .trim_start_matches('-')
            .split_once('/')
            .is_some_and(|(a, b)| [a, b].iter().all(|s| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit())));
        match word {
            "UP" if counted => Self::Failing,
            "UP" | "OPEN" => Self::Up,
            "DOWN" if counted => Self::Recovering,
            "DOWN" => Self::Down,
            "DRAIN" | "NOLB" => Self::Drain,
            "MAINT" | "STOP" | "PAUSED" => Self::Maint,
            "FULL" | "WAITING" => Self::Full,
            "no" if rest == "check" => Self::NoCheck,
            _ => Self::Unknown,
        }
    }

    /// The name in an address (`?show=down`) and in a style sheet.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Failing => "failing",
            Self::Recovering => "recovering",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Full => "full",
            Self::NoCheck => "nocheck",
            Self::Up => "up",
            Self::Unknown => "unknown",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Failing => "Going down",
            Self::Recovering => "Coming up",
            Self::Drain => "Drain",
            Self::Maint => "Maint",
            Self::Full => "Full",
            Self::NoCheck => "No check",
            Self::Up => "Up",
            Self::Unknown => "Other",
        }
    }

    /// Whether an operator should look at it. Maintenance is there on purpose.
    #[must_use]
    pub fn is_problem(self) -> bool {
        matches!(self, Self::Down | Self::Failing | Self::Recovering | Self::Drain | Self::Full)
    }
}

impl Row {
    /// The state that its `status` names. A server that was just started is `UP 1/3` before its first check: it fails none.
    #[must_use]
    pub fn state(&self) -> RowState {
        match RowState::parse(self.text(Text::Status)) {
            RowState::Failing if self.text(Text::CheckStatus) == "INI" => RowState::NoCheck,
            state => state,
        }
    }

    /// Whether it is a server that gets new sessions: UP or unchecked, with a weight.
    #[must_use]
    pub fn takes_traffic(&self) -> bool {
        self.kind == RowKind::Server
            && matches!(self.state(), RowState::Up | RowState::Failing | RowState::NoCheck)
            && self.num(Col::Weight) != Some(0)
            && !matches!(self.num(Col::OpState), Some(op::STOPPED | op::STOPPING))
    }

    /// Whether HAProxy counts the time as downtime right now.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        match self.kind {
            RowKind::Server => matches!(self.state(), RowState::Down | RowState::Recovering | RowState::Maint),
            RowKind::Backend => self.state() == RowState::Down,
            RowKind::Frontend | RowKind::Listener => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_haproxy_has_its_state() {
        for (status, state) in [
            ("UP", RowState::Up),
            ("UP 1/3", RowState::Failing),
            ("UP -1/3", RowState::Failing),
            ("UP (UNPUB)", RowState::Up),
            ("UP (2/8)", RowState::Up),
            ("DOWN", RowState::Down),
            ("DOWN 1/2", RowState::Recovering),
            ("DOWN 0/2", RowState::Recovering),
            ("DOWN (agent)", RowState::Down),
            ("DOWN (0/1)", RowState::Down),
            ("NOLB", RowState::Drain),
            ("NOLB 2/3", RowState::Drain),
            ("DRAIN", RowState::Drain),
            ("DRAIN 2/3", RowState::Drain),
            ("DRAIN (agent)", RowState::Drain),
            ("MAINT", RowState::Maint),
            ("MAINT (via web/s1)", RowState::Maint),
            ("MAINT (resolution)", RowState::Maint),
            ("no check", RowState::NoCheck),
            ("OPEN", RowState::Up),
            ("STOP", RowState::Maint),
            ("PAUSED", RowState::Maint),
            ("FULL", RowState::Full),
            ("WAITING", RowState::Full),
            ("SIDEWAYS 3", RowState::Unknown),
            ("", RowState::Unknown),
        ] {
            assert_eq!(RowState::parse(status), state, "{status}");
        }
    }
}
