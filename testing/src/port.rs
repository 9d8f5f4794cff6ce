//! Reserves ports that no other test gets, for programs that cannot report which port they
//! got for port 0, and for servers that restart on the same port.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::Mutex;

/// Below the ports that Linux (from 32768), macOS and Windows (from 49152) assign for port
/// 0 and for outgoing connections, so that only this file assigns them.
const PORTS: Range<u16> = 22_000..27_000;

/// Offset from a port to the UDP port that serves as its lock. The lock is held until the
/// process ends, however it ends.
const TO_LOCK: u16 = 5_000;

static LOCKS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// Returns a loopback port that belongs to this process from now on.
pub fn own_port() -> u16 {
    let mut locks = LOCKS.lock().unwrap();
    let mut free = PORTS.filter_map(|port| {
        let lock = UdpSocket::bind((Ipv4Addr::LOCALHOST, port + TO_LOCK)).ok()?;
        // A program may still use this port after its test has ended.
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, lock))
    });
    // There are far more ports than tests in a run.
    let (port, lock) = free.next().unwrap();
    locks.push(lock);
    port
}
