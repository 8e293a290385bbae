//! A witness of other hosts' logs: it signs a checkpoint only if the log has grown from what it saw
//! last, and remembers that durably before it answers. So a store that was put back cannot go on
//! unseen. It stands on a host of its own: beside what it watches it would be put back as well.

mod desk;
mod key_file;
mod routes;
mod seen;

pub use desk::{Cosign, CosignError, WitnessDesk};
pub use key_file::{WitnessKeyError, make_key, read_key};
pub use routes::witness_routes;
pub use seen::SeenError;
