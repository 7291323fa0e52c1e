//! Tests of the client as a whole: recorded replies of many versions, a scripted peer, hostile bytes, and a real
//! HAProxy where one is installed.

mod answers;
mod faults;
mod fuzz;
mod hostile;
mod peer;
mod process;
mod real;
mod recorded;

use crate::{ServerCommand, Verb};

/// A command for a server that may or may not exist.
fn command(backend: &str, server: &str, verb: Verb) -> ServerCommand {
    ServerCommand {
        backend: backend.parse().expect("a proxy's name"),
        server: server.parse().expect("a server's name"),
        verb,
    }
}
