//! The `OMDb` API key, from an SSM parameter.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::SdkConfig;
use aws_sdk_ssm::error::ProvideErrorMetadata;
use function::aws_calls::{AwsCalls, Description};
use tokio::sync::Mutex;

/// The longest key that is taken. `OMDb` gives eight hexadecimal digits.
const MAX_KEY_BYTES: usize = 128;

/// An `OMDb` API key. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key's text, without the white space that a console may have added.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The key itself, for the one request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A key out of what the parameter holds, or why it is none, without showing it.
///
/// A key is of printable ASCII: it stands in an address, and wherever an answer repeats it, it must be found again.
fn read_key(value: Option<&str>) -> Result<ApiKey, String> {
    let key = ApiKey::new(value.unwrap_or_default());
    let text = key.expose();
    if text.is_empty() {
        return Err("the parameter is empty".to_owned());
    }
    if text.len() > MAX_KEY_BYTES {
        return Err(format!("the parameter holds {} bytes, and a key has at most {MAX_KEY_BYTES}", text.len()));
    }
    match text.chars().position(|letter| !letter.is_ascii_graphic()) {
        Some(index) => Err(format!("the parameter holds no key: its character {} is not printable ASCII", index + 1)),
        None => Ok(key),
    }
}

/// Where the key is kept.
pub trait KeyStore: Send + Sync + 'static {
    /// The key as it stands there now.
    fn fetch(&self) -> impl Future<Output = Result<ApiKey, KeyError>> + Send;
}

/// The key cannot be had: what to do stands in SSM's words (`ParameterNotFound`, `AccessDeniedException`, …).
#[derive(Debug, Clone, thiserror::Error)]
#[error("the OMDb API key cannot be read from the SSM parameter {parameter}: {reason}")]
pub struct KeyError {
    /// The parameter's name.
    pub parameter: String,
    /// What SSM said.
    pub reason: String,
}

/// The key as a `SecureString` parameter.
#[derive(Debug, Clone)]
pub struct SsmKeyStore {
    ssm: aws_sdk_ssm::Client,
    parameter: String,
}

impl SsmKeyStore {
    /// A client of this parameter.
    #[must_use]
    pub fn new(aws: &SdkConfig, parameter: &str) -> Self {
        // The parameter's name says nothing that the log of a failure does not, and conventions have no name for it.
        let calls = AwsCalls { describe: |_| Description::default(), expected: &[] };
        let config = aws_sdk_ssm::config::Builder::from(aws).interceptor(calls).build();
        Self { ssm: aws_sdk_ssm::Client::from_conf(config), parameter: parameter.to_owned() }
    }

    fn error(&self, reason: String) -> KeyError {
        KeyError { parameter: self.parameter.clone(), reason }
    }
}

impl KeyStore for SsmKeyStore {
    async fn fetch(&self) -> Result<ApiKey, KeyError> {
        let answer = self.ssm.get_parameter().name(&self.parameter).with_decryption(true).send().await;
        let parameter = answer.map_err(|error| self.error(reason(&error)))?.parameter;
        read_key(parameter.and_then(|parameter| parameter.value).as_deref()).map_err(|reason| self.error(reason))
    }
}

/// What SSM said, or what its client said of it. Not the error's whole context: that shows an answer which cannot be read,
/// and an answer holds the key.
fn reason<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => telemetry::reasons(error),
    }
}

/// A key as it was fetched at some time.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The key.
    pub value: ApiKey,
    /// Which fetch it came from, counted from 1.
    generation: u64,
}

/// The key, fetched when first needed and again when it is said to be wrong.
///
/// A lock held over the fetch makes ten movies that need the key at once fetch it once; if that fails, it fails all of
/// them, since asking ten times would fail as well and take the longer.
pub struct CachedKey<K> {
    store: K,
    cached: Mutex<Cached>,
    /// How often fetching has failed.
    failures: AtomicU64,
}

#[derive(Default)]
struct Cached {
    key: Option<Fetched>,
    last_failure: Option<KeyError>,
}

impl<K: KeyStore> CachedKey<K> {
    /// An empty cache.
    #[must_use]
    pub fn new(store: K) -> Self {
        Self { store, cached: Mutex::default(), failures: AtomicU64::new(0) }
    }

