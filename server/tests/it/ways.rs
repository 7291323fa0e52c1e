//! Every way to reach a real HAProxy, and what is said where it leads elsewhere.

use std::{net::TcpListener, time::Duration};

use haproxy::{Address, Client, Connector, Limits};
use lab::Haproxy;
use model::{
    action::Action,
    fleet::{Level, Link},
    outcome::Outcome,
};
use server::metrics::Metrics;
use tokio::time::{sleep, timeout};

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, EXPIRED, NOT_YET, NOW},
        raw,
        sluice::Sluice,
    },
};

/// So many free ports, of which no two are the same.
pub(crate) fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn plain(address: &str) -> Connector {
    address.parse::<Address>().expect("an address").into()
}

fn master(address: &str) -> Connector {
    Connector { master: true, ..plain(address) }
}

#[tokio::test]
async fn every_way_in_polls_and_acts() {
    let certificates = Certificates::new();
    let server = certificates.issue("server", &["localhost", "127.0.0.1"], NOW).display().to_string();
    certificates.issue("client", &["sluice"], NOW);
    let ca = certificates.path("ca").display().to_string();
    let [tcp, tls, tls12, behind] = ports();
    let abns = format!("sluice-{tcp}");
    // Host names may stand for an IPv6 address first, where nobody listens.
    let proxies = format!(
        "global\n\
         \tstats socket abns@{abns} level admin\n\
         \tstats socket ipv4@127.0.0.1:{tcp} level admin\n\
         \tstats socket ipv6@[::1]:{behind} level operator\n\
         listen tls\n\
         \tmode tcp\n\
         \tbind 127.0.0.1:{tls} ssl crt {server} ca-file {ca} verify required\n\
         \tbind 127.0.0.1:{tls12} ssl crt {server} ca-file {ca} verify required ssl-max-ver TLSv1.2\n\
         \tserver cli unix@DIR/admin.sock\n\
         backend be\n\
         \tserver-template s 1-9 127.0.0.1:{tcp}\n"
    );
    let Some(haproxy) = Haproxy::builder().master().start(&proxies).await else { return };
    let unix = haproxy.admin().display().to_string();
    let master_socket = haproxy.path("master.sock").display().to_string();
    let nodes = [
        ("unix", plain(&unix)),
        ("abns", plain(&format!("abns@{abns}"))),
        ("tcp4", plain(&format!("tcp://127.0.0.1:{tcp}"))),
        ("named", plain(&format!("tcp://localhost:{tcp}"))),
        ("tls13", certificates.connector(&format!("tls://localhost:{tls}"), Some("client"))),
        ("tls12", certificates.connector(&format!("tls://127.0.0.1:{tls12}"), Some("client"))),
        ("master", master(&master_socket)),
        ("tcp6", plain(&format!("tcp://[::1]:{behind}"))),
    ];
    let sluice = Sluice::reaching(&nodes).await;
    let world = sluice.hub.world();
    for (at, (name, connector)) in nodes.iter().enumerate() {
        let node = world.fleet.nodes.iter().find(|n| n.name == *name).expect("a node");
        assert_eq!(node.address, connector.address.to_string());
        assert_eq!((node.link, node.error.as_str()), (Link::Live, ""), "{name}");
        assert_eq!(node.pid, world.fleet.nodes[0].pid, "{name}");
        let server = format!("s{}", at + 1);
        let got = sluice.act(Action::Drain, &format!("{name}/be/{server}")).await;
        let admin = raw::server(&haproxy.admin(), "be", &server).await.admin;
        if *name == "tcp6" {
            assert_eq!((node.level, got.outcome, admin), (Level::Operator, Outcome::Refused, 0), "{name}: {got:?}");
        } else {
            assert_eq!((node.level, got.outcome, admin), (Level::Admin, Outcome::Done, 8), "{name}: {got:?}");
        }
    }
}

