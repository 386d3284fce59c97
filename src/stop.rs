//! When a player is told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};

/// Waits, each time it is called, until the process is asked to stop, or, if so wished, the first
/// time, until standard input ends. Within an event loop.
pub fn told(until_eof: bool) -> impl AsyncFnMut() {
    let listen = |kind| signal(kind).ok();
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt()].map(listen);
    let mut input = until_eof.then(end_of_input);
    async move || {
        let [terminate, interrupt] = &mut signals;
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
            () = ended(&mut input) => {}
        }
        // Input that ends after a signal does not say it again: whoever sent that may just wait.
        input = None;
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

async fn ended(input: &mut Option<Receiver<()>>) {
    let end = match input {
        Some(input) => input.recv().await,
        None => None,
    };
    if end.is_none() {
        std::future::pending().await
    }
}

fn end_of_input() -> Receiver<()> {
    let (ended, end) = channel(1);
    // A thread of its own: a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.blocking_send(());
    });
    end
}
