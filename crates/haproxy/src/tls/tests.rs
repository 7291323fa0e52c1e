//! Files that hold what they should, and those that don't; secrets stay out of every message.

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::*;

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn files_that_hold_what_they_should_are_taken_and_others_say_why_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["lb1".to_owned()]).expect("a certificate");
    let other = generate_simple_self_signed(vec!["lb1".to_owned()]).expect("a certificate").signing_key;
    let (cert, secret) = (cert.pem(), signing_key.serialize_pem());
    let certificate = written(&folder, "c.pem", &cert);
    let key = written(&folder, "k.pem", &secret);
    let both = written(&folder, "both.pem", &format!("{secret}{cert}"));
    let empty = written(&folder, "empty.pem", "");
    let broken = written(&folder, "broken.pem", &secret.replace("-----END", "-----"));
    let damaged = written(&folder, "damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let missing = folder.path().join("missing.pem");

    assert!(Authorities::from_file(&certificate).is_ok() && Authorities::from_file(&both).is_ok());
    assert!(Key::from_file(&both).is_ok());
    assert!(matches!(Authorities::from_file(&key), Err(TlsError::NoCertificate)));
    assert!(matches!(Authorities::from_file(&damaged), Err(TlsError::BadCertificate)));
    assert!(matches!(Chain::from_file(&empty), Err(TlsError::NoCertificate)));
    assert!(matches!(Chain::from_file(&missing), Err(TlsError::Unreadable(_))));
    for file in [&empty, &certificate, &broken] {
        let Err(error) = Key::from_file(file) else { panic!("a key in {}", file.display()) };
        assert!(matches!(error, TlsError::NoKey), "{error}");
        assert!(!secret.lines().skip(1).any(|line| error.to_string().contains(line)), "{error}");
    }

    let trust = || Authorities::from_file(&certificate).expect("a CA");
    let with = |key: Key| Tls::new("lb1", trust(), Some((Chain::from_file(&certificate).expect("a chain"), key)));
    let tls = with(Key::from_file(&key).expect("a key")).expect("they fit");
    assert_eq!(format!("{tls:?}"), "Tls { name: DnsName(\"lb1\"), .. }");
    let other = written(&folder, "other.pem", &other.serialize_pem());
    assert!(matches!(with(Key::from_file(&other).expect("a key")), Err(TlsError::KeyMismatch)));
    for (name, fits) in [("10.0.0.1", true), ("::1", true), ("lb1.example.org", true), ("", false), ("a b", false)] {
        assert_eq!(Tls::new(name, trust(), None).is_ok(), fits, "{name:?}");
    }
}