#[tokio::test]
async fn the_masters_socket_leads_to_the_current_worker_over_reloads() {
    let [tcp, tls] = ports();
    let certificates = Certificates::new();
    let server = certificates.issue("server", &["localhost"], NOW).display().to_string();
    let proxies = format!(
        "listen in_front\n\
         \tmode tcp\n\
         \tbind 127.0.0.1:{tcp}\n\
         \tbind 127.0.0.1:{tls} ssl crt {server}\n\
         \tserver master unix@DIR/master.sock\n\
         backend be\n\
         \tserver-template s 1-3 127.0.0.1:{tcp}\n"
    );
    let Some(haproxy) = Haproxy::builder().master().start(&proxies).await else { return };
    let nodes = [
        ("unix", master(&haproxy.path("master.sock").display().to_string())),
        ("tcp", master(&format!("tcp://127.0.0.1:{tcp}"))),
        ("tls", Connector { master: true, ..certificates.connector(&format!("tls://localhost:{tls}"), None) }),
    ];
    let sluice = Sluice::reaching(&nodes).await;
    let mut lost = Vec::new();
    for reload in 1..=3 {
        let pid = sluice.hub.world().fleet.nodes[0].pid;
        haproxy.reload();
        let reached = |n: &model::fleet::Node| n.link == Link::Live && n.pid != pid;
        sluice
            .until("another worker", |w| {
                lost.extend(
                    w.fleet.nodes.iter().filter(|n| n.link != Link::Live).map(|n| format!("{}: {}", n.name, n.error)),
                );
                w.fleet.nodes.iter().all(reached)
            })
            .await;
        let target = format!("be/s{reload}");
        for (name, _) in &nodes {
            let action = if *name == "tcp" { Action::Ready } else { Action::Drain };
            let got = sluice.act(action, &format!("{name}/{target}")).await;
            assert_eq!(got.outcome, Outcome::Done, "{name}: {got:?}");
        }
    }
    for (name, _) in &nodes {
        let errors = sluice.metrics.poll_errors.get_or_create(&Metrics::node(name)).get();
        eprintln!("{name}: {errors} polls failed over three reloads");
        // The master may be between two lives, never for long.
        assert!(errors < 10, "{lost:#?}");
    }
    eprintln!("seen meanwhile: {lost:#?}");
}

/// What a client is told that asks there.
async fn told(connector: Connector) -> String {
    let client = Client::new(connector, Limits::default());
    client.info().await.err().map_or_else(|| "no error".to_owned(), |error| error.to_string())
}

