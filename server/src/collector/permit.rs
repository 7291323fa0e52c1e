//! Whether a command of an order may still be sent: who asked for it may lose the right while the order is carried out.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use model::outcome::Target;

/// Whether a command for a server may be sent, or why not.
type Answer = BoxFuture<'static, Result<(), String>>;

/// Asked before each command that does not put a server back into service.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn(&Target) -> Answer + Send + Sync>);

impl Permit {
    /// One that asks `check`, which answers why not.
    pub fn new(check: impl Fn(&Target) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Whether a command for that server may be sent.
    ///
    /// # Errors
    /// With why not.
    pub(super) async fn check(&self, target: &Target) -> Result<(), String> {
        (self.0)(target).await
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
