//! Marks among an answer's extensions: what `middleware::audit` is told of a request that was denied.

/// The audit log has it already, with names and reasons, or has on purpose not once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlreadyAudited;

/// The request was denied whatever the status says: the way to the log-in page in place of what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denied;

/// Why, in a sentence without anybody's secret.
#[derive(Clone, Debug)]
pub(super) struct DenialReason(pub(super) String);
