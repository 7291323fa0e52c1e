//! Turns for work that people can ask for, shared fairly: strangers by the networks that they come from, those who are known by
//! their accounts.
//!
//! Whoever has more networks than others gets no more of the work: turns go round the regions that wait, and where too many
//! wait, whoever came last from the network and region with the most of them goes.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use tokio::{sync::oneshot, time::timeout};

use crate::network::{region, widest_network};

/// A queue for so many turns at once. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct FairQueue(Arc<Mutex<State>>);

/// Who asks for a turn.
#[derive(Clone, Debug)]
pub(crate) enum Applicant {
    /// Somebody of whom nothing is known but where they come from.
    Stranger(IpAddr),
    /// Somebody whom it is known to be an account's.
    Account(String),
}

/// Those who share a turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Group {
    Network(IpNet),
    Account(String),
}

/// A turn; over when dropped, and then another's.
#[derive(Debug)]
pub(crate) struct Turn(FairQueue);

#[derive(Debug)]
struct State {
    /// Turns that may be taken now.
    free: usize,
    most_waiting: usize,
    /// In the order in which they came.
    waiting: VecDeque<Waiter>,
    /// Where each region goes on that had a turn lately, on a clock that goes by turns (start-time fair queueing).
    next: HashMap<Group, u64>,
    clock: u64,
}

#[derive(Debug)]
struct Waiter {
    region: Group,
    network: Group,
    turn: oneshot::Sender<Turn>,
}

impl FairQueue {
    /// A queue for so many turns at once, in which so many may wait.
    pub(crate) fn new(at_once: usize, most_waiting: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: at_once,
            most_waiting,
            waiting: VecDeque::new(),
            next: HashMap::new(),
            clock: 0,
        })))
    }

    /// Waits for a turn; nothing where too many wait, or it takes too long.
    pub(crate) async fn turn(&self, applicant: Applicant, patience: Duration) -> Option<Turn> {
        let (turn, received) = oneshot::channel();
        let (region, network) = match applicant {
            Applicant::Stranger(address) => (Group::Network(region(address)), Group::Network(widest_network(address))),
            Applicant::Account(name) => (Group::Account(name.clone()), Group::Account(name)),
        };
        self.state().join(Waiter { region, network, turn });
        self.pass_on();
        timeout(patience, received).await.ok()?.ok()
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Gives what turns there are to those who wait. Not while the state is held: a turn that nobody takes any more comes
    /// back at once.
    fn pass_on(&self) {
        loop {
            let Some(next) = self.state().take_next() else { return };
            drop(next.turn.send(Turn(self.clone())));
        }
    }

    /// The state is never half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state().free += 1;
        self.0.pass_on();
    }
}

impl State {
    fn join(&mut self, waiter: Waiter) {
        self.waiting.retain(|waiter| !waiter.turn.is_closed());
        self.waiting.push_back(waiter);
        if self.waiting.len() > self.most_waiting {
            let region = most_frequent(self.waiting.iter().map(|waiter| &waiter.region));
            let of_region = self.waiting.iter().filter(|waiter| Some(&waiter.region) == region);
            let network = most_frequent(of_region.map(|waiter| &waiter.network));
            let is_last = |waiter: &Waiter| Some(&waiter.region) == region && Some(&waiter.network) == network;
            let last = self.waiting.iter().rposition(is_last);
            last.and_then(|last| self.waiting.remove(last));
        }
    }

    /// Takes a turn for the next of those that wait: of the region that had the fewest lately, whoever came first.
    fn take_next(&mut self) -> Option<Waiter> {
        self.waiting.retain(|waiter| !waiter.turn.is_closed());
        if self.free == 0 {
            return None;
        }
        let starts = self.waiting.iter().map(|w| self.next.get(&w.region).copied().unwrap_or(0).max(self.clock));
        let (start, place) = starts.zip(0..).min()?;
        let waiter = self.waiting.remove(place)?;
        self.free -= 1;
        self.clock = start;
        self.next.insert(waiter.region.clone(), start + 1);
        self.next.retain(|_, next| *next > start);
        Some(waiter)
    }
}

/// What there is most of; where that is several, the one that the last is of, if it is one of them.
fn most_frequent<T: Copy + Eq + Hash>(all: impl Iterator<Item = T>) -> Option<T> {
    let (mut counts, mut last) = (HashMap::new(), None);
    for one in all {
        *counts.entry(one).or_insert(0_usize) += 1;
        last = Some(one);
    }
    counts.into_iter().max_by_key(|(one, count)| (*count, Some(*one) == last)).map(|(one, _)| one)
}

