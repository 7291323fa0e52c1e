//! Everything that can be wrong with a node, one line per fault, over each transport: what is said of it, that others
//! go on, and how soon it is live again.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use Transport::{Tcp, Tls, Unix};
use haproxy::{Address, Connector};
use lab::Haproxy;
use model::fleet::Link;
use server::{hub::World, metrics::Metrics};
use tokio::{
    io::AsyncReadExt,
    net::UnixStream,
    time::{sleep, timeout},
};

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, EXPIRED, NOT_YET, NOW},
        fake::{Conduct, Fake, Reply, Transport, good, recorded},
        raw,
        sluice::{Sluice, node},
    },
};

/// The time between two polls.
const POLL: Duration = Duration::from_millis(200);

/// How long each fault lasts after it was noticed: long enough for the longest back-off.
const LASTS: Duration = Duration::from_secs(8);

/// From the end of a fault to `live`: a request that still waits, the longest back-off, a poll, and a slow machine.
const SOON: Duration = Duration::from_secs(15);

const ALL: &[Transport] = &[Unix, Tcp, Tls];

/// A fault: what it is called, where it applies, how it is played, and what the node says of it.
struct Fault(&'static str, &'static [Transport], fn() -> Conduct, &'static str);

#[rustfmt::skip] // A table is read by its lines.
const FAULTS: [Fault; 26] = [
    Fault("refuses", &[Unix], || Conduct::Refuse, "HAProxy is stopped: nobody listens"),
    Fault("refuses", &[Tcp, Tls], || Conduct::Refuse, "the host is up, and nobody listens on this port"),
    Fault("accepts and says nothing", &[Unix, Tcp], || Conduct::Mute, "takes connections and says nothing; it hangs, or"),
    Fault("accepts and says nothing", &[Tls], || Conduct::Mute, "takes connections and says nothing; does it speak TLS?"),
    Fault("hears and says nothing", ALL, || always(Reply::Hang(vec![])), "takes connections and says nothing; it hangs, or"),
    Fault("half an answer, then silence", ALL, || stat(|t| Reply::Hang(half(&t))), "bytes came, then nothing or too little"),
    Fault("one byte a second", ALL, || stat(Reply::Drip), "bytes came, then nothing or too little"),
    Fault("closes unread", &[Unix, Tcp], || Conduct::Drop, "HAProxy closed the connection "),
    Fault("closes unread", &[Tls], || Conduct::Drop, "ended in the TLS handshake, without a reason"),
    Fault("closes without an answer", ALL, || always(Reply::Whole(vec![])), "HAProxy closed the connection without an answer"),
    Fault("closes in the middle of a line", ALL, || stat(|t| Reply::Whole(half(&t))), "ended in the middle of the reply, after"),
    Fault("garbage", ALL, || stat(|_| Reply::Whole(b"\xff\xfe\x80 \0\0\x07 \xc3\n".repeat(99))), "neither a known reply nor text"),
    Fault("NUL bytes", ALL, || stat(|_| Reply::Whole([vec![0; 4096], vec![b'\n']].concat())), "neither a known reply nor text"),
    Fault("NUL bytes without an end", ALL, || stat(|_| Reply::Whole(vec![0; 4096])), "ended in the middle of the reply, after 4096"),
    Fault("other columns", ALL, || stat(|t| edit(&t, "svname", "srvname")), "the table has no column `svname`"),
    Fault("fewer columns than cells", ALL, || stat(|t| edit(&t, "qcur,qmax,", "")), "its rows have 128 cells and its header names 126"),
    Fault("no header", ALL, || stat(|t| edit(&t, &line_one(&t), "")), "the table has no header"),
    Fault("a header twice", ALL, || stat(|t| edit(&t, "\nbe_http", &format!("\n{}be_http", line_one(&t)))), "the table has a second header"),
    Fault("the reply to another command", ALL, || stat(|_| Reply::Whole(recorded("show info"))), "the answer to `show stat` was the reply to `show info`"),
    Fault("permission denied", ALL, || always(Reply::Whole(b"Permission denied\n\n".to_vec())), "too low for `show "),
    Fault("stats maxconn reached", &[Unix, Tcp], || Conduct::Backlog, "others hold all of its `stats maxconn`"),
    Fault("certificate expired", &[Tls], || Conduct::Show("expired"), "HAProxy's certificate has expired"),
    Fault("certificate not yet valid", &[Tls], || Conduct::Show("not_yet"), "HAProxy's certificate is not valid before"),
    Fault("name mismatch", &[Tls], || Conduct::Show("elsewhere"), "is not for 127.0.0.1 but for lb9.example.org: set `server_name`"),
    Fault("plain text for TLS", &[Tls], || plain("Unknown command\n\n"), "ignores `ssl` on a `stats socket`"),
    Fault("TLS for plain text", &[Tcp], || plain("\x15\x03\x01\0\x02\x02\x32"), "the port speaks TLS: write `tls://`"),
];

/// The same to every line.
fn always(reply: Reply) -> Conduct {
    Conduct::Answer(Arc::new(move |_| reply.clone()))
}

/// Something else in place of the table.
fn stat(reply: fn(Vec<u8>) -> Reply) -> Conduct {
    Conduct::Answer(Arc::new(move |line| match line {
        "show stat" => reply(recorded(line)),
        line => Reply::Whole(recorded(line)),
    }))
}

fn plain(text: &str) -> Conduct {
    Conduct::Plain(text.into())
}

fn half(table: &[u8]) -> Vec<u8> {
    table[..table.len() / 2].to_vec()
}

fn edit(table: &[u8], from: &str, to: &str) -> Reply {
    let text = String::from_utf8_lossy(table);
    assert!(text.contains(from));
    Reply::Whole(text.replacen(from, to, 1).into_bytes())
}

fn line_one(table: &[u8]) -> String {
    String::from_utf8_lossy(table).lines().next().map(|line| format!("{line}\n")).expect("a header")
}

fn certificates() -> Arc<Certificates> {
    let certificates = Certificates::new();
    for (name, names, valid) in [
        ("good", ["127.0.0.1"], NOW),
        ("expired", ["127.0.0.1"], EXPIRED),
        ("not_yet", ["127.0.0.1"], NOT_YET),
        ("elsewhere", ["lb9.example.org"], NOW),
    ] {
        certificates.issue(name, &names, valid);
    }
    Arc::new(certificates)
}

/// The link of a node and what is said of it.
fn link<'a>(world: &'a World, name: &str) -> (Link, &'a str) {
    let node = world.fleet.nodes.iter().find(|n| n.name == name).expect("a node");
    (node.link, &node.error)
}

