//! Notifications to systemd: that Sluice is ready, reloads, stops, and, for the watchdog, that it is alive.
//!
//! Without `NOTIFY_SOCKET` in the environment nothing is sent.

use sd_notify::NotifyState;

/// Notifies that Sluice serves at `url`.
pub fn ready(url: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(&format!("serves {url}"))]);
}

/// Notifies that the configuration's files are read again; [`reloaded`] must follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "cannot read the clock"),
    }
}

/// Notifies that they were read.
pub fn reloaded() {
    notify(&[NotifyState::Ready]);
}

/// Notifies that Sluice ends.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Notifies the watchdog that Sluice is alive.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify systemd");
    }
}
