//! The provider's metadata and keys, read when they are needed and kept for a while.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use openidconnect::{IssuerUrl, core::CoreProviderMetadata};

use super::{config::OidcConfig, failure::discovery_failure, http_client::HttpClient};

/// How long metadata and keys are used before they are read again.
const FRESH: Duration = Duration::from_secs(3600);

/// How long they are used at most while the provider can't be reached for newer ones.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// How long a failure is reported again without asking the provider, so that people who reload the page don't flood it.
pub(super) const FAILED: Duration = Duration::from_secs(3);

/// The time between two readings because a token was signed with an unknown key: whoever makes up tokens can't have the
/// keys read at will.
const KEY_REFRESH: Duration = Duration::from_secs(10);

/// What was read of the provider last.
#[derive(Default)]
pub(super) struct MetadataCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// The metadata with its keys, and when it was read.
    metadata: Option<(Instant, Arc<CoreProviderMetadata>)>,
    /// When reading it failed last, and why.
    failure: Option<(Instant, String)>,
    /// When it was read last because of an unknown key.
    key_refresh: Option<Instant>,
}

impl MetadataCache {
    /// Whether the keys may be read again now because of an unknown one.
    pub(super) fn may_refresh_keys(&self) -> bool {
        let mut cached = self.lock();
        let is_due = cached.key_refresh.is_none_or(|at| at.elapsed() >= KEY_REFRESH);
        if is_due {
            cached.key_refresh = Some(Instant::now());
        }
        is_due
    }

    /// The provider's metadata, and when it was read: the cached one, unless that is too old, or not newer than `than`.
    ///
    /// # Errors
    /// With why it can't be read.
    pub(super) async fn get(
        &self,
        config: &OidcConfig,
        http: &HttpClient,
        than: Option<Instant>,
    ) -> Result<(Instant, Arc<CoreProviderMetadata>), String> {
        let stale = {
            let cached = self.lock();
            let metadata = cached.metadata.clone();
            if let Some((read, metadata)) = &metadata
                && than.is_none_or(|than| *read > than)
                && read.elapsed() < FRESH
            {
                return Ok((*read, metadata.clone()));
            }
            let stale = metadata.filter(|(read, _)| read.elapsed() < STALE);
            if let Some((_, why)) = cached.failure.as_ref().filter(|(at, _)| at.elapsed() < FAILED) {
                return stale.ok_or_else(|| why.clone());
            }
            stale
        };
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| "its address can't be read".to_owned())?;
        let read = CoreProviderMetadata::discover_async(issuer, http).await;
        let mut cached = self.lock();
        match read {
            Ok(metadata) => {
                cached.failure = None;
                let read = (Instant::now(), Arc::new(metadata));
                cached.metadata = Some(read.clone());
                Ok(read)
            }
            Err(error) => {
                let why = discovery_failure(&error);
                tracing::warn!(provider = config.name, %why, "the provider can't be asked");
                cached.failure = Some((Instant::now(), why.clone()));
                stale.ok_or(why)
            }
        }
    }

    /// It is not locked across an await, and can't be left half changed.
    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
