//! Fuzzes the decoder of messages of the relay and of the agent.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| podtap_fuzz::codec(data));
