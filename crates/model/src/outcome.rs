//! What is asked for with an action, and what became of it: the bodies of `POST /api/v1/actions`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::action::Action;

/// One server of one backend on one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// The node's name.
    pub node: String,
    /// HAProxy's `pxname`.
    pub backend: String,
    /// HAProxy's `svname`.
    pub server: String,
}

/// Not `NODE/BACKEND/SERVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a target is NODE/BACKEND/SERVER")]
pub struct TargetError;

impl Target {
    /// A target by its three names.
    #[must_use]
    pub fn new(node: &str, backend: &str, server: &str) -> Self {
        Self { node: node.to_owned(), backend: backend.to_owned(), server: server.to_owned() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.node, self.backend, self.server)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(s: &str) -> Result<Self, TargetError> {
        let mut parts = s.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(node), Some(backend), Some(server), None) if ![node, backend, server].contains(&"") => {
                Ok(Self::new(node, backend, server))
            }
            _ => Err(TargetError),
        }
    }
}

/// A target as a program names it: by node, by cluster (each of its nodes that has the server), or by neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetRef {
    /// The node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The cluster's name; not together with `node`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// HAProxy's `pxname`.
    pub backend: String,
    /// HAProxy's `svname`.
    pub server: String,
}

impl TargetRef {
    /// What stands before a cluster's name where a node's could stand: no name has it.
    pub const CLUSTER_MARK: char = '@';
}

/// `NODE/BACKEND/SERVER`, or `@CLUSTER/BACKEND/SERVER`.
impl FromStr for TargetRef {
    type Err = TargetError;

    fn from_str(s: &str) -> Result<Self, TargetError> {
        let mut out = Self::from(s.parse::<Target>()?);
        if let Some(cluster) = out.node.as_deref().and_then(|n| n.strip_prefix(Self::CLUSTER_MARK)) {
            out.cluster = Some(cluster.to_owned());
            out.node = None;
        }
        Ok(out)
    }
}

impl From<Target> for TargetRef {
    fn from(target: Target) -> Self {
        Self { node: Some(target.node), cluster: None, backend: target.backend, server: target.server }
    }
}

/// The body of `POST /api/v1/actions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// One of the thirteen.
    pub action: Action,
    /// On what; at least one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1))]
    pub targets: Vec<TargetRef>,
    /// Why, in 500 characters at most; goes into the audit log. Needed where the configuration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 500))]
    pub reason: Option<String>,
}

/// What became of one target. `done`: the state read afterwards shows it. `unchanged`: the server already was so.
/// `refused`: HAProxy said no. `unreachable`: the command did not get through. `unverified`: it did, and the state does not
/// show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The command went through, and the state read afterwards shows it.
    Done,
    /// The server already was in that state.
    Unchanged,
    /// HAProxy refused the command, with its words in the message; or it would, and the command was not sent.
    Refused,
    /// The command did not get through; nothing is known to have changed.
    Unreachable,
    /// The command went through, and the state read afterwards does not show it.
    Unverified,
}

impl Outcome {
    /// Every outcome, in the order of the design.
    pub const ALL: [Self; 5] = [Self::Done, Self::Unchanged, Self::Refused, Self::Unreachable, Self::Unverified];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Unverified => "unverified",
        }
    }

    /// Whether the server is as it was asked for.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::Unchanged)
    }
}

/// The outcome of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TargetOutcome {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// What became of it.
    pub outcome: Outcome,
    /// HAProxy's words, or what is known; may be empty.
    pub message: String,
    /// The `status` column before; empty where it was not read.
    pub before: String,
    /// The `status` column afterwards; empty where it was not read.
    pub after: String,
}

/// The answer of `POST /api/v1/actions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionResponse {
    /// Names the operation in the audit log.
    pub operation: String,
    /// Per target, in the order asked for.
    pub outcomes: Vec<TargetOutcome>,
    /// What else there is to know, as that the outcomes could not be recorded; mostly empty.
    #[serde(default)]
    pub warning: String,
}

/// A request that the API denied: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemDetails {
    /// What is wrong, for a person.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do, or which of several things it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
