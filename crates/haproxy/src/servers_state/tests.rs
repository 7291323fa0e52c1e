//! Headers of several versions and rows that no version writes.

use super::*;

const HEADER: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_check_state \
                      srv_agent_state srv_fqdn srv_port new_column\n";

fn table(rows: &str) -> ServersState {
    ServersState::parse(format!("{HEADER}{rows}\n")).expect("a whole reply")
}

#[test]
fn a_row_is_read_by_the_names_of_its_columns() {
    let table = table("7 be 1 s1 ::1 2 9 14 22 - 80 whatever\n");
    let expected = ServerState {
        backend: "be",
        server: "s1",
        backend_id: Some(7),
        server_id: Some(1),
        op_state: 2,
        admin_state: 9,
        check_state: 14,
        agent_state: 22,
        addr: Some("::1"),
        port: Some(80),
        ..ServerState::default()
    };
    assert_eq!(table.rows().collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_dash_and_a_missing_column_are_none() {
    let table = table("7 be 1 s1 - 2 0 6 0 - 0 x\n");
    let row = table.rows().next().expect("a row");
    assert_eq!((row.addr, row.fqdn, row.uweight), (None, None, None));
    assert_eq!(row.port, Some(0));
}

#[test]
fn a_line_that_identifies_no_server_is_left_out() {
    let table = table("7 be 1 s1 - 2\n\n7 be 1 s2 - two 0 6 0 - 0\n7 be 1 s3 - 2 0 6 0 - 70000\n");
    let rows: Vec<_> = table.rows().map(|row| (row.server, row.port)).collect();
    assert_eq!(rows, [("s3", None)]);
}

#[test]
fn bits_beyond_the_eighth_do_not_hide_the_others() {
    let table = table("7 be 1 s1 - 2 257 6 0 - 0 x\n");
    assert_eq!(table.rows().next().map(|row| row.admin_state), Some(1));
}

#[test]
fn a_process_without_servers_has_an_empty_table() {
    assert_eq!(table("").rows().count(), 0);
}

#[test]
fn a_reply_that_is_cut_or_something_else_is_an_error() {
    for cut in ["1\n", HEADER, "1\n# be_id be_na"] {
        let received = cut.len();
        let error = ServersState::parse(cut).expect_err(cut);
        assert_eq!(error, ParseError::Cut { received });
    }
    for other in ["", "\n", "1", "Permission denied\n\n", "1\n\n", "1\nbe_id\n\n"] {
        let error = ServersState::parse(other).expect_err(other);
        assert!(matches!(error, ParseError::Beginning { .. }), "{other:?}");
    }
    let twice = format!("{HEADER}{}\n", HEADER.trim_start_matches("1\n"));
    assert_eq!(ServersState::parse(twice).expect_err("two headers"), ParseError::SecondHeader);
    assert_eq!(
        ServersState::parse("1\n# be_id be_name\n\n").expect_err("no server's name"),
        ParseError::MissingColumn { column: "srv_name" }
    );
}
