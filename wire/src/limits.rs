//! The numbers that both sides must agree on.

use std::time::Duration;

/// How often each side sends a websocket ping.
pub const PING_PERIOD: Duration = Duration::from_secs(10);

/// Silence after which a connection is dead: three missed pings, so one lost packet is no alarm.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// The longest JSON header of a frame, in bytes. Generous: a request head of hyper's default
/// maximum (about 400 KiB) with every byte escaped still fits.
pub const MAX_HEADER_BYTES: usize = 2 * 1024 * 1024;

/// The largest body that any relay may be configured to accept, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// The largest websocket message either side may send, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 + MAX_HEADER_BYTES + MAX_BODY_BYTES;

/// Unacknowledged events an agent asks for unless configured otherwise.
pub const DEFAULT_WINDOW: u32 = 1024;

/// The largest window a relay grants; a larger wish is cut to this.
pub const MAX_WINDOW: u32 = 16 * 1024;
