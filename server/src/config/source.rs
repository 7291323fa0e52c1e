//! Where the configuration comes from.

use std::path::PathBuf;

use super::{
    error::ConfigError,
    file, search,
    settings::Config,
    socket::{self, SocketArg},
};

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Sockets named on the command line, and the default of everything else.
    Sockets(Vec<SocketArg>),
    /// [`DEFAULT_FILE`] where it exists, otherwise the first stats socket at the usual places.
    Search,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// With every mistake of a file at once, each at its line and column; or with what to do when there is nothing.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        match source {
            Source::File(path) => file::load(path),
            Source::Sockets(sockets) => Ok(Self::of_nodes(socket::nodes(sockets)?)),
            Source::Search => search::search(),
        }
    }
}
