//! Who is refused: other certificates, other orders of players, other versions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::crypto::rustls::QuicServerConfig;
use sordino_players::tls::server_config;
use sordino_players::{Identity, Roster};
use sordino_runtime::transport::quic::{QuicNetwork, TransportError};

use crate::world::{PATIENCE, Recorder, World, name, says, was_prompt};

/// Of the side that waits meanwhile, and tells only at the end what it has refused.
const MEANWHILE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn an_impostor_who_listens_is_refused_at_once() {
    let world = World::new();
    let alice = world.party("alice").await;
    // Someone else at bob's address, who accepts the true alice.
    let impostor = Identity::generate(&name("bob"), 1).unwrap();
    let theirs = world.roster_with("bob", &impostor);
    let inbox = Recorder::new().0;
    let bob = QuicNetwork::bind(&impostor, theirs, Some(world.address("bob")), inbox);
    let bob = bob.await.unwrap();
    let bob_waits = bob.connect(&alice.name, MEANWHILE);
    let peer = name("bob");
    let (alice_says, bob_says) = tokio::join!(alice.network.connect(&peer, PATIENCE), bob_waits);
    let pins = [world.identity("bob").fingerprint(), impostor.fingerprint()].map(|p| p.to_string());
    let error = alice_says.unwrap_err();
    assert!(matches!(error, TransportError::PeerRefused { .. }), "{error:?}");
    says(&error, &["bob was expected", &pins[0], &pins[1]]);
    // The one who waits is told what the other refused.
    says(&bob_says.unwrap_err(), &["refused meanwhile", "bob was expected", &pins[1]]);
    assert_eq!(bob.refused_handshakes(), 1);
    assert!(alice.quiet());
}

#[tokio::test]
async fn an_impostor_who_dials_is_refused_at_once() {
    let world = World::new();
    let bob = world.party("bob").await;
    let impostor = Identity::generate(&name("alice"), 1).unwrap();
    let theirs = world.roster_with("alice", &impostor);
    let inbox = Recorder::new().0;
    let alice = QuicNetwork::bind(&impostor, theirs, None, inbox).await.unwrap();
    let begun = Instant::now();
    let (alices, bobs) = (name("alice"), name("bob"));
    let dialled = alice.connect(&bobs, PATIENCE);
    let waited = bob.network.connect(&alices, MEANWHILE);
    let (alice_says, bob_says) = tokio::join!(dialled, waited);
    was_prompt(begun);
    let error = alice_says.unwrap_err();
    assert!(matches!(error, TransportError::RefusedByPeer { .. }), "{error:?}");
    let pin = impostor.fingerprint().to_string();
    says(&error, &["bob at 127.0.0.1", "alice was expected", &pin]);
    says(&bob_says.unwrap_err(), &["refused meanwhile", "alice was expected", &pin]);
    assert_eq!(bob.network.refused_handshakes(), 1);
    assert!(bob.quiet(), "a stranger cannot make a peer look lost");
}

#[tokio::test]
async fn another_order_of_players_is_found_out() {
    let world = World::new();
    let bob = world.party("bob").await;
    let mut players = world.roster.players().to_vec();
    players.reverse();
    // By this roster carol dials bob; by bob's, bob dials carol.
    let other = Arc::new(Roster::new(players, world.roster.driver()).unwrap());
    let inbox = Recorder::new().0;
    let carol = QuicNetwork::bind(world.identity("carol"), other, None, inbox).await.unwrap();
    let error = carol.connect(&bob.name, PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::OtherOrder { .. }), "{error:?}");
    says(&error, &["bob", "order", "config.json"]);
}

#[tokio::test]
async fn another_version_is_found_out() {
    let world = World::new();
    let alice = world.party("alice").await;
    let mut tls = server_config(world.identity("bob"), &world.roster).unwrap();
    tls.alpn_protocols = vec![b"sordino/0".to_vec()];
    let tls = Arc::new(QuicServerConfig::try_from(tls).unwrap());
    let config = quinn::ServerConfig::with_crypto(tls);
    let other = quinn::Endpoint::server(config, world.address("bob")).unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = other.accept().await {
            let _ = incoming.await;
        }
    });
    let error = alice.network.connect(&name("bob"), PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::OtherVersion { .. }), "{error:?}");
    says(&error, &["bob", "another version", "same version"]);
}
