//! What the client makes of a connection that fails in each way a socket can.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixSocket, UnixStream},
    sync::Barrier,
};

use super::peer::{GENEROUS, Peer, act};
use testkit::recordings::RECORDINGS;

use crate::{Address, Client, CommandReply, Error, Limits, Stage};

/// Short, for answers that never come.
const BRIEF: Limits = Limits { deadline: Duration::from_millis(200), ..GENEROUS };

#[tokio::test]
async fn a_missing_socket_is_no_connection() {
    let directory = tempfile::tempdir().expect("a directory");
    let client = Client::new(Address::Unix(directory.path().join("no.sock")), GENEROUS);
    let error = act(&client).await.expect_err("no socket");
    assert!(error.to_string().contains("no such socket"), "{error}");
    assert!(!error.may_have_run());
}

#[tokio::test]
async fn a_socket_without_listener_refuses() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stopped.sock");
    drop(UnixListener::bind(&path).expect("a socket"));
    let client = Client::new(Address::Unix(path), GENEROUS);
    let error = act(&client).await.expect_err("no listener");
    assert!(error.to_string().contains("HAProxy is stopped"), "{error}");
    assert!(!error.may_have_run());
}

#[tokio::test]
async fn a_full_backlog_is_no_connection() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("full.sock");
    let socket = UnixSocket::new_stream().expect("a socket");
    socket.bind(&path).expect("a name");
    let _listener = socket.listen(0).expect("a listener");
    let _waiting = UnixStream::connect(&path).await.expect("the only place");
    let client = Client::new(Address::Unix(path), GENEROUS);
    let error = act(&client).await.expect_err("a full backlog");
    assert!(error.to_string().contains("backlog"), "{error}");
    assert!(!error.may_have_run());
}

#[tokio::test]
async fn a_silent_peer_ends_at_the_deadline() {
    let peer = Peer::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let error = act(&peer.client(BRIEF)).await.expect_err("silence");
    let stage = Stage::Reply;
    assert!(matches!(error, Error::Timeout { stage: s, .. } if s == stage), "{error}");
    assert!(error.may_have_run());
}

#[tokio::test]
async fn a_peer_that_stops_in_the_middle_ends_at_the_deadline() {
    let peer = Peer::start(|mut stream| async move {
        stream.write_all(b"\n").await.expect("a client");
        std::future::pending::<()>().await;
    });
    let error = act(&peer.client(BRIEF)).await.expect_err("no end");
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn a_peer_that_closes_at_once_never_succeeds() {
    let peer = Peer::start(|stream| async move { drop(stream) });
    let client = peer.client(GENEROUS);
    for _ in 0..50 {
        let error = act(&client).await.expect_err("closed");
        // Whether the line was still taken is a race that the peer decides.
        match error {
            Error::Unanswered { .. } => assert!(error.may_have_run()),
            Error::Io { stage: Stage::Send, .. } => assert!(!error.may_have_run()),
            error => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_reply_of_single_bytes_is_read_whole() {
    let reply = RECORDINGS[2].servers_state;
    let peer = Peer::start(move |mut stream| async move {
        stream.read_buf(&mut Vec::new()).await.expect("a line");
        for byte in reply {
            stream.write_all(&[*byte]).await.expect("a client");
            tokio::task::yield_now().await;
        }
    });
    let state = peer.client(GENEROUS).servers_state().await.expect("whole");
    assert_eq!(state.rows().count(), 30);
}

#[tokio::test]
async fn an_endless_reply_ends_at_the_limit() {
    let peer = Peer::start(|mut stream| async move {
        let mut data = b"# pxname,".to_vec();
        while stream.write_all(&data).await.is_ok() {
            data = vec![b'x'; 4096];
        }
    });
    let error = peer.client(GENEROUS).stat().await.expect_err("endless");
    let limit = GENEROUS.max_reply;
    assert!(matches!(error, Error::TooLarge { limit: l } if l == limit), "{error}");
}

#[tokio::test]
async fn no_more_connections_are_open_at_once_than_allowed() {
    let open = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    // Each connection waits for a second one, so that one at a time would not do either.
    let pair = Arc::new(Barrier::new(GENEROUS.connections));
    let peer = Peer::start({
        let most = Arc::clone(&most);
        move |mut stream| {
            let (open, most, pair) = (Arc::clone(&open), Arc::clone(&most), Arc::clone(&pair));
            async move {
                stream.read_buf(&mut Vec::new()).await.expect("a line");
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pair.wait().await;
                // Time for any further connection to come in.
                tokio::time::sleep(Duration::from_millis(5)).await;
                open.fetch_sub(1, Ordering::SeqCst);
                stream.write_all(b"\n").await.expect("a client");
            }
        }
    });
    let client = peer.client(GENEROUS);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let client = client.clone();
        requests.spawn(async move { act(&client).await });
    }
    for answer in requests.join_all().await {
        assert_eq!(answer.expect("an answer"), CommandReply::Accepted);
    }
    assert_eq!(most.load(Ordering::SeqCst), GENEROUS.connections);
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_no_connection() {
    let client = Client::new(Address::Unix(format!("/{}", "x".repeat(200)).into()), GENEROUS);
    let error = act(&client).await.expect_err("too long");
    let Error::Connect { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), io::ErrorKind::InvalidInput);
    assert!(!error.may_have_run());
}
