use super::*;

const NOW: u64 = 1_000_000;

/// A server of three checks to go down, two to come up, on 10.0.0.3:80.
fn server(status: &str) -> Row {
    let mut row = Row::new(RowKind::Server, "web3");
    row.set_text(Text::Status, status);
    row.set_text(Text::Addr, "10.0.0.3:80");
    row.set(Col::CheckRise, Some(2));
    row.set(Col::CheckFall, Some(3));
    row.set(Col::CheckState, Some(6));
    row
}

fn with(mut row: Row, texts: &[(Text, &str)], nums: &[(Col, u64)]) -> Row {
    texts.iter().for_each(|(text, value)| row.set_text(*text, *value));
    nums.iter().for_each(|(col, value)| row.set(*col, Some(*value)));
    row
}

/// A DOWN server whose check gave this code and these words, after three failed checks.
fn failed(code: &str, number: u64, words: &str) -> String {
    let row = with(server("DOWN"), &[(Text::CheckStatus, code), (Text::LastChk, words)], &[(Col::Chkfail, 7)]);
    cause(&with(row, &[], &[(Col::CheckCode, number)]))
}

#[test]
fn every_code_of_a_check_is_told_in_words() {
    for (code, number, words, want) in [
        ("L4CON", 0, "Connection refused", "connection refused on 10.0.0.3:80 (layer 4), 3 checks failed"),
        (
            "L4CON",
            0,
            "ECONNREFUSED returned by OS (Connection refused)",
            "connection refused on 10.0.0.3:80 (layer 4), 3 checks failed",
        ),
        (
            "L4CON",
            0,
            "Connection refused at initial connection step of tcp-check",
            "connection refused on 10.0.0.3:80 (layer 4), 3 checks failed",
        ),
        (
            "L4CON",
            0,
            "ECONNREFUSED returned by OS (Connection refused) at step 2 of tcp-check (connect port 81)",
            "connection refused at step 2 of tcp-check (connect port 81) (layer 4), 3 checks failed",
        ),
        ("L4CON", 0, "No route to host", "no route to host on 10.0.0.3:80 (layer 4), 3 checks failed"),
        ("L4CON", 0, "", "connection failed on 10.0.0.3:80 (layer 4), 3 checks failed"),
        ("L4TOUT", 0, "", "no connection in time on 10.0.0.3:80 (layer 4), 3 checks failed"),
        (
            "L4TOUT",
            0,
            " at initial connection step of tcp-check",
            "no connection in time on 10.0.0.3:80 (layer 4), 3 checks failed",
        ),
        ("L6TOUT", 0, "", "no TLS handshake in time on 10.0.0.3:80 (layer 6), 3 checks failed"),
        ("L6RSP", 0, "SSL handshake failure", "TLS handshake failed on 10.0.0.3:80 (layer 6), 3 checks failed"),
        (
            "L6RSP",
            0,
            "SSL handshake failure (Connection reset by peer)",
            "TLS handshake failed (Connection reset by peer) on 10.0.0.3:80 (layer 6), 3 checks failed",
        ),
        ("L7TOUT", 0, "", "no answer in time on 10.0.0.3:80 (layer 7), 3 checks failed"),
        (
            "L7TOUT",
            0,
            " at step 2 of tcp-check (expect string 'PONG')",
            "no answer in time at step 2 of tcp-check (expect string 'PONG') on 10.0.0.3:80 (layer 7), 3 checks failed",
        ),
        ("L7RSP", 0, "", "bad answer on 10.0.0.3:80 (layer 7), 3 checks failed"),
        (
            "L7RSP",
            0,
            "TCPCHK got an empty response at step 2",
            "bad answer (TCPCHK got an empty response at step 2) on 10.0.0.3:80 (layer 7), 3 checks failed",
        ),
        (
            "L7STS",
            503,
            "Service Unavailable",
            "answers 503 (Service Unavailable) on 10.0.0.3:80 (layer 7), 3 checks failed",
        ),
        ("L7STS", 503, "", "answers 503 on 10.0.0.3:80 (layer 7), 3 checks failed"),
        ("L7STS", 0, "", "answers with an error on 10.0.0.3:80 (layer 7), 3 checks failed"),
        (
            "SOCKERR",
            0,
            "Connection reset by peer",
            "socket error (Connection reset by peer) on 10.0.0.3:80, 3 checks failed",
        ),
        ("SOCKERR", 0, "", "socket error on 10.0.0.3:80, 3 checks failed"),
        (
            "HANA",
            0,
            "Detected 10 consecutive errors, last one was: Wrong http response",
            "too many errors in its traffic (10 consecutive errors, last one was: Wrong http response)",
        ),
        ("HANA", 0, "", "too many errors in its traffic"),
        ("PROCERR", 1, "", "the external check failed, exit code 1, 3 checks failed"),
        ("PROCERR", 0, "", "the external check failed, 3 checks failed"),
        ("PROCTOUT", 0, "", "the external check took too long, 3 checks failed"),
        ("L4OK", 0, "", "set down by an operator, the last check passed"),
        ("L6OK", 0, "", "set down by an operator, the last check passed"),
        ("L7OK", 200, "OK", "set down by an operator, the last check passed"),
        ("L7OKC", 404, "Not Found", "set down by an operator, the last check passed"),
        ("PROCOK", 0, "", "set down by an operator, the last check passed"),
        ("INI", 0, "", "not checked yet"),
        ("UNK", 0, "", "not checked yet"),
        ("CHECKED", 0, "", "its check says CHECKED on 10.0.0.3:80, 3 checks failed"),
        ("L9NEW", 0, "x", "its check says L9NEW (x) on 10.0.0.3:80, 3 checks failed"),
        ("\u{e9}\u{fffd}", 0, "", "its check says \u{e9}\u{fffd} on 10.0.0.3:80, 3 checks failed"),
        (
            "L7STS",
            500,
            "Oops, \"bad\" <b>x</b>\u{fffd}[31m",
            "answers 500 (Oops, \"bad\" <b>x</b>\u{fffd}[31m) on 10.0.0.3:80 (layer 7), 3 checks failed",
        ),
        ("L4CON", 0, "\u{c9}chec", "\u{c9}chec on 10.0.0.3:80 (layer 4), 3 checks failed"),
        ("L4CON", 0, "EOF", "EOF on 10.0.0.3:80 (layer 4), 3 checks failed"),
    ] {
        assert_eq!(failed(code, number, words), want, "{code} {number} {words:?}");
    }
}

