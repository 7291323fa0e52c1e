use std::{collections::HashMap, path::Path};

use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::*;
use super::{
    Lab, LabArgs,
    client::{Response, Visitor},
    layout::{Layout, NODES, PORTS, sluice_config},
};
use crate::{
    program, socket,
    web::{self, Behaviour, CheckBehaviour},
};

/// What the demo's configuration holds, by backend.
const SERVERS: [(&str, &[&str]); 4] = [
    ("webservers", &["web1", "web2", "web3", "web4", "web5"]),
    ("api", &["api1", "api2", "api3-backup"]),
    ("static", &["static1", "static2", "assets-mirror"]),
    ("db-ro", &["db1", "db2"]),
];

fn args(port: u16) -> LabArgs {
    LabArgs { dir: None, port, traffic_for: Duration::from_secs(60), haproxy: None }
}

/// A lab on free ports: tests run side by side, and others may hold a port anywhere.
async fn lab(shutdown: &CancellationToken) -> Lab {
    let mut tries = 0;
    loop {
        let base = fastrand::u16(20_000..30_000);
        match Lab::start(&args(base), shutdown.clone()).await {
            Ok(lab) => return lab,
            Err(error) if tries < 10 && error.to_string().contains("is taken") => tries += 1,
            Err(error) => panic!("the lab does not start: {error:#}"),
        }
    }
}

/// What a node answers; nothing while it doesn't.
async fn ask(socket: &Path, command: &str) -> String {
    socket::ask(socket, command).await.unwrap_or_default()
}

/// `show stat` as `backend/server` to its columns by name.
async fn stat(socket: &Path) -> HashMap<String, HashMap<String, String>> {
    let text = ask(socket, "show stat").await;
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let columns: HashMap<_, _> =
                names.iter().zip(line.split(',')).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect();
            (format!("{}/{}", columns["pxname"], columns["svname"]), columns)
        })
        .collect()
}

/// Waits until `check` finds nothing to complain about.
async fn until<F: Future<Output = Result<(), String>>>(what: &str, check: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(complaint) = check().await {
        assert!(Instant::now() < deadline, "{what}: {complaint}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The master of a node, and its workers.
fn processes(lab: &Lab, node: &str) -> Vec<u32> {
    let master: u32 = std::fs::read_to_string(lab.dir().join(format!("{node}.pid")))
        .expect("a pid file")
        .trim()
        .parse()
        .expect("a pid");
    let mut pids = vec![master];
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            && std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| {
                stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(2)?.parse().ok()) == Some(master)
            })
        {
            pids.push(pid);
        }
    }
    pids
}

/// Whether a process runs. One that has ended stays in the table until its parent has asked for its status.
fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_nodes_serve_traffic_and_nothing_stays_behind() {
    if program::for_test().is_none() {
        return;
    }
    let lab = lab(&CancellationToken::new()).await;
    for node in NODES {
        let socket = lab.dir().join(format!("{node}.sock"));
        until(node, || async {
            let rows = stat(&socket).await;
            for (backend, servers) in SERVERS {
                for server in servers {
                    rows.get(&format!("{backend}/{server}")).ok_or(format!("{backend}/{server} is missing"))?;
                }
            }
            let is = |row: &str, column: &str, want: &str| {
                let have = &rows[row][column];
                if have.starts_with(want) { Ok(()) } else { Err(format!("{row}: {column} is {have:?}, not {want:?}")) }
            };
            is("webservers/web1", "status", "UP")?;
            is("webservers/web1", "check_status", "L7OK")?;
            is("webservers/web3", "status", "DOWN")?;
            is("static/static2", "status", "MAINT")?;
            is("static/assets-mirror", "tracked", "webservers/web1")?;
            is("db-ro/db2", "status", "no check")?;
            is("db-ro/db1", "check_status", "L4OK")?;
            is("api/api2", "agent_status", "L7OK")?;
            is("api/api3-backup", "bck", "1")?;
            for (row, column) in [
                ("webservers/web1", "stot"),
                ("webservers/web1", "hrsp_2xx"),
                ("api/api1", "stot"),
                ("static/static1", "stot"),
                ("db-ro/db1", "stot"),
                ("webservers/BACKEND", "hrsp_4xx"),
            ] {
                if rows[row][column].parse::<u64>().unwrap_or_default() == 0 {
                    return Err(format!("{row}: {column} is {:?}", rows[row][column]));
                }
            }
            Ok(())
        })
        .await;
        assert!(ask(&socket, "show info").await.contains(&format!("node: {node}\n")));
    }

    let dir = lab.dir().to_owned();
    let pids: Vec<_> = NODES.into_iter().flat_map(|node| processes(&lab, node)).collect();
    assert!(pids.len() >= 4, "two masters and their workers: {pids:?}");
    assert!(pids.iter().all(|pid| runs(*pid)));
    lab.stop().await;
    assert!(!dir.exists());
    let left = pids.iter().filter(|pid| runs(**pid)).count();
    assert_eq!(left, 0, "of {pids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_and_started_again_ends_with_the_lab() {
    if program::for_test().is_none() {
        return;
    }
    let shutdown = CancellationToken::new();
    let lab = lab(&shutdown).await;
    let socket = lab.dir().join("lb1.sock");
    let first = processes(&lab, "lb1");
    assert!(
        tokio::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("kill -KILL {}", first[0]))
            .status()
            .await
            .expect("sh")
            .success()
    );
    until("lb1 ends, worker and all", || async {
        if first.iter().any(|pid| runs(*pid)) { Err(format!("{first:?} still runs")) } else { Ok(()) }
    })
    .await;

    let mut again =
        tokio::process::Command::new("/bin/sh").arg(lab.dir().join("lb1.cmd")).kill_on_drop(true).spawn().expect("sh");
    until("lb1 is back", || async {
        if ask(&socket, "show info").await.contains("node: lb1") { Ok(()) } else { Err("no answer".to_owned()) }
    })
    .await;
    let second = processes(&lab, "lb1");
    assert_eq!(Some(second[0]), again.id());
    shutdown.cancel();
    lab.stop().await;
    again.wait().await.expect("a status");
    assert!(!second.iter().any(|pid| runs(*pid)), "of {second:?}");
}

