//! Accounts, with the program itself: made on the command line, logged in with over HTTP, removed while a stream is open.

use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use futures::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::PATIENCE;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluice");

const PASSWORD: &str = "correct horse battery";

/// `sluice serve` with a data folder and a port of its own; ended when dropped.
struct Serving {
    child: Child,
    port: u16,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whether it had ended by itself makes no difference.
        let _: Result<_, _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

impl Serving {
    async fn start(dir: &Path) -> Self {
        // It was free a moment ago; where something else took it meanwhile, the program fails and says so.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(PROGRAM)
            .args(["serve", "--socket", "lb1=/nonexistent/admin.sock", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(dir)
            .env("SLUICE_LOG", "trace")
            .stdout(std::fs::File::create(dir.join("out")).expect("a file"))
            .stderr(std::fs::File::create(dir.join("err")).expect("a file"))
            .spawn()
            .expect("starts");
        let serving = Self { child, port };
        timeout(PATIENCE, async {
            while serving.ask("GET", "/healthz", "", "").await.is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("it serves in time");
        serving
    }

    /// Status, head and body of a response.
    async fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> Option<(u16, String, String)> {
        let header = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}") };
        self.ask_with(method, path, &header, body).await
    }

    /// The same, with a header or an empty text.
    async fn ask_with(&self, method: &str, path: &str, header: &str, body: &str) -> Option<(u16, String, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n{header}content-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, head.to_owned(), body.to_owned()))
    }

    async fn status(&self, path: &str, cookie: &str) -> u16 {
        self.ask("GET", path, cookie, "").await.expect("an answer").0
    }

    /// The session's cookie, or the status of the response that has none.
    async fn log_in(&self, user: &str, password: &str) -> Result<String, u16> {
        let body = format!(r#"{{"user":"{user}","password":"{password}"}}"#);
        let (status, head, _) = self.ask("POST", "/api/v1/login", "", &body).await.expect("an answer");
        let cookie =
            head.lines().find_map(|line| line.strip_prefix("set-cookie: ").filter(|c| c.starts_with("sluice=")));
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        if status == 200 { Ok(cookie.expect("a cookie")) } else { Err(status) }
    }
}

/// Runs `sluice WORDS --data DIR`, with `input` on standard input.
fn sluice(dir: &Path, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(words).arg("--data").arg(dir);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    // It may have failed already, and read nothing.
    let _: Result<_, _> = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("ends")
}

fn user(dir: &Path, words: &[&str], input: &str) -> Output {
    sluice(dir, &[&["user"], words].concat(), input)
}

#[tokio::test]
async fn accounts_of_the_command_line_open_and_end_sessions_of_a_running_program() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(dir.path()).await;
    assert_eq!(serving.status("/api/v1/nodes", "").await, 200, "nobody has an account: loopback is open");

    let added = user(dir.path(), &["add", "anna", "--role", "viewer", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    let closed = async {
        while serving.status("/api/v1/nodes", "").await != 401 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, closed).await.expect("closed by the first account");

    assert_eq!(serving.log_in("anna", "correct horse batterz").await, Err(401));
    let cookie = serving.log_in("anna", PASSWORD).await.expect("in");
    assert_eq!(serving.status("/api/v1/nodes", &cookie).await, 200);
    let act = r#"{"action":"drain","targets":[{"backend":"b","server":"s"}]}"#;
    let (status, _, _) = serving.ask("POST", "/api/v1/actions", &cookie, act).await.expect("an answer");
    assert_eq!(status, 403);

    let address = format!("ws://127.0.0.1:{}/ws?format=json", serving.port);
    let mut request = address.into_client_request().expect("a request");
    request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
    let (mut stream, _) = connect_async(request).await.expect("a stream");
    let removed = user(dir.path(), &["remove", "anna"], "");
    assert!(removed.status.success(), "{removed:?}");
    let end = async {
        loop {
            if let Some(Ok(Message::Close(frame))) = stream.next().await {
                return frame.map(|frame| u16::from(frame.code));
            }
        }
    };
    assert_eq!(timeout(PATIENCE, end).await.expect("ended with its account"), Some(4401));
    assert_eq!(serving.log_in("anna", PASSWORD).await, Err(401));

    for path in ["/w/slw_inapath", "/w/slw_inapath/", "/w/slw_inapath/x", "/api/v1/slt_inapath", "/x?token=slt_inapath"]
    {
        serving.ask("GET", path, "", "").await.expect("an answer");
    }
    drop(serving);
    let log = ["out", "err"].map(|name| std::fs::read(dir.path().join(name)).expect("a log"));
    let log = String::from_utf8_lossy(&log.concat()).into_owned();
    let session = cookie.trim_start_matches("sluice=");
    assert!(log.contains("sluice") || log.contains("open http"), "{log}");
    for secret in [PASSWORD, session, "$argon2id", "inapath"] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}

#[test]
fn a_command_that_fails_says_why_and_ends_with_a_failure() {
    let dir = tempfile::tempdir().expect("a folder");
    for (words, input, expected) in [
        (vec!["add", "anna", "--role", "admin"], "", "--password-stdin"),
        (vec!["add", "anna", "--role", "admin", "--password-stdin"], "short\n", "12 characters are the least"),
        (vec!["remove", "anna"], "", "there is no account `anna`"),
    ] {
        let output = user(dir.path(), &words, input);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(expected), "{words:?}: {stderr}");
    }
}

/// Standard output and standard error of a command that succeeds.
fn output_of(dir: &Path, words: &[&str], input: &str) -> [String; 2] {
    let Output { status, stdout, stderr } = sluice(dir, words, input);
    let texts = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    assert!(status.success(), "{words:?}: {texts:?}");
    texts
}

#[tokio::test]
async fn a_secret_stands_alone_on_standard_output_and_opens_what_it_was_made_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let add = ["user", "add", "anna", "--role", "operator", "--password-stdin"];
    output_of(dir.path(), &add, &format!("{PASSWORD}\n"));
    let add = ["token", "add", "--user", "anna", "--scope", "read", "--expires", "1d", "--note", "ci"];
    let [token, notes] = output_of(dir.path(), &add, "");
    // What a shell keeps of `$(sluice token add ...)`.
    let token = token.trim_end_matches('\n');
    assert!(token.starts_with("slt_") && token.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)));
    assert!(notes.contains("of anna, scope read, until ") && !notes.contains(token), "{notes}");
    let add = ["wall", "add", "--name", "NOC", "--cluster", "lb1", "--expires", "1d"];
    let [address, notes] = output_of(dir.path(), &add, "");
    let address = address.trim_end_matches('\n');
    assert!(address.starts_with("/w/slw_") && !address.contains(char::is_whitespace));
    assert!(notes.contains("of NOC, shows lb1, until ") && !notes.contains("slw_"), "{notes}");

    let serving = Serving::start(dir.path()).await;
    let bearer = format!("authorization: Bearer {token}");
    let (status, _, body) = serving.ask_with("GET", "/api/v1/me", &bearer, "").await.expect("an answer");
    assert_eq!((status, body.contains(r#""user":"anna""#)), (200, true));
    let (status, head, _) = serving.ask("GET", address, "", "").await.expect("an answer");
    assert!(status == 303 && head.contains("set-cookie: sluice-wall=slw_"), "{head}");
}
