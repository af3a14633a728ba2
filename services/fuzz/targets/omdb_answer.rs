#![no_main]
#![expect(missing_docs, reason = "fuzz::omdb_answer has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::omdb_answer::check(input));
