//! The program itself: what it refuses to start with, and what it tells its supervisor.

use std::{
    fs,
    io::Read as _,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, EXPIRED, NOT_YET, NOW, Valid},
        fake::{Fake, recorded},
    },
};

fn sluice(command: &str, dir: &Path, config: &str) -> Command {
    let file = dir.join("sluice.toml");
    fs::write(&file, config).expect("written");
    let mut out = Command::new(env!("CARGO_BIN_EXE_sluice"));
    out.arg(command).arg("--config").arg(file).env_remove("NOTIFY_SOCKET").env("STATE_DIRECTORY", dir.join("data"));
    out
}

/// Ends with the test, whatever happens in it.
struct Running(Child);

impl Running {
    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.0.id());
        assert!(Command::new("sh").arg("-c").arg(line).status().expect("a shell").success());
    }

    /// What it wrote, after its end.
    fn end(mut self) -> (bool, String) {
        let began = Instant::now();
        let status = loop {
            match self.0.try_wait().expect("ours") {
                Some(status) => break status,
                None => assert!(began.elapsed() < PATIENCE, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut told = String::new();
        self.0.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
        (status.success(), told)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn told(Output { stdout, stderr, .. }: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr))
}

const NODE: &str = "[[node]]\nname = \"lb1\"\naddress = \"/nonexistent.sock\"\n";

#[test]
fn other_machines_are_not_served_without_tls_and_accounts() {
    let dir = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW).display().to_string();
    let tls = format!("listen = \"0.0.0.0:0\"\n{NODE}[tls]\ncertificate = \"{pem}\"\nkey = \"{pem}\"\n");
    let ca = certificates.path("ca").display().to_string();
    for (config, args, expected) in [
        (format!("listen = \"0.0.0.0:0\"\n{NODE}"), [].as_slice(), "sluice.toml:1:10: 0.0.0.0:0 can be reached from"),
        (
            NODE.to_owned(),
            &["--listen", "[::]:0"],
            "nothing would encrypt what they send: name a certificate, as [tls]",
        ),
        (tls.clone(), &[], "there are no accounts: whoever opens it could act on your servers"),
        (tls, &[], "`sluice user add NAME --role admin --password-stdin`"),
        (format!("listen = \"0.0.0.0:0\"\nbehind_proxy = true\n{NODE}"), &[], "there are no accounts"),
        (format!("{NODE}[tls]\ncertificate = \"/no.pem\"\nkey = \"/no.pem\"\n"), &[], "/no.pem: cannot read the file"),
        (format!("{NODE}[tls]\ncertificate = \"{pem}\"\nkey = \"{ca}\"\n"), &[], "there is no private key in the file"),
    ] {
        let out = sluice("serve", dir.path(), &config).args(args).output().expect("it runs");
        assert!(told(&out).contains(expected), "{config}: {}", told(&out));
        assert_eq!(out.status.code(), Some(78), "a supervisor need not try again: {config}");
    }
}

#[test]
fn a_certificate_that_browsers_refuse_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::new();
    let years: Valid = NOW;
    for (name, valid, expected) in [
        ("expired", EXPIRED, "the certificate has expired, it was valid from 2020-01-01T00:00:00Z until 2021-01-01"),
        ("early", NOT_YET, "the certificate is valid only from 2119-01-01T00:00:00Z until 2120-01-01"),
        ("good", years, "the certificate is valid from 2020-01-01T00:00:00Z until 2120-01-01"),
    ] {
        let pem = certificates.issue(name, &["sluice.test"], valid).display().to_string();
        let config = format!("listen = \"127.0.0.1:0\"\n{NODE}[tls]\ncertificate = \"{pem}\"\nkey = \"{pem}\"\n");
        let out = sluice("check", dir.path(), &config).output().expect("it runs");
        assert!(told(&out).contains(&format!("{pem}: {expected}")), "{}", told(&out));
        let notices = Notices::new();
        let mut command = sluice("serve", dir.path(), &config);
        command.env("NOTIFY_SOCKET", notices.path()).stderr(Stdio::piped());
        let running = Running(command.spawn().expect("it runs"));
        notices.wait("READY=1");
        running.signal("TERM");
        let (well, told) = running.end();
        assert!(well && told.contains(expected), "{told}");
        assert_eq!(told.contains("ERROR"), name != "good", "{told}");
    }
}

/// What a supervisor is told.
struct Notices {
    socket: UnixDatagram,
    dir: TempDir,
}

impl Notices {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = UnixDatagram::bind(dir.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        Self { socket, dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("notify")
    }

    /// The next one that has this line.
    fn wait(&self, line: &str) -> String {
        let began = Instant::now();
        let mut bytes = [0; 4096];
        while began.elapsed() < PATIENCE {
            if let Ok(length) = self.socket.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if text.lines().any(|l| l == line) {
                    return text;
                }
            }
        }
        panic!("never told: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_is_told_of_start_life_reload_and_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let fake = Fake::start(|line| Some(recorded(line)));
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW).display().to_string();
    let notices = Notices::new();
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[[node]]\nname = \"lb1\"\naddress = \"{}\"\n[tls]\ncertificate = \"{pem}\"\nkey = \"{pem}\"\n",
        fake.socket().display()
    );
    let mut command = sluice("serve", dir.path(), &config);
    command.env("NOTIFY_SOCKET", notices.path()).env("WATCHDOG_USEC", "600000").stderr(Stdio::piped());
    tokio::task::spawn_blocking(move || {
        let running = Running(command.spawn().expect("it runs"));
        let ready = notices.wait("READY=1");
        assert!(ready.contains("STATUS=serves https://127.0.0.1:"), "{ready}");
        for _ in 0..3 {
            notices.wait("WATCHDOG=1");
        }
        running.signal("HUP");
        assert!(notices.wait("RELOADING=1").contains("MONOTONIC_USEC="));
        notices.wait("READY=1");
        running.signal("TERM");
        notices.wait("STOPPING=1");
        let (well, told) = running.end();
        assert!(well, "{told}");
        assert!(told.contains("the certificate's files hold what they held"), "{told}");
    })
    .await
    .expect("no panic");
}
