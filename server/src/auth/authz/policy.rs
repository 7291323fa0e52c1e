//! What a route, or a topic of the stream, needs of whoever asks.

use model::{rights::Role, topic::TopicId};

use crate::auth::{AuthMethod, Principal};

/// What a route needs of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing.
    Nothing,
    /// That they may look: a viewer and more, or a wall link.
    Display,
    /// That they may look at everything that their rights show: a viewer and more.
    Look,
    /// That there is nothing that their rights hide: the figures name every node.
    LookAtAll,
    /// That they may act: an operator and more.
    Act,
    /// That they are an admin.
    Admin,
    /// That they are a person, who manages what is their own: no token, and no wall link.
    OwnAccount,
    /// That they are a person and an admin, where there are accounts.
    Manage,
}

impl Permission {
    /// Whether a caller has what it takes.
    #[must_use]
    pub fn is_met(self, principal: Option<&Principal>) -> bool {
        let Some(principal) = principal else { return self == Self::Nothing };
        let is_wall = matches!(principal.means, AuthMethod::Wall(_));
        match self {
            Self::Nothing => true,
            Self::Display => principal.means != AuthMethod::Nothing,
            Self::Look => !is_wall && principal.means != AuthMethod::Nothing,
            Self::LookAtAll => Self::Look.is_met(Some(principal)) && principal.rights.sees_all(),
            Self::Act => !is_wall && principal.rights.role >= Role::Operator,
            Self::Admin => !is_wall && principal.rights.role >= Role::Admin,
            // A token that could make tokens would never end. Without accounts the first is made on the machine.
            Self::OwnAccount => {
                matches!(principal.means, AuthMethod::Session(_) | AuthMethod::Header | AuthMethod::Open)
            }
            Self::Manage => {
                matches!(principal.means, AuthMethod::Session(_) | AuthMethod::Header)
                    && principal.rights.role >= Role::Admin
            }
        }
    }

    /// What a caller is missing, for a person.
    #[must_use]
    pub fn missing(self, principal: &Principal) -> &'static str {
        match self {
            Self::Nothing | Self::Display | Self::Look => "This needs an account: a wall link shows the wall alone.",
            Self::LookAtAll => "This names every node, and a rule hides some from you.",
            Self::Act => "This needs the role operator; yours is another. An admin can change that.",
            Self::Admin => "This needs the role admin; yours is another.",
            Self::OwnAccount => "This is for people who are logged in, not for tokens and wall links.",
            Self::Manage if principal.means == AuthMethod::Open => {
                "This needs an account with the role admin. The first one is made on the machine: \
                 sluice user add NAME --role admin --password-stdin"
            }
            Self::Manage => "This needs somebody who is logged in with the role admin.",
        }
    }
}

/// Whether a caller may subscribe to topics of that kind; which of them show anything is a matter of their rights. A wall
/// shows what is wrong, and no rows.
#[must_use]
pub fn may_follow(principal: &Principal, topic: &TopicId) -> bool {
    match topic {
        TopicId::Fleet => true,
        TopicId::Events | TopicId::Proxy { .. } | TopicId::Node { .. } => {
            !matches!(principal.means, AuthMethod::Wall(_))
        }
    }
}
