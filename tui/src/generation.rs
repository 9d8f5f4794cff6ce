//! Numbers the requests of a feature, so that the answer to an older
//! request is recognized and dropped.

/// The number of a request.
pub(crate) type Generation = u64;
