//! What the types of the key cannot do, which no text could show: it is found out when this is compiled.

use std::fmt::{Debug, Display};
use std::marker::PhantomData;

use local::OMDB_STAND_IN_KEY as KEY;

struct Probe<T>(PhantomData<T>);

/// What stands where a type lacks a trait: the constant of the same name that a type with it has comes first.
trait Lacks {
    const DISPLAY: bool = false;
    const SERIALIZE: bool = false;
    const DESERIALIZE: bool = false;
}

impl<T> Lacks for Probe<T> {}

mod display {
    use super::{Display, Probe};
    impl<T: Display> Probe<T> {
        pub(super) const DISPLAY: bool = true;
    }
}

mod serialize {
    use super::Probe;
    impl<T: serde::Serialize> Probe<T> {
        pub(super) const SERIALIZE: bool = true;
    }
}

mod deserialize {
    use super::Probe;
    impl<T: serde::de::DeserializeOwned> Probe<T> {
        pub(super) const DESERIALIZE: bool = true;
    }
}

#[test]
fn neither_type_of_the_key_can_be_displayed_serialized_or_deserialized() {
    macro_rules! abilities {
        ($key:ty) => {
            [Probe::<$key>::DISPLAY, Probe::<$key>::SERIALIZE, Probe::<$key>::DESERIALIZE]
        };
    }
    assert_eq!(abilities!(enricher::api_key::ApiKey), [false; 3]);
    assert_eq!(abilities!(local::ApiKey), [false; 3]);
    assert_eq!(abilities!(String), [true; 3], "the probe sees what is there");
}

#[test]
fn a_key_does_not_print_itself_wherever_it_stands() {
    let key = enricher::api_key::ApiKey::new(KEY);
    let shown: [&dyn Debug; 4] = [&key, &Some(&key), &vec![key.clone()], &Err::<(), _>(key.clone())];
    for shown in shown {
        local::assert_no_canary("Debug", format!("{shown:?} {shown:#?}").as_bytes());
    }
    assert_eq!(format!("{key:?}"), "ApiKey(…)");
}
