//! The thirteen actions on one server, and the command line of each.
//!
//! A command can only be built from checked names and a [`Verb`], so no text of a user ever reaches the socket as
//! anything but a name.
//!
//! There is no other way to change anything: `clear counters all`, after which HAProxy 3.3.0 dies of the next
//! `show stat`, can't be said with these types.

use std::fmt;

use crate::{ProxyName, ServerName};

/// One action on one server. Its [`Display`](fmt::Display) is the command line that HAProxy is sent, without the line
/// feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerCommand {
    /// The backend or listen section that the server belongs to.
    pub backend: ProxyName,
    /// The server.
    pub server: ServerName,
    /// What to do.
    pub verb: Verb,
}

/// What can be done to a server: the actions of HAProxy's stats page, in its order.
///
/// All of them need a socket of `level admin`. HAProxy accepts several in silence where they do nothing
/// (`disable health` on a server without checks, for one): only the state read afterwards tells what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `set server … state ready`: ends forced MAINT and DRAIN.
    StateReady,
    /// `set server … state drain`: no new connections but persistent ones. Ends forced MAINT.
    StateDrain,
    /// `set server … state maint`: no connections, no checks; its trackers follow. Ends forced DRAIN.
    StateMaint,
    /// `disable health …`: stops health checks; the state stays what it was.
    DisableHealth,
    /// `enable health …`: resumes health checks. Refused where none are configured (silent before 2.6).
    EnableHealth,
    /// `set server … health up`. A running check undoes it. Refused on a tracking server.
    HealthUp,
    /// `set server … health stopping`: NOLB. A running check undoes it. Refused on a tracking server.
    HealthStopping,
    /// `set server … health down`. A running check undoes it. Refused on a tracking server.
    HealthDown,
    /// `disable agent …`: stops agent checks.
    DisableAgent,
    /// `enable agent …`: resumes agent checks. Refused where no agent is configured.
    EnableAgent,
    /// `set server … agent up`. The agent's next word undoes it. Refused unless agent checks are enabled.
    AgentUp,
    /// `set server … agent down`. The agent's next word undoes it. Refused unless agent checks are enabled.
    AgentDown,
    /// `shutdown sessions server …`: ends every session on the server at once.
    ShutdownSessions,
}

impl Verb {
    /// Every verb, in the order of HAProxy's stats page.
    pub const ALL: [Self; 13] = [
        Self::StateReady,
        Self::StateDrain,
        Self::StateMaint,
        Self::DisableHealth,
        Self::EnableHealth,
        Self::HealthUp,
        Self::HealthStopping,
        Self::HealthDown,
        Self::DisableAgent,
        Self::EnableAgent,
        Self::AgentUp,
        Self::AgentDown,
        Self::ShutdownSessions,
    ];

    /// The words before and after `backend/server` in the command line.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::StateReady => ("set server ", " state ready"),
            Self::StateDrain => ("set server ", " state drain"),
            Self::StateMaint => ("set server ", " state maint"),
            Self::DisableHealth => ("disable health ", ""),
            Self::EnableHealth => ("enable health ", ""),
            Self::HealthUp => ("set server ", " health up"),
            Self::HealthStopping => ("set server ", " health stopping"),
            Self::HealthDown => ("set server ", " health down"),
            Self::DisableAgent => ("disable agent ", ""),
            Self::EnableAgent => ("enable agent ", ""),
            Self::AgentUp => ("set server ", " agent up"),
            Self::AgentDown => ("set server ", " agent down"),
            Self::ShutdownSessions => ("shutdown sessions server ", ""),
        }
    }
}

impl fmt::Display for ServerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.verb.words();
        write!(f, "{before}{}/{}{after}", self.backend, self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_has_the_command_line_of_the_manual() {
        let lines = Verb::ALL.map(|verb| {
            let backend = "b".parse().expect("a name");
            let server = "s".parse().expect("a name");
            ServerCommand { backend, server, verb }.to_string()
        });
        assert_eq!(
            lines,
            [
                "set server b/s state ready",
                "set server b/s state drain",
                "set server b/s state maint",
                "disable health b/s",
                "enable health b/s",
                "set server b/s health up",
                "set server b/s health stopping",
                "set server b/s health down",
                "disable agent b/s",
                "enable agent b/s",
                "set server b/s agent up",
                "set server b/s agent down",
                "shutdown sessions server b/s",
            ]
        );
    }
}
