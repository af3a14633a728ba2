#![no_main]
#![expect(missing_docs, reason = "fuzz::queue_records has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::queue_records::check(input));
