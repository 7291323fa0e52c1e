//! Nodes that answer late, or never: they cost the others nothing, and no old figure looks new.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::fleet::Link;
use server::hub::World;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    PATIENCE,
    harness::{fake::recorded, sluice::Sluice},
};

/// How long a reply takes; nothing for one that never comes.
type Delay = Option<Duration>;

/// A stats socket that takes its time. Dropping it ends it and removes its socket.
struct Slow {
    directory: TempDir,
    seen: Arc<Seen>,
    delay: Arc<Mutex<Delay>>,
    _task: AbortOnDropHandle<()>,
}

/// What a peer saw.
#[derive(Default)]
struct Seen {
    open: AtomicUsize,
    most_open: AtomicUsize,
    /// `show stat` is asked once a poll.
    polls: AtomicUsize,
}

impl Slow {
    fn start(delay: Delay) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("slow.sock")).expect("a socket");
        let (seen, delay) = (Arc::new(Seen::default()), Arc::new(Mutex::new(delay)));
        let (mine, now) = (seen.clone(), delay.clone());
        let task = tokio::spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while serving.try_join_next().is_some() {}
                let (open, now) = (Open::new(mine.clone()), now.clone());
                serving.spawn(async move {
                    // Whoever went away needs no reply.
                    let _: std::io::Result<()> = serve(stream, open, &now).await;
                });
            }
        });
        Self { directory, seen, delay, _task: AbortOnDropHandle::new(task) }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("slow.sock")
    }

    fn polls(&self) -> usize {
        self.seen.polls.load(Ordering::Relaxed)
    }

    fn take(&self, delay: Delay) {
        *self.delay.lock().expect("no panic") = delay;
    }
}

/// A connection that counts as open.
struct Open(Arc<Seen>);

