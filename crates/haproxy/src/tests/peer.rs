//! A scripted peer at the other end of a unix socket, for faults that a real HAProxy won't commit on request.

use std::{future::Future, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

use super::command;
use crate::{Address, Client, CommandReply, Connector, Error, Limits, Verb};

/// Long enough for any answer that comes at all.
pub(super) const GENEROUS: Limits =
    Limits { deadline: Duration::from_secs(30), max_reply: 1024 * 1024, connections: 2 };

/// A socket in a directory of its own. Dropping it ends every connection and removes the directory.
pub(super) struct Peer {
    address: Address,
    _directory: TempDir,
    _connections: JoinSet<()>,
}

impl Peer {
    /// Serves each connection with `script`.
    pub(super) fn start<F>(script: impl Fn(UnixStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("haproxy.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut running = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                running.spawn(script(stream));
            }
        });
        Self { address: Address::Unix(path), _directory: directory, _connections: connections }
    }

    /// Reads the command, answers each with `reply`, and closes.
    pub(super) fn answering(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::start(move |stream| {
            let reply = reply.clone();
            async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                // A client that has gone away is no fault of the peer.
                if stream.read_line(&mut line).await.is_ok() {
                    let _gone = stream.write_all(&reply).await;
                }
            }
        })
    }

    pub(super) fn client(&self, limits: Limits) -> Client {
        Client::new(self.address.clone(), limits)
    }

    /// A client that takes the peer for a master process.
    pub(super) fn client_of_master(&self, limits: Limits) -> Client {
        Client::new(Connector { address: self.address.clone(), tls: None, master: true }, limits)
    }
}

/// An action whose target no peer looks at.
pub(super) async fn act(client: &Client) -> Result<CommandReply, Error> {
    client.run(&command("be", "s1", Verb::StateDrain)).await
}
