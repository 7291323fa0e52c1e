//! One entry of the record.

use app::model::access::Role;
use ring::digest;

use crate::{
    access::{Caller, Means},
    hub::unix_ms,
};

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody logged in, or tried to, or logged out.
    Login,
    /// An operation was asked for; nothing was sent to HAProxy yet.
    Operation,
    /// What became of it.
    Outcome,
    /// Something was asked for and not done.
    Refusal,
    /// An account, session, token or wall link was made, changed or ended.
    Account,
    /// Sluice was started with another configuration.
    Configuration,
}

/// An entry, not yet numbered. Texts are empty where they do not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, Unix milliseconds.
    pub at: i64,
    /// What it tells of.
    pub kind: Kind,
    /// The account's name.
    pub who: String,
    /// Its role at that time.
    pub role: String,
    /// How it was known.
    pub means: String,
    /// Where it asked from.
    pub address: String,
    /// What: an action's short name, or `log-in`, `user.add`, ...
    pub action: String,
    /// The operation's name.
    pub operation: String,
    /// On what: `NODE/BACKEND/SERVER` each, or an account's name; a JSON list.
    pub targets: String,
    /// Why, in the caller's words.
    pub reason: String,
    /// What became of it, in a word or a JSON list, target by target.
    pub outcome: String,
    /// What else there is to say, for a person.
    pub detail: String,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Login, Self::Operation, Self::Outcome, Self::Refusal, Self::Account, Self::Configuration];

    /// Its word in the record, in an address and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Operation => "operation",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Account => "account",
            Self::Configuration => "configuration",
        }
    }
}

impl Entry {
    /// Something that `caller` did or asked for now.
    #[must_use]
    pub fn by(caller: &Caller, kind: Kind, action: &str) -> Self {
        let role = match caller.means {
            Means::Open => Role::Admin.word(),
            Means::Nothing => "",
            _ => caller.rights.role.word(),
        };
        Self {
            at: i64::try_from(unix_ms()).unwrap_or(i64::MAX),
            kind,
            who: caller.name.clone(),
            role: role.to_owned(),
            means: caller.means.to_string(),
            address: caller.address.to_string(),
            action: action.to_owned(),
            operation: String::new(),
            targets: String::new(),
            reason: String::new(),
            outcome: String::new(),
            detail: String::new(),
        }
    }

    /// SHA-256 over the entry before it and every field of this one, each with its length before it.
    pub(super) fn hash(&self, id: i64, before: &[u8]) -> Vec<u8> {
        let Self { at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail } = self;
        let mut context = digest::Context::new(&digest::SHA256);
        let mut field = |bytes: &[u8]| {
            context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(bytes);
        };
        field(before);
        field(&id.to_be_bytes());
        field(&at.to_be_bytes());
        for text in [kind.word(), who, role, means, address, action, operation, targets, reason, outcome, detail] {
            field(text.as_bytes());
        }
        context.finish().as_ref().to_vec()
    }
}
