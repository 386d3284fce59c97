//! How connections come about, and what is said of peers that cannot be reached.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_players::roster::driver_name;
use sordino_players::{Player, Roster};
use sordino_runtime::message::Frame;
use sordino_runtime::transport::Network;
use sordino_runtime::transport::quic::{Limits, QuicNetwork, TransportError};
use tokio::time::timeout;

use crate::world::{Event, LIMITS, PATIENCE, Recorder, World, name, run, says, was_prompt};

#[tokio::test]
async fn many_who_connect_at_once_get_one_connection() {
    let world = World::new();
    let (alice, bob) = (world.party("alice").await, world.party("bob").await);
    let mut asking = tokio::task::JoinSet::new();
    for (network, peer) in [(&alice.network, &bob.name), (&bob.network, &alice.name)] {
        for _ in 0..8 {
            let (network, peer) = (Arc::clone(network), peer.clone());
            asking.spawn(async move { network.connect(&peer, PATIENCE).await });
        }
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap().unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(alice.quiet() && bob.quiet(), "no connection was replaced");
    assert_eq!(bob.network.refused_handshakes(), 0);
}

#[tokio::test]
async fn a_peer_may_come_up_late() {
    let world = World::new();
    let alice = world.party("alice").await;
    let late = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        (world.party("bob").await, Instant::now())
    };
    let bob = name("bob");
    let (connected, (_bob, up)) = tokio::join!(alice.network.connect(&bob, PATIENCE), late);
    connected.unwrap();
    was_prompt(up);
}

#[tokio::test]
async fn a_peer_that_is_not_up_is_named_after_patience() {
    let world = World::new();
    let (alice, bob) = (world.party("alice").await, name("bob"));
    let error = alice.network.connect(&bob, Duration::from_millis(600)).await.unwrap_err();
    let TransportError::Unreachable { waited, .. } = &error else { panic!("{error:?}") };
    // It does not begin a pause between attempts that would outlast its patience.
    assert!(*waited >= Duration::from_millis(400), "{waited:?}");
    let (address, waited) = (world.address("bob").to_string(), rendered(*waited));
    says(&error, &["bob", &address, &waited, "sordino player bob --config"]);

    drop(alice);
    let bob = world.party("bob").await;
    let patience = Duration::from_millis(300);
    let error = bob.network.connect(&name("alice"), patience).await.unwrap_err();
    let TransportError::NotArrived { waited, .. } = &error else { panic!("{error:?}") };
    assert!(*waited >= patience, "{waited:?}");
    let (address, waited) = (world.address("alice").to_string(), rendered(*waited));
    says(&error, &["alice", &address, &waited, "same order"]);
}

fn rendered(waited: Duration) -> String {
    format!("waited {:.1} s", waited.as_secs_f64())
}

#[tokio::test]
async fn who_only_holds_a_network_is_told_how_connecting_went() {
    let impatience = Duration::from_millis(400);
    for (peer, patience, expected) in
        [("bob", PATIENCE, None), ("carol", impatience, Some("sordino player carol"))]
    {
        let world = World::with(Limits { patience, ..LIMITS });
        let (alice, _bob) = (world.party("alice").await, world.party("bob").await);
        let network: Arc<dyn Network> = Arc::clone(&alice.network) as _;
        let (sender, done) = tokio::sync::oneshot::channel();
        network.connect(&name(peer), Box::new(|result| sender.send(result).unwrap()));
        let result = timeout(PATIENCE, done).await.unwrap().unwrap();
        match expected {
            None => assert_eq!(result, Ok(())),
            Some(part) => assert!(result.as_ref().unwrap_err().contains(part), "{result:?}"),
        }
    }
}

#[tokio::test]
async fn hosts_are_looked_up_and_tried_one_after_the_other() {
    let world = World::new();
    let mut bob = world.party("bob").await;
    let players = world.roster.players().iter().map(|player| {
        // Of IPv6 too, on machines that have it, where bob does not listen.
        let address = format!("localhost:{}", player.address().port()).parse().unwrap();
        Player::new(player.name().clone(), address, player.fingerprint())
    });
    let named = Arc::new(Roster::new(players.collect(), world.roster.driver()).unwrap());
    let inbox = Recorder::new().0;
    let driver = QuicNetwork::bind(world.identity("driver"), named, None, inbox).await.unwrap();
    let begun = Instant::now();
    driver.connect(&bob.name, PATIENCE).await.unwrap();
    was_prompt(begun);
    driver.send(&bob.name, Frame::Control(run(1)));
    assert_eq!(bob.next().await, Event::Control(driver_name(), 1));
}

#[tokio::test]
async fn what_cannot_be_had_says_what_to_do() {
    let world = World::new();
    let alice = world.party("alice").await;
    let inbox = Recorder::new().0;
    let listen = Some(world.address("alice"));
    let again = QuicNetwork::bind(world.identity("alice"), world.roster.clone(), listen, inbox);
    let error = again.await.unwrap_err();
    assert!(matches!(error, TransportError::PortInUse { .. }), "{error:?}");
    let address = world.address("alice").to_string();
    says(&error, &[&address, "alice running already", "config.json"]);

    let error = alice.network.connect(&name("nobody"), PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::UnknownPeer { .. }), "{error:?}");
    let error = alice.network.connect(&alice.name, PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::Oneself { .. }), "{error:?}");
}
