//! A stats socket with nobody behind it: it writes down what it is told, and replies as scripted.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

/// What a poll says.
const POLL: [&str; 4] = ["show info", "show stat", "show servers state", "show cli level"];

/// A reply, or nothing: then the connection stays open in silence.
type Script = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// A recording peer. Dropping it ends it and removes its socket.
pub(crate) struct Fake {
    directory: TempDir,
    told: Arc<Mutex<Vec<Vec<u8>>>>,
    _task: AbortOnDropHandle<()>,
}

impl Fake {
    pub(crate) fn start(script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("fake.sock")).expect("a socket");
        let told = Arc::new(Mutex::new(Vec::new()));
        let (log, script): (_, Arc<Script>) = (told.clone(), Arc::new(script));
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, log.clone(), script.clone()));
            }
        });
        Self { directory, told, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("fake.sock")
    }

    /// How many lines came so far.
    pub(crate) fn lines(&self) -> usize {
        self.told.lock().expect("no panic").len()
    }

    /// How often it was told this line.
    pub(crate) fn times(&self, line: &str) -> usize {
        let told = self.told.lock().expect("no panic");
        told.iter().filter(|l| l.trim_ascii_end() == line.as_bytes()).count()
    }

    /// Every line that no poll says, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.told.lock().expect("no panic");
        let is_poll = |line: &&Vec<u8>| POLL.iter().any(|p| line.as_slice() == format!("{p}\n").as_bytes());
        told.iter().filter(|l| !is_poll(l)).map(|l| String::from_utf8_lossy(l).trim_end().to_owned()).collect()
    }
}

/// Writes down every line of a connection, and replies to the first.
async fn serve(stream: UnixStream, log: Arc<Mutex<Vec<Vec<u8>>>>, script: Arc<Script>) {
    let (reader, writer) = stream.into_split();
    let (mut reader, mut writer) = (BufReader::new(reader), Some(writer));
    loop {
        let mut line = Vec::new();
        if !matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let reply = script(String::from_utf8_lossy(&line).trim_end_matches('\n'));
        log.lock().expect("no panic").push(line);
        if let Some(reply) = reply
            && let Some(mut writer) = writer.take()
        {
            // Whoever went away needs no reply. With the writer the connection's end is dropped.
            let _: std::io::Result<()> = writer.write_all(&reply).await;
            let _: std::io::Result<()> = writer.shutdown().await;
        }
    }
}

/// What HAProxy 2.6.12 once replied to a poll, and its silence to everything else.
pub(crate) fn recorded(line: &str) -> Vec<u8> {
    match line {
        "show info" => include_bytes!("../../../src/haproxy/testdata/2.6.12/show_info.txt").to_vec(),
        "show stat" => include_bytes!("../../../src/haproxy/testdata/2.6.12/show_stat.txt").to_vec(),
        "show servers state" => include_bytes!("../../../src/haproxy/testdata/2.6.12/show_servers_state.txt").to_vec(),
        "show cli level" => b"admin\n\n".to_vec(),
        _ => b"\n".to_vec(),
    }
}
