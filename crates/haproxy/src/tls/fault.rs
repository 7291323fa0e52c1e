//! What is wrong with a TLS connection, in a sentence each that says what to do.

use std::fmt;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// Why there is no TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The address wants TLS, and its [`Connector`](crate::Connector) has none.
    NotSetUp,
    /// What came back is no TLS. A `stats socket` with `ssl` does that since HAProxy 2.6.
    PlainText,
    /// The peer closed the connection in the handshake, without giving a reason.
    Ended,
    /// The certificate has expired, so long ago.
    Expired(Option<Duration>),
    /// The certificate is valid only after so long.
    NotYetValid(Option<Duration>),
    /// Nobody who is trusted has signed the certificate.
    UnknownIssuer,
    /// The certificate is for other names.
    OtherName {
        /// What was to be verified.
        expected: String,
        /// What the certificate is for.
        presented: Vec<String>,
    },
    /// The certificate is that of an authority, as `openssl req -x509` makes it.
    IsAuthority,
    /// The peer wants a certificate, and none was given.
    CertificateDemanded,
    /// The peer does not take the certificate that was given; its alert.
    CertificateRefused(String),
    /// Anything else, in the library's words.
    Other(String),
}

impl TlsFault {
    /// What an error of the library means to a client that has, or has not, a certificate to show.
    pub(super) fn of(error: &Error, has_certificate: bool) -> Self {
        match error {
            Error::InvalidMessage(_) => Self::PlainText,
            Error::InvalidCertificate(reason) => Self::of_certificate(reason),
            Error::AlertReceived(alert) => Self::of_alert(*alert, has_certificate),
            other => Self::Other(other.to_string()),
        }
    }

    fn of_certificate(reason: &CertificateError) -> Self {
        match reason {
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { time, not_after } => Self::Expired(Some(between(*not_after, *time))),
            CertificateError::NotValidYet => Self::NotYetValid(None),
            CertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYetValid(Some(between(*time, *not_before)))
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::NotValidForNameContext { expected, presented } => Self::OtherName {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| bare(name).to_owned()).collect(),
            },
            // The library has no name of its own for it.
            other if other.to_string().contains("CaUsedAsEndEntity") => Self::IsAuthority,
            other => Self::Other(other.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription, has_certificate: bool) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::CertificateDemanded,
            // How TLS 1.2 says it.
            AlertDescription::HandshakeFailure if !has_certificate => Self::CertificateDemanded,
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure
                if has_certificate =>
            {
                Self::CertificateRefused(format!("{alert:?}"))
            }
            other => Self::Other(format!("the peer broke off with {other:?}")),
        }
    }

    /// Whether the peer broke off before it let any byte of the client through.
    pub(crate) fn is_before_any_command(&self) -> bool {
        matches!(self, Self::CertificateDemanded | Self::CertificateRefused(_))
    }
}

/// The library writes `DnsName("lb1")` and `IpAddress(10.0.0.1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()))
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSetUp => f.write_str("there is nothing set up for TLS to this address"),
            Self::PlainText => f.write_str(
                "the port answers in plain text, not in TLS: since 2.6 HAProxy ignores `ssl` on a `stats socket`, and \
                 whoever reaches it may command HAProxy. Take the port off the `stats socket`, and put a `mode tcp` \
                 section in front of a unix one: `bind :PORT ssl crt ... ca-file ... verify required` and `server cli \
                 unix@/run/haproxy/admin.sock`",
            ),
            Self::Ended => f.write_str(
                "the connection ended in the TLS handshake, without a reason: the port speaks no TLS, or HAProxy can't \
                 reach what is behind it",
            ),
            Self::Expired(None) => f.write_str("HAProxy's certificate has expired: renew it"),
            Self::Expired(Some(ago)) => write!(f, "HAProxy's certificate has expired {} ago: renew it", coarse(*ago)),
            Self::NotYetValid(None) => f.write_str("HAProxy's certificate is not valid yet: are both clocks right?"),
            Self::NotYetValid(Some(left)) => {
                write!(f, "HAProxy's certificate is not valid before {} from now: are both clocks right?", coarse(*left))
            }
            Self::UnknownIssuer => f.write_str(
                "HAProxy's certificate is signed by nobody that is trusted here: name the PEM file of its CA as `ca`",
            ),
            Self::OtherName { expected, presented } if presented.is_empty() => {
                write!(f, "HAProxy's certificate is not for {expected}: it has no subjectAltName, and needs one")
            }
            Self::OtherName { expected, presented } => write!(
                f,
                "HAProxy's certificate is not for {expected} but for {}: set `server_name`, or renew the certificate",
                presented.join(", ")
            ),
            Self::IsAuthority => f.write_str(
                "HAProxy shows the certificate of a CA: sign one for the server with it, with `CA:FALSE`, and show that",
            ),
            Self::CertificateDemanded => {
                f.write_str("HAProxy demands a client certificate: name its PEM files as `certificate` and `key`")
            }
            Self::CertificateRefused(alert) => write!(
                f,
                "HAProxy does not take the client certificate ({alert}): has it expired, and is it signed by a CA in \
                 the `ca-file` of its `bind`?"
            ),
            Self::Other(words) => write!(f, "TLS failed: {words}"),
        }
    }
}

/// A time in its largest unit.
fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    // Two of a unit at least, so that none needs a singular.
    let unit = units.into_iter().find(|(length, _)| seconds >= 2 * length);
    let (length, name) = unit.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_means_what_the_client_had_to_show() {
        let of = |alert, has_certificate| TlsFault::of(&Error::AlertReceived(alert), has_certificate);
        assert_eq!(of(AlertDescription::CertificateRequired, false), TlsFault::CertificateDemanded);
        assert_eq!(of(AlertDescription::HandshakeFailure, false), TlsFault::CertificateDemanded);
        assert!(matches!(of(AlertDescription::HandshakeFailure, true), TlsFault::CertificateRefused(_)));
        assert!(matches!(of(AlertDescription::UnknownCA, true), TlsFault::CertificateRefused(_)));
        assert!(matches!(of(AlertDescription::UnknownCA, false), TlsFault::Other(_)));
        assert!(matches!(of(AlertDescription::ProtocolVersion, false), TlsFault::Other(_)));
    }

    #[test]
    fn names_are_told_without_their_kind() {
        for (name, expected) in [("DnsName(\"lb1\")", "lb1"), ("IpAddress(::1)", "::1"), ("lb1", "lb1")] {
            assert_eq!(bare(name), expected);
        }
    }

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        for (seconds, text) in
            [(0, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (86_400, "24 hours"), (172_800, "2 days")]
        {
            assert_eq!(coarse(Duration::from_secs(seconds)), text);
        }
    }
}
