//! Witnesses: others who sign that a log has only grown since they saw it last (C2SP
//! `tlog-cosignature` and `tlog-witness`).

mod cosignature;
mod decision;
mod policy;
mod request;

pub use self::{
    cosignature::{CosignatureError, Cosigned, WitnessKey, WitnessName, WitnessVerifier},
    decision::{CosignRefusal, decide_cosign},
    policy::{PolicyFault, PolicyWitness, WitnessPolicy, WitnessPolicyError},
    request::{AddCheckpoint, AddCheckpointError},
};
