//! Who asks: found out once per request, and asked for by whatever decides or records.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use model::rights::{Rights, Role, Who};

use crate::audit::{Entry, Kind};

/// Somebody who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The account's name; what stands in its place where there is none.
    pub name: String,
    /// How it is known that it is them.
    pub means: AuthMethod,
    /// What they may see and do.
    pub rights: Arc<Rights>,
    /// Where they ask from.
    pub address: IpAddr,
}

/// How somebody is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// They reach a loopback address, and there are no accounts.
    Open,
    /// A session of that id.
    Session(String),
    /// An API token of that id.
    Token(String),
    /// A reverse proxy says so.
    Header,
    /// A wall link of that id.
    Wall(String),
    /// They are on the machine, and may write the database.
    CommandLine,
    /// They are not.
    Nothing,
}

impl Principal {
    /// Whoever reaches a loopback address while there are no accounts.
    #[must_use]
    pub fn open(address: IpAddr) -> Self {
        let rights = Arc::new(Rights::of(Role::Admin));
        Self { name: "somebody on this machine".to_owned(), means: AuthMethod::Open, rights, address }
    }

    /// Whoever it is that shows nothing, under the name that the record has for them: they may look at nothing.
    #[must_use]
    pub fn nobody(name: &str, address: IpAddr) -> Self {
        let rights = Rights { role: Role::Viewer, grants: Some(Vec::new()) };
        Self { name: name.to_owned(), means: AuthMethod::Nothing, rights: Arc::new(rights), address }
    }

    /// What a page needs to know of them.
    #[must_use]
    pub fn who(&self) -> Who {
        let is_open = self.means == AuthMethod::Open;
        let name = if is_open { String::new() } else { self.name.clone() };
        Who { name, rights: Rights::clone(&self.rights), is_open, needs_reason: false }
    }

    /// The beginning of an entry in the record: that they did or asked for something now.
    #[must_use]
    pub fn entry(&self, kind: Kind, action: &str) -> Entry {
        let role = match self.means {
            AuthMethod::Open => Role::Admin.word(),
            AuthMethod::Nothing => "",
            _ => self.rights.role.word(),
        };
        Entry {
            who: self.name.clone(),
            role: role.to_owned(),
            means: self.means.to_string(),
            address: self.address.to_string(),
            ..Entry::by_itself(kind, action)
        }
    }

    /// Whoever runs a command on the machine, by the system's name for them.
    #[must_use]
    pub fn command_line(name: &str) -> Self {
        let rights = Arc::new(Rights::of(Role::Admin));
        Self { name: name.to_owned(), means: AuthMethod::CommandLine, rights, address: IpAddr::V4(Ipv4Addr::LOCALHOST) }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("no accounts"),
            Self::Session(id) => write!(f, "session {id}"),
            Self::Token(id) => write!(f, "token {id}"),
            Self::Header => f.write_str("reverse proxy"),
            Self::Wall(id) => write!(f, "wall link {id}"),
            Self::CommandLine => f.write_str("command line"),
            Self::Nothing => Ok(()),
        }
    }
}
