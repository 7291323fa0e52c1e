//! Where commands find the data folder.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{ConfigError, DEFAULT_FILE, LocalSettings, default_data};

/// Which data folder a command works on: the one that `sluice serve` would use.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// The folder of accounts and audit log [default: what the configuration says]
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
    /// When the configuration is needed for that, and can't be read.
    pub fn folder(&self) -> Result<PathBuf, ConfigError> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.settings()?.data),
        }
    }

    /// What the configuration says; the defaults where there is none.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn settings(&self) -> Result<LocalSettings, ConfigError> {
        let default_file = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| Path::exists(path));
        match self.config.clone().or_else(default_file) {
            Some(file) => LocalSettings::of(&file),
            None => Ok(LocalSettings { data: default_data(), url: None }),
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
        // Files that only the service can read, and mistakes that it would report, don't matter here.
        let file = dir.path().join("service.toml");
        let rest = "[tls]\ncertificate = \"/run/credentials/x\"\nkey = \"/run/credentials/y\"\n[[nod]]\n";
        std::fs::write(&file, format!("data = \"/srv/sluice\"\nurl = \"https://s.example\"\n{rest}")).expect("written");
        assert_eq!(folder(None, Some(file.clone())).expect("a folder"), PathBuf::from("/srv/sluice"));
        let settings = DataArgs { data: None, config: Some(file) }.settings().expect("settings");
        assert_eq!(settings.url.map(|url| url.to_string()).as_deref(), Some("https://s.example"));
    }
}
