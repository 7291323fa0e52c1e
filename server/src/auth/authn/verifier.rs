//! Verifies passwords and hashes new ones: on threads of their own, two at once at most.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::spawn_blocking;

use crate::{
    auth::{Cost, HashMemory, Password, PasswordError, PasswordHash},
    fair_queue::{Applicant, FairQueue},
};

/// Passwords hashed at once in each of the two lanes. Known browsers have a lane to themselves, so that a crowd of unknown
/// ones does not keep them waiting. Two in all take 38 MiB, which are kept for the next, and two cores at most.
const AT_ONCE: usize = 1;

/// How many may wait in a lane: more than one address may fail without a delay, so that one address can't fill it. At
/// 40 ms each the lane is empty within three seconds.
const WAITING: usize = 64;

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
    queue: FairQueue,
    memory: Arc<Mutex<HashMemory>>,
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
        let lane = || Lane { queue: FairQueue::new(AT_ONCE, WAITING), memory: Arc::default() };
        let dummy = Password::new("nobody has this one".to_owned()).hash(cost, &mut HashMemory::default())?;
        Ok(Self { cost, dummy, known: lane(), unknown: lane(), verified: Arc::default() })
    }

    /// Whether `hash` was made of `password`; without a hash the answer takes as long. Strangers wait by where
    /// they come from; known browsers have a lane of their own.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        applicant: Applicant,
    ) -> Result<Verdict, VerifierError> {
        let lane = match applicant {
            Applicant::Stranger(_) => &self.unknown,
            Applicant::Account(_) => &self.known,
        };
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
        lane.run(applicant, verify).await
    }

    /// Hashes a new password, for somebody who is logged in with `account`: in the lane of known browsers.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn hash(&self, password: Password, account: &str) -> Result<PasswordHash, VerifierError> {
        let cost = self.cost;
        self.known.run(Applicant::Account(account.to_owned()), move |memory| password.hash(cost, memory)).await
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
        applicant: Applicant,
        work: impl FnOnce(&mut HashMemory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, VerifierError> {
        let turn = self.queue.turn(applicant, PATIENCE).await.ok_or(VerifierError::Busy(RETRY_AFTER))?;
        let memory = self.memory.clone();
        let done = spawn_blocking(move || {
            // Held until the work is done, even when nobody waits for it any more.
            let _turn = turn;
            work(&mut memory.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let done = done.await.map_err(|error| VerifierError::Failed(error.to_string()))?;
        done.map_err(|error| VerifierError::Failed(error.to_string()))
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
    fn stranger(n: usize) -> Applicant {
        let n = u8::try_from(n).expect("few");
        Applicant::Stranger([10, n, 0, 1].into())
    }

    fn anna() -> Applicant {
        Applicant::Account("anna".to_owned())
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
        let verdict = verifier.verify(password("correct horse"), Some(old.clone()), anna()).await.expect("verified");
        let Verdict::Right(Some(new)) = verdict else { panic!("{verdict:?}") };
        assert!(!new.is_outdated(CHEAP) && new.verifies(&password("correct horse"), &mut HashMemory::default()));
        let verdict = verifier.verify(password("wrong horses"), Some(old), anna()).await.expect("verified");
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn few_are_verified_at_once_few_wait_and_known_browsers_pass_the_crowd() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let held = verifier.unknown.queue.turn(stranger(0), PATIENCE).await.expect("the first");
        let crowd = join_all((0..WAITING + 5).map(|n| verifier.verify(password("wrong"), None, stranger(n))));
        let both = async {
            let verdict = verifier.verify(password("wrong"), None, anna()).await.expect("verified");
            assert!(matches!(verdict, Verdict::Wrong));
            assert_eq!(verifier.verified(), 1, "the crowd still waits");
            drop(held);
        };
        let (answers, ()) = futures::join!(crowd, both);
        let busy = answers.iter().filter(|a| matches!(a, Err(VerifierError::Busy(wait)) if !wait.is_zero())).count();
        assert_eq!((busy, verifier.verified()), (5, WAITING as u64 + 1));
        assert_eq!(verifier.unknown.queue.waiting(), 0);
    }
}
