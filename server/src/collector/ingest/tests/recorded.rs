//! Every recorded poll through the collector's eyes.

use std::collections::BTreeSet;

use bytes::Bytes;
use model::status::RowState;
use testkit::recordings::{MADE_1_8, RECORDINGS, Recording};

use super::*;

const NOW: u64 = 1_800_000_000;

/// Proxy, row and status; admin and check bits of a server.
type Fact = (&'static str, &'static str, &'static str, Option<u64>, Option<u64>);

/// Rows that every version has.
const ROUTES: [Fact; 12] = [
    ("fe_http", "FRONTEND", "OPEN", None, None),
    ("be_http", "s1", "UP", Some(0), Some(6)),
    ("be_http", "s4", "MAINT", Some(5), Some(14)),
    ("be_http", "BACKEND", "UP", None, None),
    ("be_down", "d1", "DOWN", Some(0), Some(6)),
    ("be_down", "BACKEND", "DOWN", None, None),
    ("be_404", "n404", "NOLB", Some(0), Some(6)),
    ("be_track", "t2", "UP", Some(0), Some(0)),
    ("be_nocheck", "n1", "no check", Some(0), Some(0)),
    ("be_nocheck", "n2", "MAINT", Some(5), Some(8)),
    ("be_dns", "r1", "MAINT (resolution)", Some(32), Some(14)),
    ("be_odd.name:with_all-chars_1", "s.1:a_b-c", "no check", Some(0), Some(0)),
];

fn rows(recording: &Recording) -> Vec<(String, Row)> {
    let stat = StatTable::parse(Bytes::from_static(recording.stat)).expect(recording.version);
    let states = ServersState::parse(recording.servers_state).expect(recording.version);
    let proxies = read(&stat, Some(&states), NOW);
    proxies.into_iter().flat_map(|p| p.rows.into_iter().map(move |row| (p.name.clone(), row))).collect()
}

#[test]
fn no_row_of_any_version_is_lost() {
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
        let rows = rows(recording);
        let count = |kind| rows.iter().filter(|(_, row)| row.kind == kind).count();
        let kinds = [RowKind::Frontend, RowKind::Backend, RowKind::Server].map(count);
        assert_eq!((kinds, rows.len()), (recording.kinds, recording.rows()), "{}", recording.version);
    }
}

#[test]
fn every_version_tells_the_same_of_the_same_servers() {
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
        let rows = rows(recording);
        for (proxy, name, status, admin, check) in ROUTES {
            let found = rows.iter().find(|(p, row)| p == proxy && row.name == name);
            let (_, row) = found.unwrap_or_else(|| panic!("{}: no {proxy}/{name}", recording.version));
            let got = (row.text(Text::Status), row.num(Col::AdminState), row.num(Col::CheckState));
            assert_eq!(got, (status, admin, check), "{} {proxy}/{name}", recording.version);
        }
        let of = |name: &str| &rows.iter().find(|(_, row)| row.name == name).expect(name).1;
        assert_eq!(of("d1").text(Text::CheckStatus), "L4CON", "{}", recording.version);
        assert_eq!(of("t2").text(Text::Tracked), "be_track/t1", "{}", recording.version);
        // The mark of a running check, which 2.0.0 was caught with, is no part of the code.
        let codes: BTreeSet<_> = rows.iter().map(|(_, row)| row.text(Text::CheckStatus)).collect();
        assert_eq!(codes, BTreeSet::from(["", "L4CON", "L4OK", "L7OK", "L7OKC"]), "{}", recording.version);
        assert!(
            rows.iter().all(|(_, row)| RowState::parse(row.text(Text::Status)) != RowState::Unknown),
            "{}",
            recording.version
        );
    }
}

#[test]
fn every_server_has_its_state_bits() {
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
        let servers = rows(recording).into_iter().filter(|(_, row)| row.kind == RowKind::Server);
        for (proxy, row) in servers {
            let bits = [Col::OpState, Col::AdminState, Col::CheckState, Col::AgentState].map(|col| row.num(col));
            assert!(!bits.contains(&None), "{} {proxy}/{}: {bits:?}", recording.version, row.name);
        }
    }
}
