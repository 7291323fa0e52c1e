//! Who runs a command, by the system's name for them: for the record.

use std::{env, fs, os::unix::fs::MetadataExt as _};

/// The system's accounts.
const ACCOUNTS: &str = "/etc/passwd";

/// The system's name of who runs this program; where `sudo` started it, with who asked `sudo`.
#[must_use]
pub fn system_user() -> String {
    let accounts = fs::read_to_string(ACCOUNTS).unwrap_or_default();
    // The owner of a process's folder is who runs it.
    let uid = fs::metadata("/proc/self").map(|process| process.uid()).ok();
    let asked = env::var("SUDO_USER").ok().filter(|_| uid == Some(0));
    told(&accounts, uid, asked.as_deref())
}

fn told(accounts: &str, uid: Option<u32>, asked: Option<&str>) -> String {
    let Some(uid) = uid else { return "unknown".to_owned() };
    let of = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    let name = accounts.lines().find_map(of).unwrap_or_else(|| format!("uid {uid}"));
    let is_name = |asked: &&str| !asked.is_empty() && *asked != name && !asked.contains(char::is_control);
    match asked.filter(is_name) {
        Some(asked) => format!("{name} (sudo by {asked})"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_command_is_told_by_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nsluice:x:998:998::/:/bin/false\n";
        for (uid, asked, expected) in [
            (Some(0), None, "root"),
            (Some(0), Some("anna"), "root (sudo by anna)"),
            (Some(0), Some("root"), "root"),
            (Some(998), None, "sluice"),
            (Some(7), None, "uid 7"),
            (None, None, "unknown"),
        ] {
            assert_eq!(told(accounts, uid, asked), expected);
        }
        assert!(!system_user().is_empty());
    }
}
