//! Fuzzes the decoder of Podio's forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podtap_fuzz::form(data));
