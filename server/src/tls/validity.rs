//! From when until when a certificate holds, and what to say about that.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

/// How long before its end a certificate is spoken about: what renews itself does so a month before, so that something
/// has gone wrong by then, and there is time to mend it.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// From when until when, of all certificates of a chain together. Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    from: i64,
    until: i64,
}

/// How a certificate stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Valid for a while.
    Good,
    /// Its time has not come.
    NotYet,
    /// Less than 14 days are left.
    Soon,
    /// Its time is over.
    Expired,
}

impl Validity {
    /// That of a chain; nothing where one of it can't be read, or there is none.
    pub(super) fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let mut all: Option<Self> = None;
        for certificate in chain {
            let (_, read) = X509Certificate::from_der(certificate).ok()?;
            let (from, until) = (read.validity().not_before.timestamp(), read.validity().not_after.timestamp());
            let so_far = all.unwrap_or(Self { from, until });
            all = Some(Self { from: so_far.from.max(from), until: so_far.until.min(until) });
        }
        all
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn standing(self, now: SystemTime) -> CertificateStatus {
        if now < time(self.from) {
            CertificateStatus::NotYet
        } else if now > time(self.until) {
            CertificateStatus::Expired
        } else if now + SOON > time(self.until) {
            CertificateStatus::Soon
        } else {
            CertificateStatus::Good
        }
    }

    /// What is to be said at `now`, and what to do.
    #[must_use]
    pub fn told(self, now: SystemTime) -> String {
        match self.standing(now) {
            CertificateStatus::Good => format!("the certificate is valid {self}"),
            CertificateStatus::NotYet => format!(
                "the certificate is valid only {self}: browsers refuse it until then. Is this machine's clock right?"
            ),
            CertificateStatus::Soon => {
                let left = time(self.until).duration_since(now).unwrap_or_default();
                format!(
                    "the certificate expires in {}, it is valid {self}: renew it, and put it in the place of the old one; \
                     Sluice takes it up by itself",
                    coarse(left)
                )
            }
            CertificateStatus::Expired => format!(
                "the certificate has expired, it was valid {self}: browsers refuse it. Renew it, and put it in the place \
                 of the old one; Sluice takes it up by itself"
            ),
        }
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = |seconds| humantime::format_rfc3339_seconds(time(seconds));
        write!(f, "from {} until {}", date(self.from), date(self.until))
    }
}

/// Before 1970 and after the year 9999 nobody asks for seconds.
fn time(seconds: i64) -> SystemTime {
    const LAST: u64 = 253_402_300_799;
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(LAST))
}

fn coarse(time: Duration) -> String {
    match time.as_secs() / 3600 {
        hours @ 48.. => format!("{} days", hours / 24),
        hours @ 2.. => format!("{hours} hours"),
        _ => format!("{} minutes", time.as_secs() / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_judged_by_its_dates() {
        const DAY: i64 = 24 * 3600;
        // Of the whole of 2021.
        let validity = Validity { from: 1_609_459_200, until: 1_640_995_200 };
        for (now, standing, told) in [
            (
                validity.from - 1,
                CertificateStatus::NotYet,
                "valid only from 2021-01-01T00:00:00Z until 2022-01-01T00:00:00Z",
            ),
            (validity.from, CertificateStatus::Good, "is valid from 2021"),
            (validity.until - 14 * DAY - 1, CertificateStatus::Good, "is valid from 2021"),
            (validity.until - 14 * DAY + 1, CertificateStatus::Soon, "expires in 13 days"),
            (validity.until - 2 * 3600, CertificateStatus::Soon, "expires in 2 hours"),
            (validity.until - 90, CertificateStatus::Soon, "expires in 1 minutes"),
            (
                validity.until + 1,
                CertificateStatus::Expired,
                "has expired, it was valid from 2021-01-01T00:00:00Z until 2022",
            ),
        ] {
            assert_eq!(validity.standing(time(now)), standing);
            let got = validity.told(time(now));
            assert!(got.contains(told), "{got}");
        }
        // What never ends is written, too.
        assert!(Validity { from: i64::MIN, until: i64::MAX }.to_string().ends_with("until 9999-12-31T23:59:59Z"));
    }
}
