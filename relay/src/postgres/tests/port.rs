//! Ports that no other test gets, for programs that cannot take port 0 and say which they got, and for
//! servers that end and start again at the same place.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::Mutex;

/// Below the ports that Linux (from 32768), macOS and Windows (from 49152) hand out for port 0 and for
/// outgoing connections, so that only this file hands them out.
const PORTS: Range<u16> = 22_000..27_000;

/// From a port to the UDP port that is its lock: held until the process ends, by whichever way.
const TO_LOCK: u16 = 5_000;

static LOCKS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of loopback that belongs to this process from now on.
pub(crate) fn own_port() -> u16 {
    let mut locks = LOCKS.lock().unwrap();
    let mut free = PORTS.filter_map(|port| {
        let lock = UdpSocket::bind((Ipv4Addr::LOCALHOST, port + TO_LOCK)).ok()?;
        // A program may have outlived the test that had this port.
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, lock))
    });
    // A run has far fewer tests than there are ports.
    let (port, lock) = free.next().unwrap();
    locks.push(lock);
    port
}
