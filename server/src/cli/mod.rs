//! The command line: its commands and arguments, and the configuration that they make.
//!
//! Nothing here prints by itself: commands write to whatever they are given.

mod audit;
mod check;
mod data;
mod system_user;
mod token;
mod user;

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

pub use audit::{AuditArgs, audit};
pub use check::check;
pub use data::DataArgs;
pub use system_user::system_user;
pub use token::{TokenArgs, TokenCommand, TokenCommandError, WallArgs, WallCommand, token, wall};
pub use user::{UserArgs, UserCommand, UserCommandError, user};

use crate::config::{Config, ConfigError, LogFormat, SocketArg, Source, parse_listen};

/// What `sluice demo` answers: HAProxy processes and traffic to look at are no part of the program that is shipped.
pub const DEMO_MOVED: &str = "there is no demo in this program; in Sluice's source `make demo` starts one, or start \
                              `sluice-lab`, and then `sluice serve --config DIR/sluice.toml` with the folder that it names";

/// Real-time dashboard for HAProxy.
#[derive(Debug, Parser)]
#[command(name = "sluice", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Poll HAProxy and serve the dashboard
    Serve(ServeArgs),
    /// Say what is wrong with a configuration, and try each node
    Check(SourceArgs),
    /// Make, change, end and list local accounts
    User(UserArgs),
    /// Make, list and end API tokens, for scripts
    Token(TokenArgs),
    /// Make, list and end wall links, for displays
    Wall(WallArgs),
    /// Say where the demo is: in Sluice's source, `make demo`
    #[command(hide = true, disable_help_flag = true)]
    Demo(DemoArgs),
    /// Check the audit log of what was done, or write it out
    Audit(AuditArgs),
}

/// Arguments of `sluice demo`: whatever somebody or a script still gives it.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Not looked at.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub ignored: Vec<OsString>,
}

/// Arguments of `sluice serve`.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Where the nodes come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Where to serve the dashboard: an IP address and a port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = parse_listen)]
    pub listen: Option<SocketAddr>,
    /// The folder of accounts and audit log [default: /var/lib/sluice for root, the user's state folder otherwise]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How log lines look, `human` or `json` [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Where the nodes come from: a file, sockets, or the usual places.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArgs {
    /// The configuration file [default: /etc/sluice/sluice.toml, where it exists]
    #[arg(long, value_name = "FILE", conflicts_with = "socket")]
    pub config: Option<PathBuf>,
    /// A stats socket of HAProxy, in place of a file; may be given several times: /PATH, abns@NAME, tcp://HOST:PORT or
    /// tls://HOST:PORT
    #[arg(long, value_name = "ADDR|NAME=ADDR")]
    pub socket: Vec<SocketArg>,
}

impl ServeArgs {
    /// The whole configuration. An argument overrides the file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load(&self.source.source())?;
        config.listen = self.listen.unwrap_or(config.listen);
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        config.log = self.log_format.unwrap_or(config.log);
        Ok(config)
    }
}

impl SourceArgs {
    /// Where the configuration comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        match &self.config {
            Some(path) => Source::File(path.clone()),
            None if self.socket.is_empty() => Source::Search,
            None => Source::Sockets(self.socket.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(args: &[&str]) -> Result<ServeArgs, String> {
        let line = ["sluice", "serve"].iter().chain(args);
        match Cli::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Serve(args) => Ok(args),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_demo_takes_any_arguments_and_is_not_in_the_help() {
        for args in [&["--lab-only", "--dir", "/x", "--port", "1"][..], &["--help"], &["-h"], &["x", "--version"], &[]]
        {
            let line = ["sluice", "demo"].iter().chain(args);
            let command = Cli::try_parse_from(line).expect("whatever is said").command;
            assert!(matches!(command, Command::Demo(_)), "{command:?}");
        }
        assert!(!Cli::command().render_long_help().to_string().contains("demo"));
    }

    #[test]
    fn sockets_listen_and_log_format_make_a_configuration() {
        let args = ["--socket", "a=/x", "--socket", "/y.sock", "--listen", "[::1]:9", "--log-format", "json"];
        let config = serve(&args).expect("good arguments").load().expect("a configuration");
        assert_eq!(config.listen.to_string(), "[::1]:9");
        assert_eq!(config.log, LogFormat::Json);
        assert_eq!(config.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["a", "y"]);
    }

    #[test]
    fn an_argument_goes_before_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("sluice.toml");
        std::fs::write(
            &path,
            "listen = \"127.0.0.1:1\"\nlog.format = \"json\"\nnode = [{name=\"a\",address=\"/x\"}]\n",
        )
        .expect("written");
        let file = path.to_str().expect("a path");
        assert_eq!(serve(&["--config", file]).expect("good").load().expect("a file").listen.port(), 1);
        let config = serve(&["--config", file, "--listen", "127.0.0.1:2"]).expect("good").load().expect("a file");
        assert_eq!((config.listen.port(), config.log), (2, LogFormat::Json));
    }

    #[test]
    fn wrong_arguments_say_what_to_write() {
        for (args, told) in [
            (["--listen", "8080"].as_slice(), "write an IP address and a port"),
            (&["--log-format", "xml"], "write \"human\" or \"json\""),
            (&["--socket", "tcp://1.2.3.4"], "has no port"),
            (&["--socket", "/x", "--config", "y"], "cannot be used with"),
            (&["--sockets", "/x"], "--socket"),
        ] {
            let message = serve(args).expect_err("wrong");
            assert!(message.contains(told), "{message}");
        }
    }
}