#[cfg(test)]
mod tests {
    use std::iter;

    use futures::future::join_all;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn anna() -> Applicant {
        Applicant::Account("anna".to_owned())
    }

    /// Who gets a turn out of a queue in which eight may wait, in order; all come while somebody else has the only turn.
    async fn served(come: &[&str]) -> Vec<String> {
        let queue = FairQueue::new(1, 8);
        let first = queue.turn(anna(), PATIENCE).await.expect("free");
        let served = Mutex::new(Vec::new());
        let each = come.iter().map(async |from| {
            if let Some(_turn) = queue.turn(Applicant::Stranger(from.parse().expect("an address")), PATIENCE).await {
                served.lock().expect("whole").push((*from).to_owned());
            }
        });
        futures::join!(join_all(each), async { drop(first) });
        assert_eq!((queue.waiting(), queue.state().free), (0, 1));
        served.into_inner().expect("whole")
    }

    #[tokio::test]
    async fn turns_go_round_the_regions() {
        let come = ["10.1.0.1", "10.1.0.2", "10.1.7.3", "10.2.0.1", "10.2.0.2", "2001:db8:1::1"];
        let order = ["10.1.0.1", "10.2.0.1", "2001:db8:1::1", "10.1.0.2", "10.2.0.2", "10.1.7.3"];
        assert_eq!(served(&come).await, order);
    }

    #[tokio::test]
    async fn where_too_many_wait_the_last_of_the_largest_crowd_goes() {
        // A crowd out of many networks of one region leaves room for every other region, and within it for other networks.
        let crowd: Vec<String> = (0..20).map(|n| format!("10.1.{}.{n}", 3 - n % 4)).collect();
        let mut come: Vec<&str> = crowd.iter().map(String::as_str).collect();
        come.extend(["10.1.99.1", "10.2.0.1", "2001:db8::1"]);
        let served = served(&come).await;
        assert_eq!(served.len(), 8);
        for honest in ["10.1.99.1", "10.2.0.1", "2001:db8::1"] {
            assert!(served.iter().any(|one| one == honest), "{honest}: {served:?}");
        }
        assert!(served.iter().position(|one| one == "2001:db8::1") < Some(3), "{served:?}");
    }

    #[tokio::test]
    async fn a_crowd_of_one_network_is_refused_from_its_end() {
        let crowd: Vec<String> = (0..12).map(|n| format!("10.1.0.{n}")).collect();
        let come: Vec<&str> = crowd.iter().map(String::as_str).collect();
        assert_eq!(served(&come).await, come[..8]);
    }

    #[tokio::test]
    async fn an_account_that_asks_for_much_keeps_no_other_waiting() {
        let queue = FairQueue::new(1, 8);
        let held = queue.turn(anna(), PATIENCE).await.expect("free");
        let crowd = join_all((0..20).map(async |_| queue.turn(anna(), PATIENCE).await.is_some()));
        let ben = async {
            let _turn = queue.turn(Applicant::Account("ben".to_owned()), PATIENCE).await.expect("a turn");
            assert!(queue.waiting() > 5, "before most of the crowd");
        };
        let (served, (), ()) = futures::join!(crowd, ben, async { drop(held) });
        assert_eq!(served.into_iter().filter(|is_served| *is_served).count(), 7);
    }

    #[tokio::test]
    async fn whoever_goes_leaves_no_turn_behind() {
        let queue = FairQueue::new(1, 8);
        let held = queue.turn(anna(), PATIENCE).await.expect("free");
        assert!(queue.turn(anna(), Duration::from_millis(1)).await.is_none(), "nobody waits for ever");
        let mut gone: Vec<_> = iter::repeat_with(|| Box::pin(queue.turn(anna(), PATIENCE))).take(3).collect();
        for waiting in &mut gone {
            assert!(futures::poll!(waiting.as_mut()).is_pending());
        }
        // The first of them gets the turn, and never looks at it.
        drop(held);
        drop(gone);
        assert!(queue.turn(anna(), PATIENCE).await.is_some());
        assert_eq!(queue.state().free, 1);
    }

    #[test]
    fn a_tie_is_the_last_one_s() {
        for (all, expected) in [("", None), ("a", Some('a')), ("aab", Some('a')), ("aabb", Some('b')), ("bbaac", None)]
        {
            let most = most_frequent(all.chars());
            assert!(expected.is_none() || most == expected, "{all}: {most:?}");
        }
    }
}
