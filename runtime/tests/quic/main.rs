//! Frames over QUIC on this machine.

mod connecting;
mod crowds;
mod ends;
mod exchange;
mod floods;
mod garbage;
mod hostile;
mod stage;
mod strangers;
mod world;
