//! Defines the numbers on which both sides must agree.

use std::time::Duration;

/// Time between two websocket pings of each side.
pub const PING_PERIOD: Duration = Duration::from_secs(10);

/// Time without any message after which a connection is dead: three missed pings, so that
/// one lost packet has no effect.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// Maximum length of a frame's JSON header, in bytes. It is large enough for a request head
/// of hyper's default maximum (about 400 KiB) with every byte escaped.
pub const MAX_HEADER_BYTES: usize = 2 * 1024 * 1024;

/// Maximum size of a body that any relay may be configured to accept, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Maximum size of a websocket message of either side, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 + MAX_HEADER_BYTES + MAX_BODY_BYTES;

/// Maximum size of an agent's message before its hello, and also after it unless the agent
/// sends the local service's answers: acknowledgements are tiny.
pub const MAX_CONTROL_BYTES: usize = 16 * 1024;

/// Maximum size of one websocket frame of a large message (RFC 6455 §5.4), so that only a
/// few frames and not a whole body are buffered for a slow peer.
pub const FRAGMENT_BYTES: usize = 64 * 1024;

/// Maximum size of an answer's body for a relay that does not announce one.
pub const DEFAULT_MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Maximum length of a machine's name that is sent from agent to agent, in characters.
pub const MAX_HOST_CHARS: usize = 64;

/// Number of unacknowledged events that an agent requests by default.
pub const DEFAULT_WINDOW: u32 = 1024;

/// Maximum window that a relay grants. A larger request is reduced to this.
pub const MAX_WINDOW: u32 = 16 * 1024;
