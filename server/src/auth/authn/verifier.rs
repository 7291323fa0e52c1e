//! Verifies passwords and hashes new ones: on threads of their own, two at once at most.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use crate::auth::{Cost, HashMemory, Password, PasswordError, PasswordHash};

/// Passwords hashed at once in each of the two lanes. Known browsers have a lane to themselves, so that a crowd of unknown
/// ones does not keep them waiting. Two in all take 38 MiB, which are kept for the next, and two cores at most.
const AT_ONCE: usize = 1;

/// How many may wait in a lane: more than one address may fail without a delay, so that one address can't fill it. At
/// 40 ms each the lane is empty within three seconds.
const WAITING: usize = 64;

/// How many of those may come from one wide network, so that whoever has a whole one leaves room for everybody else.
const WAITING_OF_ONE: usize = WAITING / 4;

/// How long one may wait; if it takes longer, something is wrong with the machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// After what time to try again where the lane is full: when it will be empty.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// Why a password was not verified.
#[derive(Debug, thiserror::Error)]
pub(in crate::auth) enum VerifierError {
    /// Too many wait already; try again after this time.
    #[error("too many log-ins at once: try again in {} s", .0.as_secs())]
    Busy(Duration),
    /// It went wrong.
    #[error("a password could not be looked at: {0}")]
    Failed(String),
}

/// The result of verifying a password.
#[derive(Debug)]
pub(in crate::auth) enum Verdict {
    /// Not the password, or there is no such account.
    Wrong,
    /// The password; with its hash at today's cost, where the stored one has another.
    Right(Option<PasswordHash>),
}

/// Work that is done one after the other.
#[derive(Debug)]
struct Lane {
    turn: Arc<Semaphore>,
    memory: Arc<Mutex<HashMemory>>,
    waiting: Mutex<Waiting>,
}

/// Who waits.
#[derive(Debug, Default)]
struct Waiting {
    total: usize,
    by_network: HashMap<IpNet, usize>,
}

/// The one place where the server verifies and hashes passwords.
#[derive(Debug)]
pub(in crate::auth) struct Verifier {
    cost: Cost,
    /// The hash that is compared with where there is no account, so that it takes as long as with one.
    dummy: PasswordHash,
    /// For browsers that logged in before.
    known: Lane,
    unknown: Lane,
    verified: Arc<AtomicU64>,
}

impl Verifier {
    /// A verifier that hashes at that cost.
    ///
    /// # Errors
    /// When nothing can be hashed at that cost.
    pub(in crate::auth) fn new(cost: Cost) -> Result<Self, PasswordError> {
        let lane =
            || Lane { turn: Arc::new(Semaphore::new(AT_ONCE)), memory: Arc::default(), waiting: Mutex::default() };
        let dummy = Password::new("nobody has this one".to_owned()).hash(cost, &mut HashMemory::default())?;
        Ok(Self { cost, dummy, known: lane(), unknown: lane(), verified: Arc::default() })
    }

    /// Whether `hash` was made of `password`; without a hash the answer takes as long. Whoever comes `from` a wide network
    /// has a share of the places there; known browsers have a lane of their own.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        from: Option<IpNet>,
    ) -> Result<Verdict, VerifierError> {
        let lane = if from.is_some() { &self.unknown } else { &self.known };
        let (cost, dummy, verified) = (self.cost, self.dummy.clone(), self.verified.clone());
        let verify = move |memory: &mut HashMemory| {
            verified.fetch_add(1, Ordering::Relaxed);
            let is_right = hash.as_ref().unwrap_or(&dummy).verifies(&password, memory);
            match hash {
                Some(hash) if is_right && hash.is_outdated(cost) => {
                    password.hash(cost, memory).map(|new| Verdict::Right(Some(new)))
                }
                Some(_) if is_right => Ok(Verdict::Right(None)),
                _ => Ok(Verdict::Wrong),
            }
        };
        lane.run(from, verify).await
    }

    /// Hashes a new password, for somebody who is logged in: in the lane of known browsers.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn hash(&self, password: Password) -> Result<PasswordHash, VerifierError> {
        let cost = self.cost;
        self.known.run(None, move |memory| password.hash(cost, memory)).await
    }

    /// How many passwords were verified so far, right or wrong.
    #[must_use]
    pub(in crate::auth) fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }
}

