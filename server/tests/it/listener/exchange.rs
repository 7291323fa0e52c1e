//! A certificate is exchanged while everybody is at work.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, NOW},
        listener::{TestServer, ask, client, served, shake},
    },
};

/// Puts a file in another's place, as whatever renews certificates does.
fn exchange(new: &Path, place: &Path) {
    let beside = place.with_extension("new");
    fs::copy(new, &beside).expect("copied");
    fs::rename(beside, place).expect("renamed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_dropped_while_the_certificate_is_exchanged() {
    const EXCHANGES: usize = 6;
    let certificates = Certificates::new();
    let pairs: Vec<_> = (0..EXCHANGES).map(|n| certificates.issue(&format!("c{n}"), &["sluice.test"], NOW)).collect();
    let place = certificates.path("live");
    exchange(&pairs[0], &place);
    let live = served(&place);
    let server = TestServer::start(|settings| {
        settings.certificates = Some(live.clone());
    })
    .await;
    let (reload, asked) = watch::channel(0);
    tokio::spawn(live.run(Duration::from_millis(50), asked, server.shutdown.clone()));
    let (ca, address) = (certificates.path("ca"), server.address);

    let mut viewers = Vec::new();
    for _ in 0..20 {
        let stream = shake(&client(&ca, &["http/1.1"]), address).await.expect("shaken");
        viewers.push(client_async("wss://localhost/ws", stream).await.expect("a stream").0);
    }
    let (done, asks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut workers = Vec::new();
    for worker in 0..4 {
        let (done, asks, ca) = (done.clone(), asks.clone(), ca.clone());
        workers.push(tokio::spawn(async move {
            if worker == 0 {
                // One that stays on its connection.
                let mut kept = shake(&client(&ca, &["http/1.1"]), address).await.expect("shaken");
                while !done.load(Ordering::Relaxed) {
                    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
                    let mut answer = Vec::new();
                    while !answer.ends_with(b"}") {
                        assert!(kept.read_buf(&mut answer).await.expect("an answer") > 0);
                    }
                    asks.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
            while !done.load(Ordering::Relaxed) {
                let stream = shake(&client(&ca, &["http/1.1"]), address).await.expect("shaken");
                let answer = ask(stream, "GET /healthz HTTP/1.1\nHost: localhost").await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                asks.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let shown = async || {
        let stream = shake(&client(&ca, &[]), address).await.expect("shaken");
        stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
    };
    let mut last = shown().await;
    for (n, pair) in pairs.iter().enumerate().skip(1) {
        sleep(Duration::from_millis(200)).await;
        exchange(pair, &place);
        if n % 2 == 0 {
            reload.send_modify(|count| *count += 1);
        }
        let changed = async {
            while shown().await == last {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, changed).await.expect("new connections get the new certificate");
        last = shown().await;
    }
    // What is of no use keeps the old one.
    fs::write(&place, "nonsense").expect("written");
    reload.send_modify(|count| *count += 1);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(shown().await, last);
    done.store(true, Ordering::Relaxed);
    for worker in workers {
        timeout(PATIENCE, worker).await.expect("in time").expect("no request failed");
    }
    for viewer in &mut viewers {
        viewer.send(Message::Ping("there?".into())).await.expect("sent");
        let pong = async { while !matches!(viewer.next().await.expect("open").expect("well"), Message::Pong(_)) {} };
        timeout(PATIENCE, pong).await.expect("every stream is there");
    }
    let shaken = server.figure(r#"sluice_tls_handshakes_total{reason="done"}"#);
    eprintln!(
        "{} requests, {shaken} handshakes, 20 streams, {} exchanges",
        asks.load(Ordering::Relaxed),
        EXCHANGES - 1
    );
    assert_eq!(server.figure(r#"sluice_tls_handshakes_total{reason="failed"}"#), 0);
}