    /// The key, from the cache if it is there.
    ///
    /// # Errors
    /// [`KeyError`]; the next call tries again.
    pub async fn get(&self) -> Result<Fetched, KeyError> {
        self.get_of_generation(1).await
    }

    /// The key after `rejected` was said to be wrong: fetched again, unless somebody has done so since.
    ///
    /// # Errors
    /// [`KeyError`]; the next call tries again.
    pub async fn get_newer_than(&self, rejected: &Fetched) -> Result<Fetched, KeyError> {
        self.get_of_generation(rejected.generation + 1).await
    }

    async fn get_of_generation(&self, least: u64) -> Result<Fetched, KeyError> {
        let failures = self.failures.load(Ordering::Relaxed);
        let mut cached = self.cached.lock().await;
        let generation = cached.key.as_ref().map_or(0, |key| key.generation);
        if let Some(key) = cached.key.as_ref().filter(|key| key.generation >= least) {
            return Ok(key.clone());
        }
        if let Some(error) = cached.last_failure.as_ref().filter(|_| self.failures.load(Ordering::Relaxed) > failures) {
            return Err(error.clone());
        }
        match self.store.fetch().await {
            Ok(value) => {
                let fetched = Fetched { value, generation: generation + 1 };
                cached.key = Some(fetched.clone());
                Ok(fetched)
            }
            Err(error) => {
                cached.last_failure = Some(error.clone());
                self.failures.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Gives key 1, then key 2, …
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl KeyStore for Counting {
        async fn fetch(&self) -> Result<ApiKey, KeyError> {
            tokio::task::yield_now().await;
            Ok(ApiKey::new(&(self.0.fetch_add(1, Ordering::Relaxed) + 1).to_string()))
        }
    }

    #[tokio::test]
    async fn those_who_need_the_key_at_once_fetch_it_once() {
        let key = CachedKey::new(Counting::default());
        let (one, two) = tokio::join!(key.get(), key.get());
        assert_eq!((one.unwrap().value.expose(), two.unwrap().value.expose()), ("1", "1"));
    }

    #[tokio::test]
    async fn a_rejected_key_is_fetched_again_once_for_all_who_used_it() {
        let key = CachedKey::new(Counting::default());
        let old = key.get().await.unwrap();
        let (one, two) = tokio::join!(key.get_newer_than(&old), key.get_newer_than(&old));
        assert_eq!((one.unwrap().value.expose(), two.unwrap().value.expose()), ("2", "2"));
    }

    /// Gives no key, and counts how often it was asked.
    #[derive(Default)]
    struct Refusing(AtomicUsize);

    impl KeyStore for Refusing {
        async fn fetch(&self) -> Result<ApiKey, KeyError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(KeyError { parameter: "/key".to_owned(), reason: "AccessDenied".to_owned() })
        }
    }

    #[tokio::test]
    async fn a_fetch_that_fails_fails_all_who_waited_for_it_and_whoever_comes_later_asks_again() {
        let key = CachedKey::new(Refusing::default());
        let (one, two, three) = tokio::join!(key.get(), key.get(), key.get());
        assert!(one.is_err() && two.is_err() && three.is_err());
        assert_eq!(key.store.0.load(Ordering::Relaxed), 1);
        assert!(key.get().await.is_err());
        assert_eq!(key.store.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_key_is_taken_without_the_white_space_around_it() {
        assert_eq!(read_key(Some(" c0ffee42\n")).unwrap().expose(), "c0ffee42");
    }

    #[test]
    fn what_can_be_no_key_is_refused_with_its_reason_and_not_shown() {
        let long = "hunter2".repeat(600);
        let cases = [
            (None, "the parameter is empty"),
            (Some(" \n"), "the parameter is empty"),
            (Some("hunter2\nhunter2"), "the parameter holds no key: its character 8 is not printable ASCII"),
            (Some("hunter2 x"), "the parameter holds no key: its character 8 is not printable ASCII"),
            (Some("hünter2"), "the parameter holds no key: its character 2 is not printable ASCII"),
            (Some("hunter2\0"), "the parameter holds no key: its character 8 is not printable ASCII"),
            (Some(&long), "the parameter holds 4200 bytes, and a key has at most 128"),
        ];
        for (value, reason) in cases {
            assert_eq!(read_key(value).unwrap_err(), reason, "{value:?}");
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", ApiKey::new("hunter2")), "ApiKey(…)");
    }
}
