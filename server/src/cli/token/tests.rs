use std::path::Path;

use clap::Parser;
use model::rights::Role;

use super::*;
use crate::{
    auth::{Cost, HashMemory, Password, User, testing::in_transaction, users},
    cli::{Cli, Command},
    db,
};

/// Carries out a command; what it writes to standard output and to standard error, or why not.
fn run_both(dir: &Path, line: &str) -> Result<[String; 2], String> {
    let words = ["sluice"].into_iter().chain(line.split(' '));
    let command =
        Cli::try_parse_from(words.chain(["--data", dir.to_str().expect("text")])).map_err(|e| e.to_string())?;
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    match command.command {
        Command::Token(args) => token(&args, &mut out, &mut notes).map_err(|error| error.to_string())?,
        Command::Wall(args) => wall(&args, &mut out, &mut notes).map_err(|error| error.to_string())?,
        other => panic!("{other:?}"),
    }
    Ok([out, notes].map(|bytes| String::from_utf8(bytes).expect("text")))
}

fn run(dir: &Path, line: &str) -> Result<String, String> {
    run_both(dir, line).map(|[out, _]| out)
}

fn with_anna() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let mut connection = db::connect(dir.path(), MIGRATIONS).expect("opens");
    let cost = Cost { memory: 8, passes: 1, lanes: 1 };
    let password = Password::new("correct horse battery".to_owned()).hash(cost, &mut HashMemory::default());
    let name = "anna".parse().expect("a name");
    let user = User { name, role: Role::Operator, groups: Vec::new(), created: 0, changed: 0 };
    let by = Principal::command_line("tester");
    in_transaction(&mut connection, |t| users::add(t, &user, &password.expect("hashed"), &by)).expect("added");
    dir
}

#[test]
fn a_token_is_printed_once_listed_without_it_and_ended() {
    let dir = with_anna();
    let made = run_both(dir.path(), "token add --user anna --scope act --expires 30d --note ci").expect("made");
    let [secret, notes] = made.each_ref().map(|text| text.trim_end());
    assert!(secret.starts_with("slt_") && secret.lines().count() == 1, "nothing else is on standard output");
    assert!(notes.contains("of anna, scope act, until 20") && !notes.contains(secret), "{notes}");
    let listed = run(dir.path(), "token list").expect("listed");
    assert!(listed.contains("anna  act   until 20") && listed.contains("never used  ci"), "{listed}");
    assert!(!listed.contains(secret));
    let id = listed.split("  ").next().expect("a name");
    assert!(run(dir.path(), &format!("token remove {id}")).expect("ended").contains("has ended"));
    assert_eq!(run(dir.path(), "token list").expect("listed"), "");
    let again = run(dir.path(), &format!("token remove {id}")).expect_err("ended");
    assert!(again.contains("there is no token"), "{again}");
}

#[test]
fn a_wall_link_is_an_address_of_its_clusters() {
    let dir = with_anna();
    let made = run_both(dir.path(), "wall add --name NOC --cluster edge --cluster lab-* --expires 90d").expect("made");
    let [address, notes] = made.each_ref().map(|text| text.trim_end());
    assert!(address.starts_with("/w/slw_") && address.lines().count() == 1, "nothing else is on standard output");
    assert!(notes.contains("shows edge, lab-*, until 20") && !notes.contains("slw_"), "{notes}");
    let listed = run(dir.path(), "wall list").expect("listed");
    assert!(listed.contains("NOC  edge, lab-*  until 20") && listed.contains("never opened"), "{listed}");
    assert!(!listed.contains("slw_"));
    let id = listed.split("  ").next().expect("a name");
    run(dir.path(), &format!("wall remove {id}")).expect("ended");
    assert_eq!(run(dir.path(), "wall list").expect("listed"), "");
}

#[test]
fn what_lasts_for_ever_or_belongs_to_nobody_is_not_made() {
    let dir = with_anna();
    for (line, expected) in [
        ("token add --user anna --scope act", "--expires"),
        ("token add --user anna --scope act --expires 401d", "400d"),
        ("token add --user anna --scope all --expires 1d", "it is read or act"),
        ("token add --user ben --scope act --expires 1d", "there is no account `ben`"),
        ("token add --user oidc:anna --scope act --expires 1d", "can't be a name"),
        ("wall add --name NOC --expires 1d", "--cluster"),
        ("wall add --name NOC --cluster edge", "--expires"),
    ] {
        let error = run(dir.path(), line).expect_err(line);
        assert!(error.contains(expected), "{line}: {error}");
    }
}
