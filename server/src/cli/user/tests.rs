//! The commands, on a folder of the test.

use clap::Parser as _;

use super::*;
use crate::{
    cli::{Cli, Command},
    db,
};

/// Carries out `sluice user LINE`; what it said, or why not.
fn run(dir: &std::path::Path, line: &str, input: &[u8]) -> Result<String, String> {
    let data = dir.to_string_lossy();
    let words = ["sluice", "user"].into_iter().chain(line.split(' ')).chain(["--data", &data]);
    let Command::User(args) = Cli::try_parse_from(words).map_err(|error| error.to_string())?.command else {
        panic!("another command");
    };
    let mut out = Vec::new();
    user(&args, &mut { input }, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("text"))
}

#[test]
fn accounts_are_made_changed_listed_and_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path().join("data");
    let run = |line: &str, input: &[u8]| run(&dir, line, input);
    assert_eq!(run("list", b""), Ok(String::new()));
    let added =
        run("add anna --role operator --group on-call --group dba --password-stdin", b"correct horse battery\n");
    assert_eq!(added, Ok("added anna as operator\n".to_owned()));
    assert_eq!(run("list", b""), Ok("operator anna  on-call, dba\n".to_owned()));
    let again = run("add anna --role admin --password-stdin", b"correct horse battery\n").expect_err("there already");
    assert!(again.contains("there is an account `anna` already"), "{again}");
    assert_eq!(run("role anna viewer", b""), Ok("anna is viewer now\n".to_owned()));
    assert_eq!(run("groups anna --group dba", b""), Ok("anna is in dba now\n".to_owned()));
    assert_eq!(run("list", b""), Ok("viewer   anna  dba\n".to_owned()));
    assert_eq!(run("groups anna", b""), Ok("anna is in no group now\n".to_owned()));
    let kept = || {
        let connection = db::connect(&dir, MIGRATIONS).expect("opens");
        users::find(&connection, &"anna".parse().expect("a name")).expect("answered").expect("there").1
    };
    let before = kept();
    assert!(
        before.verifies(&Password::new("correct horse battery".to_owned()), &mut HashMemory::default()),
        "without the end of its line"
    );
    assert!(run("passwd anna --password-stdin", b"another password\r\nmore").is_ok());
    assert!(
        kept().verifies(&Password::new("another password".to_owned()), &mut HashMemory::default()) && kept() != before
    );
    assert_eq!(run("remove anna", b""), Ok("removed anna; its sessions ended\n".to_owned()));
    assert_eq!(run("list", b""), Ok(String::new()));
    let connection = db::connect(&dir, MIGRATIONS).expect("opens");
    let who: String = connection.query_row("SELECT min(who) FROM record", [], |row| row.get(0)).expect("a row");
    assert_eq!(who, system_user());
    let count: i64 = connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).expect("a row");
    assert_eq!(count, 6);
}

#[test]
fn what_can_t_be_done_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    for (line, input, told) in [
        ("add anna --role operator", "", "add --password-stdin"),
        ("passwd anna", "", "add --password-stdin"),
        ("add anna --role operator --password-stdin", "short\n", "12 characters are the least"),
        ("add anna --role operator --password-stdin", "", "12 characters are the least"),
        ("add anna.long.name --role viewer --password-stdin", "anna.long.name\n", "the account's name"),
        ("add anna --role root --password-stdin", "", "it is viewer, operator or admin"),
        ("add an/na --role viewer --password-stdin", "", "letters, digits"),
        ("add anna --password-stdin", "", "--role"),
        ("passwd anna --password-stdin", "correct horse battery", "there is no account `anna`"),
        ("role anna admin", "", "there is no account `anna`"),
        ("groups anna --group dba", "", "there is no account `anna`"),
        ("groups anna --group a,b", "", "without commas"),
        ("remove anna", "", "`sluice user list` shows all"),
    ] {
        let message = run(dir.path(), line, input.as_bytes()).expect_err(line);
        assert!(message.contains(told), "{line}: {message}");
    }
    let long = "x".repeat(LONGEST_PASSWORD + 1);
    let message = run(dir.path(), "add anna --role viewer --password-stdin", long.as_bytes()).expect_err("long");
    assert!(message.contains("1024 bytes are the most"), "{message}");
    let message =
        run(dir.path(), "add anna --role viewer --password-stdin", b"\xff\xfe correct horse\n").expect_err("bytes");
    assert!(message.contains("UTF-8"), "{message}");
}
