//! Frames over QUIC on this machine.

mod connecting;
mod ends;
mod exchange;
mod garbage;
mod strangers;
mod world;
