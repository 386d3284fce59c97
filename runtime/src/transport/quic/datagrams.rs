//! The socket as quinn sees it: packets as large as the network takes, in batches that the kernel
//! takes.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::config::MAX_PAYLOAD;

/// The most bytes that one call can send: the payload of an IPv4 packet, even of one that the
/// kernel cuts into packets of the network's size.
const MOST_BYTES: usize = 65_507;

/// The most bytes that one call can receive: packets that the kernel has joined.
const MOST_JOINED: usize = 65_535;

/// No network has smaller packets; smaller ones are acknowledgements and the ends of values.
const LEAST_PACKET: usize = 1200;

/// A UDP socket that never hands the kernel a batch of more than [`MOST_BYTES`].
///
/// Quinn makes batches of ten packets whatever their size. The kernel refuses those of large
/// packets, and quinn would take the loss for one of the network and fall back to small ones.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: Arc<dyn AsyncUdpSocket>,
    /// Bytes of the packets that were last sent.
    packet: AtomicUsize,
}

impl Datagrams {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>) -> Arc<Self> {
        Arc::new(Self { socket, packet: AtomicUsize::new(LEAST_PACKET) })
    }
}

impl AsyncUdpSocket for Datagrams {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let all = transmit.contents;
        let packet = transmit.segment_size.unwrap_or(all.len());
        if packet >= LEAST_PACKET {
            self.packet.store(packet, Ordering::Relaxed);
        }
        if all.len() <= MOST_BYTES {
            return self.socket.try_send(transmit);
        }
        // If the socket is full before the last part, quinn sends all of them again, and the peer
        // drops what it has.
        let mut parts = all.chunks(packets_of(packet) * packet);
        parts.try_for_each(|contents| self.socket.try_send(&Transmit { contents, ..*transmit }))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(cx, bufs, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }

    /// As many as fit if they are like the last ones. Quinn fills them all before it sends the
    /// first, which should still be in the cache then.
    fn max_transmit_segments(&self) -> usize {
        let fit = packets_of(self.packet.load(Ordering::Relaxed));
        fit.min(self.socket.max_transmit_segments())
    }

    /// Quinn makes room for so many packets of the greatest size, 32 times.
    fn max_receive_segments(&self) -> usize {
        let fit = MOST_JOINED.div_ceil(usize::from(MAX_PAYLOAD));
        fit.min(self.socket.max_receive_segments())
    }
}

/// How many packets of so many bytes one call can send.
fn packets_of(bytes: usize) -> usize {
    (MOST_BYTES / bytes).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Keeps the lengths of what it is to send.
    #[derive(Debug, Default)]
    struct Sent(Mutex<Vec<usize>>);

    impl AsyncUdpSocket for Sent {
        fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
            unreachable!("nothing waits")
        }
        fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
            self.0.lock().unwrap().push(transmit.contents.len());
            Ok(())
        }
        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            _: &mut [IoSliceMut<'_>],
            _: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::from(([127, 0, 0, 1], 1)))
        }
        fn max_transmit_segments(&self) -> usize {
            64
        }
        fn max_receive_segments(&self) -> usize {
            64
        }
    }

    #[test]
    fn batches_are_cut_into_what_the_kernel_takes() {
        let sent = Arc::new(Sent::default());
        let socket = Datagrams::new(sent.clone());
        assert_eq!(socket.max_transmit_segments(), 54, "packets are small at first");
        let send = |packet: usize, bytes: usize| {
            let destination = SocketAddr::from(([127, 0, 0, 1], 2));
            let contents = &vec![0; bytes];
            let segment_size = (bytes > packet).then_some(packet);
            let transmit =
                Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
            socket.try_send(&transmit).unwrap();
            std::mem::take(&mut *sent.0.lock().unwrap())
        };
        assert_eq!(send(1472, 14_000), [14_000]);
        assert_eq!(send(16_000, 70_000), [64_000, 6_000]);
        assert_eq!(send(65_488, 130_000), [65_488, 64_512]);
        assert_eq!(socket.max_transmit_segments(), 1);
        assert_eq!(send(40, 40), [40]);
        assert_eq!(socket.max_transmit_segments(), 1, "an acknowledgement tells nothing");
        assert_eq!(socket.max_receive_segments(), 2);
    }
}
