//! What QUIC costs on this machine, between two runtimes of a thread each in one process:
//! `cargo bench -p sordino-runtime --bench quic`. The settings that these figures chose are in
//! `src/transport/quic/config.rs`.
#![allow(clippy::print_stdout, reason = "the figures are its purpose")]

use std::net::UdpSocket;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use sordino_graph::{Element, Shape, Type};
use sordino_ops::Tensor;
use sordino_players::{Identity, Player, PlayerName, Roster};
use sordino_runtime::message::{Control, DataHeader, Frame, SessionId};
use sordino_runtime::transport::quic::QuicNetwork;
use sordino_runtime::transport::{Inbox, Network, Refused};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// What the programs use: fresh pages for each value would cost a fifth more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Ring elements of the first layer sizes that matter here: 118,282 of 8 bytes.
const VECTOR: usize = 946_256;

fn main() {
    let identities = ["alice", "bob"].map(|each| Identity::generate(&name(each), 1).unwrap());
    handshakes(&identities);

    let mut pair = Pair::new(&identities);
    let first = pair.rounds(VECTOR, 8);
    println!("first values of 946 KB, each with its acknowledgement:");
    println!("    {:.2?} ms", first.into_iter().map(ms).collect::<Vec<_>>());
    // Until the packet size is found.
    pair.rounds(VECTOR, 200);
    for (bytes, count) in [(64, 20_000), (4096, 10_000), (65_536, 4000), (VECTOR, 2000)] {
        let mut times = pair.rounds(bytes, count);
        times.sort_unstable();
        let at = |percent: usize| ms(times[(count - 1) * percent / 100]);
        println!(
            "value of {bytes:>6} bytes and its acknowledgement, ms: median {:.3}, 10 % {:.3}, \
             99 % {:.3}, most {:.3}",
            at(50),
            at(10),
            at(99),
            at(100)
        );
    }
    for (bytes, count) in [(VECTOR, 4000), (32 << 20, 100)] {
        let (cpu, begun) = (cpu_seconds(), Instant::now());
        pair.stream(bytes, count);
        let (cpu, took) = (cpu_seconds() - cpu, begun.elapsed().as_secs_f64());
        let gigabytes = (bytes * count) as f64 / 1e9;
        println!(
            "{gigabytes:.1} GB in values of {bytes} bytes: {:.2} GB/s, {:.2} CPU-s a GB, both ends",
            gigabytes / took,
            cpu / gigabytes
        );
    }
}

/// From no socket on this side to a connection, and to the answer to a first small value.
fn handshakes(identities: &[Identity; 2]) {
    let (mut connects, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let mut pair = Pair::new(identities);
        connects.push(pair.connected);
        firsts.push(pair.connected + pair.rounds(64, 1)[0]);
    }
    connects.sort_unstable();
    firsts.sort_unstable();
    let (connect, first) = (ms(connects[15]), ms(firsts[15]));
    println!("bind and connect: {connect:.2} ms; with a first round of 64 bytes {first:.2} ms");
}

/// Bob, on a thread of his own, answers each value with a control message. Alice runs here.
struct Pair {
    alice: Arc<QuicNetwork>,
    runtime: Runtime,
    answers: UnboundedReceiver<()>,
    connected: Duration,
    stop: Option<oneshot::Sender<()>>,
    bob: Option<thread::JoinHandle<()>>,
}

impl Pair {
    fn new(identities: &[Identity; 2]) -> Self {
        let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
        drop(sockets);
        let players = identities.iter().zip(addresses).map(|(identity, address)| {
            let address = address.to_string().parse().unwrap();
            Player::new(identity.name().clone(), address, identity.fingerprint())
        });
        let roster = Arc::new(Roster::new(players.collect(), None).unwrap());
        let (answer, answers) = unbounded_channel();
        let bind = |index: usize| {
            let network = Arc::new(OnceLock::new());
            let inbox = Answering { network: Arc::clone(&network), answer: answer.clone() };
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (listen, roster) = (Some(addresses[index]), Arc::clone(&roster));
            let bound = QuicNetwork::bind(&identities[index], roster, listen, Arc::new(inbox));
            let bound = runtime.block_on(bound).unwrap();
            network.set(Arc::downgrade(&bound)).unwrap();
            (runtime, bound)
        };

        let (theirs, bob) = bind(1);
        let (stop, stopped) = oneshot::channel();
        let bob = thread::spawn(move || {
            theirs.block_on(async {
                let _ = stopped.await;
                bob.close("the benchmark is over").await;
            });
        });
        let begun = Instant::now();
        let (runtime, alice) = bind(0);
        runtime.block_on(alice.connect(&name("bob"), Duration::from_secs(5))).unwrap();
        let connected = begun.elapsed();
        let (stop, bob) = (Some(stop), Some(bob));
        Self { alice, runtime, answers, connected, stop, bob }
    }

    /// The time of each of so many rounds.
    fn rounds(&mut self, bytes: usize, count: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        self.runtime.block_on(async {
            let value = zeros(bytes);
            for _ in 0..count {
                let begun = Instant::now();
                send(&self.alice, value.clone());
                self.answers.recv().await.unwrap();
                times.push(begun.elapsed());
            }
        });
        times
    }

    /// Keeps eight values on the way.
    fn stream(&mut self, bytes: usize, count: usize) {
        self.runtime.block_on(async {
            let value = zeros(bytes);
            for index in 0..count + 8 {
                if index < count {
                    send(&self.alice, value.clone());
                }
                if index >= 8 {
                    self.answers.recv().await.unwrap();
                }
            }
        });
    }
}

fn send(network: &QuicNetwork, value: Tensor) {
    let header = DataHeader { session: SessionId([0; 16]), plan: 0, step: 0, edge: 0 };
    network.send(&name("bob"), Frame::Data(header, value));
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.bob.take().unwrap().join().unwrap();
    }
}

struct Answering {
    network: Arc<OnceLock<std::sync::Weak<QuicNetwork>>>,
    answer: UnboundedSender<()>,
}

impl Inbox for Answering {
    fn on_control(&self, _from: &PlayerName, _message: Control) {
        let _ = self.answer.send(());
    }

    fn on_announce(
        &self,
        _from: &PlayerName,
        _header: &DataHeader,
        length: u64,
    ) -> Result<Type, Refused> {
        let elements = usize::try_from(length / 4).unwrap();
        Ok(Type::plain(Element::F32, Shape::new(&[elements]).unwrap()))
    }

    fn on_data(&self, from: &PlayerName, header: DataHeader, value: Tensor) {
        drop(value);
        let network = self.network.get().and_then(std::sync::Weak::upgrade).unwrap();
        let (session, plan, done) = (header.session, header.plan, 1);
        network.send(from, Frame::Control(Control::Credit { session, plan, done }));
    }

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        println!("lost {peer}: {reason}");
    }
}

fn zeros(bytes: usize) -> Tensor {
    let elements = bytes / 4;
    Tensor::f32(&Shape::new(&[elements]).unwrap(), vec![0.0; elements])
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Of all threads of the process, user and system.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}
