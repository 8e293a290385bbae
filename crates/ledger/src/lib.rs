//! Merkle logs, checkpoints, proofs.
