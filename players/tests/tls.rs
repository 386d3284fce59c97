//! Handshakes in memory: two rustls connections, their bytes handed over by hand.

use std::time::{Duration, SystemTime};

use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, Error, HandshakeKind, NamedGroup, ProtocolVersion,
    ServerConfig, ServerConnection,
};
use sordino_players::roster::driver_name;
use sordino_players::tls::{
    ALPN, Caller, SERVER_NAME, TlsError, peer_name, refusal_text, server_config,
};
use sordino_players::{Fingerprint, Identity, Player, PlayerName, Refusal, Roster};

#[test]
fn the_right_pair_meets() {
    let world = World::new();
    let (client, server) =
        handshake(world.client("server1", "server0"), world.server("server0")).unwrap();

    assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(client.alpn_protocol(), Some(ALPN));
    for group in [client.negotiated_key_exchange_group(), server.negotiated_key_exchange_group()] {
        assert_eq!(group.unwrap().name(), NamedGroup::X25519MLKEM768);
    }
    let suite = client.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    assert_eq!(server.server_name(), None, "no name crosses in the clear");

    let of_client = server.peer_certificates().unwrap();
    assert_eq!(peer_name(&world.roster, of_client), Some(name("server1")));
    let of_server = client.peer_certificates().unwrap();
    assert_eq!(peer_name(&world.roster, of_server), Some(name("server0")));
    assert_eq!(peer_name(&world.roster, &[]), None);
}

#[test]
fn the_driver_may_connect() {
    let world = World::new();
    let (_, server) =
        handshake(world.client("driver", "server0"), world.server("server0")).unwrap();
    let peer = peer_name(&world.roster, server.peer_certificates().unwrap());
    assert_eq!(peer, Some(driver_name()));
}

