//! The lab as a whole: what it starts, in which order, and its end.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use tokio::{
    net::TcpListener,
    process::{ChildStdin, Command},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    LabArgs, agent, database,
    layout::{self, Layout, NODES, PORTS, Part},
    node::{self, LabNode},
    traffic,
};
use crate::{folder::Folder, program, web};

const WARDEN: &str = include_str!("warden.sh");

/// A running lab. [`Lab::stop`] ends it and waits; dropping it ends it without waiting.
pub struct Lab {
    config: PathBuf,
    pids: Vec<PathBuf>,
    tasks: TaskTracker,
    ending: DropGuard,
    folder: Folder,
    // Closed last: the warden then finds the folder gone, and ends.
    _warden: ChildStdin,
}

impl Lab {
    /// Starts servers, both nodes and traffic, and returns once both stats sockets answer.
    ///
    /// The lab ends when `shutdown` is cancelled, too; [`Lab::stop`] then waits for that and removes the folder.
    ///
    /// # Errors
    /// No HAProxy, a port that is taken, a folder that can't be used, or a HAProxy that won't start: each says what to
    /// do about it. What had been started by then is ended.
    pub async fn start(args: &LabArgs, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let layout = Layout::new(args.port)
            .with_context(|| format!("--port {} leaves no room for the lab's {PORTS} ports below 65536", args.port))?;
        let haproxy = program::find(args.haproxy.as_deref())?;
        // HAProxy binds these itself. Asking first gives a better answer than its log, and leaves nothing half started.
        for (index, node) in NODES.into_iter().enumerate() {
            drop(bind(&format!("{node}'s frontend www"), layout.www(index)).await?);
            drop(bind(&format!("{node}'s frontend db-in"), layout.db_in(index)).await?);
        }
        let mut folder = Folder::new(args.dir.as_deref())?;
        let warden = set_warden(&folder)?;

        let token = shutdown.child_token();
        let ending = token.clone().drop_guard();
        let tasks = TaskTracker::new();
        for (name, address, part) in layout.servers() {
            let listener = bind(name, address).await?;
            let token = token.clone();
            match part {
                Part::Web(health) => {
                    tasks.spawn(web::serve(listener, web::Behaviour { name: name.to_owned(), health }, token));
                }
                Part::Agent(words) => {
                    tasks.spawn(agent::serve(listener, words, token));
                }
                Part::Database => {
                    tasks.spawn(database::serve(listener, token));
                }
            }
        }

        let mut pids = Vec::new();
        for (index, name) in NODES.into_iter().enumerate() {
            let node = prepare(&mut folder, layout, index, &haproxy)?;
            pids.push(folder.file(&format!("{name}.pid")));
            let child = node::start(&node).await?;
            tasks.spawn(node::watch(node, child, token.clone()));
            let load = traffic::Load {
                node: name,
                www: layout.www(index),
                db: layout.db_in(index),
                phase: index as f64 / NODES.len() as f64,
                lasts: args.traffic_for,
            };
            tasks.spawn(traffic::run(load, token.clone()));
        }
        tasks.close();

        let data = folder.dir("data");
        let config = folder.write("sluice.toml", &layout::sluice_config(folder.path(), &data))?;
        tracing::info!(dir = %folder.path().display(), haproxy = %haproxy.display(), "the demo lab is up: {} and {}", NODES[0], NODES[1]);
        Ok(Self { config, pids, tasks, ending, folder, _warden: warden })
    }

    /// A `sluice.toml` with both nodes.
    #[must_use]
    pub fn config_path(&self) -> &Path {
        &self.config
    }

    /// The lab's folder. It holds, for each node, `lb1.sock` (stats), `lb1.master` (master CLI), `lb1.cfg`, `lb1.log`,
    /// `lb1.pid` (the master's, for SIGUSR2 or SIGTERM) and `lb1.cmd` (a shell script that starts the node again).
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Ends everything, and returns when it has ended and the files are gone.
    pub async fn stop(self) {
        drop(self.ending);
        self.tasks.wait().await;
        for file in &self.pids {
            node::end_by_pid_file(file).await;
        }
    }
}

/// Writes a node's files.
fn prepare(folder: &mut Folder, layout: Layout, index: usize, haproxy: &Path) -> anyhow::Result<LabNode> {
    let name = NODES[index];
    let dir = folder.path().to_owned();
    folder.write(&format!("{name}.cfg"), &layout.config(index, &dir.to_string_lossy()))?;
    folder.file(&format!("{name}.master"));
    Ok(LabNode {
        name,
        socket: folder.file(&format!("{name}.sock")),
        log: folder.file(&format!("{name}.log")),
        command: folder.write(&format!("{name}.cmd"), &node::start_script(haproxy, &dir, name))?,
    })
}

/// Binds one of the lab's ports. `whose` it is goes into the error.
async fn bind(whose: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!(
                "port {} (for {whose}) is taken: end what listens there, or give the lab {PORTS} other ports with --port BASE",
                address.port()
            )
        }
        Err(error) => Err(error).with_context(|| format!("{address} (for {whose}) can't be bound")),
    }
}

/// Starts the shell that cleans up after us should we be killed outright. It lives as long as the pipe is open.
fn set_warden(folder: &Folder) -> anyhow::Result<ChildStdin> {
    let mut warden = Command::new("/bin/sh")
        .args(["-c", WARDEN, "sluice-lab-warden"])
        .arg(folder.path())
        .arg(if folder.is_ours() { "remove" } else { "keep" })
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("/bin/sh can't be started")?;
    warden.stdin.take().context("the warden has no input")
}
