//! The key of the real OMDb.

use std::fmt;

/// A key that does not print itself.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// The caller's key, from `OMDB_API_KEY`; nothing when it is not set or empty.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        std::env::var("OMDB_API_KEY").ok().filter(|key| !key.trim().is_empty()).map(|key| Self(key.trim().to_owned()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}
