//! The program under measurement, as a child.

use std::{
    collections::HashMap,
    env,
    ffi::OsStr,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::{http, ports, process};

/// Which program to measure, in place of the one beside this benchmark.
const VARIABLE: &str = "SLUICE_BIN";

/// The node's name, and so its cluster's, in the topics.
pub(crate) const NODE: &str = "bench";

/// Until it serves, in steps of [`RETRY`].
const ATTEMPTS: u32 = 200;
const RETRY: Duration = Duration::from_millis(50);

/// A running program, which is killed when this is dropped.
pub(crate) struct Sluice {
    child: Child,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

/// The program to measure: `SLUICE_BIN`, or the one of the same build.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let path = match env::var_os(VARIABLE) {
        Some(path) => PathBuf::from(path),
        // This is target/release/examples/bench.
        None => env::current_exe()?.ancestors().nth(2).context("no folder above this program")?.join("sluice"),
    };
    ensure!(path.is_file(), "there is no program {}: build it with `make`, or set {VARIABLE}", path.display());
    Ok(path)
}

impl Sluice {
    /// `sluice serve` on one stats socket.
    pub(crate) async fn serve(program: &Path, socket: &Path, dir: &Path) -> anyhow::Result<Self> {
        let socket = format!("{NODE}={}", socket.display());
        let data = dir.join("data");
        let args = ["serve", "--socket", &socket, "--data"].map(OsStr::new);
        Self::start(program, args.into_iter().chain([data.as_os_str()]), dir).await
    }

    /// `sluice serve` with a configuration.
    pub(crate) async fn configured(program: &Path, config: &Path, dir: &Path) -> anyhow::Result<Self> {
        Self::start(program, [OsStr::new("serve"), OsStr::new("--config"), config.as_os_str()], dir).await
    }

    async fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        dir: &Path,
    ) -> anyhow::Result<Self> {
        let (address, log) = (ports::one()?, dir.join("sluice.log"));
        let child = Command::new(program)
            .args(args)
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        let mut sluice = Self { child, address };
        for _ in 0..ATTEMPTS {
            if let Some(status) = sluice.child.try_wait()? {
                bail!("Sluice ended at once ({status}): {}", fs::read_to_string(&log).unwrap_or_default());
            }
            if http::get(address, "/healthz").await.is_ok() {
                return Ok(sluice);
            }
            sleep(RETRY).await;
        }
        bail!("Sluice does not serve: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Its process.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("Sluice has ended")
    }

    /// One of its own figures, summed over its labels.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = http::get(self.address, "/metrics").await?.text();
        let of = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next() == Some(name)).then(|| value.parse::<f64>().ok())?
        };
        Ok(text.lines().filter_map(of).sum())
    }

    /// Requests that each server of HAProxy's has taken so far (`stot`), as the API tells them.
    pub(crate) async fn requests(&self) -> anyhow::Result<HashMap<String, f64>> {
        /// `type` of a server's row.
        const SERVER: u64 = 2;
        let stats: Value = serde_json::from_slice(&http::get(self.address, "/api/v1/stats").await?.body)?;
        let rows = stats["nodes"][0]["rows"].as_array().context("the API told no rows")?;
        let servers = rows.iter().filter(|row| row["type"] == SERVER);
        Ok(servers.map(|r| (format!("{}/{}", r["pxname"], r["svname"]), r["stot"].as_f64().unwrap_or(0.0))).collect())
    }

    /// Ends it as a supervisor would.
    pub(crate) async fn stop(self) {
        process::end(self.child).await;
    }
}
