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

/// The largest message of an agent before its hello, and after it unless it sends the local
/// service's answers: acknowledgements are tiny.
pub const MAX_CONTROL_BYTES: usize = 16 * 1024;

/// Bytes of a large message that go out as one websocket frame (RFC 6455 §5.4), so that what waits
/// to be written to a slow peer is a few frames and not a whole body.
pub const FRAGMENT_BYTES: usize = 64 * 1024;

/// The largest body of an answer that a relay takes which does not say.
pub const DEFAULT_MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// The longest name of a machine that goes from agent to agent, in characters.
pub const MAX_HOST_CHARS: usize = 64;

/// Unacknowledged events an agent asks for unless configured otherwise.
pub const DEFAULT_WINDOW: u32 = 1024;

/// The largest window a relay grants; a larger wish is cut to this.
pub const MAX_WINDOW: u32 = 16 * 1024;
