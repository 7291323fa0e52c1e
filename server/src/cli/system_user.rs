//! The system's name of whoever runs a command, for the audit log.

use std::{env, fs, os::unix::fs::MetadataExt as _};

use model::text::is_hidden;

/// The system's accounts.
const ACCOUNTS: &str = "/etc/passwd";

/// The system's name of whoever runs this program; where `sudo` started it, with the name of whoever called `sudo`.
#[must_use]
pub fn system_user() -> String {
    let accounts = fs::read_to_string(ACCOUNTS).unwrap_or_default();
    // A process's folder belongs to whoever runs it.
    let uid = fs::metadata("/proc/self").map(|process| process.uid()).ok();
    let sudo_user = env::var("SUDO_USER").ok().filter(|_| uid == Some(0));
    user_name(&accounts, uid, sudo_user.as_deref())
}

fn user_name(accounts: &str, uid: Option<u32>, sudo_user: Option<&str>) -> String {
    let Some(uid) = uid else { return "unknown".to_owned() };
    let of = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    let name = accounts.lines().find_map(of).unwrap_or_else(|| format!("uid {uid}"));
    let is_name = |user: &&str| !user.is_empty() && *user != name && !user.contains(is_hidden);
    match sudo_user.filter(is_name) {
        Some(user) => format!("{name} (sudo by {user})"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_command_is_told_by_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nsluice:x:998:998::/:/bin/false\n";
        for (uid, sudo_user, expected) in [
            (Some(0), None, "root"),
            (Some(0), Some("anna"), "root (sudo by anna)"),
            (Some(0), Some("root"), "root"),
            (Some(998), None, "sluice"),
            (Some(7), None, "uid 7"),
            (None, None, "unknown"),
        ] {
            assert_eq!(user_name(accounts, uid, sudo_user), expected);
        }
        assert!(!system_user().is_empty());
    }
}