#[tokio::test]
async fn a_taken_port_is_named_with_a_way_out() {
    if program::for_test().is_none() {
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().min(u16::MAX - PORTS);
    let error = Lab::start(&args(port), CancellationToken::new()).await.err().expect("no lab").to_string();
    assert!(error.contains(&format!("port {port} (for lb1's frontend www) is taken")), "{error}");
    assert!(error.contains("--port"), "{error}");
}

#[test]
fn the_configuration_checks_clean() {
    let Some(haproxy) = program::for_test() else {
        return;
    };
    for node in 0..NODES.len() {
        let text = Layout::new(18_080).expect("room").config(node, "/tmp");
        let left: Vec<_> = text.lines().filter(|line| line.contains(['{', '}'])).collect();
        assert!(left.is_empty(), "unfilled: {left:?}");
        let file = std::env::temp_dir().join(format!("sluice-check-{}-{node}.cfg", std::process::id()));
        std::fs::write(&file, text).expect("a file");
        let said = std::process::Command::new(&haproxy).arg("-c").arg("-f").arg(&file).output().expect("HAProxy");
        std::fs::remove_file(&file).expect("gone");
        let text = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success() && !text.contains("WARNING") && !text.contains("ALERT"), "{text}");
    }
}

#[test]
fn no_two_parts_share_a_port() {
    let layout = Layout::new(18_080).expect("room");
    let mut ports: Vec<_> = layout
        .servers()
        .map(|(_, address, _)| address)
        .chain((0..NODES.len()).flat_map(|node| [layout.www(node), layout.db_in(node)]))
        .map(|address| address.port())
        .collect();
    ports.sort_unstable();
    let count = ports.len();
    ports.dedup();
    assert_eq!(ports.len(), count);
    assert!(ports.iter().all(|port| (18_080..18_080 + PORTS).contains(port)), "{ports:?}");
    assert!(Layout::new(u16::MAX - PORTS + 2).is_none());
}

#[test]
fn sluice_gets_both_nodes_as_one_cluster() {
    let text = sluice_config(Path::new("/tmp/lab"), Path::new("/tmp/lab/data"));
    assert_eq!(text.matches("cluster = \"edge\"").count(), 2);
    assert!(text.contains("address = \"unix:/tmp/lab/lb2.sock\""), "{text}");
}

#[tokio::test]
async fn a_web_server_answers_as_the_request_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(web::serve(
        listener,
        Behaviour { name: "web1".to_owned(), health: CheckBehaviour::Fine },
        shutdown.clone(),
    ));
    let mut visitor = Visitor::connect(address, true).await.expect("a connection");
    for (path, status) in
        [("/health", 200), ("/shop?ms=1&kb=300", 200), ("/gone?status=404", 404), ("/shop?ms=soon", 400)]
    {
        let answer = visitor.get(path, false).await.expect(path);
        assert_eq!(answer, Response { status, keep: true }, "{path}");
    }
    // A request under way doesn't hold the end up.
    let slow = tokio::spawn(async move { visitor.get("/shop?ms=60000", true).await });
    sleep(Duration::from_millis(50)).await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("in time").expect("no panic");
    assert!(slow.await.expect("no panic").is_ok());
}
