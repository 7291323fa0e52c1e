//! The permissions that routes and topics of the stream require.

use model::{rights::Role, topic::TopicId};

use crate::auth::{AuthMethod, Principal};

/// What a route requires of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: anybody may ask.
    Public,
    /// To see the wall: a viewer or more, or a wall link.
    ViewWall,
    /// To see what their rights show: a viewer or more.
    View,
    /// To see everything, with no rule that hides a part: the figures name every node.
    ViewAll,
    /// To act: an operator or more.
    Act,
    /// To be an admin.
    Admin,
    /// To be a person, who manages their own account: not a token, and not a wall link.
    OwnAccount,
    /// To be a person and an admin, where there are accounts.
    ManageAccounts,
}

impl Permission {
    /// Whether somebody has it; without a principal, whether anybody does.
    #[must_use]
    pub fn is_granted_to(self, principal: Option<&Principal>) -> bool {
        let Some(principal) = principal else { return self == Self::Public };
        let is_wall = matches!(principal.method, AuthMethod::WallLink(_));
        match self {
            Self::Public => true,
            Self::ViewWall => principal.method != AuthMethod::Anonymous,
            Self::View => !is_wall && principal.method != AuthMethod::Anonymous,
            Self::ViewAll => Self::View.is_granted_to(Some(principal)) && principal.rights.sees_all(),
            Self::Act => !is_wall && principal.rights.role >= Role::Operator,
            Self::Admin => !is_wall && principal.rights.role >= Role::Admin,
            // A token that could make tokens would never expire.
            Self::OwnAccount => {
                matches!(principal.method, AuthMethod::Session(_) | AuthMethod::Header | AuthMethod::Open)
            }
            // Without accounts, the first one is made on the machine.
            Self::ManageAccounts => {
                matches!(principal.method, AuthMethod::Session(_) | AuthMethod::Header)
                    && principal.rights.role >= Role::Admin
            }
        }
    }

    /// Why somebody is denied it, for a person to read.
    #[must_use]
    pub fn denial_reason(self, principal: &Principal) -> &'static str {
        match self {
            Self::Public | Self::ViewWall | Self::View => "This needs an account: a wall link shows the wall alone.",
            Self::ViewAll => "This names every node, and a rule hides some from you.",
            Self::Act => "This needs the role operator; yours is another. An admin can change that.",
            Self::Admin => "This needs the role admin; yours is another.",
            Self::OwnAccount => "This is for people who are logged in, not for tokens and wall links.",
            Self::ManageAccounts if principal.method == AuthMethod::Open => {
                "This needs an account with the role admin. The first one is made on the machine: \
                 sluice user add NAME --role admin --password-stdin"
            }
            Self::ManageAccounts => "This needs somebody who is logged in with the role admin.",
        }
    }
}

/// Whether somebody is told what changed about an account: about their own, and an admin about every one.
#[must_use]
pub fn sees_account(principal: &Principal, account: &str) -> bool {
    let has = |permission: Permission| permission.is_granted_to(Some(principal));
    has(Permission::Admin) || (has(Permission::View) && principal.name == account)
}

/// Whether somebody may subscribe to topics of that kind. What they see of one follows from their rights. A wall link
/// subscribes to the fleet alone: the wall shows problems, and no rows.
#[must_use]
pub fn may_subscribe(principal: &Principal, topic: &TopicId) -> bool {
    match topic {
        TopicId::Fleet => true,
        TopicId::Events | TopicId::Accounts | TopicId::Proxy { .. } | TopicId::Node { .. } => {
            !matches!(principal.method, AuthMethod::WallLink(_))
        }
    }
}
