//! Certificates and keys as people put them there.

use std::{fs, os::unix::fs::symlink};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::reloader::{FileCheck, FileChecker};
use super::*;

/// A certificate for `years`, in PEM, and its key.
fn made((from, until): (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("signed").pem(), key.serialize_pem())
}

const NOW: (i32, i32) = (2020, 2120);

struct Folder {
    dir: TempDir,
    files: TlsFiles,
}

impl Folder {
    fn new((certificate, key): &(String, String)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let files = TlsFiles { certificate: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        let folder = Self { dir, files };
        folder.put(certificate, key);
        folder
    }

    fn put(&self, certificate: &str, key: &str) {
        fs::write(&self.files.certificate, certificate).expect("written");
        fs::write(&self.files.key, key).expect("written");
    }

    fn error(&self) -> String {
        ServerCertificate::load(&self.files).expect_err("of no use").to_string()
    }
}

#[test]
fn what_cannot_be_used_is_named_with_its_file() {
    let (good, other) = (made(NOW), made(NOW));
    let folder = Folder::new(&good);
    let certificate = ServerCertificate::load(&folder.files).expect("a certificate");
    assert_eq!(certificate.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(!format!("{certificate:?}").contains("key"), "{certificate:?}");
    for (certificate, key, expected) in [
        (&good.0, &other.1, "k.pem doesn't belong to the first certificate in"),
        (&good.1, &good.1, "c.pem: there is no certificate in the file"),
        (&good.0, &good.0, "k.pem: there is no private key in the file"),
        (&"nonsense".to_owned(), &good.1, "c.pem: there is no certificate"),
        (&good.0[..60].to_owned(), &good.1, "c.pem: "),
    ] {
        folder.put(certificate, key);
        let message = folder.error();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("BEGIN PRIVATE KEY-----\n"), "{message}");
    }
    fs::remove_file(&folder.files.key).expect("removed");
    folder.put(&good.0, &good.1);
    fs::remove_file(&folder.files.certificate).expect("removed");
    assert!(folder.error().contains("c.pem: cannot read the file: No such file"));
    // All in one file, as HAProxy has it.
    fs::write(&folder.files.key, format!("{}{}", good.0, good.1)).expect("written");
    let one = TlsFiles { certificate: folder.files.key.clone(), key: folder.files.key.clone() };
    assert!(ServerCertificate::load(&one).is_ok());
}

#[test]
fn an_expired_certificate_is_used_and_reported() {
    for (years, status) in [
        ((2019, 2020), CertificateStatus::Expired),
        ((2119, 2120), CertificateStatus::NotYetValid),
        (NOW, CertificateStatus::Valid),
    ] {
        let folder = Folder::new(&made(years));
        let validity = ServerCertificate::load(&folder.files).expect("a certificate").validity();
        assert_eq!(validity.status(std::time::SystemTime::now()), status);
    }
}

#[tokio::test]
async fn a_replaced_certificate_is_used_and_an_unusable_one_keeps_the_old() {
    let (first, second, third) = (made(NOW), made((2020, 2119)), made((2020, 2118)));
    let folder = Folder::new(&first);
    let reloader = CertificateReloader::load(folder.files.clone()).expect("a certificate");
    let mut checker = FileChecker::new(reloader.clone());
    let until = || reloader.validity().to_string();
    assert!(matches!(checker.check(false).await, FileCheck::Unchanged));
    // The certificate first, and the key a moment later: nothing is reported in between.
    folder.put(&second.0, &first.1);
    assert!(matches!(checker.check(false).await, FileCheck::Incomplete));
    assert!(until().contains("until 2120"));
    folder.put(&second.0, &second.1);
    assert!(matches!(checker.check(false).await, FileCheck::Replaced));
    assert!(until().contains("until 2119"));
    // Files that stay unusable are reported once, and again whenever somebody requests it.
    folder.put(&third.0, &second.1);
    assert!(matches!(checker.check(false).await, FileCheck::Incomplete));
    assert!(matches!(checker.check(false).await, FileCheck::Rejected(CertificateError::Mismatch { .. })));
    assert!(matches!(checker.check(false).await, FileCheck::Unchanged));
    assert!(matches!(checker.check(true).await, FileCheck::Rejected(_)));
    fs::remove_file(&folder.files.key).expect("removed");
    assert!(matches!(checker.check(false).await, FileCheck::Incomplete));
    assert!(matches!(checker.check(false).await, FileCheck::Rejected(CertificateError::Key { .. })));
    assert!(until().contains("until 2119"));
    folder.put(&second.0, &second.1);
    assert!(matches!(checker.check(false).await, FileCheck::Unchanged));
}

#[tokio::test]
async fn a_link_that_points_elsewhere_is_a_replacement() {
    // As a container's mounted secrets change: one link to a folder is replaced.
    let (first, second) = (Folder::new(&made(NOW)), Folder::new(&made((2020, 2119))));
    let dir = tempfile::tempdir().expect("a folder");
    let [live, next] = ["live", "next"].map(|name| dir.path().join(name));
    symlink(first.dir.path(), &live).expect("a link");
    let files = TlsFiles { certificate: live.join("c.pem"), key: live.join("k.pem") };
    let reloader = CertificateReloader::load(files).expect("a certificate");
    let mut checker = FileChecker::new(reloader.clone());
    symlink(second.dir.path(), &next).expect("a link");
    fs::rename(&next, &live).expect("swapped");
    assert!(matches!(checker.check(false).await, FileCheck::Replaced));
    assert!(reloader.validity().to_string().contains("until 2119"));
}
