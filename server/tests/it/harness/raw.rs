//! HAProxy's own word, over a connection that has nothing to do with the client under test.

use std::path::Path;

pub(crate) use lab::socket::{ask as try_ask, ask_master as try_ask_master};

/// A server as `show servers state` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) status: String,
    pub(crate) scur: u32,
    pub(crate) op: u32,
    pub(crate) admin: u32,
    pub(crate) check_enabled: bool,
    pub(crate) agent_enabled: bool,
}

/// What HAProxy answers to a line.
pub(crate) async fn ask(socket: &Path, line: &str) -> String {
    try_ask(socket, line).await.expect("HAProxy answers")
}

/// Has HAProxy do something, which it must take without a word.
pub(crate) async fn tell(socket: &Path, line: &str) {
    assert_eq!(ask(socket, line).await, "\n", "{line}");
}

/// One server.
pub(crate) async fn server(socket: &Path, backend: &str, server: &str) -> Server {
    let stat = ask(socket, "show stat").await;
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (header, row) = find(&stat, "# pxname", &format!("{backend},{server},"), cells);
    let cell = |name: &str| row[place(&header, name)].clone();
    let state = ask(socket, "show servers state").await;
    // A server behind a unix socket has an empty address, so that an empty word is a word.
    let words = |line: &str| line.trim_start_matches("# ").split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (names, words) = state_row(&state, backend, server, words);
    let number = |name: &str| words[place(&names, name)].parse::<u32>().expect(name);
    const ENABLED: u32 = 4;
    Server {
        status: cell("status"),
        scur: cell("scur").parse().expect("scur"),
        op: number("srv_op_state"),
        admin: number("srv_admin_state"),
        check_enabled: number("srv_check_state") & ENABLED != 0,
        agent_enabled: number("srv_agent_state") & ENABLED != 0,
    }
}

type Cells = Vec<String>;

fn find(text: &str, header: &str, row: &str, cells: impl Fn(&str) -> Cells) -> (Cells, Cells) {
    let line =
        |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {text}"));
    (cells(line(header)), cells(line(row)))
}

fn state_row(text: &str, backend: &str, server: &str, words: impl Fn(&str) -> Cells) -> (Cells, Cells) {
    let header = words(text.lines().nth(1).expect("a header"));
    let (be, sv) = (place(&header, "be_name"), place(&header, "srv_name"));
    let mut rows = text.lines().skip(2).map(&words);
    let row = rows.find(|r| r.len() > sv && r[be] == backend && r[sv] == server).expect("a line for the server");
    (header, row)
}

fn place(header: &[String], name: &str) -> usize {
    header.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"))
}
