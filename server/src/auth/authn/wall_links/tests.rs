use super::*;

fn opened() -> Connection {
    let dir = tempfile::tempdir().expect("a folder");
    crate::db::connect(dir.path()).expect("opens")
}

fn by() -> Principal {
    Principal::command_line("tester")
}

fn new(name: &str, clusters: &[&str]) -> NewWall {
    NewWall { name: name.to_owned(), clusters: clusters.iter().map(|c| (*c).to_owned()).collect(), expires: 1_000 }
}

#[test]
fn a_link_is_good_until_it_expires_or_is_ended() {
    let mut connection = opened();
    let (wall, path) = add(&mut connection, &new("NOC", &["edge", "lab-*"]), &by(), 0).expect("made");
    let text = path.strip_prefix("/w/").expect("a path");
    assert!(text.starts_with("slw_") && text.len() == 47, "{text}");
    let found = |connection: &Connection, now| find(connection, text, now).expect("answered");
    assert_eq!(found(&connection, 999), Found::Good(wall.clone()));
    assert_eq!(by_id(&connection, &wall.id, 999).expect("answered"), Found::Good(wall.clone()));
    assert_eq!(found(&connection, 1_000), Found::Expired(1_000));
    for wrong in ["", "slw_", &text[1..], &wall.id, &text.replace("slw_", "slt_")] {
        assert_eq!(find(&connection, wrong, 1).expect("answered"), Found::Unknown, "{wrong}");
    }
    opened_at(&connection, &wall, 7);
    remove(&mut connection, &wall.id, &by()).expect("ended");
    assert_eq!(found(&connection, 1), Found::Unknown);
    assert!(matches!(remove(&mut connection, &wall.id, &by()), Err(WallError::Missing(_))));
    let sql = "SELECT group_concat(action || ' ' || targets || ' ' || detail, '; ') FROM record";
    let told: String = connection.query_row(sql, [], |row| row.get(0)).expect("entries");
    let id = &wall.id;
    let want = format!(
        "wall.add [\"NOC\"] wall link {id}, clusters edge, lab-*, until 1970-01-01; wall.remove [\"NOC\"] wall link {id}"
    );
    assert_eq!(told, want);
}

fn opened_at(connection: &Connection, wall: &Wall, now: i64) {
    super::opened(connection, wall, now).expect("noted");
    assert_eq!(list(connection).expect("listed")[0].opened, Some(now));
}

#[test]
fn a_link_shows_its_clusters_and_never_all_by_mistake() {
    let mut connection = opened();
    let (wall, _) = add(&mut connection, &new(" NOC\u{7} ", &["edge", " lab-* ", ""]), &by(), 0).expect("made");
    assert_eq!((wall.name.as_str(), wall.clusters.join("|").as_str()), ("NOC\u{fffd}", "edge|lab-*"));
    let rights = wall.rights();
    assert!(rights.sees("edge", "any") && rights.sees_cluster("lab-1") && !rights.sees_cluster("core"));
    assert!(!rights.sees_all() && rights.role == Role::Viewer);
    for (clusters, name) in [(&[][..], "NOC"), (&["", " "], "NOC"), (&["edge"], " ")] {
        assert!(add(&mut connection, &new(name, clusters), &by(), 0).is_err(), "{name:?} {clusters:?}");
    }
    let many: Vec<String> = (0..=MOST_CLUSTERS).map(|n| format!("c{n}")).collect();
    let many = NewWall { clusters: many, ..new("NOC", &[]) };
    assert!(matches!(add(&mut connection, &many, &by(), 0), Err(WallError::NoCluster)));
}
