//! What QUIC costs on this machine, between two runtimes of a thread each in one process:
//! `cargo bench -p sordino-runtime --bench quic`. The settings that these figures chose are in
//! `src/transport/quic/config.rs`.
#![allow(clippy::print_stdout, reason = "the figures are its purpose")]

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use sordino_graph::Shape;
use sordino_ops::Tensor;
use sordino_players::{Identity, Player, PlayerName, Roster};
use sordino_runtime::message::{Control, DataHeader, Frame, SessionId};
use sordino_runtime::transport::quic::QuicNetwork;
use sordino_runtime::transport::{Inbox, Network, Refused};

/// Ring elements of the first layer sizes that matter here: 118,282 of 8 bytes.
const VECTOR: usize = 946_256;

fn main() {
    let identities = ["alice", "bob"].map(|each| Identity::generate(&name(each), 1).unwrap());
    handshakes(&identities);

    let pair = Pair::new(&identities);
    println!("first values of 946 KB, each with its acknowledgement:");
    let first: Vec<_> = (0..5).map(|_| format!("{:.2}", ms(pair.round(VECTOR)))).collect();
    println!("    {} ms", first.join(", "));
    // Until the packet size is found.
    for _ in 0..200 {
        pair.round(VECTOR);
    }
    for (bytes, rounds) in [(64, 20_000), (4096, 10_000), (65_536, 4000), (VECTOR, 2000)] {
        let mut times: Vec<_> = (0..rounds).map(|_| pair.round(bytes)).collect();
        times.sort_unstable();
        let at = |part: f64| ms(times[((rounds - 1) as f64 * part) as usize]);
        println!(
            "value of {bytes:>6} bytes and its acknowledgement: median {:.3} ms, 10 % {:.3}, \
             99 % {:.3}, most {:.3}",
            at(0.5),
            at(0.1),
            at(0.99),
            at(1.0)
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
    let (_, sent, _) = pair.network.wire_bytes()[0];
    println!("on the wire: {:.2} GB sent", sent as f64 / 1e9);
}

/// From two sockets that are not there to the answer to a first small value.
fn handshakes(identities: &[Identity; 2]) {
    let (mut connects, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let pair = Pair::new(identities);
        connects.push(pair.connected);
        firsts.push(pair.connected + pair.round(64));
    }
    connects.sort_unstable();
    firsts.sort_unstable();
    let (connect, first) = (ms(connects[15]), ms(firsts[15]));
    println!("bind and connect: {connect:.2} ms; with a first round of 64 bytes {first:.2} ms");
}

/// Bob answers each value with a control message; alice is driven from here.
struct Pair {
    network: Arc<QuicNetwork>,
    answers: Receiver<()>,
    connected: Duration,
    stop: Vec<tokio::sync::oneshot::Sender<()>>,
    threads: Vec<thread::JoinHandle<()>>,
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

        let (answer, answers) = channel();
        let (mut stop, mut networks) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        let mut threads = Vec::new();
        for (identity, address) in identities.iter().zip(addresses).rev() {
            let network = Arc::new(OnceLock::new());
            let inbox =
                Arc::new(Answering { network: Arc::clone(&network), answer: answer.clone() });
            let (stopper, stopped) = tokio::sync::oneshot::channel();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let bound = QuicNetwork::bind(identity, Arc::clone(&roster), Some(address), inbox);
            let bound = runtime.block_on(bound).unwrap();
            let _ = network.set(Arc::downgrade(&bound));
            networks.push((Arc::clone(&bound), runtime.handle().clone()));
            stop.push(stopper);
            threads.push(thread::spawn(move || {
                runtime.block_on(async {
                    let _ = stopped.await;
                    bound.close("the benchmark is over").await;
                });
            }));
        }
        let (network, runtime) = networks.pop().unwrap();
        let (done, connected) = channel();
        let dialling = Arc::clone(&network);
        runtime.spawn(async move {
            dialling.connect(&name("bob"), Duration::from_secs(5)).await.unwrap();
            done.send(()).unwrap();
        });
        connected.recv().unwrap();
        Self { network, answers, connected: begun.elapsed(), stop, threads }
    }

    fn send(&self, value: Tensor) {
        let header = DataHeader { session: SessionId([0; 16]), plan: 0, step: 0, edge: 0 };
        self.network.send(&name("bob"), Frame::Data(header, value));
    }

    fn round(&self, bytes: usize) -> Duration {
        let value = zeros(bytes);
        let begun = Instant::now();
        self.send(value);
        self.answers.recv().unwrap();
        begun.elapsed()
    }

    /// Keeps eight values on the way.
    fn stream(&self, bytes: usize, count: usize) {
        for index in 0..count + 8 {
            if index < count {
                self.send(zeros(bytes));
            }
            if index >= 8 {
                self.answers.recv().unwrap();
            }
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.stop.drain(..).for_each(|stop| stop.send(()).unwrap());
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

struct Answering {
    network: Arc<OnceLock<std::sync::Weak<QuicNetwork>>>,
    answer: Sender<()>,
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
    ) -> Result<Tensor, Refused> {
        Ok(zeros(usize::try_from(length).unwrap()))
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
