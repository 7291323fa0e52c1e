use super::*;

const PROXIES: &str = "backend be\n\tserver s1 unix@DIR/s1.sock\n";

/// Whether a process runs. One that has ended stays in the table until its parent has asked for its status.
fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The pid of the process that answers.
async fn answering(socket: &Path) -> Option<u32> {
    let info = socket::ask(socket, "show info").await.ok()?;
    info.lines().find_map(|line| line.strip_prefix("Pid: ")?.parse().ok())
}

#[test]
fn a_configuration_names_its_sockets_and_its_folder() {
    let global = ["stats socket DIR/severity.sock level admin severity-output number".to_owned()];
    let text = configuration(&global, Path::new("/x"), PROXIES);
    for line in [
        "\tstats socket /x/admin.sock level admin\n",
        "\tstats socket /x/operator.sock level operator\n",
        "\tstats socket /x/user.sock level user\n",
        "\tstats socket /x/severity.sock level admin severity-output number\n",
        "\tserver s1 unix@/x/s1.sock\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn every_socket_answers_and_nothing_stays_behind() {
    let builder = Haproxy::builder().global("stats socket DIR/more.sock level operator");
    let Some(haproxy) = builder.start(PROXIES).await else { return };
    let pid = haproxy.pid().expect("it runs");
    for (name, level) in [("admin", "admin"), ("operator", "operator"), ("user", "user"), ("more", "operator")] {
        let said = socket::ask(&haproxy.path(&format!("{name}.sock")), "show cli level").await.expect("an answer");
        assert_eq!(said.trim(), level, "{name}");
    }
    assert_eq!(answering(&haproxy.admin()).await, Some(pid));
    let folder = haproxy.path("");
    drop(haproxy);
    assert!(!runs(pid) && !folder.exists());
}

#[tokio::test]
async fn it_stops_as_in_a_crash_and_starts_again() {
    let Some(mut haproxy) = Haproxy::start(PROXIES).await else { return };
    let first = haproxy.pid().expect("it runs");
    haproxy.stop();
    assert!(!runs(first) && haproxy.admin().exists());
    haproxy.configure("backend other\n\tserver s1 unix@DIR/s1.sock\n");
    haproxy.start_again().await;
    assert_ne!(haproxy.pid(), Some(first));
    let said = socket::ask(&haproxy.admin(), "show stat").await.expect("an answer");
    assert!(said.contains("\nother,s1,"), "{said}");
}

#[tokio::test]
async fn a_master_ends_with_its_workers_even_when_frozen() {
    let Some(haproxy) = Haproxy::builder().master().start(PROXIES).await else { return };
    let (master, worker) = (haproxy.pid().expect("it runs"), answering(&haproxy.admin()).await.expect("a worker"));
    assert_ne!(master, worker);
    haproxy.reload();
    let deadline = Instant::now() + MASTER_DEADLINE;
    let next = loop {
        match answering(&haproxy.admin()).await {
            Some(pid) if pid != worker => break pid,
            _ => assert!(Instant::now() < deadline, "no other worker"),
        }
        sleep(process::RETRY).await;
    };
    haproxy.freeze();
    drop(haproxy);
    let deadline = Instant::now() + MASTER_DEADLINE;
    while [master, worker, next].into_iter().any(runs) {
        assert!(Instant::now() < deadline, "{master}, {worker} or {next} still runs");
        sleep(process::RETRY).await;
    }
}

#[tokio::test]
async fn one_that_does_not_start_says_why() {
    if program::for_test().is_none() {
        return;
    }
    let error = Haproxy::builder().try_start("backend be\n\tnonsense\n").await.expect_err("a bad configuration");
    let text = format!("{error:#}");
    assert!(text.contains("ended at once") && text.contains("nonsense"), "{text}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let error = Haproxy::builder().program("/nowhere/haproxy").try_start(PROXIES).await.expect_err("nothing to run");
    assert!(error.to_string().contains("/nowhere/haproxy"), "{error}");
}
