//! `sluice-lab` as a program, and `scripts/demo.sh` around it with a stand-in for Sluice.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use lab::{demo::PORTS, program};
use tempfile::TempDir;

const LAB: &str = env!("CARGO_BIN_EXE_sluice-lab");

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program and what it writes. Dropping it asks it to end.
struct Running {
    child: Child,
    dir: TempDir,
}

impl Running {
    fn start(program: &Path, environment: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name| fs::File::create(dir.path().join(name)).expect("a file");
        // It writes down how it was called, and stays.
        let stand_in = dir.path().join("sluice");
        fs::write(&stand_in, "echo $$ \"$@\" >\"$STARTED\"; exec sleep 600\n").expect("a script");
        make_executable(&stand_in);
        let child = Command::new(program)
            .args(["--port", &free_ports().to_string(), "--traffic-for", "60s"])
            .envs(environment.iter().copied())
            .env("SLUICE_LAB_BIN", LAB)
            .env("SLUICE_BIN", &stand_in)
            .env("STARTED", dir.path().join("started"))
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .expect("it runs");
        Self { child, dir }
    }

    /// What is in one of its files by now.
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    /// Waits for a line in one of its files that `find` takes.
    fn until<T>(&mut self, name: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = self.file(name).lines().find_map(&find) {
                return found;
            }
            let ended = self.child.try_wait().expect("ours");
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "{ended:?}, {name}: {}", self.file("err"));
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) -> ExitStatus {
        until("it ends", || self.child.try_wait().expect("ours"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends what it started, which a kill would leave behind.
        if let Ok(None) = self.child.try_wait() {
            signal("TERM", self.child.id());
            self.end();
        }
    }
}

fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not in time");
        thread::sleep(Duration::from_millis(20));
    }
}

fn make_executable(script: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let text = fs::read_to_string(script).expect("a script");
    fs::write(script, format!("#!/bin/sh\n{text}")).expect("a script");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).expect("ours");
}

fn signal(name: &str, pid: u32) {
    let kill = ["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid.to_string()];
    assert!(Command::new("/bin/sh").args(kill).status().expect("a shell").success(), "{name} {pid}");
}

/// Whether a process runs. One that has ended stays in the table until its parent has asked for its status.
fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The first of as many free ports as the lab takes.
fn free_ports() -> u16 {
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut bases = std::iter::repeat_with(|| fastrand::u16(20_000..30_000)).take(200);
    bases.find(|base| (*base..base + PORTS).all(is_free)).expect("free ports")
}

/// The path of the configuration in the line of the lab, or among the arguments of the stand-in.
fn config(line: &str) -> Option<PathBuf> {
    line.split(' ').skip_while(|word| *word != "--config").nth(1).map(PathBuf::from)
}

/// The pids of both masters.
fn masters(config: &Path) -> Vec<u32> {
    let pid = |node: &str| fs::read_to_string(config.with_file_name(format!("{node}.pid"))).expect("a pid file");
    ["lb1", "lb2"].map(|node| pid(node).trim().parse().expect("a pid")).to_vec()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/demo.sh")
}

/// An address that nobody listens on yet.
fn address() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").to_string()
}

#[test]
fn the_lab_says_how_to_look_at_it_and_leaves_nothing_behind() {
    if program::for_test().is_none() {
        return;
    }
    for name in ["INT", "TERM"] {
        let mut lab = Running::start(Path::new(LAB), &[]);
        let line = lab.until("out", |line| Some(line.to_owned()));
        assert!(line.starts_with("the lab runs; sluice serve --config /"), "{line}");
        let config = config(&line).expect("a path");
        assert!(fs::read_to_string(&config).expect("a configuration").contains("cluster = \"edge\""));
        let masters = masters(&config);
        assert!(masters.iter().all(|pid| runs(*pid)));
        signal(name, lab.child.id());
        assert!(lab.end().success(), "{}", lab.file("err"));
        assert!(!masters.iter().any(|pid| runs(*pid)) && !config.parent().expect("a folder").exists());
    }
}

#[test]
fn the_demo_tells_its_address_and_an_interrupt_ends_all_of_it() {
    if program::for_test().is_none() {
        return;
    }
    let address = address();
    let mut demo = Running::start(&script(), &[("LISTEN", &address)]);
    let started = demo.until("started", |line| line.ends_with(&address).then(|| line.to_owned()));
    assert!(started.contains(" serve --config "), "{started}");
    let sluice: u32 = started.split(' ').next().and_then(|word| word.parse().ok()).expect("a pid");
    let config = config(&started).expect("a path");
    let masters = masters(&config);
    // Sluice serves.
    let _listener = TcpListener::bind(&address).expect("still free");
    demo.until("err", |line| line.contains(&format!("http://{address}")).then_some(()));

    signal("INT", demo.child.id());
    assert!(demo.end().success(), "{}", demo.file("err"));
    assert!(!runs(sluice) && !masters.iter().any(|pid| runs(*pid)));
    assert!(!config.parent().expect("a folder").exists());
}

#[test]
fn each_part_of_the_demo_ends_with_the_other_and_says_why() {
    if program::for_test().is_none() {
        return;
    }
    for (part, words) in [
        ("sluice", "sluice serve has ended (exit code 137), and so does the lab"),
        ("lab", "sluice-lab has ended (exit code 137), and so does Sluice"),
    ] {
        let address = address();
        let mut demo = Running::start(&script(), &[("LISTEN", &address)]);
        let started = demo.until("started", |line| line.ends_with(&address).then(|| line.to_owned()));
        let sluice: u32 = started.split(' ').next().and_then(|word| word.parse().ok()).expect("a pid");
        let config = config(&started).expect("a path");
        let masters = masters(&config);
        let stat = fs::read_to_string(format!("/proc/{}/stat", masters[0])).expect("it runs");
        let lab = stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(2)?.parse().ok()).expect("a parent");

        signal("KILL", if part == "lab" { lab } else { sluice });
        assert_eq!(demo.end().code(), Some(1), "{part}");
        let said = demo.file("err");
        assert!(said.contains(words), "{part}: {said}");
        assert!(!runs(sluice) && !runs(lab), "{part}");
        // Of a lab that was killed, a shell of its own takes care.
        until("HAProxy ends", || (!masters.iter().any(|pid| runs(*pid))).then_some(()));
        until("its folder goes", || (!config.parent()?.exists()).then_some(()));
    }
}

#[test]
fn the_demo_starts_nothing_where_its_address_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut demo = Running::start(&script(), &[("LISTEN", &address)]);
    assert_eq!(demo.end().code(), Some(1));
    let said = demo.file("err");
    assert!(said.contains(&address) && said.contains("LISTEN="), "{said}");
    assert_eq!(demo.file("started"), "");
}
