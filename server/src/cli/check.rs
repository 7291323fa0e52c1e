//! `sluice check`: what is wrong with a configuration, and what each node answers.

use std::{
    io::{self, Write},
    time::SystemTime,
};

use futures::future;
use haproxy::{Client, Error, Level, Limits};

use super::SourceArgs;
use crate::{
    config::{Config, NodeConfig},
    tls::{CertificateStatus, ServerCertificate},
};

/// Writes what is wrong with the configuration, then a line per node; whether all is well.
///
/// # Errors
/// When `out` can't be written to.
pub async fn check(args: &SourceArgs, out: &mut impl Write) -> io::Result<bool> {
    let config = match Config::load(&args.source()) {
        Ok(config) => config,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(false);
        }
    };
    for warning in config.warnings() {
        writeln!(out, "warning: {warning}")?;
    }
    let is_valid = certificate(&config, out)?;
    let reports = future::join_all(config.nodes.iter().map(report)).await;
    for (node, result) in config.nodes.iter().zip(&reports) {
        let text = match result {
            Ok(report) => report.to_string(),
            Err(error) => error.to_string(),
        };
        writeln!(out, "{} (cluster {}, {}): {text}", node.name, node.cluster, node.connector.address)?;
    }
    Ok(is_valid && reports.iter().all(Result::is_ok))
}

/// Writes until when Sluice's own certificate is valid, where it has one; returns whether browsers accept it today.
fn certificate(config: &Config, out: &mut impl Write) -> io::Result<bool> {
    let Some(files) = &config.tls else { return Ok(true) };
    let (now, path) = (SystemTime::now(), files.certificate.display());
    match ServerCertificate::load(files) {
        Ok(certificate) => {
            writeln!(out, "{path}: {}", certificate.validity().describe(now))?;
            Ok(matches!(certificate.validity().status(now), CertificateStatus::Valid | CertificateStatus::ExpiresSoon))
        }
        // It could be read a moment ago, with the configuration.
        Err(error) => {
            writeln!(out, "{error}")?;
            Ok(false)
        }
    }
}

/// What a node reports about itself.
struct NodeReport {
    version: String,
    /// `None` where HAProxy is older than `show cli level`.
    level: Option<Level>,
    rows: usize,
}

impl std::fmt::Display for NodeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HAProxy {}, ", self.version)?;
        match self.level {
            Some(Level::Admin) => write!(f, "level admin, ")?,
            Some(level) => write!(f, "level {level} (actions need `level admin`), ")?,
            None => write!(f, "level unknown, ")?,
        }
        match self.rows {
            1 => write!(f, "1 row"),
            rows => write!(f, "{rows} rows"),
        }
    }
}

/// Sends a node all the requests that the dashboard sends.
async fn report(node: &NodeConfig) -> Result<NodeReport, Error> {
    let client = Client::new(node.connector.clone(), Limits::default());
    let info = client.info().await?;
    let stat = client.stat().await?;
    client.servers_state().await?;
    let level = match client.level().await {
        Ok(level) => Some(level),
        Err(Error::UnknownCommand { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut rows = 0;
    stat.for_each(|_| rows += 1);
    Ok(NodeReport { version: info.get("Version").unwrap_or("of unknown version").to_owned(), level, rows })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::UnixListener,
    };

    use testkit::recordings::NEWEST;

    use super::*;

    /// Answers each request as HAProxy 3.2 would.
    async fn pretend(listener: UnixListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 64];
            let length = stream.read(&mut request).await.expect("a request");
            let reply: &[u8] = match &request[..length] {
                b"show cli level\n" => b"operator\n\n",
                line => {
                    let line = std::str::from_utf8(line).expect("a command").trim_end();
                    NEWEST.reply(line).unwrap_or(b"Unknown command\n\n")
                }
            };
            stream.write_all(reply).await.expect("sent");
        }
    }

    async fn checked(config: PathBuf) -> (bool, String) {
        let mut out = Vec::new();
        let good = check(&SourceArgs { config: Some(config), socket: Vec::new() }, &mut out).await.expect("written");
        (good, String::from_utf8(out).expect("text"))
    }

    #[tokio::test]
    async fn every_node_has_its_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let [file, socket] = ["sluice.toml", "h.sock"].map(|name| dir.path().join(name));
        let node = |name: &str, path: &str| format!("[[node]]\nname = \"{name}\"\naddress = \"{path}\"\n");
        tokio::spawn(pretend(UnixListener::bind(&socket).expect("bound")));
        let good = node("lb1", &socket.to_string_lossy());
        std::fs::write(&file, &good).expect("written");
        let (is_good, text) = checked(file.clone()).await;
        assert!(is_good, "{text}");
        assert!(text.starts_with("lb1 (cluster lb1, unix:/"), "{text}");
        assert!(text.contains("HAProxy 3.2.26"), "{text}");
        assert!(text.contains("level operator (actions need `level admin`)"), "{text}");

        std::fs::write(&file, good + &node("lb2", "/nonexistent.sock")).expect("written");
        let (is_good, text) = checked(file).await;
        assert!(!is_good);
        assert!(
            text.lines().nth(1).is_some_and(|line| line.starts_with("lb2 ") && line.contains("no such socket")),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_wrong_file_is_told_with_its_place() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("sluice.toml");
        std::fs::write(&file, "[[nod]]\n").expect("written");
        let (is_good, text) = checked(file).await;
        assert!(!is_good);
        assert!(text.contains("sluice.toml:1:3: unknown key `nod`: did you mean `node`?"), "{text}");
    }
}
