//! Sessions: schedule, executor, wire format, transports, the player's server, the driver's side.
