//! Looks at passwords and hashes new ones: away from the tasks that serve, two at once at most.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use crate::auth::{Cost, Memory, Password, PasswordError, PasswordHash};

/// Passwords looked at together, in each of the two lanes: known browsers have one to themselves, so that a crowd of
/// strangers does not keep them waiting. Two in all take 38 MiB, which are kept for the next, and no more than two cores.
const AT_ONCE: usize = 1;

/// How many may wait in a lane. More than one address is let fail without a delay, so that one address can't fill it; at
/// 40 ms each it is empty within three seconds.
const WAITING: usize = 64;

/// How long one may wait: then there is something wrong with the machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is told to come again: when everybody that waits now is through.
const COME_AGAIN: Duration = Duration::from_secs(3);

/// Why nobody looked at a password.
#[derive(Debug, thiserror::Error)]
pub(in crate::auth) enum VerifierError {
    /// Too many wait already; come again after this time.
    #[error("too many log-ins at once: try again in {} s", .0.as_secs())]
    Busy(Duration),
    /// It went wrong.
    #[error("a password could not be looked at: {0}")]
    Failed(String),
}

/// What became of a look.
#[derive(Debug)]
pub(in crate::auth) enum Verdict {
    /// Not the password, or there is no such account.
    Wrong,
    /// The password; with its hash at the cost of today, where it was kept at another.
    Right(Option<PasswordHash>),
}

#[derive(Debug)]
struct Lane {
    free: Arc<Semaphore>,
    memory: Arc<Mutex<Memory>>,
    waiting: AtomicUsize,
}

/// The one place where the program looks at passwords and hashes them.
#[derive(Debug)]
pub(in crate::auth) struct Verifier {
    cost: Cost,
    /// The hash that is looked at where there is no account: as much work, for nothing.
    nobody: PasswordHash,
    known: Lane,
    strangers: Lane,
    looks: Arc<AtomicU64>,
}

impl Verifier {
    /// One for hashes of that cost.
    ///
    /// # Errors
    /// When nothing can be hashed at that cost.
    pub(in crate::auth) fn new(cost: Cost) -> Result<Self, PasswordError> {
        let lane =
            || Lane { free: Arc::new(Semaphore::new(AT_ONCE)), memory: Arc::default(), waiting: AtomicUsize::new(0) };
        let nobody = Password::typed("nobody has this one".to_owned()).hash(cost, &mut Memory::default())?;
        Ok(Self { cost, nobody, known: lane(), strangers: lane(), looks: Arc::default() })
    }

    /// Looks whether `password` is the one that `kept` was made of; with nothing kept it takes as long.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn look(
        &self,
        password: Password,
        kept: Option<PasswordHash>,
        is_known: bool,
    ) -> Result<Verdict, VerifierError> {
        let lane = if is_known { &self.known } else { &self.strangers };
        let (cost, nobody, looks) = (self.cost, self.nobody.clone(), self.looks.clone());
        let look = move |memory: &mut Memory| {
            looks.fetch_add(1, Ordering::Relaxed);
            let fits = kept.as_ref().unwrap_or(&nobody).fits(&password, memory);
            match kept {
                Some(hash) if fits && hash.is_outdated(cost) => {
                    password.hash(cost, memory).map(|new| Verdict::Right(Some(new)))
                }
                Some(_) if fits => Ok(Verdict::Right(None)),
                _ => Ok(Verdict::Wrong),
            }
        };
        lane.work(look).await
    }

    /// Hashes a new password, for somebody who is in: in the lane of those who are known.
    ///
    /// # Errors
    /// When too many wait, or it went wrong.
    pub(in crate::auth) async fn hash(&self, password: Password) -> Result<PasswordHash, VerifierError> {
        let cost = self.cost;
        self.known.work(move |memory| password.hash(cost, memory)).await
    }

    /// How many passwords were looked at so far.
    #[must_use]
    pub(in crate::auth) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }
}

impl Lane {
    /// Does something with the lane's memory, when its turn has come.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, VerifierError> {
        let (permit, memory) = (self.enter().await?, self.memory.clone());
        let done = spawn_blocking(move || {
            // Held to the end of the work, whether somebody still waits for it or not.
            let _permit = permit;
            work(&mut memory.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let done = done.await.map_err(|error| VerifierError::Failed(error.to_string()))?;
        done.map_err(|error| VerifierError::Failed(error.to_string()))
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, VerifierError> {
        let waits = Waits::begin(&self.waiting).ok_or(VerifierError::Busy(COME_AGAIN))?;
        let entered = timeout(PATIENCE, self.free.clone().acquire_owned()).await;
        drop(waits);
        match entered {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(VerifierError::Busy(COME_AGAIN)),
        }
    }
}

/// One that waits; dropped when it waits no more, or when whoever asked has left.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn password(text: &str) -> Password {
        Password::typed(text.to_owned())
    }

    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_wrong_password() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let kept = password("correct horse").hash(CHEAP, &mut Memory::default()).expect("hashed");
        for (kept, typed) in [(Some(kept.clone()), "wrong"), (None, "wrong"), (None, "nobody has this one")] {
            let before = verifier.looks();
            let verdict = verifier.look(password(typed), kept, false).await.expect("looked at");
            assert!(matches!(verdict, Verdict::Wrong));
            assert_eq!(verifier.looks(), before + 1);
        }
        assert!(!verifier.nobody.is_outdated(CHEAP), "the same cost");
        let verdict = verifier.look(password("correct horse"), Some(kept), false).await.expect("looked at");
        assert!(matches!(verdict, Verdict::Right(None)));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_made_anew() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let old = password("correct horse").hash(Cost { memory: 8, ..CHEAP }, &mut Memory::default()).expect("hashed");
        let verdict = verifier.look(password("correct horse"), Some(old.clone()), true).await.expect("looked at");
        let Verdict::Right(Some(new)) = verdict else { panic!("{verdict:?}") };
        assert!(!new.is_outdated(CHEAP) && new.fits(&password("correct horse"), &mut Memory::default()));
        let verdict = verifier.look(password("wrong horses"), Some(old), true).await.expect("looked at");
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn few_are_looked_at_together_few_wait_and_known_browsers_pass_the_crowd() {
        let verifier = Verifier::new(CHEAP).expect("a verifier");
        let held = verifier.strangers.enter().await.expect("the first");
        assert!(verifier.strangers.free.try_acquire().is_err(), "one at once in a lane");
        let crowd = join_all((0..WAITING + 5).map(|_| verifier.look(password("wrong"), None, false)));
        let both = async {
            let verdict = verifier.look(password("wrong"), None, true).await.expect("looked at");
            assert!(matches!(verdict, Verdict::Wrong));
            assert_eq!(verifier.looks(), 1, "the crowd still waits");
            drop(held);
        };
        let (answers, ()) = futures::join!(crowd, both);
        let busy = answers.iter().filter(|a| matches!(a, Err(VerifierError::Busy(wait)) if !wait.is_zero())).count();
        assert_eq!((busy, verifier.looks()), (5, WAITING as u64 + 1));
        assert_eq!(verifier.strangers.waiting.load(Ordering::Relaxed), 0);
    }
}
