use model::rights::Role;

use super::*;
use crate::auth::{
    HashMemory, Password, User,
    testing::{CHEAP, in_transaction},
    users,
};
use crate::db::Handle;

fn opened() -> Handle {
    let mut connection = Handle::in_memory(crate::schema::MIGRATIONS).expect("memory");
    for (name, role) in [("anna", Role::Admin), ("ben", Role::Viewer)] {
        let user =
            User { name: name.parse().expect("a name"), role, groups: vec!["ops".to_owned()], created: 0, changed: 0 };
        let password =
            Password::new("correct horse battery".to_owned()).hash(CHEAP, &mut HashMemory::default()).expect("hashed");
        in_transaction(&mut connection, |t| users::add(t, &user, &password, &by())).expect("added");
    }
    connection
}

fn by() -> Principal {
    Principal::command_line("tester")
}

fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}

fn new(user: &str, scope: Scope, expires: i64) -> NewToken {
    NewToken { user: name(user), scope, note: "nightly\nreport".to_owned(), expires }
}

fn entries(connection: &Connection) -> Vec<String> {
    let sql = "SELECT action || ' ' || targets || ' ' || detail FROM record WHERE action LIKE 'token%' ORDER BY id";
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

#[test]
fn a_token_is_good_until_it_expires_is_ended_or_its_account_is() {
    let mut connection = opened();
    let (token, text) =
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Act, 1_000), &by(), 0)).expect("made");
    assert!(text.starts_with("slt_") && text.len() == 47, "{text}");
    let valid = find(&connection, &text, 999).expect("answered").expect("valid");
    assert_eq!(
        (valid.token.id.as_str(), valid.role, valid.groups),
        (token.id.as_str(), Role::Admin, vec!["ops".to_owned()])
    );
    assert_eq!(
        by_id(&connection, &token.id, 999).expect("answered").map(|valid| valid.token.id),
        Some(token.id.clone())
    );
    assert_eq!(find(&connection, &text, 1_000).expect("answered"), None, "expired");
    assert_eq!(by_id(&connection, &token.id, 1_000).expect("answered"), None, "expired");
    in_transaction(&mut connection, |t| remove(t, &token.id, None, &by())).expect("ended");
    assert_eq!(find(&connection, &text, 1).expect("answered"), None, "ended");
    let (_, text) =
        in_transaction(&mut connection, |t| add(t, &new("ben", Scope::Read, 1_000), &by(), 0)).expect("made");
    in_transaction(&mut connection, |t| users::remove(t, &name("ben"), &by())).expect("removed");
    assert_eq!(find(&connection, &text, 1).expect("answered"), None, "its account ended");
    // Another account of that name has none of the tokens of the first.
    let user = User { name: name("ben"), role: Role::Admin, groups: vec![], created: 0, changed: 0 };
    let password =
        Password::new("correct horse battery".to_owned()).hash(CHEAP, &mut HashMemory::default()).expect("hashed");
    in_transaction(&mut connection, |t| users::add(t, &user, &password, &by())).expect("added");
    assert_eq!(find(&connection, &text, 1).expect("answered"), None);
    assert_eq!(list(&connection, None).expect("listed").len(), 0);
}

#[test]
fn what_is_no_token_opens_nothing() {
    let mut connection = opened();
    let (token, text) =
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Read, 1_000), &by(), 0)).expect("made");
    let cut = &text[..text.len() - 1];
    let bare = &text[PREFIX.len()..];
    for wrong in
        ["", "slt_", cut, bare, &token.id, &text.replace("slt_", "slw_"), &format!("{text} "), &text.to_uppercase()]
    {
        assert_eq!(find(&connection, wrong, 1).expect("answered"), None, "{wrong}");
    }
    // What the file holds opens nothing either.
    let hash: Vec<u8> = connection.query_row("SELECT hash FROM tokens", [], |row| row.get(0)).expect("a row");
    assert_ne!(hash, text.as_bytes());
    let dump: String =
        connection.query_row("SELECT id || user || note || scope FROM tokens", [], |row| row.get(0)).expect("a row");
    assert!(!dump.contains(bare));
}

#[test]
fn the_last_use_is_noted_once_a_minute() {
    let mut connection = opened();
    let (token, text) =
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Read, 1_000_000), &by(), 0)).expect("made");
    let used = |connection: &Connection| list(connection, None).expect("listed")[0].used;
    assert_eq!(used(&connection), None);
    for (now, noted) in [(5, 5), (60_004, 5), (60_005, 60_005), (60_006, 60_005)] {
        find(&connection, &text, now).expect("answered").expect("valid");
        assert_eq!(used(&connection), Some(noted), "{now}");
    }
    by_id(&connection, &token.id, 900_000).expect("answered").expect("valid");
    assert_eq!(used(&connection), Some(60_005), "an open stream does not count as a use");
}

#[test]
fn each_change_is_audited_and_others_tokens_are_not_ended() {
    let mut connection = opened();
    let (token, text) =
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Act, 86_400_000), &by(), 0)).expect("made");
    assert_eq!(token.note, "nightly report");
    let of_ben = in_transaction(&mut connection, |t| remove(t, &token.id, Some(&name("ben")), &by()));
    assert!(matches!(of_ben, Err(TokenError::Missing(_))));
    assert!(matches!(
        in_transaction(&mut connection, |t| add(t, &new("carl", Scope::Act, 9), &by(), 0)),
        Err(TokenError::NoUser(_))
    ));
    in_transaction(&mut connection, |t| remove(t, &token.id, Some(&name("anna")), &by())).expect("ended");
    let id = &token.id;
    let want = [
        format!("token.add [\"anna\"] token {id}, scope act, for \"nightly report\", until 1970-01-02"),
        format!("token.remove [\"anna\"] token {id}"),
    ];
    assert_eq!(entries(&connection), want);
    assert!(!entries(&connection).join(" ").contains(&text));
}

#[test]
fn an_account_has_so_many_and_no_more() {
    let mut connection = opened();
    for _ in 0..MOST {
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Read, 1_000), &by(), 0)).expect("made");
    }
    assert!(matches!(
        in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Read, 1_000), &by(), 0)),
        Err(TokenError::TooMany(_))
    ));
    in_transaction(&mut connection, |t| add(t, &new("ben", Scope::Read, 1_000), &by(), 0)).expect("another account's");
    in_transaction(&mut connection, |t| add(t, &new("anna", Scope::Read, 5_000), &by(), 1_000))
        .expect("those that ended don't count");
}
