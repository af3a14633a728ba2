#![no_main]
#![expect(missing_docs, reason = "fuzz::source_list has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::source_list::check(input));
