//! Nodes behind TLS and behind a master, as people write them.

use std::fs;

use haproxy::Address;

use crate::config::{Config, file::parse};

/// Files of one's own: a certificate with its key, another key, and no PEM at all.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(vec!["lb1".to_owned()]).expect("a certificate");
    let other = rcgen::generate_simple_self_signed(vec!["lb1".to_owned()]).expect("a certificate");
    for (name, text) in [
        ("c.pem", made.cert.pem()),
        ("k.pem", made.signing_key.serialize_pem()),
        ("other.pem", other.signing_key.serialize_pem()),
        ("none.pem", "nothing".to_owned()),
    ] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

/// Reads one node with an address and further lines, in which `DIR` stands for the folder.
fn node(folder: &tempfile::TempDir, address: &str, lines: &str) -> Result<Config, Vec<String>> {
    let dir = folder.path().display().to_string();
    let text = format!("[[node]]\nname = \"lb1\"\naddress = \"{address}\"\n{lines}").replace("DIR", &dir);
    let told = |mistake: &crate::config::Mistake| mistake.to_string().replace(&dir, "DIR");
    parse(&text).map_err(|mistakes| mistakes.iter().map(told).collect())
}

#[test]
fn tls_takes_a_ca_a_certificate_and_a_name() {
    let folder = folder();
    for lines in [
        "ca = \"DIR/c.pem\"",
        "ca = \"DIR/c.pem\"\ncertificate = \"DIR/c.pem\"\nkey = \"DIR/k.pem\"",
        "ca = \"DIR/c.pem\"\nserver_name = \"lb1.example.org\"",
    ] {
        let config = node(&folder, "tls://10.0.0.1:9999", lines).expect(lines);
        assert!(config.nodes[0].connector.tls.is_some());
        assert_eq!(config.nodes[0].connector.address, "tls://10.0.0.1:9999".parse::<Address>().expect("an address"));
    }
}

#[test]
fn a_master_is_told_by_its_key_over_every_address() {
    let folder = folder();
    for (address, lines) in
        [("/run/m.sock", ""), ("tcp://lb1:9", ""), ("abns@m", ""), ("tls://lb1:9", "\nca = \"DIR/c.pem\"")]
    {
        let master = |value: &str| node(&folder, address, &format!("master = {value}{lines}"));
        assert!(master("true").expect(address).nodes[0].connector.master);
        assert!(!master("false").expect(address).nodes[0].connector.master);
        assert_eq!(
            master("\"@1\"").expect_err("no flag"),
            ["4:10: `master` is text: write master = true, or leave it out"]
        );
    }
}

#[test]
fn what_is_wrong_with_tls_is_told_at_its_place() {
    let folder = folder();
    for (lines, expected) in [
        ("ca = \"c.pem\"", "4:6: `ca` is no absolute path: write the file's, as ca = \"/etc/sluice/ca.pem\""),
        ("ca = 1", "4:6: `ca` is a number: write text, as ca = \"/etc/sluice/ca.pem\""),
        (
            "ca = \"DIR/missing.pem\"",
            "4:6: DIR/missing.pem: cannot read the file: No such file or directory (os error 2)",
        ),
        (
            "ca = \"DIR/none.pem\"",
            "4:6: DIR/none.pem: there is no certificate in the file: it has to be PEM, with `-----BEGIN CERTIFICATE-----`",
        ),
        (
            "ca = \"DIR/c.pem\"\ncertificate = \"DIR/c.pem\"",
            "5:15: a certificate needs its key: write key = \"/etc/sluice/sluice.key\"",
        ),
        (
            "ca = \"DIR/c.pem\"\nkey = \"DIR/k.pem\"",
            "5:7: a key needs its certificate: write certificate = \"/etc/sluice/sluice.pem\"",
        ),
        (
            "ca = \"DIR/c.pem\"\nkey = \"DIR/c.pem\"\ncertificate = \"DIR/c.pem\"",
            "5:7: DIR/c.pem: there is no private key in the file: it has to be PEM, with `-----BEGIN PRIVATE KEY-----`, \
             and without a password",
        ),
        (
            "ca = \"DIR/c.pem\"\nkey = \"DIR/other.pem\"\ncertificate = \"DIR/c.pem\"",
            "5:7: the private key doesn't fit the certificate, or is of a kind that can't be used: take RSA, ECDSA or \
             Ed25519",
        ),
        (
            "ca = \"DIR/c.pem\"\nserver_name = \"a b\"",
            "5:15: `a b` can't be in a certificate: it is neither the name of a host nor an IP address",
        ),
    ] {
        assert_eq!(node(&folder, "tls://lb1:9999", lines).expect_err(lines), [expected], "{lines}");
    }
}

#[test]
fn a_key_for_tls_is_an_error_where_there_is_none() {
    let folder = folder();
    for key in ["ca", "certificate", "key", "server_name"] {
        for address in ["unix:/run/h.sock", "tcp://lb1:9999", "abns@h"] {
            let told = node(&folder, address, &format!("{key} = \"/x\"")).expect_err("no TLS");
            assert_eq!(told, [format!("4:1: `{key}` is for TLS, and {address} has none: write tls://HOST:PORT")]);
        }
    }
}