#[tokio::test]
async fn a_wrong_way_says_what_is_wrong_with_it() {
    let (ours, others) = (Certificates::new(), Certificates::new());
    let good = ours.issue("good", &["localhost", "127.0.0.1"], NOW);
    let expired = ours.issue("expired", &["localhost"], EXPIRED);
    let not_yet = ours.issue("not_yet", &["localhost"], NOT_YET);
    let elsewhere = ours.issue("elsewhere", &["lb9.example.org"], NOW);
    let nameless = ours.issue("nameless", &[], NOW);
    let foreign = others.issue("foreign", &["localhost"], NOW);
    ours.issue("client", &["sluice"], NOW);
    ours.issue("old_client", &["sluice"], EXPIRED);
    let ca = ours.path("ca").display().to_string();
    let [free, tls, expired_port, not_yet_port, elsewhere_port, nameless_port, foreign_port] = ports();
    let [mtls13, mtls12, mute, http, tcp, dead] = ports();
    let bind = |port: u16, file: &std::path::Path| format!("\tbind 127.0.0.1:{port} ssl crt {}\n", file.display());
    let verified = format!("ssl crt {} ca-file {ca} verify required", good.display());
    let binds: String = [
        (tls, &good),
        (expired_port, &expired),
        (not_yet_port, &not_yet),
        (elsewhere_port, &elsewhere),
        (nameless_port, &nameless),
        (foreign_port, &foreign),
    ]
    .into_iter()
    .map(|(port, file)| bind(port, file))
    .collect();
    let proxies = format!(
        "global\n\
         \tstats socket ipv4@127.0.0.1:{mute} level admin {verified}\n\
         \tstats socket ipv4@127.0.0.1:{tcp} level admin\n\
         listen tls\n\
         \tmode tcp\n\
         {binds}\
         \tbind 127.0.0.1:{mtls13} {verified}\n\
         \tbind 127.0.0.1:{mtls12} {verified} ssl-max-ver TLSv1.2\n\
         \tserver cli unix@DIR/admin.sock\n\
         listen nothing_behind\n\
         \tmode tcp\n\
         \tbind 127.0.0.1:{dead} ssl crt {}\n\
         \tserver cli unix@DIR/none.sock\n\
         frontend http\n\
         \tbind 127.0.0.1:{http}\n",
        good.display()
    );
    let Some(haproxy) = Haproxy::builder().master().start(&proxies).await else { return };
    let at = |port: u16| format!("tls://localhost:{port}");
    let anonymous = |port: u16| ours.connector(&at(port), None);
    let demanded = "HAProxy demands a client certificate: name its PEM files as `certificate` and `key`";
    let refused = "HAProxy does not take the client certificate (CertificateExpired): has it expired";
    let cases = [
        (anonymous(tls), "no error"),
        (anonymous(mute), "in plain text, not in TLS: since 2.6 HAProxy ignores `ssl` on a `stats socket`"),
        (plain(&format!("tcp://127.0.0.1:{mute}")), "no error"),
        (plain(&format!("tcp://127.0.0.1:{tls}")), "if the port speaks TLS (`bind ... ssl`), write `tls://`"),
        (plain(&format!("tcp://127.0.0.1:{http}")), "the port speaks HTTP"),
        (anonymous(expired_port), "HAProxy's certificate has expired"),
        (anonymous(not_yet_port), "HAProxy's certificate is not valid before"),
        (anonymous(elsewhere_port), "is not for localhost but for lb9.example.org: set `server_name`"),
        (anonymous(nameless_port), "is not for localhost: it has no subjectAltName"),
        (anonymous(foreign_port), "signed by nobody that is trusted here: name the PEM file of its CA as `ca`"),
        (anonymous(mtls13), demanded),
        (anonymous(mtls12), demanded),
        (ours.connector(&at(mtls13), Some("client")), "no error"),
        (ours.connector(&at(mtls12), Some("client")), "no error"),
        (ours.connector(&at(mtls13), Some("old_client")), refused),
        (ours.connector(&at(mtls12), Some("old_client")), refused),
        (anonymous(dead), "is HAProxy behind the `mode tcp` section there"),
        (anonymous(free), "nobody listens on this port"),
        (plain(&format!("tcp://[::1]:{free}")), "nobody listens on this port"),
        // Where no DNS server answers, it is the deadline that tells.
        (plain("tcp://sluice.invalid:9"), "look"),
        (plain(&format!("abns@sluice-{free}")), "nobody listens"),
        (plain(&haproxy.path("master.sock").display().to_string()), "write `master = true`"),
        (master(&haproxy.admin().display().to_string()), "leave `master` out"),
        (master(&format!("tcp://127.0.0.1:{tcp}")), "leave `master` out"),
    ];
    let answers = futures::future::join_all(cases.iter().map(|(connector, _)| told(connector.clone()))).await;
    for ((connector, expected), told) in cases.iter().zip(&answers) {
        eprintln!("{}: {told}", connector.address);
        assert!(told.contains(expected), "{}\n  told:     {told}\n  expected: {expected}", connector.address);
    }
}

#[tokio::test]
async fn a_reload_that_fails_leaves_the_old_worker_within_reach() {
    let Some(haproxy) = Haproxy::builder().master().start("backend be\n\tserver s1 127.0.0.1:1\n").await else {
        return;
    };
    let socket = haproxy.path("master.sock");
    let sluice = Sluice::reaching(&[("lb1", master(&socket.display().to_string()))]).await;
    let pid = sluice.hub.world().fleet.nodes[0].pid;
    haproxy.configure("backend be\n\tnonsense\n");
    haproxy.reload();
    let failed = async {
        while !raw::try_ask_master(&socket, "show proc").await.is_ok_and(|said| said.contains("[failed: 1]")) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, failed).await.expect("the reload fails");
    let polled = sluice.hub.world().fleet.nodes[0].stats.polled;
    let still = sluice.until("another poll", |w| w.fleet.nodes[0].stats.polled > polled).await;
    assert_eq!(still.fleet.nodes[0].pid, pid);
}
