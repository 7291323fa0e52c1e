//! What the client makes of bytes that came: refusals, parts of replies, garbage.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::{GENEROUS, Peer, act};
use testkit::recordings::RECORDINGS;

use crate::{CommandReply, Error, Level};

/// Each request to a peer that answers `reply`.
async fn answers(reply: &[u8]) -> [Result<(), Error>; 4] {
    let peer = Peer::answering(reply);
    let client = peer.client(GENEROUS);
    [
        client.info().await.map(drop),
        client.stat().await.map(drop),
        client.servers_state().await.map(drop),
        client.level().await.map(drop),
    ]
}

#[tokio::test]
async fn garbage_is_an_error_for_every_request() {
    for garbage in [&[0_u8; 4096][..], b"\x16\x03\x01\x02\xff\x00", b"\0\x1b\x07\n", b"\n\n", b"> "] {
        for result in answers(garbage).await {
            assert!(
                matches!(result, Err(Error::Unanswered { .. } | Error::Closed { .. } | Error::IsTls | Error::Parse(_))),
                "{result:?}"
            );
        }
        let peer = Peer::answering(garbage);
        act(&peer.client(GENEROUS)).await.expect_err("garbage");
    }
}

#[tokio::test]
async fn the_empty_line_answers_no_question() {
    for result in answers(b"\n").await {
        assert!(matches!(result, Err(Error::Parse(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_denied_read_says_so_with_and_without_severity() {
    for reply in ["Permission denied\n\n", "[3]: Permission denied\n\n"] {
        for result in answers(reply.as_bytes()).await {
            assert!(matches!(result, Err(Error::PermissionDenied { .. })), "{result:?}");
        }
        let peer = Peer::answering(reply);
        let answer = act(&peer.client(GENEROUS)).await.expect("an answer");
        assert_eq!(answer, CommandReply::Refused("Permission denied".to_owned()));
    }
}

#[tokio::test]
async fn a_haproxy_that_lacks_a_command_is_named_as_too_old() {
    let peer = Peer::answering("Unknown command. Please enter one of the following commands only :\n  help\n\n");
    let client = peer.client(GENEROUS);
    let error = client.level().await.expect_err("unknown");
    assert!(error.to_string().contains("`show cli level`: it needs HAProxy 1.9"), "{error}");
    let error = client.stat().await.expect_err("unknown");
    assert!(matches!(error, Error::Refused { words, .. } if words.starts_with("Unknown command.")));
}

#[tokio::test]
async fn levels_are_understood() {
    for (reply, expected) in
        [("admin\n\n", Level::Admin), ("[6]: operator\n\n", Level::Operator), ("user\n\n", Level::User)]
    {
        let level = Peer::answering(reply).client(GENEROUS).level().await;
        assert_eq!(level.expect("a level"), expected);
    }
}

#[tokio::test]
async fn one_line_is_sent_and_nothing_else() {
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::start(move |mut stream| {
        let sent = sent.clone();
        async move {
            let mut line = [0; 256];
            let length = stream.read(&mut line).await.expect("a line");
            sent.send(line[..length].to_vec()).expect("the test");
            stream.write_all(b"\n").await.expect("a client");
        }
    });
    let answer = act(&peer.client(GENEROUS)).await.expect("an answer");
    assert_eq!(answer, CommandReply::Accepted);
    let line = received.recv().await.expect("a line");
    assert_eq!(line, b"set server be/s1 state drain\n");
}

#[tokio::test]
async fn a_master_is_told_which_worker_and_that_nothing_follows() {
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::start(move |mut stream| {
        let sent = sent.clone();
        async move {
            let mut all = Vec::new();
            // It ends only because the client has ended its side.
            stream.read_to_end(&mut all).await.expect("an end");
            sent.send(all).expect("the test");
            stream.write_all(b"\n").await.expect("a client");
        }
    });
    assert_eq!(act(&peer.client_of_master(GENEROUS)).await.expect("an answer"), CommandReply::Accepted);
    assert_eq!(received.recv().await.expect("a line"), b"@1 set server be/s1 state drain\n");
}

#[tokio::test]
async fn a_master_without_a_worker_and_a_worker_without_a_master_say_so() {
    let peer = Peer::answering("Can't find the target PID matching the prefix '@1'\n");
    let error = act(&peer.client_of_master(GENEROUS)).await.expect_err("no worker");
    assert!(matches!(error, Error::NoWorker) && !error.may_have_run(), "{error}");
    let peer = Peer::answering("Unknown command, but maybe one of the following ones is a better match:\n\n");
    let error = act(&peer.client_of_master(GENEROUS)).await.expect_err("no master");
    assert!(matches!(error, Error::NotMaster) && !error.may_have_run(), "{error}");
}

#[tokio::test]
async fn the_reply_to_another_command_is_named() {
    for (reply, other) in [
        (RECORDINGS[2].info, "show info"),
        (RECORDINGS[2].stat, "show stat"),
        (RECORDINGS[2].servers_state, "show servers state"),
    ] {
        let told: Vec<String> =
            answers(reply).await.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().all(|told| told.contains(&format!("was the reply to `{other}`"))), "{told:?}");
    }
}

#[tokio::test]
async fn an_end_without_a_byte_is_no_answer() {
    for result in answers(b"").await {
        assert!(matches!(result, Err(Error::Unanswered { .. })), "{result:?}");
    }
    let peer = Peer::answering("");
    let error = act(&peer.client(GENEROUS)).await.expect_err("nothing");
    assert!(error.may_have_run());
}

#[tokio::test]
async fn half_a_reply_is_cut_and_not_a_shorter_one() {
    for recording in &RECORDINGS {
        for (kind, reply) in [recording.info, recording.stat, recording.servers_state].into_iter().enumerate() {
            // In the middle, after a whole line, and before the last line feed.
            let line = reply.len() / 2 + reply[reply.len() / 2..].iter().position(|b| *b == b'\n').expect("a line") + 1;
            for end in [reply.len() / 2, line, reply.len() - 1] {
                let result = &answers(&reply[..end]).await[kind];
                assert!(
                    matches!(result, Err(Error::Closed { received }) if *received == end),
                    "{} {kind} {end}: {result:?}",
                    recording.version
                );
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_cut_in_the_middle_is_not_taken_for_haproxys_words() {
    let peer = Peer::answering("No such ser");
    let error = act(&peer.client(GENEROUS)).await.expect_err("half");
    assert!(matches!(error, Error::Closed { received: 11 }), "{error}");
}
