//! The keys about the listener: reverse proxies, the address that browsers use, limits, TLS.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::*;

#[test]
fn proxies_name_and_limits_are_read() {
    let config = parse(&format!(
        "listen = \"0.0.0.0:8080\"\nbehind_proxy = true\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.1/8\", \"fd00::/8\"]\n\
         url = \"https://Sluice.example.org/\"\n[limits]\nconnections = 2_000\nconnections_per_address = 50\n{NODE}"
    ))
    .expect("a good file");
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    let nets: Vec<String> = config.listener.proxies.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(nets, ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]);
    assert_eq!(config.listener.url.expect("a name").to_string(), "https://sluice.example.org");
    assert_eq!((config.limits.connections, config.limits.per_address), (2_000, Some(50)));
    let plain = parse(NODE).expect("a good file");
    assert_eq!((plain.listener.proxies, plain.listener.url, plain.tls), (None, None, None));
    let proxied = parse(&format!("behind_proxy = true\n{NODE}")).expect("a good file").listener;
    for (address, is_trusted) in [("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("10.0.0.1", false)] {
        assert_eq!(proxied.trusts(address.parse().expect("an address")), is_trusted, "{address}");
    }
}

#[test]
fn what_is_wrong_with_the_way_in_is_told_at_its_place() {
    for (line, told) in [
        ("behind_proxy = 1", "1:16: `behind_proxy` is a number: write behind_proxy = true..."),
        ("behind_prox = true", "1:1: unknown key `behind_prox`: did you mean `behind_proxy`?"),
        ("trusted_proxies = [\"10.0.0.1\"]", "1:19: `trusted_proxies` has no effect without..."),
        ("url = \"sluice.example.org\"", "1:7: `sluice.example.org` is no address that browsers open..."),
        ("limits = 5", "1:10: `limits` is a number: write a table..."),
        ("limits.conections = 5", "1:8: unknown key `conections`: did you mean `connections`?"),
        ("limits.connections = 5", "1:22: `connections` is 5: write a number from 10 to 1000000"),
        ("limits.connections = -50", "1:22: `connections` is -50: write a number from..."),
        ("limits.connections = \"50\"", "1:22: `connections` is text: write a whole number, as connections = 10000"),
        (
            "limits = {connections = 50, connections_per_address = 51}",
            "1:55: `connections_per_address` is more than the 50 `connections` in all",
        ),
    ] {
        check(&format!("{line}\n{NODE}"), &[told]);
    }
    let proxies = |list: &str, told: &[&str]| {
        check(&format!("behind_proxy = true\ntrusted_proxies = {list}\n{NODE}"), told);
    };
    proxies("[]", &["2:19: `trusted_proxies` is an empty list: write trusted_proxies = [..."]);
    proxies("\"10.0.0.1\"", &["2:19: `trusted_proxies` is text: write..."]);
    proxies(
        "[\"10.0.0.1\", \"proxy\", 7]",
        &["2:32: this is no IP address or network: write...", "2:41: this is no IP address or network..."],
    );
    proxies("[\"0.0.0.0/0\", \"::/0\"]", &["2:20: this would take anybody's word...", "2:33: this would take..."]);
}

#[test]
fn a_certificate_is_read_and_what_is_wrong_with_it_told_at_its_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let [key, other] = [(); 2].map(|()| KeyPair::generate().expect("a key"));
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name").self_signed(&key);
    for (name, text) in [
        ("c.pem", certificate.expect("signed").pem()),
        ("k.pem", key.serialize_pem()),
        ("other.pem", other.serialize_pem()),
        ("empty.pem", String::new()),
    ] {
        fs::write(path(name), text).expect("written");
    }
    let tls = |certificate: &str, key: &str| {
        format!("listen = \"0.0.0.0:443\"\n{NODE}[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n")
    };
    let config = parse(&tls(&path("c.pem"), &path("k.pem"))).expect("a good file");
    assert_eq!(config.tls.expect("files").key, Path::new(&path("k.pem")));
    let with_url = format!("url = \"http://x\"\n{}", tls(&path("c.pem"), &path("k.pem")));
    check(&with_url, &["1:7: Sluice has a certificate, and http://x is not encrypted: write https"]);
    for (text, told) in [
        (
            tls(&path("c.pem"), &path("other.pem")),
            format!("7:7: the key in {} doesn't belong to...", path("other.pem")),
        ),
        (tls(&path("no.pem"), &path("k.pem")), format!("6:15: {}: cannot read the file: No such...", path("no.pem"))),
        (tls(&path("empty.pem"), &path("k.pem")), format!("6:15: {}: there is no certificate...", path("empty.pem"))),
        (tls(&path("c.pem"), &path("empty.pem")), format!("7:7: {}: there is no private key...", path("empty.pem"))),
        (tls("c.pem", &path("k.pem")), "6:15: `certificate` is no absolute path...".to_owned()),
        (format!("{NODE}[tls]\nkey = \"{}\"\n", path("k.pem")), "4:1: TLS has no `certificate`: write...".to_owned()),
        (format!("tls = true\n{NODE}"), "1:7: `tls` is a boolean: write a table...".to_owned()),
        (format!("{NODE}[tls]\ncert = 1"), "4:1: TLS has no `certificate`: write...".to_owned()),
    ] {
        let Err(mistakes) = parse(&text) else { panic!("{text} is taken") };
        let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(all[0].starts_with(told.trim_end_matches("...")), "{all:?} and not {told}");
    }
}
