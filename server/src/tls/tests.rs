//! Pairs as people put them there.

use std::{fs, os::unix::fs::symlink};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::reloader::Look;
use super::*;

/// A certificate for `years`, in PEM, and its key.
fn made((from, until): (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("signed").pem(), key.serialize_pem())
}

const NOW: (i32, i32) = (2020, 2120);

struct Place {
    dir: TempDir,
    files: TlsFiles,
}

impl Place {
    fn new((certificate, key): &(String, String)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let files = TlsFiles { certificate: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        let place = Self { dir, files };
        place.put(certificate, key);
        place
    }

    fn put(&self, certificate: &str, key: &str) {
        fs::write(&self.files.certificate, certificate).expect("written");
        fs::write(&self.files.key, key).expect("written");
    }

    fn told(&self) -> String {
        Pair::load(&self.files).expect_err("of no use").to_string()
    }
}

#[test]
fn what_cannot_be_used_is_named_with_its_file() {
    let (good, other) = (made(NOW), made(NOW));
    let place = Place::new(&good);
    let pair = Pair::load(&place.files).expect("a pair");
    assert_eq!(pair.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(!format!("{pair:?}").contains("key"), "{pair:?}");
    for (certificate, key, told) in [
        (&good.0, &other.1, "k.pem doesn't belong to the first certificate in"),
        (&good.1, &good.1, "c.pem: there is no certificate in the file"),
        (&good.0, &good.0, "k.pem: there is no private key in the file"),
        (&"nonsense".to_owned(), &good.1, "c.pem: there is no certificate"),
        (&good.0[..60].to_owned(), &good.1, "c.pem: "),
    ] {
        place.put(certificate, key);
        let message = place.told();
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("BEGIN PRIVATE KEY-----\n"), "{message}");
    }
    fs::remove_file(&place.files.key).expect("removed");
    place.put(&good.0, &good.1);
    fs::remove_file(&place.files.certificate).expect("removed");
    assert!(place.told().contains("c.pem: cannot read the file: No such file"));
    // All in one file, as HAProxy has it.
    fs::write(&place.files.key, format!("{}{}", good.0, good.1)).expect("written");
    let one = TlsFiles { certificate: place.files.key.clone(), key: place.files.key.clone() };
    assert!(Pair::load(&one).is_ok());
}

#[test]
fn an_expired_certificate_is_taken_and_told() {
    for (years, standing) in [
        ((2019, 2020), CertificateStatus::Expired),
        ((2119, 2120), CertificateStatus::NotYet),
        (NOW, CertificateStatus::Good),
    ] {
        let place = Place::new(&made(years));
        let validity = Pair::load(&place.files).expect("a pair").validity();
        assert_eq!(validity.standing(std::time::SystemTime::now()), standing);
    }
}

#[tokio::test]
async fn an_exchanged_pair_is_taken_up_and_a_bad_one_keeps_the_old() {
    let (first, second, third) = (made(NOW), made((2020, 2119)), made((2020, 2118)));
    let place = Place::new(&first);
    let certificates = Certificates::load(place.files.clone()).expect("a pair");
    let mut looks = reloader::Looks::new(certificates.clone());
    let until = || certificates.validity().to_string();
    assert!(matches!(looks.look(false).await, Look::Same));
    // Certificate first, key a moment later: nobody complains in between.
    place.put(&second.0, &first.1);
    assert!(matches!(looks.look(false).await, Look::Half));
    assert!(until().contains("until 2120"));
    place.put(&second.0, &second.1);
    assert!(matches!(looks.look(false).await, Look::Taken));
    assert!(until().contains("until 2119"));
    // A pair that stays bad is told once, and again to whoever asks.
    place.put(&third.0, &second.1);
    assert!(matches!(looks.look(false).await, Look::Half));
    assert!(matches!(looks.look(false).await, Look::Refused(PairError::Mismatch { .. })));
    assert!(matches!(looks.look(false).await, Look::Same));
    assert!(matches!(looks.look(true).await, Look::Refused(_)));
    fs::remove_file(&place.files.key).expect("removed");
    assert!(matches!(looks.look(false).await, Look::Half));
    assert!(matches!(looks.look(false).await, Look::Refused(PairError::Key { .. })));
    assert!(until().contains("until 2119"));
    place.put(&second.0, &second.1);
    assert!(matches!(looks.look(false).await, Look::Same));
}

#[tokio::test]
async fn a_link_that_points_elsewhere_is_an_exchange() {
    // As a container's mounted secrets change: one link to a folder is replaced.
    let (first, second) = (Place::new(&made(NOW)), Place::new(&made((2020, 2119))));
    let dir = tempfile::tempdir().expect("a folder");
    let [live, next] = ["live", "next"].map(|name| dir.path().join(name));
    symlink(first.dir.path(), &live).expect("a link");
    let files = TlsFiles { certificate: live.join("c.pem"), key: live.join("k.pem") };
    let certificates = Certificates::load(files).expect("a pair");
    let mut looks = reloader::Looks::new(certificates.clone());
    symlink(second.dir.path(), &next).expect("a link");
    fs::rename(&next, &live).expect("swapped");
    assert!(matches!(looks.look(false).await, Look::Taken));
    assert!(certificates.validity().to_string().contains("until 2119"));
}
