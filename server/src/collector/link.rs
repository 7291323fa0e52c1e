//! Whether a node answers: live, stale, down; and how long to wait before the next try.

use std::time::Duration;

use haproxy::Error;
use model::fleet::{Link, Node};

/// A node that has not answered for this long is down, in milliseconds: longer than one request may take, so that a node
/// that hangs is stale first.
const DOWN_AFTER_MS: u64 = 5_000;

/// The first wait after a failure.
const BACKOFF_MIN: Duration = Duration::from_millis(250);

/// The longest wait: a node that comes back is live within this and one poll.
const BACKOFF_MAX: Duration = Duration::from_secs(4);

/// Waits vary by this part of their length, so that many nodes behind one fault do not come back at the same moment.
const JITTER: f64 = 0.2;

/// Judges a node's link by its polls.
#[derive(Debug, Default)]
pub(super) struct LinkMonitor {
    failures: u32,
}

impl LinkMonitor {
    /// A poll succeeded: the node is live.
    pub(super) fn succeeded(&mut self, mut node: Node, now_ms: u64) -> Node {
        if node.link != Link::Live {
            if self.failures > 0 {
                tracing::info!(node = node.name, "answers again");
            }
            node.link = Link::Live;
            node.error.clear();
            node.since = now_ms;
        }
        self.failures = 0;
        node
    }

    /// A poll failed. Gives the node with the error in it, and how long to wait before the next try.
    pub(super) fn failed(&mut self, mut node: Node, error: &Error, now_ms: u64) -> (Node, Duration) {
        let heard = node.stats.polled;
        let link = if heard > 0 && now_ms.saturating_sub(heard) < DOWN_AFTER_MS { Link::Stale } else { Link::Down };
        if self.failures == 0 {
            tracing::warn!(node = node.name, address = node.address, %error, "does not answer");
        }
        if link != node.link {
            node.link = link;
            node.since = now_ms;
        }
        node.error = error.to_string();
        let mut wait = backoff(self.failures, fastrand::f64());
        if link == Link::Stale {
            // It becomes down when its time is up, not at the end of a long wait.
            wait = wait.min(Duration::from_millis(DOWN_AFTER_MS.saturating_sub(now_ms.saturating_sub(heard))));
        }
        self.failures = self.failures.saturating_add(1);
        (node, wait)
    }
}

/// The wait after so many failures; `chance` is from 0 to 1.
fn backoff(failures: u32, chance: f64) -> Duration {
    let doubled = BACKOFF_MIN.saturating_mul(1 << failures.min(10));
    doubled.min(BACKOFF_MAX).mul_f64(1.0 - JITTER + 2.0 * JITTER * chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Error {
        Error::Closed { received: 0 }
    }

    #[test]
    fn a_silent_node_is_stale_then_down_then_live() {
        let mut monitor = LinkMonitor::default();
        let mut node = monitor.succeeded(Node::default(), 1_000);
        assert_eq!((node.link, node.since), (Link::Live, 1_000));
        node.stats.polled = 1_000;
        let (node, _) = monitor.failed(node, &refused(), 2_000);
        assert_eq!((node.link, node.since), (Link::Stale, 2_000));
        assert!(!node.error.is_empty());
        let (node, _) = monitor.failed(node, &refused(), 3_000);
        assert_eq!((node.link, node.since), (Link::Stale, 2_000));
        let (node, _) = monitor.failed(node, &refused(), 6_000);
        assert_eq!((node.link, node.since), (Link::Down, 6_000));
        let node = monitor.succeeded(node, 7_000);
        assert_eq!((node.link, node.since, node.error.as_str()), (Link::Live, 7_000, ""));
    }

    #[test]
    fn a_stale_node_is_tried_again_by_the_time_that_it_is_down() {
        let mut monitor = LinkMonitor { failures: 10 };
        let mut node = monitor.succeeded(Node::default(), 1_000);
        node.stats.polled = 1_000;
        monitor.failures = 10;
        let (node, wait) = monitor.failed(node, &refused(), 5_500);
        assert_eq!((node.link, wait), (Link::Stale, Duration::from_millis(500)));
    }

    #[test]
    fn a_node_that_never_answered_is_down() {
        assert_eq!(LinkMonitor::default().failed(Node::default(), &refused(), 9).0.link, Link::Down);
    }

    #[test]
    fn waits_grow_to_a_bound_and_vary() {
        let of = |failures, chance| backoff(failures, chance).as_millis();
        assert_eq!((of(0, 0.5), of(1, 0.5), of(2, 0.5)), (250, 500, 1_000));
        assert_eq!((of(30, 0.0), of(30, 0.5), of(u32::MAX, 1.0)), (3_200, 4_000, 4_800));
    }
}
