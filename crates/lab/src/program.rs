//! Which HAProxy program to run, and what becomes of a test where there is none.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

/// Where Debian and most others put it, which is not on every user's PATH.
const USUAL_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"];

/// The program to run: the one asked for, or else the first on PATH or in the usual folders.
///
/// # Errors
/// There is none; the error says what to do about it.
pub fn find(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = asked {
        if path.is_file() {
            return Ok(path.to_owned());
        }
        bail!("there is no HAProxy at {}; --haproxy wants the program's path", path.display());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(USUAL_FOLDERS.into_iter().map(PathBuf::from))
        .map(|folder| folder.join("haproxy"))
        .find(|file| file.is_file())
        .context("HAProxy isn't installed; on Debian: apt-get install haproxy; elsewhere say where it is with --haproxy PATH")
}

/// The installed program, for a test that needs a real HAProxy. `None`, aloud, where there is none and the test may be
/// skipped.
///
/// # Panics
/// There is none, and `CI=true`.
#[must_use]
pub fn for_test() -> Option<PathBuf> {
    let found = find(None).ok();
    tell(TestDecision::of(found.is_some(), is_ci()), "HAProxy isn't installed, and this test needs a real one");
    found
}

/// The program of each branch (`2.2`), for a test that runs all of them: one that `scripts/haproxy-versions.sh`
/// unpacked, or the installed one where it is of that branch. One that can't be had is named aloud and left out.
///
/// # Panics
/// There is none at all, and `CI=true`.
#[must_use]
pub fn for_test_of_branches<const N: usize>(branches: [&str; N]) -> [Option<PathBuf>; N] {
    let programs = branches.map(of_branch);
    for (branch, _) in branches.iter().zip(&programs).filter(|(_, program)| program.is_none()) {
        // The script can't always fetch them, in CI either, and recorded replies cover each.
        tell(
            TestDecision::Skip,
            &format!("HAProxy {branch} is missing; scripts/haproxy-versions.sh gets it where it can be had"),
        );
    }
    let is_any = programs.iter().any(Option::is_some);
    tell(TestDecision::of(is_any, is_ci()), "no version of HAProxy is there, and this test needs a real one");
    programs
}

/// What becomes of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestDecision {
    Run,
    /// Somebody works on something else, on a machine without HAProxy.
    Skip,
    /// A check that CI didn't make must not look like one that passed.
    Fail,
}

impl TestDecision {
    fn of(is_found: bool, is_ci: bool) -> Self {
        match (is_found, is_ci) {
            (true, _) => Self::Run,
            (false, false) => Self::Skip,
            (false, true) => Self::Fail,
        }
    }
}

fn tell(verdict: TestDecision, reason: &str) {
    match verdict {
        TestDecision::Run => {}
        TestDecision::Skip => eprintln!("SKIPPED: {reason}"),
        TestDecision::Fail => panic!("{reason}; with CI=true it is not skipped"),
    }
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

fn of_branch(branch: &str) -> Option<PathBuf> {
    let is_of_branch =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{branch}.")));
    let shelf = tools().and_then(|tools| fs::read_dir(tools.join("haproxy")).ok());
    let unpacked = shelf.into_iter().flatten().flatten().map(|entry| entry.path()).find(is_of_branch);
    unpacked.map(|path| path.join("haproxy")).or_else(|| {
        let installed = find(None).ok()?;
        let said = Command::new(&installed).arg("-v").output().ok()?.stdout;
        String::from_utf8_lossy(&said).contains(&format!(" version {branch}.")).then_some(installed)
    })
}

/// The tools folder, as the scripts find it.
fn tools() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("SLUICE_TOOLS").or_else(|| {
        let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
        Some(cache.join("sluice/tools"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_haproxy_is_skipped_but_fails_in_ci() {
        for (is_found, is_ci, verdict) in [
            (true, false, TestDecision::Run),
            (true, true, TestDecision::Run),
            (false, false, TestDecision::Skip),
            (false, true, TestDecision::Fail),
        ] {
            assert_eq!(TestDecision::of(is_found, is_ci), verdict, "found: {is_found}, CI: {is_ci}");
        }
    }

    #[test]
    fn a_failing_verdict_fails_the_test() {
        tell(TestDecision::Run, "");
        tell(TestDecision::Skip, "this is a test of skipping");
        let failed = std::panic::catch_unwind(|| tell(TestDecision::Fail, "no HAProxy")).expect_err("it panics");
        let said = failed.downcast_ref::<String>().expect("a text");
        assert!(said.contains("no HAProxy") && said.contains("CI=true"), "{said}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = find(Some(Path::new("/nowhere/haproxy"))).expect_err("nothing is there").to_string();
        assert!(error.contains("/nowhere/haproxy") && error.contains("--haproxy"), "{error}");
    }
}
