#![no_main]
#![expect(missing_docs, reason = "fuzz::movie_message has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::movie_message::check(input));
