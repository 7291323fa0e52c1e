//! What a syslog gets, and that nobody waits for it.

use std::{
    io::Read as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use super::*;
use crate::audit::Entry;

fn kept(id: i64, reason: &str) -> StoredEntry {
    let entry = Entry {
        who: "anna".into(),
        address: "10.0.0.1".into(),
        action: "drain".into(),
        targets: r#"["lb1/web/s1"]"#.into(),
        reason: reason.into(),
        ..Entry::new(1_795_219_200_250, "refusal".to_owned())
    };
    StoredEntry { id, entry, hash: "ab".repeat(32) }
}

#[test]
fn a_line_is_that_of_rfc_5424_with_number_and_hash_and_nothing_ends_it_early() {
    let hash = "ab".repeat(32);
    assert_eq!(
        line(&kept(7, "say \"no\"\n<1>forged"), "a host\n", 42),
        format!(
            "<84>1 2026-11-21T00:00:00.250Z ahost sluice 42 refusal - id=7 hash={hash} who=\"anna\" address=\"10.0.0.1\" \
             action=\"drain\" reason=\"say \\\"no\\\"\\n<1>forged\" targets=\"[\\\"lb1/web/s1\\\"]\""
        )
    );
    assert!(line(&kept(7, ""), "", 1).contains("Z - sluice 1 refusal - id=7 "));
    let long = line(&kept(7, &"é".repeat(9_000)), "h", 1);
    assert!(long.len() <= MAX_LINE_BYTES && long.contains(&hash) && long.ends_with('…'), "{}", long.len());
}

#[test]
fn addresses_are_read_as_they_are_written() {
    for text in ["unix:/dev/log", "udp://log.example:514", "tcp://[::1]:6514"] {
        assert_eq!(text.parse::<SyslogAddress>().map(|a| a.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "/dev/log", "unix:dev/log", "udp://host", "udp://:514", "tcp://host:0", "tls://host:6514"] {
        assert!(text.parse::<SyslogAddress>().is_err(), "{text}");
    }
}

#[test]
fn every_kind_of_syslog_gets_the_lines() {
    let dir = tempfile::tempdir().expect("a folder");
    let metrics = Arc::new(Metrics::new());
    let mut buffer = vec![0; 4_096];
    let is_line = |text: &[u8]| text.starts_with(b"<84>1 2026-") && text.ends_with(b"s1\\\"]\"");

    let path = dir.path().join("log");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    Syslog::start(SyslogAddress::Unix(path), metrics.clone()).send(&kept(1, ""));
    let length = socket.recv(&mut buffer).expect("a line");
    assert!(is_line(&buffer[..length]));

    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let place = socket.local_addr().expect("an address").to_string();
    Syslog::start(SyslogAddress::Udp(place), metrics.clone()).send(&kept(1, ""));
    let length = socket.recv(&mut buffer).expect("a line");
    assert!(is_line(&buffer[..length]));

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = listener.local_addr().expect("an address").to_string();
    let mut syslog = Syslog::start(SyslogAddress::Tcp(place), metrics);
    for id in 1..=2 {
        syslog.send(&kept(id, ""));
    }
    drop(syslog);
    let mut all = Vec::new();
    listener.accept().expect("a connection").0.read_to_end(&mut all).expect("lines");
    let mut rest = all.as_slice();
    for id in 1..=2 {
        let space = rest.iter().position(|b| *b == b' ').expect("a length");
        let length: usize = std::str::from_utf8(&rest[..space]).expect("digits").parse().expect("a number");
        let line = &rest[space + 1..][..length];
        assert!(is_line(line) && String::from_utf8_lossy(line).contains(&format!(" id={id} ")));
        rest = &rest[space + 1 + length..];
    }
    assert!(rest.is_empty());
}

/// Nobody picks up what is sent; what does not fit into the queue is counted, at once.
#[test]
fn a_stuck_syslog_is_never_waited_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log");
    let _socket = UnixDatagram::bind(&path).expect("a socket");
    let metrics = Arc::new(Metrics::new());
    let mut syslog = Syslog::start(SyslogAddress::Unix(path), metrics.clone());
    let start = Instant::now();
    for id in 0..2 * QUEUE_LINES {
        syslog.send(&kept(id as i64, ""));
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let dropped = metrics.syslog_dropped.get();
    assert!(dropped > 0 && dropped == syslog.lost, "{dropped}");
}

#[test]
fn a_syslog_that_comes_back_gets_what_waited() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log");
    let mut syslog = Syslog::start(SyslogAddress::Unix(path.clone()), Arc::new(Metrics::new()));
    syslog.send(&kept(1, ""));
    thread::sleep(Duration::from_millis(100));
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let mut buffer = [0; 4_096];
    let length = socket.recv(&mut buffer).expect("a line");
    assert!(String::from_utf8_lossy(&buffer[..length]).contains(" id=1 "));
}
