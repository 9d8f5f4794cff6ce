//! Fuzzes the reader of archives: HAR and JSON lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podtap_fuzz::har(data));