#[test]
fn checks_are_counted_where_haproxy_counts_them() {
    use Col::{CheckHealth, Chkfail};
    for (status, code, nums, want) in [
        (
            "UP 2/3",
            "L4TOUT",
            &[(CheckHealth, 3)][..],
            "no connection in time on 10.0.0.3:80 (layer 4), 1 of 3 checks failed",
        ),
        (
            "UP 1/3",
            "L4TOUT",
            &[(CheckHealth, 2)],
            "no connection in time on 10.0.0.3:80 (layer 4), 2 of 3 checks failed",
        ),
        ("UP 1/3", "L4TOUT", &[(CheckHealth, 900)], "no connection in time on 10.0.0.3:80 (layer 4)"),
        // The first check after a start is enough; and counters can be cleared.
        ("DOWN", "L4TOUT", &[(Chkfail, 1)], "no connection in time on 10.0.0.3:80 (layer 4), 1 check failed"),
        ("DOWN", "L4TOUT", &[(Chkfail, 0)], "no connection in time on 10.0.0.3:80 (layer 4)"),
        ("DOWN 1/2", "L4OK", &[(CheckHealth, 1)], "1 of 2 checks passed"),
        ("DOWN 0/2", "L4OK", &[(CheckHealth, 0)], "the last check passed"),
        ("UP 1/3", "L7OK", &[(CheckHealth, 2)], "the last check passed"),
    ] {
        assert_eq!(cause(&with(server(status), &[(Text::CheckStatus, code)], nums)), want, "{status}");
    }
}

