//! The thirteen actions of HAProxy's stats page, in its order and with its names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What an operator can do to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `set server b/s state ready`
    Ready,
    /// `set server b/s state drain`
    Drain,
    /// `set server b/s state maint`
    Maint,
    /// `disable health b/s`
    Dhlth,
    /// `enable health b/s`
    Ehlth,
    /// `set server b/s health up`
    Hrunn,
    /// `set server b/s health stopping`
    Hnolb,
    /// `set server b/s health down`
    Hdown,
    /// `disable agent b/s`
    Dagent,
    /// `enable agent b/s`
    Eagent,
    /// `set server b/s agent up`
    Arunn,
    /// `set server b/s agent down`
    Adown,
    /// `shutdown sessions server b/s`
    Shutdown,
}

/// Not one of the thirteen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no action {0:?}")]
pub struct ActionError(String);

impl Action {
    /// All of them, in the order of the stats page.
    pub const ALL: [Self; 13] = [
        Self::Ready,
        Self::Drain,
        Self::Maint,
        Self::Dhlth,
        Self::Ehlth,
        Self::Hrunn,
        Self::Hnolb,
        Self::Hdown,
        Self::Dagent,
        Self::Eagent,
        Self::Arunn,
        Self::Adown,
        Self::Shutdown,
    ];

    /// Its short name in forms and in the API.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Dhlth => "dhlth",
            Self::Ehlth => "ehlth",
            Self::Hrunn => "hrunn",
            Self::Hnolb => "hnolb",
            Self::Hdown => "hdown",
            Self::Dagent => "dagent",
            Self::Eagent => "eagent",
            Self::Arunn => "arunn",
            Self::Adown => "adown",
            Self::Shutdown => "shutdown",
        }
    }

    /// Its entry in the list.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ready => "Set state to READY",
            Self::Drain => "Set state to DRAIN",
            Self::Maint => "Set state to MAINT",
            Self::Dhlth => "Health: disable checks",
            Self::Ehlth => "Health: enable checks",
            Self::Hrunn => "Health: force UP",
            Self::Hnolb => "Health: force NOLB",
            Self::Hdown => "Health: force DOWN",
            Self::Dagent => "Agent: disable checks",
            Self::Eagent => "Agent: enable checks",
            Self::Arunn => "Agent: force UP",
            Self::Adown => "Agent: force DOWN",
            Self::Shutdown => "Kill Sessions",
        }
    }

    /// What it says on a button that does it to `servers` ("3 servers").
    #[must_use]
    pub fn verb(self, servers: &str) -> String {
        match self {
            Self::Ready => format!("Set {servers} to READY"),
            Self::Drain => format!("Drain {servers}"),
            Self::Maint => format!("Set {servers} to MAINT"),
            Self::Dhlth => format!("Disable health checks of {servers}"),
            Self::Ehlth => format!("Enable health checks of {servers}"),
            Self::Hrunn => format!("Force {servers} UP"),
            Self::Hnolb => format!("Force {servers} to NOLB"),
            Self::Hdown => format!("Force {servers} DOWN"),
            Self::Dagent => format!("Disable agent checks of {servers}"),
            Self::Eagent => format!("Enable agent checks of {servers}"),
            Self::Arunn => format!("Force {servers} UP by agent"),
            Self::Adown => format!("Force {servers} DOWN by agent"),
            Self::Shutdown => format!("Kill the sessions of {servers}"),
        }
    }

    /// Whether it takes servers out of service; those that track them go along.
    #[must_use]
    pub fn takes_capacity(self) -> bool {
        matches!(self, Self::Drain | Self::Maint | Self::Hnolb | Self::Hdown | Self::Adown)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(s: &str) -> Result<Self, ActionError> {
        Self::ALL.into_iter().find(|a| a.id() == s).ok_or_else(|| ActionError(s.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_back_from_its_name() {
        for action in Action::ALL {
            assert_eq!(action.id().parse(), Ok(action));
        }
        assert!("READY".parse::<Action>().is_err());
        assert!("".parse::<Action>().is_err());
    }
}
