use super::*;
use crate::auth::testing::in_transaction;
use crate::db::Handle;

fn opened() -> Handle {
    Handle::in_memory(crate::schema::MIGRATIONS).expect("memory")
}

fn by() -> Principal {
    Principal::command_line("tester")
}

fn new(name: &str, clusters: &[&str]) -> NewWallLink {
    NewWallLink { name: name.to_owned(), clusters: clusters.iter().map(|c| (*c).to_owned()).collect(), expires: 1_000 }
}

#[test]
fn a_link_is_good_until_it_expires_or_is_ended() {
    let mut connection = opened();
    let (link, path) =
        in_transaction(&mut connection, |t| add(t, &new("NOC", &["edge", "lab-*"]), &by(), 0)).expect("made");
    let text = path.strip_prefix("/w/").expect("a path");
    assert!(text.starts_with("slw_") && text.len() == 47, "{text}");
    let found = |connection: &Connection, now| find(connection, text, now).expect("answered");
    assert_eq!(found(&connection, 999), WallLinkLookup::Valid(link.clone()));
    assert_eq!(by_id(&connection, &link.id, 999).expect("answered"), WallLinkLookup::Valid(link.clone()));
    assert_eq!(found(&connection, 1_000), WallLinkLookup::Expired(1_000));
    for wrong in ["", "slw_", &text[1..], &link.id, &text.replace("slw_", "slt_")] {
        assert_eq!(find(&connection, wrong, 1).expect("answered"), WallLinkLookup::Unknown, "{wrong}");
    }
    opened_at(&connection, &link, 7);
    in_transaction(&mut connection, |t| remove(t, &link.id, &by())).expect("ended");
    assert_eq!(found(&connection, 1), WallLinkLookup::Unknown);
    assert!(matches!(in_transaction(&mut connection, |t| remove(t, &link.id, &by())), Err(WallLinkError::Missing(_))));
    let sql = "SELECT group_concat(action || ' ' || targets || ' ' || detail, '; ') FROM record";
    let lines: String = connection.query_row(sql, [], |row| row.get(0)).expect("entries");
    let id = &link.id;
    let want = format!(
        "wall.add [\"NOC\"] wall link {id}, clusters edge, lab-*, until 1970-01-01; wall.remove [\"NOC\"] wall link {id}"
    );
    assert_eq!(lines, want);
}

fn opened_at(connection: &Connection, link: &WallLink, now: i64) {
    note_opened(connection, link, now).expect("noted");
    assert_eq!(list(connection).expect("listed")[0].opened, Some(now));
}

#[test]
fn a_link_shows_its_clusters_and_never_all_by_mistake() {
    let mut connection = opened();
    let (link, _) = in_transaction(&mut connection, |t| add(t, &new(" NOC\u{7} ", &["edge", " lab-* ", ""]), &by(), 0))
        .expect("made");
    assert_eq!((link.name.as_str(), link.clusters.join("|").as_str()), ("NOC\u{fffd}", "edge|lab-*"));
    let rights = link.rights();
    assert!(rights.sees("edge", "any") && rights.sees_cluster("lab-1") && !rights.sees_cluster("core"));
    assert!(!rights.sees_all() && rights.role == Role::Viewer);
    for (clusters, name) in [(&[][..], "NOC"), (&["", " "], "NOC"), (&["edge"], " ")] {
        assert!(
            in_transaction(&mut connection, |t| add(t, &new(name, clusters), &by(), 0)).is_err(),
            "{name:?} {clusters:?}"
        );
    }
    let many: Vec<String> = (0..=MOST_CLUSTERS).map(|n| format!("c{n}")).collect();
    let many = NewWallLink { clusters: many, ..new("NOC", &[]) };
    assert!(matches!(in_transaction(&mut connection, |t| add(t, &many, &by(), 0)), Err(WallLinkError::NoCluster)));
}
