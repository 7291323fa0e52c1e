//! The certificate that new connections get, and its exchange while Sluice serves.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::{CertificateStatus, Contents, Mark, Pair, PairError, TlsFiles, Validity};
use crate::supervisor;

/// How often the files are looked at. By their content, so that it makes no difference how they were exchanged: written
/// over, renamed, or behind a link that points elsewhere now.
pub const LOOK: Duration = Duration::from_secs(5);

/// How often a certificate that expires soon, or has, is spoken about again.
const REMIND: Duration = Duration::from_secs(24 * 3600);

/// The certificate in use. A clone is the same one.
#[derive(Clone)]
pub struct Certificates {
    files: Arc<TlsFiles>,
    current: Arc<watch::Sender<Pair>>,
}

/// What a look at the files came to.
#[derive(Debug)]
pub(super) enum Look {
    /// They hold what they held.
    Same,
    /// They hold another pair, which is in use now.
    Taken,
    /// They don't fit each other. One may have been written, and the other be about to.
    Half,
    /// They hold what can't be used; the old pair stays.
    Refused(PairError),
}

/// Looks at the files, and remembers what it complained about.
pub(super) struct Looks {
    certificates: Certificates,
    /// What was found to be of no use (nothing where a file can't be read), and whether that was told.
    bad: Option<(Option<Mark>, bool)>,
}

impl Certificates {
    /// Reads the pair to begin with.
    ///
    /// # Errors
    /// As [`Pair::load`].
    pub fn load(files: TlsFiles) -> Result<Self, PairError> {
        let pair = Pair::load(&files)?;
        Ok(Self { files: Arc::new(files), current: Arc::new(watch::Sender::new(pair)) })
    }

    /// What the next connection is served with.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.current.borrow().config.clone()
    }

    /// From when until when the one in use holds.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.current.borrow().validity
    }

    /// Says in the log how the one in use stands.
    pub fn tell(&self) {
        let (now, validity) = (SystemTime::now(), self.validity());
        let (told, file) = (validity.told(now), self.files.certificate.display());
        match validity.standing(now) {
            CertificateStatus::Good => tracing::info!("{file}: {told}"),
            CertificateStatus::Soon => tracing::warn!("{file}: {told}"),
            CertificateStatus::NotYet | CertificateStatus::Expired => tracing::error!("{file}: {told}"),
        }
    }

    /// Takes up what the files hold, looking every [`LOOK`] or so and whenever `reload` changes, until `shutdown`.
    pub async fn keep(self, every: Duration, mut reload: watch::Receiver<u64>, shutdown: CancellationToken) {
        let mut looks = Looks::new(self.clone());
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut standing, mut told) = (self.validity().standing(SystemTime::now()), Instant::now());
        loop {
            let is_asked = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => false,
                Ok(()) = reload.changed() => true,
            };
            if is_asked {
                supervisor::reloading();
            }
            match looks.look(is_asked).await {
                Look::Taken => {
                    tracing::info!(
                        "new connections get the certificate that {} holds now",
                        self.files.certificate.display()
                    );
                    self.tell();
                    (standing, told) = (self.validity().standing(SystemTime::now()), Instant::now());
                }
                Look::Refused(error) => tracing::error!("the certificate in use stays: {error}"),
                Look::Same if is_asked => tracing::info!("the certificate's files hold what they held"),
                Look::Same | Look::Half => {}
            }
            if is_asked {
                supervisor::reloaded();
            }
            let now = self.validity().standing(SystemTime::now());
            if now != standing || (now != CertificateStatus::Good && told.elapsed() >= REMIND) {
                self.tell();
                (standing, told) = (now, Instant::now());
            }
        }
    }
}

impl Looks {
    pub(super) fn new(certificates: Certificates) -> Self {
        Self { certificates, bad: None }
    }

    /// One look. What can't be used is told once, and whenever somebody asks; but only at the second look, so that
    /// whoever writes one file after the other hears nothing.
    pub(super) async fn look(&mut self, is_asked: bool) -> Look {
        let files = self.certificates.files.clone();
        // They may be on a disk that takes its time.
        let read = spawn_blocking(move || match Contents::read(&files) {
            Ok(contents) => (Some(contents.mark()), Pair::of(&contents, &files)),
            Err(error) => (None, Err(error)),
        });
        let Ok((mark, pair)) = read.await else { return Look::Same };
        match pair {
            Ok(pair) if pair.mark == self.certificates.current.borrow().mark => {
                self.bad = None;
                Look::Same
            }
            Ok(pair) => {
                self.bad = None;
                self.certificates.current.send_replace(pair);
                Look::Taken
            }
            Err(error) => {
                let before = self.bad.filter(|(known, _)| *known == mark);
                self.bad = Some((mark, before.is_some() || is_asked));
                match before {
                    Some((_, true)) if !is_asked => Look::Same,
                    None if !is_asked => Look::Half,
                    _ => Look::Refused(error),
                }
            }
        }
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).field("validity", &self.validity()).finish()
    }
}
