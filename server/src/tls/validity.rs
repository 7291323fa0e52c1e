//! From when until when a certificate is valid, and how that is reported.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

/// How long before its end a certificate is reported. Automatic renewal happens a month before; by then something has gone
/// wrong with it, and there is still time to repair that.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// The time in which all certificates of a chain are valid, Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    from: i64,
    until: i64,
}

/// Whether a certificate is valid at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Valid for 14 days or more.
    Valid,
    /// Not valid yet.
    NotYetValid,
    /// Valid for less than 14 days.
    ExpiresSoon,
    /// Not valid any more.
    Expired,
}

impl Validity {
    /// Of a chain; nothing where it is empty or one of its certificates can't be read.
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

    /// The status at `now`.
    #[must_use]
    pub fn status(self, now: SystemTime) -> CertificateStatus {
        if now < time(self.from) {
            CertificateStatus::NotYetValid
        } else if now > time(self.until) {
            CertificateStatus::Expired
        } else if now + SOON > time(self.until) {
            CertificateStatus::ExpiresSoon
        } else {
            CertificateStatus::Valid
        }
    }

    /// What to report at `now`, and what to do about it.
    #[must_use]
    pub fn describe(self, now: SystemTime) -> String {
        match self.status(now) {
            CertificateStatus::Valid => format!("the certificate is valid {self}"),
            CertificateStatus::NotYetValid => format!(
                "the certificate is valid only {self}: browsers refuse it until then. Is this machine's clock right?"
            ),
            CertificateStatus::ExpiresSoon => {
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

/// A moment between 1970 and the year 9999, which is as far as dates are written.
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
        for (now, status, text) in [
            (
                validity.from - 1,
                CertificateStatus::NotYetValid,
                "valid only from 2021-01-01T00:00:00Z until 2022-01-01T00:00:00Z",
            ),
            (validity.from, CertificateStatus::Valid, "is valid from 2021"),
            (validity.until - 14 * DAY - 1, CertificateStatus::Valid, "is valid from 2021"),
            (validity.until - 14 * DAY + 1, CertificateStatus::ExpiresSoon, "expires in 13 days"),
            (validity.until - 2 * 3600, CertificateStatus::ExpiresSoon, "expires in 2 hours"),
            (validity.until - 90, CertificateStatus::ExpiresSoon, "expires in 1 minutes"),
            (
                validity.until + 1,
                CertificateStatus::Expired,
                "has expired, it was valid from 2021-01-01T00:00:00Z until 2022",
            ),
        ] {
            assert_eq!(validity.status(time(now)), status);
            let got = validity.describe(time(now));
            assert!(got.contains(text), "{got}");
        }
        // A certificate that never expires can be written, too.
        assert!(Validity { from: i64::MIN, until: i64::MAX }.to_string().ends_with("until 9999-12-31T23:59:59Z"));
    }
}