impl Lane {
    /// Does something with the lane's memory, when its turn has come.
    async fn run<T: Send + 'static>(
        &self,
        from: Option<IpNet>,
        work: impl FnOnce(&mut HashMemory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, VerifierError> {
        let (permit, memory) = (self.enter(from).await?, self.memory.clone());
        let done = spawn_blocking(move || {
            // Held until the work is done, even when nobody waits for it any more.
            let _permit = permit;
            work(&mut memory.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let done = done.await.map_err(|error| VerifierError::Failed(error.to_string()))?;
        done.map_err(|error| VerifierError::Failed(error.to_string()))
    }

    async fn enter(&self, from: Option<IpNet>) -> Result<OwnedSemaphorePermit, VerifierError> {
        let place = WaitingPlace::take(&self.waiting, from).ok_or(VerifierError::Busy(RETRY_AFTER))?;
        let entered = timeout(PATIENCE, self.turn.clone().acquire_owned()).await;
        drop(place);
        match entered {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(VerifierError::Busy(RETRY_AFTER)),
        }
    }
}

/// A place among those that wait; free again when dropped, also because the client disconnected.
struct WaitingPlace<'a> {
    waiting: &'a Mutex<Waiting>,
    from: Option<IpNet>,
}

impl<'a> WaitingPlace<'a> {
    fn take(all: &'a Mutex<Waiting>, from: Option<IpNet>) -> Option<Self> {
        let mut waiting = all.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = from.and_then(|network| waiting.by_network.get(&network)).copied().unwrap_or_default();
        if waiting.total >= WAITING || of_one >= WAITING_OF_ONE {
            return None;
        }
        waiting.total += 1;
        if let Some(network) = from {
            *waiting.by_network.entry(network).or_default() += 1;
        }
        Some(Self { waiting: all, from })
    }
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.total -= 1;
        if let Some(network) = self.from
            && let Some(count) = waiting.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                waiting.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    /// Whom nobody knows, in one of many networks.
    fn stranger(n: usize) -> Option<IpNet> {
        let n = u8::try_from(n).expect("few");
        Some(format!("10.0.{n}.0/24").parse().expect("a network"))
    }

    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_wrong_password() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let kept = password("correct horse").hash(CHEAP, &mut HashMemory::default()).expect("hashed");
        for (kept, typed) in [(Some(kept.clone()), "wrong"), (None, "wrong"), (None, "nobody has this one")] {
            let before = verifier.verified();
            let verdict = verifier.verify(password(typed), kept, stranger(0)).await.expect("verified");
            assert!(matches!(verdict, Verdict::Wrong));
            assert_eq!(verifier.verified(), before + 1);
        }
        assert!(!verifier.dummy.is_outdated(CHEAP), "the same cost");
        let verdict = verifier.verify(password("correct horse"), Some(kept), stranger(0)).await.expect("verified");
        assert!(matches!(verdict, Verdict::Right(None)));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_made_anew() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let old =
            password("correct horse").hash(Cost { memory: 8, ..CHEAP }, &mut HashMemory::default()).expect("hashed");
        let verdict = verifier.verify(password("correct horse"), Some(old.clone()), None).await.expect("verified");
        let Verdict::Right(Some(new)) = verdict else { panic!("{verdict:?}") };
        assert!(!new.is_outdated(CHEAP) && new.verifies(&password("correct horse"), &mut HashMemory::default()));
        let verdict = verifier.verify(password("wrong horses"), Some(old), None).await.expect("verified");
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn few_are_verified_at_once_few_wait_and_known_browsers_pass_the_crowd() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let held = verifier.unknown.enter(stranger(0)).await.expect("the first");
        assert!(verifier.unknown.turn.try_acquire().is_err(), "one at once in a lane");
        let crowd = join_all((0..WAITING + 5).map(|n| verifier.verify(password("wrong"), None, stranger(n))));
        let both = async {
            let verdict = verifier.verify(password("wrong"), None, None).await.expect("verified");
            assert!(matches!(verdict, Verdict::Wrong));
            assert_eq!(verifier.verified(), 1, "the crowd still waits");
            drop(held);
        };
        let (answers, ()) = futures::join!(crowd, both);
        let busy = answers.iter().filter(|a| matches!(a, Err(VerifierError::Busy(wait)) if !wait.is_zero())).count();
        assert_eq!((busy, verifier.verified()), (5, WAITING as u64 + 1));
        assert_eq!(verifier.unknown.waiting.lock().expect("no panic").total, 0);
    }

    #[tokio::test]
    async fn a_network_has_a_share_of_the_places_and_others_have_the_rest() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let held = verifier.unknown.enter(stranger(0)).await.expect("the first");
        let crowd = join_all((0..2 * WAITING).map(|_| verifier.verify(password("wrong"), None, stranger(1))));
        let others = join_all((2..20).map(|n| verifier.verify(password("wrong"), None, stranger(n))));
        let release = async { drop(held) };
        let (crowd, others, ()) = futures::join!(crowd, others, release);
        assert_eq!(crowd.iter().filter(|answer| answer.is_ok()).count(), WAITING_OF_ONE);
        assert!(others.iter().all(Result::is_ok));
        assert!(verifier.unknown.waiting.lock().expect("no panic").by_network.is_empty());
    }
}
