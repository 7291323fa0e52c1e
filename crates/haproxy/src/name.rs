//! The names of proxies and servers, as the only unchecked words that ever reach a command line.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name that is taken, in bytes.
///
/// Far longer than anybody's names, and two of this length keep a command below 4 kB, a quarter of the line that
/// HAProxy takes.
const MAX_NAME: usize = 1024;

/// Why a text is not the name of a proxy or a server.
///
/// HAProxy takes `[A-Za-z0-9_.:-]+` alone (`invalid_char` in its `tools.c`), so a name that fails here exists nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No characters at all.
    #[error("a name can't be empty")]
    Empty,
    /// More bytes than a command line has room for.
    #[error("a name of {length} bytes is too long: {MAX_NAME} are the most")]
    TooLong {
        /// The length of what was given, in bytes.
        length: usize,
    },
    /// A character that HAProxy allows in no name.
    #[error("{character:?} can't be in a name: letters, digits, `_`, `.`, `:` and `-` can")]
    Character {
        /// The first such character.
        character: char,
    },
}

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong { length: text.len() });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    match text.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(NameError::Character { character }),
        None => Ok(Arc::from(text)),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as HAProxy writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                checked(text).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                checked(text).map(Self)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a frontend, backend or listen section (`pxname`). A clone shares the text.
    ProxyName
}

name! {
    /// The name of a server within its backend (`svname`). A clone shares the text.
    ServerName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_haproxy_allows_is_taken() {
        for text in ["be_odd.name:with_all-chars_1", "s", "2001", "-", "A:Z"] {
            assert_eq!(text.parse::<ProxyName>().expect(text).as_str(), text);
        }
        assert!("x".repeat(MAX_NAME).parse::<ServerName>().is_ok());
    }

    #[test]
    fn what_could_end_or_bend_a_command_is_refused() {
        for character in [' ', '\n', '\r', '\0', ';', '/', '\\', '#', '"', '@', '<', '\t', 'é', '\u{ff11}'] {
            let text = format!("s{character}1");
            let refused = ServerName::try_from(text.as_str());
            assert_eq!(refused, Err(NameError::Character { character }));
        }
        assert_eq!(ServerName::try_from(""), Err(NameError::Empty));
        assert_eq!("x".repeat(MAX_NAME + 1).parse::<ProxyName>(), Err(NameError::TooLong { length: MAX_NAME + 1 }));
    }
}