#[test]
fn every_handshake_is_a_full_one() {
    let world = World::new();
    let (client, server) = (world.client("server1", "server0"), world.server("server0"));
    for _ in 0..3 {
        let (client, _) = handshake(client.clone(), server.clone()).unwrap();
        assert_eq!(client.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(client.tls13_tickets_received(), 0);
    }
}

#[test]
fn a_server_with_another_certificate_is_refused() {
    let world = World::new();
    let impostor = World::new();
    let failed = handshake(world.client("server1", "server0"), impostor.server("server0"));
    let refusal = failed.unwrap_err().by_client();
    let (expected, received) = (world.pin("server0"), impostor.pin("server0"));
    says(&refusal, &["server0", &expected, &received, "nobody's", "certificates/server0.pem"]);
}

#[test]
fn a_server_that_is_another_player_is_refused() {
    let world = World::new();
    let failed = handshake(world.client("server1", "server0"), world.server("server2"));
    let refusal = failed.unwrap_err().by_client();
    let (expected, received) = (world.pin("server0"), world.pin("server2"));
    let parts = ["server0 was expected", &expected, &received, "that of server2", "address"];
    says(&refusal, &parts);
}

#[test]
fn a_client_with_another_certificate_of_a_known_name_is_refused() {
    let world = World::new();
    let impostor = World::new();
    let client = impostor.client_that_accepts(&world, "server1", "server0");
    let refusal = handshake(client, world.server("server0")).unwrap_err().by_server();
    let (expected, received) = (world.pin("server1"), impostor.pin("server1"));
    says(&refusal, &["server1", &expected, &received, "certificates/server1.pem"]);
}

#[test]
fn an_unknown_client_is_refused() {
    let world = World::new();
    let stranger = Identity::generate(&name("stranger"), 1).unwrap();
    let theirs = roster_of(&[&stranger, world.identity("server0")], None);
    let client = Caller::new(&stranger, &theirs).unwrap().config(&name("server0")).unwrap();
    let refusal = handshake(client, world.server("server0")).unwrap_err().by_server();
    let received = stranger.fingerprint().to_string();
    says(&refusal, &["names stranger", &received, "config.json"]);
    assert!(!refusal.to_string().contains("server1"), "a stranger learns no other name");
}

#[test]
fn a_client_without_certificate_is_refused() {
    let world = World::new();
    let mut client = world.client("server1", "server0");
    client.client_auth_cert_resolver = std::sync::Arc::new(NoCertificate);
    let failed = handshake(client, world.server("server0")).unwrap_err();
    assert!(matches!(failed.server, Some(Error::NoCertificatesPresented)), "{failed:?}");
}

#[test]
fn a_stolen_certificate_without_its_key_is_refused() {
    // The certificate of server1 of this world, with the key of another: the pin fits and the
    // signature does not.
    let world = World::new();
    let mut client = world.client("server1", "server0");
    client.client_auth_cert_resolver = stolen(world.identity("server1"));
    let failed = handshake(client, world.server("server0")).unwrap_err();
    let error = failed.server.expect("the server refuses");
    assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");

    let mut server = world.server("server0");
    server.cert_resolver = stolen(world.identity("server0"));
    let failed = handshake(world.client("server1", "server0"), server).unwrap_err();
    let error = failed.client.expect("the client refuses");
    assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
}

#[test]
fn an_expired_certificate_is_refused_by_either_side() {
    let now = SystemTime::now();
    let world = World::with("server0", now - 3 * DAY, now - DAY);
    let (pin, until) = (world.pin("server0"), world.until("server0"));
    let parts = ["server0", &pin, "expired at", &until, "keygen server0 --force"];

    let failed = handshake(world.client("server1", "server0"), world.server("server0"));
    let refusal = failed.unwrap_err().by_client();
    says(&refusal, &parts);
    assert!(matches!(refusal, Refusal::Expired { .. }));

    let failed = handshake(world.client("server0", "server1"), world.server("server1"));
    let refusal = failed.unwrap_err().by_server();
    says(&refusal, &parts);
    assert!(matches!(refusal, Refusal::Expired { .. }));
}

#[test]
fn a_certificate_of_the_future_is_refused_by_either_side() {
    let now = SystemTime::now();
    let world = World::with("server0", now + DAY, now + 3 * DAY);
    let pin = world.pin("server0");
    let parts = ["server0", &pin, "valid only from", "clock"];

    let failed = handshake(world.client("server1", "server0"), world.server("server0"));
    says(&failed.unwrap_err().by_client(), &parts);
    let failed = handshake(world.client("server0", "server1"), world.server("server1"));
    says(&failed.unwrap_err().by_server(), &parts);
}

#[test]
fn another_application_protocol_is_refused() {
    let world = World::new();
    for other in [vec![], vec![b"sordino/0".to_vec()]] {
        let mut client = world.client("server1", "server0");
        client.alpn_protocols = other.clone();
        let result = handshake(client, world.server("server0"));
        // Over QUIC a client that offers none fails too (RFC 9001, 8.1); plain TLS lets it pass.
        assert_eq!(result.is_err(), !other.is_empty());
    }
}

#[test]
fn a_configuration_that_all_would_refuse_is_not_made() {
    let world = World::new();
    let mine = world.identity("server0");
    let error = Caller::new(mine, &world.roster).unwrap().config(&name("absent")).unwrap_err();
    assert!(error.to_string().contains("\"absent\": \"host:port\""), "{error}");

    let stranger = Identity::generate(&name("stranger"), 1).unwrap();
    for error in [
        server_config(&stranger, &world.roster).map(drop).unwrap_err(),
        Caller::new(&stranger, &world.roster).map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, TlsError::SelfNotInRoster { .. }), "{error}");
    }

    let renewed = Identity::generate(&name("server0"), 1).unwrap();
    let error = server_config(&renewed, &world.roster).unwrap_err().to_string();
    for part in [world.pin("server0"), renewed.fingerprint().to_string()] {
        assert!(error.contains(&part), "{error}");
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const NAMES: [&str; 4] = ["server0", "server1", "server2", "driver"];

/// Three players and a driver, each with its key.
struct World {
    identities: Vec<Identity>,
    roster: Roster,
}

impl World {
    fn new() -> Self {
        let now = SystemTime::now();
        Self::with("server0", now - DAY, now + DAY)
    }

    /// All are valid now, except `special`, which is valid in the given period.
    fn with(special: &str, from: SystemTime, until: SystemTime) -> Self {
        let identities: Vec<_> = NAMES
            .iter()
            .map(|each| match *each == special {
                true => Identity::generate_for_period(&name(each), from, until).unwrap(),
                false => Identity::generate(&name(each), 1).unwrap(),
            })
            .collect();
        let players: Vec<_> = identities[..3].iter().collect();
        let roster = roster_of(&players, Some(identities[3].fingerprint()));
        Self { identities, roster }
    }

    fn identity(&self, who: &str) -> &Identity {
        self.identities.iter().find(|identity| identity.name().as_str() == who).unwrap()
    }

    fn pin(&self, who: &str) -> String {
        self.identity(who).fingerprint().to_string()
    }

    fn until(&self, who: &str) -> String {
        self.identity(who).certificate().not_after().to_string()
    }

    fn client(&self, who: &str, expected: &str) -> ClientConfig {
        Caller::new(self.identity(who), &self.roster).unwrap().config(&name(expected)).unwrap()
    }

    fn server(&self, who: &str) -> ServerConfig {
        server_config(self.identity(who), &self.roster).unwrap()
    }

    /// A client of this world that takes the server of the other for the right one.
    fn client_that_accepts(&self, other: &Self, who: &str, expected: &str) -> ClientConfig {
        let theirs = roster_of(&[self.identity(who), other.identity(expected)], None);
        Caller::new(self.identity(who), &theirs).unwrap().config(&name(expected)).unwrap()
    }
}

fn roster_of(identities: &[&Identity], driver: Option<Fingerprint>) -> Roster {
    let player = |(index, it): (usize, &&Identity)| {
        let address = format!("127.0.0.1:{}", 4440 + index).parse().unwrap();
        Player::new(it.name().clone(), address, it.fingerprint())
    };
    Roster::new(identities.iter().enumerate().map(player).collect(), driver).unwrap()
}

fn stolen(from: &Identity) -> std::sync::Arc<rustls::sign::SingleCertAndKey> {
    let key = rcgen::KeyPair::generate().unwrap().serialize_der();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key).into();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let chain = vec![from.certificate().der().clone()];
    std::sync::Arc::new(rustls::sign::CertifiedKey::new(chain, key).into())
}

