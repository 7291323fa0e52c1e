//! Where the command line finds what Sluice keeps.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, ConfigError, DEFAULT_FILE, Source, default_data};

/// Which folder a command works on: the same that `sluice serve` would use.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// The folder of accounts and record [default: what the configuration says]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file [default: /etc/sluice/sluice.toml, where it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl DataArgs {
    /// The folder.
    ///
    /// # Errors
    /// When the configuration can't be read.
    pub fn folder(&self) -> Result<PathBuf, ConfigError> {
        let usual = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| Path::exists(path));
        match (&self.data, self.config.clone().or_else(usual)) {
            (Some(data), _) => Ok(data.clone()),
            (None, Some(file)) => Ok(Config::load(&Source::File(file))?.data),
            (None, None) => Ok(default_data()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_argument_s_and_else_the_file_s() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("sluice.toml");
        std::fs::write(&file, "data = \"/srv/sluice\"\n[[node]]\nname = \"a\"\naddress = \"/x\"\n").expect("written");
        let folder = |data: Option<&str>, config| DataArgs { data: data.map(Into::into), config }.folder();
        assert_eq!(folder(None, Some(file.clone())).expect("a folder"), PathBuf::from("/srv/sluice"));
        assert_eq!(folder(Some("/tmp/x"), Some(file)).expect("a folder"), PathBuf::from("/tmp/x"));
        assert!(folder(None, Some(dir.path().join("missing.toml"))).is_err());
    }
}
