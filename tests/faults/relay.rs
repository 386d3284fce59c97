//! A network in user space: a UDP port for each pair of parties, by which all their packets pass and
//! where they are delayed, reordered, dropped, throttled and held up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};

/// What a queue in front of a slow link holds; what comes after is dropped.
const QUEUE: Duration = Duration::from_millis(250);

/// How a link treats packets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// Each packet takes so long.
    pub delay: Duration,
    /// And up to so much longer, which lets packets overtake each other.
    pub jitter: Duration,
    /// This part of all packets is dropped.
    pub loss: f64,
    /// Bytes a second; 0 for as many as come.
    pub rate: f64,
}

impl Weather {
    /// Nothing gets through.
    pub const CUT: Self =
        Self { delay: Duration::ZERO, jitter: Duration::ZERO, loss: 1.0, rate: 0.0 };
    /// A wide-area network: 40 ms there and back, 352 Mbit/s.
    pub const WIDE: Self =
        Self { delay: Duration::from_millis(20), jitter: Duration::ZERO, loss: 0.0, rate: 44e6 };
}

/// One direction of a link.
struct Lane {
    weather: Weather,
    /// When the last packet is through that a slow link is busy with.
    free: Instant,
    passed: u64,
    random: u64,
}

/// The packets from one party to another.
#[derive(Clone)]
pub struct Way(Arc<Mutex<Lane>>);

impl Way {
    fn new(seed: u64) -> Self {
        let weather = Weather::default();
        Self(Arc::new(Mutex::new(Lane { weather, free: Instant::now(), passed: 0, random: seed })))
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on packets are treated so.
    pub fn set(&self, weather: Weather) {
        self.lane().weather = weather;
    }

    /// Bytes that have passed.
    pub fn passed(&self) -> u64 {
        self.lane().passed
    }

    /// When a packet of so many bytes that comes now goes on; `None` if it does not.
    fn leaves(&self, bytes: usize) -> Option<Instant> {
        let mut lane = self.lane();
        let now = Instant::now();
        let Weather { delay, jitter, loss, rate } = lane.weather;
        if lane.chance() < loss {
            return None;
        }
        if rate > 0.0 {
            let start = lane.free.max(now);
            if start > now + QUEUE {
                return None;
            }
            lane.free = start + Duration::from_secs_f64(bytes as f64 / rate);
        } else {
            lane.free = now;
        }
        lane.passed += bytes as u64;
        Some(lane.free + delay + jitter.mul_f64(lane.chance()))
    }
}

impl Lane {
    /// A number from 0 up to 1.
    fn chance(&mut self) -> f64 {
        self.random = next(self.random);
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// SplitMix64, a step of it and its mixing in one: no quality is needed here beyond that it spreads.
pub fn next(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Packets of one party to another, and back.
struct Link {
    from: String,
    to: String,
    there: Way,
    back: Way,
}

/// See the [module](self).
pub struct Relay {
    handle: Handle,
    links: Vec<Link>,
    held: watch::Sender<bool>,
    /// Ends the relay's thread when it is dropped.
    _end: oneshot::Sender<()>,
}

impl Relay {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("an event loop");
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::spawn(move || drop(runtime.block_on(ended)));
        Self { handle, links: Vec::new(), held: watch::Sender::new(false), _end: end }
    }

    /// Opens the port by which `from`, who dials, reaches `to` at its own port.
    pub fn open(&mut self, from: &str, to: &str, port: u16) -> u16 {
        let seed = self.links.len() as u64 * 2;
        let (there, back) = (Way::new(seed), Way::new(seed + 1));
        let _within = self.handle.enter();
        let (near, far) = (Arc::new(socket()), Arc::new(socket()));
        let open = near.local_addr().expect("an address").port();
        // Where `from` was last heard from.
        let home = watch::Sender::new(None);
        let known = home.subscribe();
        let target = watch::Sender::new(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        let hold = || self.held.subscribe();
        self.handle.spawn(pass(
            Arc::clone(&near),
            Arc::clone(&far),
            there.clone(),
            target.subscribe(),
            Some(home),
            hold(),
        ));
        self.handle.spawn(pass(far, near, back.clone(), known, None, hold()));
        self.links.push(Link { from: from.to_owned(), to: to.to_owned(), there, back });
        open
    }

    /// The way from one party to another.
    pub fn way(&self, from: &str, to: &str) -> &Way {
        let found = self.links.iter().find_map(|link| match (&*link.from, &*link.to) {
            (a, b) if a == from && b == to => Some(&link.there),
            (a, b) if a == to && b == from => Some(&link.back),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no way from {from} to {to}"))
    }

    /// Sets the weather on all ways from and to a party, or on all there are.
    pub fn set(&self, party: Option<&str>, weather: Weather) {
        let of = |link: &&Link| party.is_none_or(|party| link.from == party || link.to == party);
        for link in self.links.iter().filter(of) {
            link.there.set(weather);
            link.back.set(weather);
        }
    }

    /// Waits until so many bytes have gone one way, and then holds all packets until
    /// [`release`](Self::release). False if `until` comes first.
    pub fn hold_after(&self, way: &Way, bytes: u64, until: std::time::Instant) -> bool {
        while way.passed() < bytes {
            if std::time::Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        self.held.send_replace(true);
        true
    }

    pub fn release(&self) {
        self.held.send_replace(false);
    }
}

fn socket() -> UdpSocket {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    socket.set_nonblocking(true).expect("a socket that does not block");
    UdpSocket::from_std(socket).expect("a socket of the event loop")
}

/// Passes packets on until the relay is dropped.
async fn pass(
    from: Arc<UdpSocket>,
    to: Arc<UdpSocket>,
    way: Way,
    target: watch::Receiver<Option<SocketAddr>>,
    home: Option<watch::Sender<Option<SocketAddr>>>,
    mut held: watch::Receiver<bool>,
) {
    let mut packet = vec![0; 65_536];
    loop {
        // Also the news that nobody listens at the other end comes as an error, and passes.
        let Ok((length, sender)) = from.recv_from(&mut packet).await else { continue };
        if let Some(home) = &home {
            home.send_replace(Some(sender));
        }
        if held.wait_for(|held| !held).await.is_err() {
            return;
        }
        let (Some(at), Some(target)) = (way.leaves(length), *target.borrow()) else { continue };
        if at <= Instant::now() {
            let _ = to.send_to(&packet[..length], target).await;
            continue;
        }
        let (to, packet) = (Arc::clone(&to), packet[..length].to_vec());
        tokio::spawn(async move {
            sleep_until(at).await;
            let _ = to.send_to(&packet, target).await;
        });
    }
}
