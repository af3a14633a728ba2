//! SSM with the one parameter.

use enricher::api_key::{ApiKey, KeyError, KeyStore};

use super::call::{AWS_ATTEMPTS, Caller};
use crate::fault::Operation;

const PARAMETER: &str = "/movie-pipeline/simulated/omdb-api-key";

pub(crate) struct SimulatedKeys {
    pub(crate) caller: Caller,
}

impl KeyStore for SimulatedKeys {
    async fn fetch(&self) -> Result<ApiKey, KeyError> {
        let fetched = self.caller.call(Operation::FetchKey, PARAMETER, AWS_ATTEMPTS, |_, _| ApiKey::new("a-key")).await;
        fetched.map_err(|reason| KeyError { parameter: PARAMETER.to_owned(), reason: reason.to_owned() })
    }
}
