//! One HAProxy process of one's own, in a folder of its own.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::{folder::Folder, process, program, socket};

/// Until the master answers once its worker does.
const MASTER_DEADLINE: Duration = Duration::from_secs(30);

/// The stats sockets that every one has: `admin.sock` and so on, each of the level that it is named after.
const LEVELS: [&str; 3] = ["admin", "operator", "user"];

/// How a HAProxy is to be started.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    program: Option<PathBuf>,
    is_master: bool,
    global: Vec<String>,
}

impl Builder {
    /// Runs this program in place of the installed one.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Runs it as a master with a worker, whose CLI is `master.sock`: so it can be reloaded.
    pub fn master(mut self) -> Self {
        self.is_master = true;
        self
    }

    /// Adds a line to section `global`, in which `DIR` stands for its folder. HAProxy 3 takes some (`nbthread`) in the
    /// first such section alone, so that they can't be among what [`Haproxy::configure`] is given.
    pub fn global(mut self, line: &str) -> Self {
        self.global.push(line.to_owned());
        self
    }

    /// Starts it for a test, and returns when it answers. `None`, aloud, where no HAProxy is installed and the test may
    /// be skipped. `proxies` is as for [`Haproxy::configure`].
    ///
    /// # Panics
    /// It does not start; or there is none, and `CI=true`.
    pub async fn start(mut self, proxies: &str) -> Option<Haproxy> {
        self.program = Some(self.program.or_else(program::for_test)?);
        match self.try_start(proxies).await {
            Ok(haproxy) => Some(haproxy),
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Starts it, and returns when it answers. `proxies` is as for [`Haproxy::configure`].
    ///
    /// # Errors
    /// There is no HAProxy, or it does not start; its own words are in the error.
    pub async fn try_start(mut self, proxies: &str) -> anyhow::Result<Haproxy> {
        let program = program::find(self.program.take().as_deref())?;
        let mut haproxy = Haproxy { process: None, program, settings: self, folder: Folder::new(None)? };
        haproxy.write(proxies)?;
        haproxy.run().await?;
        Ok(haproxy)
    }
}

/// A HAProxy, running or not. Dropping it ends the process with its workers, and removes its files.
#[derive(Debug)]
pub struct Haproxy {
    process: Option<Child>,
    program: PathBuf,
    settings: Builder,
    // Dropped last, after the process that writes into it.
    folder: Folder,
}

impl Haproxy {
    /// Says how one is to be started.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts the installed one for a test, as [`Builder::start`] does.
    ///
    /// # Panics
    /// As [`Builder::start`].
    pub async fn start(proxies: &str) -> Option<Self> {
        Self::builder().start(proxies).await
    }

    /// Writes the configuration of the next start or reload: these sections, in which `DIR` stands for its folder,
    /// after sections `global` and `defaults` (mode http) that they may add to or begin anew.
    ///
    /// # Panics
    /// The file can't be written.
    pub fn configure(&self, proxies: &str) {
        self.write(proxies).expect("a configuration");
    }

    /// Starts it again after [`Haproxy::stop`], and returns when it answers.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_again(&mut self) {
        if let Err(error) = self.run().await {
            panic!("{error:#}");
        }
    }

    /// Has the master read the configuration again; without waiting for that, and whether or not it can.
    ///
    /// # Panics
    /// It does not run.
    pub fn reload(&self) {
        self.signal("USR2");
    }

    /// Keeps the process from running, until [`Haproxy::thaw`]. The kernel still takes connections for it.
    ///
    /// # Panics
    /// It does not run.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen process go on.
    ///
    /// # Panics
    /// It does not run.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Kills it as a crash would: its sockets stay on disk.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&mut self) {
        process::kill(&mut self.process.take().expect("it runs"));
    }

    /// The process that was started: the master, where there is one. `None` once it is known to have ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref()?.id()
    }

    /// The stats socket that permits everything.
    #[must_use]
    pub fn admin(&self) -> PathBuf {
        self.path("admin.sock")
    }

    /// The stats socket that permits reading.
    #[must_use]
    pub fn operator(&self) -> PathBuf {
        self.path("operator.sock")
    }

    /// The stats socket that permits reading what is not sensitive.
    #[must_use]
    pub fn user(&self) -> PathBuf {
        self.path("user.sock")
    }

    /// A file in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signal(&self, name: &str) {
        let pid = self.pid().expect("it runs");
        assert!(process::signal(pid, name), "kill -{name} {pid}");
    }

    fn write(&self, proxies: &str) -> anyhow::Result<()> {
        let file = self.path("haproxy.cfg");
        fs::write(&file, configuration(&self.settings.global, self.folder.path(), proxies))
            .with_context(|| format!("{} can't be written", file.display()))
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        let (log, master) = (self.path("haproxy.log"), self.path("master.sock"));
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&self.program);
        if self.settings.is_master {
            command.arg("-W").arg("-S").arg(&master);
        }
        // In the foreground, so that a lone process is the worker.
        command.args(["-db", "-f"]).arg(self.path("haproxy.cfg"));
        command.stdout(Stdio::from(output.try_clone()?)).stderr(output);
        self.process = Some(process::start(&mut command, &self.admin(), &log).await?);
        if !self.settings.is_master {
            return Ok(());
        }
        // The master begins anew when its worker runs, and refuses connections for a moment.
        let deadline = Instant::now() + MASTER_DEADLINE;
        while socket::ask_master(&master, "show proc").await.is_err() {
            if Instant::now() > deadline {
                bail!("HAProxy's master did not answer in {MASTER_DEADLINE:?}");
            }
            sleep(process::RETRY).await;
        }
        Ok(())
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process::end(process);
        }
    }
}

fn configuration(global: &[String], dir: &Path, proxies: &str) -> String {
    let mut text = "global\n".to_owned();
    let sockets = LEVELS.map(|level| format!("stats socket DIR/{level}.sock level {level}"));
    for line in sockets.iter().chain(global) {
        // Writing into a String can't fail.
        let _: std::fmt::Result = writeln!(text, "\t{line}");
    }
    text += "defaults\n\tmode http\n\ttimeout connect 10s\n\ttimeout client 60s\n\ttimeout server 60s\n";
    text += proxies;
    text.replace("DIR", &dir.display().to_string())
}

#[cfg(test)]
mod tests;
