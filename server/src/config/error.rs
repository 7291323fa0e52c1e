//! What is wrong with a configuration, in words that say where and what to write instead.

use std::{
    fmt::{self, Write as _},
    io,
    path::{Path, PathBuf},
};

use haproxy::{Address, TlsError};

use super::defaults::DEFAULT_FILE;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read at all.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was read, and is wrong; a line per mistake.
    #[error("{}", listed(path, mistakes))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// At least one, in the order of the file.
        mistakes: Vec<Mistake>,
    },
    /// Two `--socket` with one name.
    #[error("there are two sockets named `{name}`: give each node a name of its own, as --socket NAME=PATH")]
    SameName {
        /// The name.
        name: String,
    },
    /// One `--socket` twice.
    #[error("{address} is given twice: each node has a socket of its own")]
    SameAddress {
        /// The address.
        address: Address,
    },
    /// A `--socket` with TLS that can't be set up.
    #[error("{address}: {source}; a file of nodes has the key `ca` for it")]
    Tls {
        /// The address.
        address: Address,
        /// Why not.
        source: TlsError,
    },
    /// Nobody said where HAProxy is, and it is at none of the usual places.
    #[error("{}", nowhere(looked))]
    NothingFound {
        /// Each place, and what was there instead.
        looked: Vec<(PathBuf, &'static str)>,
    },
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

fn listed(path: &Path, mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(|mistake| format!("{}:{mistake}", path.display())).collect();
    lines.join("\n")
}

fn nowhere(looked: &[(PathBuf, &'static str)]) -> String {
    let mut text = String::from("found no stats socket of HAProxy. Looked at:\n");
    for (path, found) in looked {
        // Writing into a String can't fail.
        let _ = writeln!(text, "  {}: {found}", path.display());
    }
    text.push_str(
        "If HAProxy runs here, write this into the section `global` of its haproxy.cfg and reload it:\n  \
         stats socket /run/haproxy/admin.sock mode 660 level admin\n",
    );
    let _ = write!(text, "If its socket is elsewhere, say so with `--socket PATH`, or in {DEFAULT_FILE}.");
    text
}
