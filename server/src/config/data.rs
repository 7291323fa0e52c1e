//! The folder that Sluice keeps accounts and record in.

use std::{env, path::PathBuf};

/// The system's place for what a service keeps.
const SYSTEM: &str = "/var/lib/sluice";

/// Where nobody says otherwise: what systemd names, `/var/lib/sluice` for root, the user's own folder for state
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
