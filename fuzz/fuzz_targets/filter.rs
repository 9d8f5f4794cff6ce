//! Fuzzes the parser of the filter language.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podtap_fuzz::filter(data));
