//! Limits the number of connections, in total and per peer.
//!
//! Each connection has a place. If all places are taken, a new connection gets the place of
//! the one that has been without a request for longest. This module knows nothing of
//! sockets: `accept` takes the places, and `connection` reports when a connection is busy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::peer::PeerGroup;

/// Maximum number of connections that were told to close and have not closed yet. If it is
/// reached, no more connections are accepted. Such connections wait for nothing, so they
/// close as soon as the runtime polls them.
pub(crate) const MAX_CLOSING: usize = 64;

/// All places of a group of listeners.
#[derive(Debug)]
pub(crate) struct Places {
    state: Mutex<PlacesState>,
    max: usize,
    max_per_peer: usize,
    /// Notified when a connection that was told to close has closed.
    closed: Notify,
}

/// Reason why there is no place: every connection that could make room has a request in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// This peer has the maximum number of connections per peer.
    Peer,
    /// All places are taken.
    All,
}

impl NoPlace {
    /// Returns the reason as used in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer-connections",
            Self::All => "connections",
        }
    }
}

/// Place of one connection, which is given back when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    places: Arc<Places>,
    /// `None` for a peer whose connections are not limited.
    peer: Option<PeerGroup>,
    stance: PlaceState,
    /// Notified when the connection has to close.
    close: Arc<Notify>,
}

#[derive(Debug, Default)]
struct PlacesState {
    /// Number of connections that have a place and may keep it.
    open: usize,
    /// Number of connections that were told to close and are still open.
    closing: usize,
    /// Number of the next moment at which a connection becomes quiet.
    moment: u64,
    /// Connections without a request in progress, the one that has been quiet for longest first.
    quiet: BTreeMap<u64, Quiet>,
    peers: HashMap<PeerGroup, OfPeer>,
}

#[derive(Debug)]
struct Quiet {
    peer: Option<PeerGroup>,
    close: Arc<Notify>,
}

#[derive(Debug, Default)]
struct OfPeer {
    open: usize,
    quiet: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    /// Without a request since this moment. The connection may have been told to close since.
    Quiet(u64),
    Busy,
    /// Told to close at the moment at which a request arrived.
    Closing,
}