/// What was seen of one fault.
struct Seen {
    words: String,
    to_live: Duration,
}

async fn suffer(sluice: &Sluice, name: &str, fake: &Fake, conduct: Conduct, expected: &str) -> Seen {
    fake.turn(conduct);
    let told = sluice
        .until(&format!("{name}: {expected}"), |w| {
            let (link, error) = link(w, name);
            link != Link::Live && error.contains(expected)
        })
        .await;
    let words = link(&told, name).1.to_owned();
    sleep(LASTS).await;
    let world = sluice.hub.world();
    let (still, error) = link(&world, name);
    assert!(still != Link::Live && error.contains(expected), "{name}: {still:?} {error}");
    let ended = Instant::now();
    fake.turn(Conduct::Answer(good()));
    sluice.until(&format!("{name} is live"), |w| link(w, name) == (Link::Live, "")).await;
    Seen { words, to_live: ended.elapsed() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_is_told_in_words_and_ends_by_itself() {
    let certificates = certificates();
    let mut cases = Vec::new();
    for Fault(fault, transports, conduct, words) in &FAULTS {
        for transport in *transports {
            let fake = Fake::over(*transport, &certificates, Conduct::Answer(good()));
            cases.push((format!("{fault} ({transport:?})"), fake, conduct(), *words));
        }
    }
    let well = Fake::over(Unix, &certificates, Conduct::Answer(good()));
    let mut nodes: Vec<_> = cases.iter().map(|(name, fake, ..)| node(name, fake.connector(), POLL)).collect();
    nodes.push(node("well", well.connector(), POLL));
    let sluice = Sluice::start(&nodes);
    sluice.until("every node is live", |w| w.fleet.nodes.iter().all(|n| n.link == Link::Live)).await;

    let (began, label) = (Instant::now(), Metrics::node("well"));
    let before = sluice.metrics.polls.get_or_create(&label).get();
    let suffering =
        cases.iter().map(|(name, fake, conduct, words)| suffer(&sluice, name, fake, conduct.clone(), words));
    let seen = futures::future::join_all(suffering).await;
    let polls = sluice.metrics.polls.get_or_create(&label).get() - before;
    let pace = began.elapsed() / u32::try_from(polls).expect("few polls");

    for ((name, ..), Seen { words, to_live }) in cases.iter().zip(&seen) {
        eprintln!("{name:<40} live after {:>5} ms  {words}", to_live.as_millis());
    }
    let longest = seen.iter().map(|seen| seen.to_live).max().expect("faults");
    eprintln!("{} faults; the node that was well was polled every {pace:?}; longest to live {longest:?}", seen.len());
    assert!(longest < SOON, "{longest:?}");
    assert_eq!(sluice.metrics.poll_errors.get_or_create(&label).get(), 0);
    // Were it behind a node that hangs, it would be polled once in three seconds.
    assert!(polls >= 10, "{polls} polls of the node that is well");
}

/// A field of this process's memory, in MiB.
fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reply_of_500_megabytes_is_refused_in_bounded_memory() {
    /// The table's limit of 64 MiB, its last doubling, and what is freed late.
    const MOST: u64 = 64 + 64 + 32;
    let certificates = certificates();
    for (transport, command, limit) in [
        (Unix, "show stat", "67108864"),
        (Tcp, "show stat", "67108864"),
        (Tls, "show stat", "67108864"),
        (Unix, "show info", "262144"),
    ] {
        let fake = Fake::over(transport, &certificates, Conduct::Answer(good()));
        let sluice = Sluice::reaching(&[("lb1", fake.connector())]).await;
        // Sets the peak back to what there is.
        fs::write("/proc/self/clear_refs", "5").expect("Linux");
        let before = memory("VmRSS");
        fake.turn(Conduct::Answer(Arc::new(move |line| match line {
            line if line == command => Reply::Flood(500_000_000),
            line => Reply::Whole(recorded(line)),
        })));
        let expected = format!("the reply is longer than the limit of {limit} bytes");
        let what = format!("{transport:?} {command}");
        sluice.until(&what, |w| link(w, "lb1").1.contains(&expected)).await;
        sleep(Duration::from_secs(1)).await;
        let (taken, grown) = (fake.flooded(), memory("VmHWM").saturating_sub(before));
        let ended = Instant::now();
        fake.turn(Conduct::Answer(good()));
        sluice.until("live", |w| link(w, "lb1") == (Link::Live, "")).await;
        eprintln!(
            "500 MB for {what:<15} {taken:>10} bytes taken in all, {grown:>3} MiB more at the peak, live after {:?}",
            ended.elapsed()
        );
        assert!(grown <= MOST, "{what}: {grown} MiB");
        assert!(ended.elapsed() < SOON);
    }
}

#[tokio::test]
async fn a_haproxy_whose_stats_maxconn_is_reached_says_so_over_each_transport() {
    let certificates = certificates();
    let server = certificates.path("good").display().to_string();
    let [tcp, tls] = crate::ways::ports();
    let Some(haproxy) = Haproxy::start(&format!(
        "global\n\tstats maxconn 2\n\tstats socket ipv4@127.0.0.1:{tcp} level admin\n\tstats timeout 60s\n\
         listen tls\n\tmode tcp\n\tbind 127.0.0.1:{tls} ssl crt {server}\n\tserver cli unix@DIR/operator.sock\n\
         backend be\n\tserver s1 127.0.0.1:1\n"
    ))
    .await
    else {
        return;
    };
    let tcp: Connector = format!("tcp://127.0.0.1:{tcp}").parse::<Address>().expect("an address").into();
    let nodes = [
        ("unix", Address::Unix(haproxy.admin()).into()),
        ("tcp", tcp),
        ("tls", certificates.connector(&format!("tls://127.0.0.1:{tls}"), None)),
    ];
    let sluice = Sluice::reaching(&nodes).await;
    // The places are free for moments only.
    let mut held = Vec::new();
    let hold = async {
        while held.len() < 2 {
            let mut stream = UnixStream::connect(haproxy.admin()).await.expect("a connection");
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"prompt\n").await.expect("a line");
            if let Ok(Ok(1..)) = timeout(Duration::from_millis(200), stream.read(&mut [0; 64])).await {
                held.push(stream);
            }
        }
    };
    timeout(PATIENCE, hold).await.expect("two places");
    for (name, _) in &nodes {
        let words = "others hold all of its `stats maxconn`";
        let told = sluice.until(words, |w| link(w, name).1.contains(words)).await;
        eprintln!("stats maxconn 2, {name}: {}", link(&told, name).1);
    }
    let ended = Instant::now();
    drop(held);
    for (name, _) in &nodes {
        sluice.until("live again", |w| link(w, name) == (Link::Live, "")).await;
        eprintln!("stats maxconn 2, {name}: live after {:?}", ended.elapsed());
    }
    assert!(ended.elapsed() < SOON);
}

#[tokio::test]
async fn a_stats_timeout_between_polls_is_no_fault() {
    let Some(haproxy) = Haproxy::start("global\n\tstats timeout 100ms\nbackend be\n\tserver s1 127.0.0.1:1\n").await
    else {
        return;
    };
    assert!(raw::ask(&haproxy.admin(), "show info").await.starts_with("Name:"));
    let connector: Connector = Address::Unix(haproxy.admin()).into();
    let sluice = Sluice::start(&[node("lb1", connector, Duration::from_millis(400))]);
    let label = Metrics::node("lb1");
    sluice.until("polls", |_| sluice.metrics.polls.get_or_create(&label).get() > 5).await;
    assert_eq!(sluice.metrics.poll_errors.get_or_create(&label).get(), 0);
}