#[test]
fn every_status_of_a_server_has_its_cause() {
    use Text::{AgentStatus, CheckStatus, LastAgt, Tracked};
    let follower = (Tracked, "web/s1");
    for (status, texts, nums, want) in [
        ("UP", &[][..], &[][..], ""),
        ("no check", &[], &[], ""),
        ("UP 1/3", &[(CheckStatus, "INI")], &[(Col::CheckHealth, 2)], ""),
        ("SIDEWAYS 3", &[(CheckStatus, "L4CON")], &[], ""),
        ("MAINT", &[], &[(Col::AdminState, 1)], "set by an operator"),
        ("MAINT", &[(AgentStatus, "CHECKED")], &[(Col::AdminState, 1)], "set by an operator or its agent"),
        ("MAINT", &[], &[(Col::AdminState, 5)], "disabled, by configuration or operator"),
        ("MAINT (resolution)", &[], &[(Col::AdminState, 32)], "its name does not resolve"),
        ("MAINT (resolution)", &[], &[(Col::AdminState, 33)], "its name does not resolve, and set by an operator"),
        ("MAINT (via web/s1)", &[follower], &[(Col::AdminState, 2)], "follows web/s1"),
        ("MAINT (via web/s1)", &[follower], &[(Col::AdminState, 3)], "follows web/s1, and set by an operator"),
        (
            "DOWN (agent)",
            &[(LastAgt, "via agent : down (out of \"memory\", really)")],
            &[],
            "its agent says: down (out of \"memory\", really)",
        ),
        ("DOWN (agent)", &[(LastAgt, "agent reports an error : \u{fffd}<b>")], &[], "its agent says: \u{fffd}<b>"),
        ("DOWN (agent)", &[(LastAgt, "")], &[(Col::AdminState, 8)], "its agent says so, in drain too"),
        ("DOWN 0/2", &[(AgentStatus, "L7OK"), (LastAgt, "via agent : up")], &[], "its agent says: up"),
        ("DRAIN (agent)", &[(AgentStatus, "CHECKED")], &[(Col::Scur, 17), (Col::AdminState, 8)], "17 sessions left"),
        ("DRAIN", &[], &[(Col::Scur, 1), (Col::AdminState, 8)], "1 session left"),
        ("DRAIN 2/3", &[follower], &[(Col::AdminState, 16)], "follows web/s1, no session left"),
        ("DRAIN", &[follower], &[(Col::AdminState, 24)], "no session left"),
        ("NOLB", &[(CheckStatus, "L7OKC")], &[(Col::Scur, 2)], "its check answers 404, 2 sessions left"),
        ("NOLB 2/3", &[(CheckStatus, "L7OK")], &[(Col::Scur, 2)], "2 sessions left"),
        ("DOWN", &[follower], &[], "follows web/s1"),
        ("UP 1/3", &[follower], &[(Col::CheckHealth, 2)], "follows web/s1"),
        ("DOWN", &[], &[(Col::CheckState, 2)], "its checks are off: it stays down"),
        ("DOWN", &[], &[(Col::CheckState, 0)], "set down by an operator: it has no check"),
        (
            "DOWN",
            &[(CheckStatus, "L4CON"), (Text::LastChk, "Connection refused")],
            &[(Col::AdminState, 8)],
            "connection refused on 10.0.0.3:80 (layer 4), in drain too",
        ),
        (
            "DOWN",
            &[(CheckStatus, "L4TOUT"), (Text::Addr, "unix")],
            &[],
            "no connection in time on its unix socket (layer 4)",
        ),
        ("DOWN", &[(CheckStatus, "L4TOUT"), (Text::Addr, "")], &[], "no connection in time (layer 4)"),
    ] {
        assert_eq!(cause(&with(server(status), texts, nums)), want, "{status} {texts:?} {nums:?}");
    }
}

#[test]
fn frontends_listeners_and_backends_have_theirs() {
    for (kind, status, mode, want) in [
        (RowKind::Frontend, "OPEN", "http", ""),
        (RowKind::Frontend, "PAUSED", "http", "disabled by an operator: takes no connection"),
        (RowKind::Frontend, "STOP", "http", "shut down: takes no connection before a reload"),
        (RowKind::Listener, "FULL", "http", "as many connections as its limit allows"),
        (RowKind::Listener, "WAITING", "http", "waits: its frontend or HAProxy is at its limit"),
        (RowKind::Backend, "UP", "http", ""),
        (RowKind::Backend, "DOWN", "http", "its requests get 503"),
        (RowKind::Backend, "DOWN (0/2)", "tcp", "its connections are closed"),
    ] {
        let row = with(Row::new(kind, "x"), &[(Text::Status, status), (Text::Mode, mode)], &[]);
        assert_eq!(cause(&row), want, "{status}");
    }
}

