//! The principal of a request: found out once, then passed to whatever decides or is audited.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use model::{
    audit::COMMAND_LINE,
    rights::{Rights, Role, Who},
};

use crate::{
    audit::{Entry, Kind},
    clock::now,
};

/// Somebody who asks for something: who they are, how that is known, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account's name, or a text in its place where there is no account.
    pub name: String,
    /// How they were authenticated.
    pub method: AuthMethod,
    /// What they may see and do.
    pub rights: Arc<Rights>,
    /// Where they ask from.
    pub address: IpAddr,
}

/// How somebody was authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// Not at all, and they need not be: there are no accounts, and they reach a loopback address.
    Open,
    /// By a session of that id.
    Session(String),
    /// By an API token of that id.
    Token(String),
    /// By a header that the reverse proxy sets.
    Header,
    /// By a wall link of that id.
    WallLink(String),
    /// They are on the machine, and may write the database.
    CommandLine,
    /// Not at all.
    Anonymous,
}

impl Principal {
    /// Whoever reaches a loopback address while there are no accounts.
    #[must_use]
    pub fn open(address: IpAddr) -> Self {
        let rights = Arc::new(Rights::of(Role::Admin));
        Self { name: "somebody on this machine".to_owned(), method: AuthMethod::Open, rights, address }
    }

    /// Somebody who is not authenticated, and may see nothing; `name` is what the audit log calls them.
    #[must_use]
    pub fn anonymous(name: &str, address: IpAddr) -> Self {
        let rights = Rights { role: Role::Viewer, grants: Some(Vec::new()) };
        Self { name: name.to_owned(), method: AuthMethod::Anonymous, rights: Arc::new(rights), address }
    }

    /// Whoever runs a command on the machine, by the system's name for them.
    #[must_use]
    pub fn command_line(name: &str) -> Self {
        let (method, rights) = (AuthMethod::CommandLine, Arc::new(Rights::of(Role::Admin)));
        Self { name: name.to_owned(), method, rights, address: IpAddr::V4(Ipv4Addr::LOCALHOST) }
    }

    /// What a page needs to know of them.
    #[must_use]
    pub fn who(&self) -> Who {
        let is_open = self.method == AuthMethod::Open;
        let name = if is_open { String::new() } else { self.name.clone() };
        Who { name, rights: Rights::clone(&self.rights), is_open, needs_reason: false }
    }

    /// The beginning of an audit entry: that they did or asked for something now.
    #[must_use]
    pub fn entry(&self, kind: Kind, action: &str) -> Entry {
        let role = match self.method {
            AuthMethod::Open => Role::Admin.word(),
            AuthMethod::Anonymous => "",
            _ => self.rights.role.word(),
        };
        Entry {
            who: self.name.clone(),
            role: role.to_owned(),
            means: self.method.to_string(),
            address: self.address.to_string(),
            action: action.to_owned(),
            ..Entry::new(now(), kind)
        }
    }
}

/// As the audit log and the API write it.
impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("no accounts"),
            Self::Session(id) => write!(f, "session {id}"),
            Self::Token(id) => write!(f, "token {id}"),
            Self::Header => f.write_str("reverse proxy"),
            Self::WallLink(id) => write!(f, "wall link {id}"),
            Self::CommandLine => f.write_str(COMMAND_LINE),
            Self::Anonymous => Ok(()),
        }
    }
}
