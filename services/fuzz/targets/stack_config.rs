#![no_main]
#![expect(missing_docs, reason = "fuzz::stack_config has them")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::stack_config::check(input));
