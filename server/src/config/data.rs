//! The data folder, where accounts and the audit log are stored.

use std::{env, path::PathBuf};

/// Where the system has the data of its services.
const SYSTEM: &str = "/var/lib/sluice";

/// The default: what systemd names, `/var/lib/sluice` for root, the user's own folder for state
/// (`$XDG_STATE_HOME`, or `~/.local/state`) for anybody else.
#[must_use]
pub fn default() -> PathBuf {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Several folders would be separated by colons; Sluice's unit names one.
    if let Some(state) = folder("STATE_DIRECTORY") {
        return state;
    }
    let home = folder("HOME");
    if home.as_deref().is_none_or(|home| home == "/root") {
        return SYSTEM.into();
    }
    let state = folder("XDG_STATE_HOME").or_else(|| Some(home?.join(".local/state")));
    state.map_or_else(|| SYSTEM.into(), |state| state.join("sluice"))
}
