//! How many conversations with the provider there are at once: in all, and for each client network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipnet::IpNet;

use crate::{
    fair_queue::{Applicant, FairQueue, Turn},
    network::client_network,
};

/// Conversations at once. Further ones wait for their turn.
const AT_ONCE: usize = 16;

/// Those that wait. Of any more, some fail at once, and people are told to try again.
const WAITING: usize = 112;

/// Those of one client network that go on or wait.
const MOST_OF_ONE: usize = 4;

/// How many there are for each client network.
#[derive(Debug)]
pub(super) struct Conversations {
    counts: Mutex<HashMap<IpNet, usize>>,
    queue: FairQueue,
}

/// A conversation; over when dropped.
pub(super) struct Conversation<'a> {
    _turn: Turn,
    _place: Place<'a>,
}

/// A place among those that go on or wait.
struct Place<'a> {
    all: &'a Conversations,
    network: IpNet,
}

impl Default for Conversations {
    fn default() -> Self {
        Self { counts: Mutex::default(), queue: FairQueue::new(AT_ONCE, WAITING) }
    }
}

impl Conversations {
    /// Begins one for somebody there, when its turn has come; nothing where there are too many, or it takes too long.
    pub(super) async fn begin(&self, address: IpAddr, patience: Duration) -> Option<Conversation<'_>> {
        let place = self.place(client_network(address))?;
        let turn = self.queue.turn(Applicant::Stranger(address), patience).await?;
        Some(Conversation { _turn: turn, _place: place })
    }

    fn place(&self, network: IpNet) -> Option<Place<'_>> {
        let mut counts = self.counts();
        let of_one = counts.get(&network).copied().unwrap_or_default();
        if of_one >= MOST_OF_ONE {
            return None;
        }
        counts.insert(network, of_one + 1);
        Some(Place { all: self, network })
    }

    /// A count is never half changed.
    fn counts(&self) -> MutexGuard<'_, HashMap<IpNet, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}