impl Places {
    pub(crate) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            max,
            max_per_peer,
            closed: Notify::new(),
        })
    }

    /// Returns a place for a new connection. Closes a quiet connection if all places are taken.
    pub(super) fn take(
        self: &Arc<Self>,
        peer: Option<PeerGroup>,
    ) -> Result<ConnectionPlace, NoPlace> {
        let mut state = self.lock();
        state.make_room_among(peer, self.max_per_peer)?;
        if state.open >= self.max {
            let oldest = state.oldest();
            state.close(oldest.ok_or(NoPlace::All)?);
        }
        state.open += 1;
        if let Some(peer) = peer {
            state.peers.entry(peer).or_default().open += 1;
        }
        let close = Arc::new(Notify::new());
        Ok(ConnectionPlace {
            stance: PlaceState::Quiet(state.add_quiet(peer, &close)),
            places: Arc::clone(self),
            peer,
            close,
        })
    }

    /// Closes the connection that has been quiet for longest, if there is one.
    pub(super) fn close_one(&self) {
        let mut state = self.lock();
        if let Some(oldest) = state.oldest() {
            state.close(oldest);
        }
    }

    /// Waits until the number of connections that are about to close is below [`MAX_CLOSING`].
    ///
    /// # Cancel safety
    /// Safe: waiting takes no place.
    pub(super) async fn settle(&self) {
        loop {
            // The waiter is created before the count is read, so that no close in between is
            // missed.
            let closed = self.closed.notified();
            if self.lock().closing < MAX_CLOSING {
                return;
            }
            closed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, PlacesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlacesState {
    /// Makes room for one more connection of this peer.
    fn make_room_among(&mut self, peer: Option<PeerGroup>, max: usize) -> Result<(), NoPlace> {
        if let Some(of_peer) = peer.and_then(|peer| self.peers.get(&peer))
            && of_peer.open >= max
        {
            let oldest = of_peer.quiet.first().copied();
            self.close(oldest.ok_or(NoPlace::Peer)?);
        }
        Ok(())
    }

    fn oldest(&self) -> Option<u64> {
        self.quiet.first_key_value().map(|(moment, _)| *moment)
    }

    fn add_quiet(&mut self, peer: Option<PeerGroup>, close: &Arc<Notify>) -> u64 {
        self.moment += 1;
        let close = Arc::clone(close);
        self.quiet.insert(self.moment, Quiet { peer, close });
        if let Some(of_peer) = peer.and_then(|peer| self.peers.get_mut(&peer)) {
            of_peer.quiet.insert(self.moment);
        }
        self.moment
    }

    /// Removes and returns the connection that became quiet at `moment`, unless it was told to
    /// close.
    fn remove_quiet(&mut self, moment: u64) -> Option<Quiet> {
        let quiet = self.quiet.remove(&moment)?;
        if let Some(of_peer) = quiet.peer.and_then(|peer| self.peers.get_mut(&peer)) {
            of_peer.quiet.remove(&moment);
        }
        Some(quiet)
    }

    /// Frees the place of the connection that became quiet at `moment`, and tells it to close.
    fn close(&mut self, moment: u64) {
        if let Some(Quiet { peer, close }) = self.remove_quiet(moment) {
            self.leave(peer);
            self.closing += 1;
            close.notify_one();
        }
    }

    fn leave(&mut self, peer: Option<PeerGroup>) {
        self.open -= 1;
        if let Some(peer) = peer
            && let Some(of_peer) = self.peers.get_mut(&peer)
        {
            of_peer.open -= 1;
            if of_peer.open == 0 {
                self.peers.remove(&peer);
            }
        }
    }
}

impl ConnectionPlace {
    /// Returns the signal that is notified when the connection has to close.
    pub(super) fn close(&self) -> Arc<Notify> {
        Arc::clone(&self.close)
    }

    /// Counts the connection for the peer that a proxy has named, before its first request.
    pub(super) fn assign(&mut self, peer: PeerGroup) -> Result<(), NoPlace> {
        let mut state = self.places.lock();
        state.make_room_among(Some(peer), self.places.max_per_peer)?;
        // A connection that was told to close is not counted any more.
        if let PlaceState::Quiet(moment) = self.stance
            && let Some(quiet) = state.quiet.get_mut(&moment)
        {
            quiet.peer = Some(peer);
            let of_peer = state.peers.entry(peer).or_default();
            of_peer.open += 1;
            of_peer.quiet.insert(moment);
            self.peer = Some(peer);
        }
        Ok(())
    }

    /// Notes that a request has begun.
    pub(super) fn busy(&mut self) {
        if let PlaceState::Quiet(moment) = self.stance {
            let was_quiet = self.places.lock().remove_quiet(moment);
            self.stance = match was_quiet {
                Some(_) => PlaceState::Busy,
                None => PlaceState::Closing,
            };
        }
    }

    /// Notes that the last request has ended.
    pub(super) fn quiet(&mut self) {
        if self.stance == PlaceState::Busy {
            let moment = self.places.lock().add_quiet(self.peer, &self.close);
            self.stance = PlaceState::Quiet(moment);
        }
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        let has_place = match self.stance {
            PlaceState::Quiet(moment) => state.remove_quiet(moment).is_some(),
            PlaceState::Busy => true,
            PlaceState::Closing => false,
        };
        if has_place {
            state.leave(self.peer);
        } else {
            state.closing -= 1;
            drop(state);
            self.places.closed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn peer(last: u8) -> PeerGroup {
        PeerGroup::V4([192, 0, 2, last].into())
    }

    fn is_told(place: &ConnectionPlace) -> bool {
        place.close().notified().now_or_never().is_some()
    }

    #[test]
    fn a_newcomer_gets_the_place_of_the_one_that_is_quiet_for_longest() {
        let places = Places::new(3, 3);
        let mut first = places.take(Some(peer(1))).unwrap();
        let second = places.take(Some(peer(2))).unwrap();
        let third = places.take(Some(peer(3))).unwrap();
        first.busy();
        first.quiet();

        let _newcomer = places.take(Some(peer(4))).unwrap();

        assert!(is_told(&second), "the first has had a request since");
        assert!(!is_told(&first) && !is_told(&third));
    }

    #[test]
    fn a_connection_with_a_request_in_progress_keeps_its_place() {
        let places = Places::new(2, 2);
        let mut busy = [
            places.take(Some(peer(1))).unwrap(),
            places.take(None).unwrap(),
        ];
        busy.iter_mut().for_each(ConnectionPlace::busy);

        assert_eq!(places.take(Some(peer(2))).unwrap_err(), NoPlace::All);

        busy[1].quiet();
        assert!(places.take(Some(peer(2))).is_ok());
        assert!(is_told(&busy[1]));
    }

    #[test]
    fn a_peer_over_its_limit_makes_room_for_itself() {
        let places = Places::new(9, 2);
        let other = places.take(Some(peer(2))).unwrap();
        let mut mine = [
            places.take(Some(peer(1))).unwrap(),
            places.take(Some(peer(1))).unwrap(),
        ];

        let third = places.take(Some(peer(1))).unwrap();
        assert!(is_told(&mine[0]) && !is_told(&other));

        drop(third);
        let mut third = places.take(Some(peer(1))).unwrap();
        mine[1].busy();
        third.busy();
        assert_eq!(places.take(Some(peer(1))).unwrap_err(), NoPlace::Peer);
        assert!(places.take(None).is_ok() && places.take(Some(peer(2))).is_ok());
    }

    #[test]
    fn a_connection_through_a_proxy_counts_for_the_peer_that_the_proxy_names() {
        let places = Places::new(9, 2);
        let mut through: Vec<ConnectionPlace> =
            (0..3).map(|_| places.take(None).unwrap()).collect();
        for place in &mut through {
            place.assign(peer(1)).unwrap();
        }
        assert!(is_told(&through[0]) && !is_told(&through[1]));
        through[1].busy();
        through[2].busy();
        let mut fourth = places.take(None).unwrap();
        assert_eq!(fourth.assign(peer(1)), Err(NoPlace::Peer));
        assert_eq!(fourth.assign(peer(2)), Ok(()));
        drop((through, fourth));
        let state = places.lock();
        assert_eq!((state.open, state.closing), (0, 0));
        assert!(state.quiet.is_empty() && state.peers.is_empty());
    }

    #[test]
    fn places_are_given_back_however_a_connection_ends() {
        let places = Places::new(2, 2);
        for _ in 0..9 {
            let mut one = places.take(Some(peer(1))).unwrap();
            let two = places.take(Some(peer(1))).unwrap();
            let told = places.take(Some(peer(1))).unwrap();
            // A connection that is told to close at the moment at which its request arrives is
            // still answered.
            one.busy();
            one.quiet();
            drop((one, two, told));
        }
        let state = places.lock();
        assert_eq!((state.open, state.closing), (0, 0));
        assert!(state.quiet.is_empty() && state.peers.is_empty());
    }

    #[tokio::test]
    async fn no_more_are_accepted_while_too_many_are_about_to_close() {
        let places = Places::new(1, 1);
        let mut told = Vec::new();
        for _ in 0..=MAX_CLOSING {
            told.push(places.take(None).unwrap());
        }
        assert!(places.settle().now_or_never().is_none());
        told.truncate(MAX_CLOSING - 1);
        places.settle().await;
    }
}
