//! The configuration: where to listen, which HAProxy processes there are, and everything else that is set at the start.
//!
//! It comes from a TOML file, from `--socket`, or from a search in the usual places. Certificates and keys are read here;
//! nothing connects to anything.

mod audit;
mod data;
mod defaults;
mod error;
mod file;
mod identity;
mod limits;
mod listen;
mod listener;
mod log_format;
mod node;
mod reader;
mod rules;
mod search;
mod sessions;
mod settings;
mod socket;
mod source;
mod tls;
mod transport;
mod url;

pub use data::default as default_data;
pub use defaults::{DEFAULT_FILE, DEFAULT_LISTEN, DEFAULT_POLL};
pub use error::{ConfigError, Mistake};
pub use identity::CALLBACK;
pub use limits::{ConnectionLimits, DEFAULT_CONNECTIONS, DEFAULT_PER_ADDRESS};
pub use listen::{ListenError, parse_listen};
pub use listener::ListenerConfig;
pub use log_format::{LogFormat, LogFormatError};
pub use node::NodeConfig;
pub use settings::{Config, LocalSettings};
pub use socket::{SocketArg, SocketArgError};
pub use source::Source;
pub use url::{PublicUrl, PublicUrlError};

pub(crate) use url::origin;
