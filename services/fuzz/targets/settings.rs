#![no_main]
#![expect(missing_docs, reason = "fuzz::settings has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::settings::check(input));