#[derive(Debug)]
struct NoCertificate;

impl rustls::client::ResolvesClientCert for NoCertificate {
    fn resolve(
        &self,
        _roots: &[&[u8]],
        _schemes: &[rustls::SignatureScheme],
    ) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

#[track_caller]
fn says(refusal: &Refusal, parts: &[&str]) {
    let text = refusal.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
}

/// What each side says of a handshake that failed.
#[derive(Debug)]
struct Failed {
    client: Option<Error>,
    server: Option<Error>,
}

impl Failed {
    /// The refusal, after checking that it was the client's and that the server was told.
    #[track_caller]
    fn by_client(self) -> Refusal {
        assert!(matches!(self.server, Some(Error::AlertReceived(_))), "{:?}", self.server);
        refusal(&self.client.expect("the client refuses"))
    }

    #[track_caller]
    fn by_server(self) -> Refusal {
        assert!(matches!(self.client, Some(Error::AlertReceived(_))), "{:?}", self.client);
        refusal(&self.server.expect("the server refuses"))
    }
}

#[track_caller]
fn refusal(error: &Error) -> Refusal {
    let refusal = Refusal::of(error).unwrap_or_else(|| panic!("no refusal: {error:?}")).clone();
    assert_eq!(refusal_text(&error.to_string()), Some(refusal.to_string()));
    refusal
}

/// Hands bytes to and fro until nothing more is to be said.
fn handshake(
    client: ClientConfig,
    server: ServerConfig,
) -> Result<(ClientConnection, ServerConnection), Box<Failed>> {
    let server_name = ServerName::try_from(SERVER_NAME).unwrap();
    let mut client = ClientConnection::new(client.into(), server_name).unwrap();
    let mut server = ServerConnection::new(server.into()).unwrap();
    let mut failed = Failed { client: None, server: None };
    loop {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let to_server = wire.len();
        feed(&mut server, &wire, &mut failed.server);
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        feed(&mut client, &wire, &mut failed.client);
        if to_server + wire.len() == 0 {
            break;
        }
    }
    if failed.client.is_some() || failed.server.is_some() {
        return Err(Box::new(failed));
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

fn feed<C, D>(to: &mut C, mut wire: &[u8], failure: &mut Option<Error>)
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
{
    while !wire.is_empty() && failure.is_none() {
        to.read_tls(&mut wire).unwrap();
        *failure = to.process_new_packets().err();
    }
}
