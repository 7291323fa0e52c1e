//! The parsers over every recorded reply.

use std::collections::BTreeSet;

use bytes::Bytes;

use testkit::recordings::{MADE_1_8, RECORDINGS, Recording};

use crate::{
    Info, ParseError, ServersState, StatTable,
    reply::{Words, words},
};

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
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
        let table = stat(recording);
        let mut rows = 0;
        table.for_each(|_| rows += 1);
        assert_eq!(table.columns().len(), recording.columns, "{}", recording.version);
        assert_eq!(rows, recording.rows(), "{}", recording.version);
        assert_eq!(table.columns()[0], "pxname");
        assert_eq!(table.column("lastsess"), Some(55));
        assert_eq!(table.raw(), recording.stat);
    }
}

#[test]
fn the_same_cells_are_found_in_every_version() {
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
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
    for recording in RECORDINGS.iter().chain([&MADE_1_8]) {
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
        let has_ssl_column = !["1.8-made", "2.0.0"].contains(&recording.version);
        assert_eq!(resolved.use_ssl.is_some(), has_ssl_column, "{}", recording.version);
    }
}

#[test]
fn an_info_without_the_lines_of_later_versions_is_read() {
    let info = Info::parse(MADE_1_8.info).expect("whole");
    assert_eq!((info.get("Version"), info.number("Pid").is_some()), (Some("1.8.0"), true));
    assert_eq!((info.get("Stopping"), info.get("description"), info.iter().len()), (None, None, 35));
}

/// What the thirteen actions were ever refused with, but for a check that is not there: silent up to 2.4.
const REFUSALS: [&str; 6] = [
    "Agent was not configured on this server, cannot enable.",
    "No such backend.",
    "No such server.",
    "Permission denied",
    "Proxy is disabled.",
    "agent checks are not enabled on this server.",
];
const NO_CHECK: &str = "Health check was not configured on this server, cannot enable.";
const TRACKING: &str = "cannot change health on a tracking server.";

#[test]
fn every_answer_to_an_action_is_taken_as_what_it_is() {
    for Recording { version, actions, .. } in &RECORDINGS {
        let mut refusals = BTreeSet::new();
        let mut commands = BTreeSet::new();
        for line in actions.lines() {
            let [socket, command, reply] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let reply = reply.replace("\\n", "\n");
            let target = command.split(' ').find(|word| word.contains('/')).unwrap_or_default();
            commands.insert(command.replace(target, "B/S"));
            let read = words(reply.as_bytes()).expect(command);
            if command == "show cli level" {
                assert_eq!(read, Words::Text(socket.to_owned()), "{version}");
            } else if reply == "\n" {
                assert_eq!((read, socket), (Words::Silence, "admin"), "{version} {command}");
            } else {
                assert_eq!(read, Words::Text(reply.trim_end().to_owned()), "{version} {command}");
                refusals.insert(reply.trim_end().to_owned());
            }
        }
        assert_eq!(commands.len(), 14, "{version}: {commands:?}");
        let late = ["2.0.0", "2.4.0"].contains(version).then_some(NO_CHECK);
        let expected: BTreeSet<_> =
            REFUSALS.into_iter().chain([TRACKING, NO_CHECK]).filter(|r| Some(*r) != late).collect();
        assert_eq!(refusals.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{version}");
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
