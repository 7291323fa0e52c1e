//! Searches the usual places for HAProxy's stats socket, where nobody said where it is.

use std::{
    fs, io,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use haproxy::Address;

use super::{
    defaults::DEFAULT_FILE,
    error::ConfigError,
    file,
    settings::Config,
    socket::{self, SocketArg},
};

/// Where packages, manuals and images put the stats socket, the most common first. Not a master's socket: that one belongs
/// to the process that starts the others, and has no servers.
const USUAL: [&str; 7] = [
    "/run/haproxy/admin.sock",
    "/var/run/haproxy/admin.sock",
    "/run/haproxy.sock",
    "/var/run/haproxy.sock",
    "/var/lib/haproxy/stats",
    "/var/lib/haproxy/haproxy.sock",
    "/tmp/haproxy.sock",
];

/// Reads [`DEFAULT_FILE`] where it exists, otherwise takes the first stats socket at the usual places.
///
/// # Errors
/// When the file is wrong, or with all places when there is nothing.
pub(super) fn search() -> Result<Config, ConfigError> {
    search_at(Path::new(DEFAULT_FILE), &USUAL.map(Path::new))
}

fn search_at(default_file: &Path, places: &[&Path]) -> Result<Config, ConfigError> {
    // A file that exists and can't be read is an error, not a reason to use another configuration.
    match fs::metadata(default_file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        _ => return file::load(default_file),
    }
    let mut looked = vec![(default_file.to_owned(), "no such file")];
    for place in places {
        match check(place) {
            Ok(()) => return Ok(Config::of_nodes(socket::nodes(&[unnamed(place)])?)),
            Err(found) => looked.push((PathBuf::from(place), found)),
        }
    }
    Err(ConfigError::NothingFound { looked })
}

/// Checks that there is a socket; otherwise what there is instead.
fn check(place: &Path) -> Result<(), &'static str> {
    match fs::metadata(place) {
        Ok(found) if found.file_type().is_socket() => Ok(()),
        Ok(_) => Err("not a socket"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("no such file"),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err("permission denied: run as a member of HAProxy's group")
        }
        Err(_) => Err("cannot be read"),
    }
}

fn unnamed(place: &Path) -> SocketArg {
    SocketArg { name: None, address: Address::Unix(place.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_first_socket_is_taken_and_a_plain_file_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let [file, socket, missing] = ["file", "socket", "missing"].map(|name| dir.path().join(name));
        fs::write(&file, "").expect("written");
        let _listener = UnixListener::bind(&socket).expect("bound");
        let config = search_at(&missing, &[&missing, &file, &socket]).expect("found");
        assert_eq!(config.nodes.len(), 1);
        assert_eq!(config.nodes[0].name, "haproxy");
        assert_eq!(config.nodes[0].connector.address, Address::Unix(socket));
    }

    #[test]
    fn the_default_file_comes_first_and_its_mistakes_are_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let [file, socket] = ["sluice.toml", "socket"].map(|name| dir.path().join(name));
        let _listener = UnixListener::bind(&socket).expect("bound");
        fs::write(&file, "[[node]]\nname = \"lb9\"\naddress = \"/x\"\n").expect("written");
        assert_eq!(search_at(&file, &[&socket]).expect("read").nodes[0].name, "lb9");
        fs::write(&file, "nonsense").expect("written");
        assert!(matches!(search_at(&file, &[&socket]), Err(ConfigError::Invalid { .. })));
    }

    #[test]
    fn where_nothing_is_found_it_says_where_it_looked_and_what_to_write() {
        let dir = tempfile::tempdir().expect("a folder");
        let [file, missing] = ["file", "missing"].map(|name| dir.path().join(name));
        fs::write(&file, "").expect("written");
        let message = search_at(&missing, &[&file, &missing]).expect_err("nothing there").to_string();
        for part in ["/file: not a socket", "/missing: no such file", "--socket", DEFAULT_FILE] {
            assert!(message.contains(part), "{message}");
        }
        assert!(message.contains("stats socket /run/haproxy/admin.sock mode 660 level admin"), "{message}");
    }
}
