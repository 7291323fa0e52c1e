//! Replies recorded from HAProxy 2.0 to 3.2, all of one configuration.

use bytes::Bytes;

use crate::haproxy::{Info, ParseError, ServersState, StatTable};

/// The replies of one version, and what is known of them.
pub(super) struct Recording {
    pub(super) version: &'static str,
    pub(super) info: &'static [u8],
    pub(super) stat: &'static [u8],
    pub(super) servers_state: &'static [u8],
    /// Columns of `show stat`, without the nameless last one.
    columns: usize,
    rows: usize,
}

macro_rules! recording {
    ($version:literal, $columns:literal, $rows:literal) => {
        Recording {
            version: $version,
            info: include_bytes!(concat!("../testdata/", $version, "/show_info.txt")),
            stat: include_bytes!(concat!("../testdata/", $version, "/show_stat.txt")),
            servers_state: include_bytes!(concat!("../testdata/", $version, "/show_servers_state.txt")),
            columns: $columns,
            rows: $rows,
        }
    };
}

pub(super) const RECORDINGS: [Recording; 6] = [
    recording!("2.0.0", 88, 48),
    recording!("2.4.0", 114, 48),
    recording!("2.6.12", 128, 51),
    recording!("2.8.0", 138, 51),
    recording!("3.0.11", 205, 51),
    recording!("3.2.26", 207, 51),
];

fn stat(recording: &Recording) -> StatTable {
    StatTable::parse(Bytes::from_static(recording.stat)).expect(recording.version)
}

/// One cell of the row of a server, frontend or backend.
fn cell(table: &StatTable, proxy: &str, server: &str, column: &str) -> Option<String> {
    let place = |name: &str| table.column(name).expect("a column of every version");
    let (pxname, svname, column) = (place("pxname"), place("svname"), table.column(column)?);
    let mut found = None;
    table.for_each(|row| {
        if row.text(pxname) == proxy && row.text(svname) == server {
            found = Some(row.text(column).into_owned());
        }
    });
    found
}

#[test]
fn every_table_has_the_columns_and_rows_of_its_version() {
    for recording in &RECORDINGS {
        let table = stat(recording);
        let mut rows = 0;
        table.for_each(|_| rows += 1);
        assert_eq!(table.columns().len(), recording.columns, "{}", recording.version);
        assert_eq!(rows, recording.rows, "{}", recording.version);
        assert_eq!(table.columns()[0], "pxname");
        assert_eq!(table.column("lastsess"), Some(55));
        assert_eq!(table.raw(), recording.stat);
    }
}

#[test]
fn the_same_cells_are_found_in_every_version() {
    for recording in &RECORDINGS {
        let table = stat(recording);
        for (proxy, server, column, expected) in [
            ("be_http", "s1", "status", "UP"),
            ("be_http", "s1", "addr", "127.0.0.1:22001"),
            ("be_http", "s1", "weight", "100"),
            ("be_http", "s4", "status", "MAINT"),
            ("be_down", "d1", "status", "DOWN"),
            ("be_down", "d1", "check_status", "L4CON"),
            ("be_404", "n404", "status", "NOLB"),
            ("be_track", "t2", "tracked", "be_track/t1"),
            ("be_nocheck", "n1", "status", "no check"),
            ("be_dns", "r1", "status", "MAINT (resolution)"),
            ("be_odd.name:with_all-chars_1", "s.1:a_b-c", "type", "2"),
            ("fe_http", "FRONTEND", "status", "OPEN"),
        ] {
            let found = cell(&table, proxy, server, column);
            assert_eq!(found.as_deref(), Some(expected), "{} {proxy}/{server} {column}", recording.version);
        }
    }
}

#[test]
fn a_server_without_sessions_has_a_negative_lastsess() {
    for recording in &RECORDINGS {
        let table = stat(recording);
        let lastsess = table.column("lastsess").expect("lastsess");
        let mut never = 0;
        table.for_each(|row| never += usize::from(row.number(lastsess) == Some(-1)));
        assert!(never > 10, "{}: {never}", recording.version);
    }
}

#[test]
fn every_info_has_its_version_and_its_unquoted_description() {
    for recording in &RECORDINGS {
        let info = Info::parse(recording.info).expect(recording.version);
        assert_eq!(info.get("Name"), Some("HAProxy"));
        let version = info.get("Version").expect("a version");
        assert!(version.starts_with(recording.version), "{version}");
        assert_eq!(info.get("description"), Some("edge, \"main\" LB; dc1"));
        assert_eq!(info.get("node"), Some("test-node.1"));
        assert_eq!(info.number("Nbthread"), Some(2));
        assert_eq!(info.number("Stopping"), Some(0));
        assert_eq!(info.number("Unstoppable Jobs"), Some(0));
        assert_eq!(info.number("Uptime"), None);
        let lines = recording.info.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(info.iter().len(), lines - 1, "{}", recording.version);
        assert_eq!(info.iter().next(), Some(("Name", "HAProxy")));
    }
}

#[test]
fn every_servers_state_tells_the_same_servers_apart() {
    for recording in &RECORDINGS {
        let table = ServersState::parse(recording.servers_state).expect(recording.version);
        let state = |backend, server| {
            table
                .rows()
                .find(|row| (row.backend, row.server) == (backend, server))
                .map(|row| (row.op_state, row.admin_state, row.check_state, row.agent_state))
        };
        // The version line, the header and the empty line are no rows.
        let lines = recording.servers_state.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(table.rows().count(), lines - 3, "{}", recording.version);
        assert_eq!(state("be_http", "s1"), Some((2, 0, 6, 0)));
        assert_eq!(state("be_http", "s4"), Some((0, 5, 14, 0)));
        assert_eq!(state("be_404", "n404"), Some((3, 0, 6, 0)));
        assert_eq!(state("be_track", "t1"), Some((2, 0, 0, 0)));
        assert_eq!(state("be_nocheck", "n2"), Some((0, 5, 8, 0)));
        assert_eq!(state("nope", "s1"), None);

        let resolved = table.rows().find(|row| row.backend == "be_dns" && row.server == "r1");
        let resolved = resolved.expect("be_dns/r1");
        assert_eq!(resolved.admin_state, 32, "{}", recording.version);
        assert_eq!((resolved.fqdn, resolved.port), (Some("nosuch.example.test"), Some(80)));
        let has_ssl_column = recording.version != "2.0.0";
        assert_eq!(resolved.use_ssl.is_some(), has_ssl_column, "{}", recording.version);
    }
}

#[test]
fn no_beginning_of_a_reply_passes_for_the_whole() {
    for recording in &RECORDINGS {
        for end in 0..recording.stat.len() {
            let cut = StatTable::parse(Bytes::from_static(&recording.stat[..end]));
            assert!(cut.is_err(), "{} stat {end}", recording.version);
        }
        for end in 0..recording.info.len() {
            let cut = Info::parse(&recording.info[..end]);
            assert!(cut.is_err(), "{} info {end}", recording.version);
        }
        for end in 2..recording.servers_state.len() {
            let cut = ServersState::parse(&recording.servers_state[..end]);
            assert_eq!(cut.err(), Some(ParseError::Cut { received: end }), "{}", recording.version);
        }
    }
}
