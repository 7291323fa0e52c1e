//! What a principal may see and do: a role, and what the rules of the configuration leave of it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::action::Action;

/// What an account may do at most. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    #[default]
    Viewer,
    /// Acts on servers.
    Operator,
    /// Manages accounts, and reads the audit log.
    Admin,
}

/// Not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no role {0:?}: it is viewer, operator or admin")]
pub struct RoleError(String);

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| RoleError(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A name in which each `*` stands for any characters, or none: `app-*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether it stands for `name`.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // Each part at its first place leaves most for those after it.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// A part of what a rule allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// In which clusters; all where there is none.
    pub clusters: Vec<Pattern>,
    /// On which proxies, by HAProxy's `pxname`; all where there is none.
    pub backends: Vec<Pattern>,
    /// Which actions an operator or admin may do there; without any it may only be looked at.
    pub actions: Vec<Action>,
}

impl Grant {
    fn reaches_cluster(&self, cluster: &str) -> bool {
        self.clusters.is_empty() || self.clusters.iter().any(|p| p.fits(cluster))
    }

    fn reaches(&self, cluster: &str, proxy: &str) -> bool {
        self.reaches_cluster(cluster) && (self.backends.is_empty() || self.backends.iter().any(|p| p.fits(proxy)))
    }
}

/// What a principal may see and do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// At most this.
    pub role: Role,
    /// What the rules allow; nothing where no rules bind: then the role decides alone.
    pub grants: Option<Vec<Grant>>,
}

impl Rights {
    /// A role that no rules restrict.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Self { role, grants: None }
    }

    /// Whether there is nothing that they may not see.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        let all = |g: &Grant| g.clusters.is_empty() && g.backends.is_empty();
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(all))
    }

    /// Whether they may see a cluster's nodes.
    #[must_use]
    pub fn sees_cluster(&self, cluster: &str) -> bool {
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(|g| g.reaches_cluster(cluster)))
    }

    /// Whether they may see a proxy's rows.
    #[must_use]
    pub fn sees(&self, cluster: &str, proxy: &str) -> bool {
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(|g| g.reaches(cluster, proxy)))
    }

    /// Whether they may see every proxy of a cluster, whatever its name.
    #[must_use]
    pub fn sees_whole(&self, cluster: &str) -> bool {
        let whole = |g: &Grant| g.backends.is_empty() && g.reaches_cluster(cluster);
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(whole))
    }

    /// Why they may not do `action` on the servers of a backend; nothing where they may.
    #[must_use]
    pub fn denied(&self, action: Action, cluster: &str, backend: &str) -> Option<String> {
        if self.role < Role::Operator {
            return Some(VIEWER.to_owned());
        }
        let allows = |g: &Grant| g.actions.contains(&action) && g.reaches(cluster, backend);
        match &self.grants {
            Some(grants) if !grants.iter().any(allows) => {
                Some(format!("no rule lets you {} on {backend} of {cluster}", action.id()))
            }
            _ => None,
        }
    }

    /// Why they may do `action` nowhere; nothing where they may somewhere.
    #[must_use]
    pub fn denied_everywhere(&self, action: Action) -> Option<String> {
        let allows = |g: &Grant| g.actions.contains(&action);
        match &self.grants {
            _ if self.role < Role::Operator => Some(VIEWER.to_owned()),
            Some(grants) if !grants.iter().any(allows) => Some(format!("no rule lets you {}", action.id())),
            _ => None,
        }
    }
}

/// Why a viewer may not act.
const VIEWER: &str = "a viewer may look, not act";

/// Who looks at a page, as the page itself needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The account's name; empty where there are no accounts, and for a wall.
    pub name: String,
    /// What they may see and do.
    pub rights: Rights,
    /// Whether there are no accounts: everybody who reaches the loopback address may do everything.
    pub is_open: bool,
    /// Whether an action needs a reason.
    pub needs_reason: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("app-*", "app-web", true),
            ("app-*", "app-", true),
            ("app-*", "db-app-", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("*-db", "x-db", true),
            ("*-db", "x-dbs", false),
            ("web", "web", true),
            ("web", "web1", false),
            ("", "web", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(Pattern(pattern.to_owned()).fits(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_role_says_how_much_and_rules_say_where() {
        let pattern = |p: &str| Pattern(p.to_owned());
        let daily = Grant {
            clusters: vec![pattern("edge")],
            backends: vec![pattern("app-*")],
            actions: vec![Action::Ready, Action::Drain],
        };
        let looks = Grant { clusters: vec![pattern("lab")], backends: vec![], actions: vec![] };
        let rights = |role| Rights { role, grants: Some(vec![daily.clone(), looks.clone()]) };
        let operator = rights(Role::Operator);
        assert!(operator.sees("edge", "app-web") && operator.sees("lab", "db") && !operator.sees("edge", "db"));
        assert!(operator.sees_cluster("edge") && !operator.sees_cluster("core") && !operator.sees_all());
        assert_eq!(operator.denied(Action::Drain, "edge", "app-web"), None);
        for (action, cluster, backend) in
            [(Action::Shutdown, "edge", "app-web"), (Action::Drain, "edge", "db"), (Action::Drain, "lab", "app-web")]
        {
            assert!(operator.denied(action, cluster, backend).is_some_and(|why| why.contains(action.id())));
        }
        assert!(rights(Role::Viewer).denied(Action::Drain, "edge", "app-web").is_some());
        assert_eq!(Rights::of(Role::Operator).denied(Action::Shutdown, "any", "any"), None);
        let nothing = Rights { role: Role::Admin, grants: Some(vec![]) };
        assert!(!nothing.sees("edge", "web") && nothing.denied(Action::Ready, "edge", "web").is_some());
    }
}
