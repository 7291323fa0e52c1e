//! Cells that need quotes, rows of any width, numbers at their limits.

use proptest::prelude::*;

use super::*;

/// A header with columns `a` and `b` before those that every table has.
const HEADER: &str = "# pxname,a,b,svname,status,type,\n";

/// The first three cells of every row.
fn rows(table: &StatTable) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    table.for_each(|row| {
        let cells = 0..3;
        rows.push(cells.map(|i| row.text(i).into_owned()).collect());
    });
    rows
}

fn table(reply: &str) -> StatTable {
    StatTable::parse(Bytes::copy_from_slice(reply.as_bytes())).expect("a whole reply")
}

#[test]
fn columns_are_named_as_haproxy_names_them() {
    let table = table("# pxname,svname,status,type,(null),-,h1_x,\n\n");
    assert_eq!(table.columns(), ["pxname", "svname", "status", "type", "(null)", "-", "h1_x"]);
    assert_eq!(table.column("status"), Some(2));
    assert_eq!(table.column("-"), Some(5));
    assert_eq!(table.column(""), None);
    assert_eq!(table.column("# pxname"), None);
    assert!(rows(&table).is_empty());
}

#[test]
fn quoted_cells_are_unquoted_even_over_several_lines() {
    let table = table(&format!("{HEADER}x,\"1,\"\"2\"\"\",\"over\n\nlines\",,,,\ny,\"\",last,\n\n"));
    assert_eq!(rows(&table), [["x", "1,\"2\"", "over\n\nlines"], ["y", "", "last"]]);
}

#[test]
fn a_carriage_return_is_a_byte_like_any_other() {
    let table = table(&format!("{HEADER}x\r,\r\ry,,,,,\n\n"));
    assert_eq!(rows(&table), [["x\r", "\r\ry", ""]]);
}

#[test]
fn short_and_long_rows_after_a_good_one_are_no_error() {
    let table = table(&format!("{HEADER}x,,,,,,\nshort,\nlong,1,2,3,4,5,6,7,\n\n"));
    assert_eq!(rows(&table), [["x", "", ""], ["short", "", ""], ["long", "1", "2"]]);
}

#[test]
fn bytes_that_are_not_text_come_as_they_are() {
    let raw = b"# pxname,last_chk,svname,status,type,\nx,\xff\x00\x1b[31m,,,,\n\n";
    let table = StatTable::parse(Bytes::from_static(raw)).expect("a whole reply");
    table.for_each(|row| {
        assert_eq!(row.bytes(1), b"\xff\x00\x1b[31m");
        assert_eq!(row.text(1), "\u{fffd}\0\u{1b}[31m");
        assert_eq!(row.bytes(99), b"");
    });
    assert_eq!(table.raw(), &raw[..]);
}

#[test]
fn a_cell_is_a_number_only_when_all_of_it_is() {
    for (cell, number, unsigned) in [
        ("0", Some(0), Some(0)),
        ("-1", Some(-1), None),
        ("4294967295", Some(4_294_967_295), Some(4_294_967_295)),
        ("9223372036854775807", Some(i64::MAX), Some(i64::MAX.unsigned_abs())),
        ("-9223372036854775808", Some(i64::MIN), None),
        ("18446744073709551615", None, Some(u64::MAX)),
        ("18446744073709551616", None, None),
        ("", None, None),
        ("-", None, None),
        ("--1", None, None),
        ("+1", None, None),
        (" 1", None, None),
        ("1.5", None, None),
        ("UP", None, None),
    ] {
        table(&format!("{HEADER}x,{cell},,,,,\n\n")).for_each(|row| {
            assert_eq!(row.number(1), number, "{cell:?}");
            assert_eq!(row.unsigned(1), unsigned, "{cell:?}");
        });
    }
}

#[test]
fn a_reply_that_is_cut_or_something_else_is_an_error() {
    for cut in ["# pxname", "# pxname,a,\n", "# pxname,a,\nx,1,\n", "# pxname,a,\nx,1"] {
        let received = cut.len();
        let error = StatTable::parse(Bytes::from_static(cut.as_bytes())).expect_err(cut);
        assert_eq!(error, ParseError::Cut { received });
    }
    for other in ["", "\n", "# px", "pxname,\n\n", "Permission denied\n\n"] {
        let error = StatTable::parse(Bytes::from_static(other.as_bytes())).expect_err(other);
        assert!(matches!(error, ParseError::Beginning { .. }), "{other:?}");
    }
}

#[test]
fn a_table_that_is_none_says_what_is_wrong_with_it() {
    let of = |reply: &str| StatTable::parse(Bytes::copy_from_slice(reply.as_bytes())).map(drop);
    let row = "be,1,2,s1,UP,2,\n";
    assert_eq!(of(&format!("{HEADER}{row}\n")), Ok(()));
    for (column, header) in [
        ("svname", "# pxname,a,b,server,status,type,\n"),
        ("status", "# pxname,a,b,svname,type,c,\n"),
        ("type", "# pxname,,,svname,status,,\n"),
    ] {
        assert_eq!(of(&format!("{header}{row}\n")), Err(ParseError::MissingColumn { column }));
    }
    for (cells, row) in [(5, "be,1,s1,UP,2,\n"), (7, "be,1,2,3,s1,UP,2,\n"), (0, "be\n")] {
        assert_eq!(of(&format!("{HEADER}{row}\n")), Err(ParseError::Width { cells, columns: 6 }));
    }
    for twice in [format!("{HEADER}{HEADER}{row}\n"), format!("{HEADER}{row}\n{HEADER}{row}\n")] {
        assert_eq!(of(&twice), Err(ParseError::SecondHeader));
    }
    // What an agent may write is no header.
    assert_eq!(of(&format!("{HEADER}be,\"x\n# pxname,\",2,s1,UP,2,\n\n")), Ok(()));
}

proptest! {
    #[test]
    fn what_haproxy_would_write_comes_back(
        cells in prop::collection::vec(prop::array::uniform3("[a\", \n]{0,6}"), 0..6),
    ) {
        let mut reply = String::from(HEADER);
        for cells in &cells {
            for cell in cells {
                // HAProxy quotes a cell only where it must (`csv_enc_append` in its `tools.c`).
                if cell.contains([',', '"', '\n']) {
                    reply.push_str(&format!("\"{}\",", cell.replace('"', "\"\"")));
                } else {
                    reply.push_str(&format!("{cell},"));
                }
            }
            reply.push_str(",,,\n");
        }
        reply.push('\n');
        prop_assert_eq!(rows(&table(&reply)), cells);
    }
}