impl Open {
    fn new(seen: Arc<Seen>) -> Self {
        let open = seen.open.fetch_add(1, Ordering::Relaxed) + 1;
        seen.most_open.fetch_max(open, Ordering::Relaxed);
        Self(seen)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Replies to one line, or is silent until the client goes away. The connection counts as open until one of the two.
async fn serve(stream: UnixStream, open: Open, delay: &Mutex<Delay>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if line == "show stat\n" {
        open.0.polls.fetch_add(1, Ordering::Relaxed);
    }
    let delay = *delay.lock().expect("no panic");
    if let Some(delay) = delay {
        sleep(delay).await;
        stream.write_all(&recorded(line.trim_end())).await?;
        // Before the client can see the end, and begin the next.
        drop(open);
        stream.shutdown().await
    } else {
        stream.read_to_end(&mut Vec::new()).await.map(drop)
    }
}

/// Now, Unix milliseconds.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("before the year 584 million")
}

/// What this process needed so far: seconds of processor, and its memory in kB.
fn cost() -> (f64, u64) {
    let read = |file: &str| std::fs::read_to_string(Path::new("/proc/self").join(file)).expect("a Linux");
    let stat = read("stat");
    // The second field is a name in parentheses; user and system time are fields 14 and 15, in hundredths.
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks: f64 = [11, 12].iter().map(|at: &usize| fields[*at].parse::<f64>().expect("a number")).sum();
    let status = read("status");
    let resident = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a line");
    (ticks / 100.0, resident.trim().trim_end_matches(" kB").parse().expect("a number"))
}

#[tokio::test]
async fn polls_that_take_longer_than_their_tick_are_not_piled_up() {
    const POLL: Duration = Duration::from_millis(200);
    const TAKES: Duration = Duration::from_millis(1_500);
    let slow = Slow::start(Some(Duration::ZERO));
    let sluice = Sluice::polling(POLL, &[("lb1", "edge", &slow.socket())]).await;
    slow.take(Some(TAKES));
    let polled = |w: &World| w.fleet.nodes[0].stats.polled;
    // The poll under way may be a fast one yet; the second from here is slow from its beginning.
    let mut last = polled(&sluice.hub.world());
    for _ in 0..2 {
        last = polled(&*sluice.until("a poll", |w| polled(w) > last).await);
    }
    let (began, asked) = (Instant::now(), slow.polls());
    for _ in 0..4 {
        let world = sluice.until("a late poll", |w| polled(w) > last).await;
        let apart = polled(&world) - last;
        last = polled(&world);
        eprintln!("polls {apart} ms apart");
        assert!(apart >= 1_400, "each takes {TAKES:?}, and these are {apart} ms apart");
        assert_eq!(world.fleet.nodes[0].link, Link::Live);
        // What was just heard is younger than the wait for it was long.
        let age = world.fleet.nodes[0].age_ms(now_ms()).expect("an age");
        assert!(age < apart, "{age} ms");
    }
    let (most, asked) = (slow.seen.most_open.load(Ordering::Relaxed), slow.polls() - asked);
    let took = began.elapsed();
    eprintln!("{asked} polls in {took:?}, {most} connections at most");
    assert!(most <= 2, "{most} connections at once");
    // Beside those that fit one after the other into that time: the one under way at its beginning, and at its end.
    let fit = usize::try_from(took.as_millis() / TAKES.as_millis()).expect("a few");
    assert!(asked <= fit + 2, "{asked} polls were asked for where {fit} fit");
}

#[tokio::test]
async fn a_node_that_answers_late_shows_its_age() {
    const POLL: Duration = Duration::from_millis(200);
    let slow = Slow::start(Some(Duration::ZERO));
    let sluice = Sluice::polling(POLL, &[("lb1", "edge", &slow.socket())]).await;
    slow.take(None);
    let silent = slow.polls();
    // From here nothing is heard. It counts as live until the deadline of a request, and its rows as old before that.
    sluice.until("the poll that hangs has failed", |w| w.fleet.nodes[0].link != Link::Live).await;
    assert!(slow.polls() > silent);
    let node = sluice.hub.world().fleet.nodes[0].clone();
    let heard = node.stats.polled;
    assert_eq!(node.link, Link::Stale, "{node:?}");
    assert!(node.error.contains("no answer in time"), "{}", node.error);
    assert!(!node.is_fresh(heard), "a node that does not answer is never fresh");
    let age = node.age_ms(now_ms()).expect("it was heard once");
    assert!(age >= 2_000, "{age} ms");
    eprintln!("stale at {age} ms");
    // Late, and live again: the age that a page shows while the next answer is under way grows past fresh by itself.
    slow.take(Some(Duration::from_millis(2_700)));
    let world = sluice.until("it answers again", |w| w.fleet.nodes[0].link == Link::Live).await;
    let node = &world.fleet.nodes[0];
    let (heard, poll) = (node.stats.polled, node.poll_ms);
    assert!(node.is_fresh(heard + 2 * poll + 2_000) && !node.is_fresh(heard + 2 * poll + 2_001));
    let overdue = async {
        loop {
            let node = sluice.hub.world().fleet.nodes[0].clone();
            let now = now_ms();
            if node.link == Link::Live && !node.is_fresh(now) {
                return node.age_ms(now).expect("an age");
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let age = timeout(PATIENCE, overdue).await.expect("rows that wait for a late answer are old");
    eprintln!("live, and not fresh at {age} ms");
    assert!(age > 2 * poll + 2_000, "{age} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hanging_nodes_of_fifty_cost_the_others_nothing() {
    const POLL: Duration = Duration::from_millis(500);
    /// Each of the others gets so many polls while five hang. Were they waited for, that would take three seconds each,
    /// and longer than [`PATIENCE`].
    const POLLS: usize = 12;
    let peers: Vec<Slow> = (0..50).map(|_| Slow::start(Some(Duration::ZERO))).collect();
    let named: Vec<(String, PathBuf)> = (1..).zip(&peers).map(|(n, p)| (format!("lb{n}"), p.socket())).collect();
    let nodes: Vec<(&str, &str, &Path)> = named.iter().map(|(n, s)| (n.as_str(), "edge", s.as_path())).collect();
    let sluice = Sluice::polling(POLL, &nodes).await;
    let watch = async |what: &str| {
        let (before, (cpu, _), began): (Vec<usize>, _, _) =
            (peers.iter().map(Slow::polls).collect(), cost(), Instant::now());
        let healthy = async {
            while peers[5..].iter().zip(&before[5..]).any(|(peer, was)| peer.polls() - was < POLLS) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, healthy).await.expect("hanging nodes hold up nobody");
        let (after, took) = (cost(), began.elapsed());
        let polls: Vec<usize> = peers.iter().zip(before).map(|(p, was)| p.polls() - was).collect();
        let (least, most) = (polls[5..].iter().min().expect("nodes"), polls[5..].iter().max().expect("nodes"));
        let share = (after.0 - cpu) / took.as_secs_f64();
        eprintln!(
            "{what}: healthy nodes {least} to {most} polls in {took:?}, others {:?}; processor {:.1} %, peers and all; {} kB",
            &polls[..5],
            100.0 * share,
            after.1
        );
    };
    watch("all well").await;
    for peer in &peers[..5] {
        peer.take(None);
    }
    watch("five hang").await;
    let world = sluice.until("five are down", |w| w.fleet.nodes[..5].iter().all(|n| n.link == Link::Down)).await;
    for node in &world.fleet.nodes[..5] {
        assert!(node.error.contains("no answer in time"), "{}: {}", node.name, node.error);
        assert!(!node.is_fresh(now_ms()));
    }
    for node in &world.fleet.nodes[5..] {
        assert!(node.link == Link::Live && node.is_fresh(now_ms()), "{node:?}");
    }
    // A poll has two connections: those of earlier ones were given up, not kept.
    let closed = async {
        while peers.iter().any(|p| p.seen.open.load(Ordering::Relaxed) > 2) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, closed).await.expect("no connection is left behind");
}
