//! A connection that dies during an action: no outcome is `done` that HAProxy's state does not show, and nothing is sent twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use model::{action::Action, outcome::Outcome};

use crate::harness::{
    certificates::{Certificates, NOW},
    fake::{Conduct, Fake, Reply, Transport, recorded},
    sluice::Sluice,
};

/// Where the connection of the command dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
    BeforeTheLine,
    AfterTheLine,
    InTheAnswer,
}

/// The action, where its connection dies, whether HAProxy carries it out nevertheless, and what Sluice has to say.
type Case = (Action, Dies, bool, Outcome);

const CASES: [Case; 10] = [
    (Action::Drain, Dies::BeforeTheLine, false, Outcome::Unreachable),
    (Action::Drain, Dies::AfterTheLine, false, Outcome::Unreachable),
    (Action::Drain, Dies::AfterTheLine, true, Outcome::Done),
    (Action::Drain, Dies::InTheAnswer, false, Outcome::Unreachable),
    (Action::Drain, Dies::InTheAnswer, true, Outcome::Done),
    (Action::Shutdown, Dies::BeforeTheLine, false, Outcome::Unreachable),
    (Action::Shutdown, Dies::AfterTheLine, false, Outcome::Unreachable),
    (Action::Shutdown, Dies::AfterTheLine, true, Outcome::Done),
    (Action::Shutdown, Dies::InTheAnswer, false, Outcome::Unreachable),
    (Action::Shutdown, Dies::InTheAnswer, true, Outcome::Done),
];

/// A HAProxy with three sessions on `be_http/s1`.
fn play(dies: Dies, carries_out: bool) -> Conduct {
    let done = Arc::new(AtomicBool::new(false));
    Conduct::Answer(Arc::new(move |line| {
        let is_done = done.load(Ordering::SeqCst);
        let drained = ("7 be_http 1 s1 127.0.0.1 2 0 ", "7 be_http 1 s1 127.0.0.1 2 8 ");
        match line {
            "show stat" if !is_done => Reply::Whole(edited(line, "\nbe_http,s1,0,0,0,", "\nbe_http,s1,0,0,3,")),
            "show servers state" if is_done => Reply::Whole(edited(line, drained.0, drained.1)),
            line if line.starts_with("show ") => Reply::Whole(recorded(line)),
            _ => {
                done.store(carries_out, Ordering::SeqCst);
                Reply::Whole(if dies == Dies::InTheAnswer { b"No such ser".to_vec() } else { Vec::new() })
            }
        }
    }))
}

fn edited(line: &str, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(recorded(line)).expect("text");
    assert!(text.contains(from));
    text.replace(from, to).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_action_that_is_cut_short_is_never_told_done_unseen_and_never_sent_twice() {
    let certificates = Certificates::new();
    certificates.issue("good", &["127.0.0.1"], NOW);
    let certificates = Arc::new(certificates);
    let mut fakes = Vec::new();
    for transport in [Transport::Unix, Transport::Tcp, Transport::Tls] {
        for (action, dies, carries_out, expected) in CASES {
            let fake = Fake::over(transport, &certificates, play(dies, carries_out));
            fakes.push((format!("{transport:?}-{action}-{dies:?}-{carries_out}"), fake, action, dies, expected));
        }
    }
    let nodes: Vec<_> = fakes.iter().map(|(name, fake, ..)| (name.as_str(), fake.connector())).collect();
    let sluice = Sluice::reaching(&nodes).await;
    let runs = fakes.iter().map(async |(name, fake, action, dies, expected)| {
        if *dies == Dies::BeforeTheLine {
            fake.drop_after("show servers state");
        }
        let got = sluice.act(*action, &format!("{name}/be_http/s1")).await;
        eprintln!("{name:<40} {:?} {}; {} sent", got.outcome, got.message, fake.told().len());
        assert_eq!(got.outcome, *expected, "{name}: {got:?}");
        fake
    });
    let fakes = futures::future::join_all(runs).await;
    // Whatever would be repeated would be so with a poll: some more of those.
    let polls: Vec<usize> = fakes.iter().map(|fake| fake.lines()).collect();
    sluice.until("more polls", |_| fakes.iter().zip(&polls).all(|(fake, polls)| fake.lines() > polls + 6)).await;
    for (fake, (action, dies, ..)) in fakes.iter().zip(CASES.iter().cycle()) {
        let verb = if *action == Action::Drain {
            "set server be_http/s1 state drain"
        } else {
            "shutdown sessions server be_http/s1"
        };
        let expected: &[&str] = if *dies == Dies::BeforeTheLine { &[] } else { &[verb] };
        assert_eq!(fake.told(), expected);
    }
}
