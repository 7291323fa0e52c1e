//! The certificate for new connections, read again when its files change.

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

use super::{
    certificate::{CertificateError, Contents, Fingerprint, ServerCertificate, TlsFiles},
    validity::{CertificateStatus, Validity},
};
use crate::systemd;

/// How often the files are compared with the certificate in use. Their content is compared, so that it makes no difference
/// how they were replaced: overwritten, renamed, or behind a link that now points elsewhere.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How often a certificate that expires soon, or has expired, is reported again.
const REMIND: Duration = Duration::from_secs(24 * 3600);

/// Holds the certificate in use. A clone holds the same one.
#[derive(Clone)]
pub struct CertificateReloader {
    files: Arc<TlsFiles>,
    current: Arc<watch::Sender<ServerCertificate>>,
}

/// The result of comparing the files with the certificate in use.
#[derive(Debug)]
pub(super) enum FileCheck {
    /// They have not changed.
    Unchanged,
    /// They hold another certificate, which is in use now.
    Replaced,
    /// They can't be used for the first time: one file may be written already, and the other not yet.
    Incomplete,
    /// They can't be used; the old certificate stays.
    Rejected(CertificateError),
}

/// Checks the files, and remembers which mistakes it has reported.
pub(super) struct FileChecker {
    reloader: CertificateReloader,
    /// The files that can't be used (nothing where one can't be read), and whether that was reported.
    unusable: Option<(Option<Fingerprint>, bool)>,
}

impl CertificateReloader {
    /// Reads the certificate to begin with.
    ///
    /// # Errors
    /// As [`ServerCertificate::load`].
    pub fn load(files: TlsFiles) -> Result<Self, CertificateError> {
        let certificate = ServerCertificate::load(&files)?;
        Ok(Self { files: Arc::new(files), current: Arc::new(watch::Sender::new(certificate)) })
    }

    /// The TLS configuration of the next connection.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.current.borrow().config.clone()
    }

    /// Whether the certificate in use is for that host.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.current.borrow().names(host)
    }

    /// From when until when the certificate in use is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.current.borrow().validity()
    }

    /// Logs whether the certificate in use is valid.
    pub fn log_status(&self) {
        let (now, validity) = (SystemTime::now(), self.validity());
        let (text, file) = (validity.describe(now), self.files.certificate.display());
        match validity.status(now) {
            CertificateStatus::Valid => tracing::info!("{file}: {text}"),
            CertificateStatus::ExpiresSoon => tracing::warn!("{file}: {text}"),
            CertificateStatus::NotYetValid | CertificateStatus::Expired => tracing::error!("{file}: {text}"),
        }
    }

    /// Uses what the files hold, checking them every [`CHECK_INTERVAL`] or so and whenever `reload` changes, until
    /// `shutdown`.
    pub async fn run(self, every: Duration, mut reload: watch::Receiver<u64>, shutdown: CancellationToken) {
        let mut checker = FileChecker::new(self.clone());
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut status, mut reported) = (self.validity().status(SystemTime::now()), Instant::now());
        loop {
            let is_requested = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => false,
                Ok(()) = reload.changed() => true,
            };
            if is_requested {
                systemd::reloading();
            }
            match checker.check(is_requested).await {
                FileCheck::Replaced => {
                    tracing::info!(
                        "new connections get the certificate that {} holds now",
                        self.files.certificate.display()
                    );
                    self.log_status();
                    (status, reported) = (self.validity().status(SystemTime::now()), Instant::now());
                }
                FileCheck::Rejected(error) => tracing::error!("the certificate in use stays: {error}"),
                FileCheck::Unchanged if is_requested => tracing::info!("the certificate's files hold what they held"),
                FileCheck::Unchanged | FileCheck::Incomplete => {}
            }
            if is_requested {
                systemd::reloaded();
            }
            let now = self.validity().status(SystemTime::now());
            if now != status || (now != CertificateStatus::Valid && reported.elapsed() >= REMIND) {
                self.log_status();
                (status, reported) = (now, Instant::now());
            }
        }
    }
}

impl FileChecker {
    pub(super) fn new(reloader: CertificateReloader) -> Self {
        Self { reloader, unusable: None }
    }

    /// Checks the files. Those that can't be used are reported once, and whenever somebody requested the check; without a
    /// request only at the second check, so that nothing is reported while one file is written after the other.
    pub(super) async fn check(&mut self, is_requested: bool) -> FileCheck {
        let files = self.reloader.files.clone();
        // They may be on a slow disk.
        let read = spawn_blocking(move || match Contents::read(&files) {
            Ok(contents) => (Some(contents.fingerprint()), ServerCertificate::of(&contents, &files)),
            Err(error) => (None, Err(error)),
        });
        let Ok((fingerprint, certificate)) = read.await else { return FileCheck::Unchanged };
        match certificate {
            Ok(certificate) if certificate.fingerprint == self.reloader.current.borrow().fingerprint => {
                self.unusable = None;
                FileCheck::Unchanged
            }
            Ok(certificate) => {
                self.unusable = None;
                self.reloader.current.send_replace(certificate);
                FileCheck::Replaced
            }
            Err(error) => {
                let before = self.unusable.filter(|(known, _)| *known == fingerprint);
                self.unusable = Some((fingerprint, before.is_some() || is_requested));
                match before {
                    Some((_, true)) if !is_requested => FileCheck::Unchanged,
                    None if !is_requested => FileCheck::Incomplete,
                    _ => FileCheck::Rejected(error),
                }
            }
        }
    }
}

impl fmt::Debug for CertificateReloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateReloader").field("files", &self.files).field("validity", &self.validity()).finish()
    }
}
