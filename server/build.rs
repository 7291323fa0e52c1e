//! Sees to the folder of the site that the program embeds.

use std::{fs, io};

/// Where `scripts/site.mjs` builds the site, from this crate's folder.
const SITE: &str = "../target/site";

fn main() -> io::Result<()> {
    // A bare `cargo check` has no site yet, and embeds an empty one.
    fs::create_dir_all(SITE)?;
    // A file that is added is no input of the compiler's yet: without this it would be left out.
    println!("cargo:rerun-if-changed={SITE}");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
