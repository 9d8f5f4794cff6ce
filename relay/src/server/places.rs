//! Who may have a connection: a place each, so many in all and so many for one peer. A newcomer
//! beyond that gets the place of the connection that has been without a request for longest.
//!
//! Knows nothing of sockets: `accept` takes the places, `connection` says when it is busy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::peer::PeerGroup;

/// Connections told to close and not closed yet, beyond which no more are accepted. They have
/// nothing to wait for, so it takes them as long as it takes the runtime to look at each.
pub(crate) const MAX_CLOSING: usize = 64;

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    state: Mutex<State>,
    max: usize,
    max_per_peer: usize,
    /// Rung when a connection that was told to close has closed.
    closed: Notify,
}

/// Why there is no place: every connection that could make room has a request in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// This peer has as many as one may have.
    Peer,
    /// All have been given away.
    All,
}

impl Crowded {
    /// The word for the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer-connections",
            Self::All => "connections",
        }
    }
}

/// The place of one connection, given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    places: Arc<Places>,
    /// `None` for a peer that may have any number.
    peer: Option<PeerGroup>,
    stance: Stance,
    /// Rung when the connection is to close.
    close: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that have a place and may keep it.
    open: usize,
    /// Connections told to close.
    closing: usize,
    /// Numbers the moments at which connections became quiet.
    moment: u64,
    /// Those without a request in progress, the one that is quiet for longest first.
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
enum Stance {
    /// Without a request since this moment, unless told to close.
    Quiet(u64),
    Busy,
    /// Told to close in the moment in which a request came.
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

    /// A place for a new connection, made free where there is none.
    pub(super) fn take(
        self: &Arc<Self>,
        peer: Option<PeerGroup>,
    ) -> Result<ConnectionPlace, Crowded> {
        let mut state = self.lock();
        state.make_room_among(peer, self.max_per_peer)?;
        if state.open >= self.max {
            let oldest = state.oldest();
            state.close(oldest.ok_or(Crowded::All)?);
        }
        state.open += 1;
        if let Some(peer) = peer {
            state.peers.entry(peer).or_default().open += 1;
        }
        let close = Arc::new(Notify::new());
        Ok(ConnectionPlace {
            stance: Stance::Quiet(state.add_quiet(peer, &close)),
            places: Arc::clone(self),
            peer,
            close,
        })
    }

    /// Closes the connection that is quiet for longest, if there is one.
    pub(super) fn close_one(&self) {
        let mut state = self.lock();
        if let Some(oldest) = state.oldest() {
            state.close(oldest);
        }
    }

    /// Waits until few enough connections are still about to close.
    ///
    /// # Cancel safety
    /// Safe: nothing is taken.
    pub(super) async fn settle(&self) {
        loop {
            // Made before the count is read: a close in between is not missed.
            let closed = self.closed.notified();
            if self.lock().closing < MAX_CLOSING {
                return;
            }
            closed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes room for one more connection of this peer.
    fn make_room_among(&mut self, peer: Option<PeerGroup>, max: usize) -> Result<(), Crowded> {
        if let Some(of_peer) = peer.and_then(|peer| self.peers.get(&peer))
            && of_peer.open >= max
        {
            let oldest = of_peer.quiet.first().copied();
            self.close(oldest.ok_or(Crowded::Peer)?);
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

    /// The connection that was quiet since then, if it was not told to close.
    fn remove_quiet(&mut self, moment: u64) -> Option<Quiet> {
        let quiet = self.quiet.remove(&moment)?;
        if let Some(of_peer) = quiet.peer.and_then(|peer| self.peers.get_mut(&peer)) {
            of_peer.quiet.remove(&moment);
        }
        Some(quiet)
    }

    /// Takes the place of the connection that is quiet since then, and tells it to close.
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
    /// Rung when the connection is to close.
    pub(super) fn close(&self) -> Arc<Notify> {
        Arc::clone(&self.close)
    }

    /// Counts it among those of a peer, which a proxy has named, before the first request.
    pub(super) fn assign(&mut self, peer: PeerGroup) -> Result<(), Crowded> {
        let mut state = self.places.lock();
        state.make_room_among(Some(peer), self.places.max_per_peer)?;
        // One that was told to close counts no more.
        if let Stance::Quiet(moment) = self.stance
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

    /// A request has begun.
    pub(super) fn busy(&mut self) {
        if let Stance::Quiet(moment) = self.stance {
            let was_quiet = self.places.lock().remove_quiet(moment);
            self.stance = match was_quiet {
                Some(_) => Stance::Busy,
                None => Stance::Closing,
            };
        }
    }

    /// The last request has ended.
    pub(super) fn quiet(&mut self) {
        if self.stance == Stance::Busy {
            let moment = self.places.lock().add_quiet(self.peer, &self.close);
            self.stance = Stance::Quiet(moment);
        }
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        let has_place = match self.stance {
            Stance::Quiet(moment) => state.remove_quiet(moment).is_some(),
            Stance::Busy => true,
            Stance::Closing => false,
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

        assert_eq!(places.take(Some(peer(2))).unwrap_err(), Crowded::All);

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
        assert_eq!(places.take(Some(peer(1))).unwrap_err(), Crowded::Peer);
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
        assert_eq!(fourth.assign(peer(1)), Err(Crowded::Peer));
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
            // Told to close in the moment in which its request comes: it is answered.
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
