//! A player's status, put together from what its parts know.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use sordino_graph::PlayerName;
use sordino_players::certificate::Moment;
use sordino_players::identity::certificate_file;
use sordino_players::{Certificate, Fingerprint, Identity, Roster};

use super::{Expiry, PeerStatus, Status};
use crate::meter::peak_memory;
use crate::player::Player;
use crate::transport::quic::{LinkStatus, QuicNetwork};

/// What does not change while the player runs.
pub(crate) struct Fixed {
    certificate: Known,
    /// The others, players first, in the order of the list.
    others: Vec<(PlayerName, Known)>,
    begun: Instant,
}

/// A pinned certificate, and when it ends if that is known.
struct Known(Fingerprint, Option<Moment>);

impl Fixed {
    /// Of a player with this identity; the certificates of the list are in `folder`.
    pub(crate) fn new(identity: &Identity, roster: &Roster, folder: &Path) -> Self {
        let known = |name: &PlayerName, pin: Fingerprint| {
            let file = std::fs::read(certificate_file(folder, name));
            let certificate = file.ok().and_then(|file| Certificate::from_pem(&file).ok());
            let pinned = certificate.filter(|certificate| certificate.fingerprint() == pin);
            Known(pin, pinned.map(|certificate| certificate.not_after()))
        };
        let players = roster.players().iter().map(|player| (player.name(), player.fingerprint()));
        let drivers = roster.drivers().iter().map(|(name, pin)| (name, *pin));
        let others = players.chain(drivers).filter(|(name, _)| *name != identity.name());
        Self {
            certificate: Known(identity.fingerprint(), Some(identity.certificate().not_after())),
            others: others.map(|(name, pin)| (name.clone(), known(name, pin))).collect(),
            begun: Instant::now(),
        }
    }

    /// All that there is to say now.
    pub(crate) fn status(&self, player: &Player, network: &QuicNetwork) -> Status {
        let (stopping, sessions) = player.status();
        let now = Moment::now();
        let links = network.links();
        let peers = self.others.iter().map(|(name, known)| peer(name, known.at(now), &links));
        Status {
            player: player.name().as_str().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            address: network.local_addr().to_string(),
            seconds: self.begun.elapsed().as_secs(),
            stopping,
            peak_memory: peak_memory(),
            certificate: self.certificate.at(now),
            sessions,
            peers: peers.collect(),
        }
    }
}

impl Known {
    fn at(&self, now: Moment) -> Expiry {
        const DAY: i64 = 24 * 3600;
        let Self(fingerprint, end) = self;
        Expiry {
            fingerprint: fingerprint.to_string(),
            valid_until: end.map(Moment::rfc3339),
            days_left: end.map(|end| (end.0 - now.0).div_euclid(DAY)),
        }
    }
}

fn peer(
    name: &PlayerName,
    certificate: Expiry,
    links: &HashMap<PlayerName, LinkStatus>,
) -> PeerStatus {
    let LinkStatus { live, sent, received } = links.get(name).copied().unwrap_or_default();
    PeerStatus {
        player: name.as_str().to_owned(),
        connected: live.map(|(address, _)| address.to_string()),
        round_trip: live.map(|(_, time)| time.as_secs_f64() * 1e3),
        bytes_sent: sent,
        bytes_received: received,
        certificate,
    }
}