/// A server on lb1, lb2, ... with these states and administrative bits, since 12 minutes.
fn cluster(states: &[(&str, u64)]) -> Vec<(String, Row)> {
    let texts = [(Text::CheckStatus, "L4CON"), (Text::LastChk, "Connection refused")];
    let row = |status: &str, bits| {
        with(server(status), &texts, &[(Col::AdminState, bits), (Col::Lastchg, NOW - 720), (Col::Chkfail, 3)])
    };
    (1..).zip(states).map(|(n, (status, bits))| (format!("lb{n}"), row(status, *bits))).collect()
}

fn named(cluster: &[(String, Row)]) -> Vec<(&str, &Row)> {
    cluster.iter().map(|(name, row)| (name.as_str(), row)).collect()
}

#[test]
fn the_sentence_says_how_long_why_and_who_agrees() {
    let refused = "down for 12 min: connection refused on 10.0.0.3:80 (layer 4), 3 checks failed";
    let (up, down) = (("UP", 0), ("DOWN", 0));
    for (states, want) in [
        (&[down][..], refused.to_owned()),
        (&[down, down], format!("{refused}, both nodes agree")),
        (&[down, down, down], format!("{refused}, all 3 nodes agree")),
        (&[down, down, up], format!("{refused}, 2 of 3 nodes agree, up on lb3")),
        (&[down, up, ("MAINT", 1)], format!("{refused}, only on lb1, up on lb2, maint on lb3")),
        (&[down, up, up, up, up], format!("{refused}, only on lb1, up on 4 nodes")),
        (&[up], "up for 12 min".to_owned()),
        (&[up, up], "up for 12 min".to_owned()),
        (&[up, ("DRAIN", 8)], "up for 12 min, only on lb1, drain on lb2".to_owned()),
        (&[("MAINT", 1), ("MAINT", 1)], "maint for 12 min: set by an operator".to_owned()),
        (&[("no check", 0)], "no check for 12 min".to_owned()),
        (&[("SIDEWAYS 3", 0)], "SIDEWAYS 3 for 12 min".to_owned()),
    ] {
        let cluster = cluster(states);
        assert_eq!(sentence(&cluster[0].1, &named(&cluster), NOW), want, "{states:?}");
    }
    // A clock that is behind HAProxy's, and a row without an age.
    let one = cluster(&[down]);
    assert!(sentence(&one[0].1, &named(&one), 0).starts_with("down for 0 s: connection refused"));
    assert_eq!(sentence(&with(server("UP"), &[], &[]), &[], NOW), "up");
}

#[test]
fn nodes_that_disagree_say_whether_somebody_made_it_so() {
    let (up, down, drain) = (("UP", 0), ("DOWN", 0), ("DRAIN", 8));
    for (states, want) in [
        (&[][..], None),
        (&[up], None),
        (&[up, up], None),
        (&[("DOWN", 0), ("DOWN (agent)", 0)], None),
        // `disabled` in the configuration stays set after `ready`: it is nobody's will any more.
        (&[up, ("UP", 4)], None),
        (&[drain, up, up], Some(("drain on lb1, up on lb2 and lb3", true))),
        (&[up, drain, ("MAINT", 1)], Some(("up on lb1, drain on lb2, maint on lb3", true))),
        (&[up, down], Some(("up on lb1, down on lb2", false))),
        (&[("UP 1/3", 0), up], Some(("going down on lb1, up on lb2", false))),
        (&[up, ("MAINT (resolution)", 32)], Some(("up on lb1, maint on lb2", false))),
        // Alike to look at, and not when it comes back.
        (&[("DOWN", 8), down], Some(("drain on lb1, ready on lb2", true))),
        (&[down, up, up, up, up], Some(("down on lb1, up on 4 nodes", false))),
        (&[up, up, up, drain], Some(("up on lb1, lb2 and lb3, drain on lb4", true))),
    ] {
        let cluster = cluster(states);
        let want = want.map(|(text, is_admin)| Disagreement { text: text.to_owned(), is_admin });
        assert_eq!(disagreement(&named(&cluster)), want, "{states:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_row_is_too_odd_for_words(rows in crate::arbitrary::rows()) {
        let nodes: Vec<(&str, &Row)> = rows.iter().map(|r| ("lb", r)).collect();
        let _: Option<Disagreement> = disagreement(&nodes);
        for row in &rows {
            let text = sentence(row, &nodes, NOW);
            proptest::prop_assert!(text.contains(&cause(row)));
        }
    }
}
