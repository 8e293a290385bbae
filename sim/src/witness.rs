//! A witness on another host: it remembers how far it has seen the log, falls silent, and loses
//! answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use failpoint::reach;
use futures_util::future::BoxFuture;
use instance::{WitnessAnswer, WitnessAway, WitnessLine};
use ledger::{
    AddCheckpoint, CheckpointVerifier, CosignRefusal, Hash, WitnessKey, WitnessPolicy,
    decide_cosign,
};

use crate::{
    SimResult,
    dice::Dice,
    faults::{Fault, Faults},
};

/// What it does in thousandths of the requests, if the fault is in the run.
const SILENT_PERMILLE: u64 = 15;
const LOST_PERMILLE: u64 = 20;

/// How many requests it leaves unanswered once it has fallen silent.
const SILENT_REQUESTS_MAX: u64 = 12;

/// One witness for all hosts.
#[derive(Debug)]
pub(crate) struct SimulatedWitness {
    key: WitnessKey,
    log: CheckpointVerifier,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    dice: Dice,
    is_faulty: bool,
    silent_requests: u64,
    seen: Option<(u64, Hash)>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Silent,
    /// The witness has signed, and nobody hears of it.
    Lost,
}

impl SimulatedWitness {
    pub(crate) fn new(log: CheckpointVerifier, seed: u64, faults: &Faults) -> SimResult<Self> {
        let key = WitnessKey::new(&"witness.example/w1".parse()?, &[1; 32]);
        let is_faulty = faults.has(Fault::Witness);
        let memory = Memory { dice: Dice::new(seed), is_faulty, silent_requests: 0, seen: None };
        Ok(Self { key, log, memory: Mutex::new(memory) })
    }

    /// The policy that asks it alone.
    pub(crate) fn policy(&self) -> SimResult<WitnessPolicy> {
        let verifier = self.key.verifier();
        Ok(format!("witness w1 {verifier} http://witness.example\nquorum w1\n").parse()?)
    }

    /// From now on it answers whoever asks.
    pub(crate) fn be_honest(&self) {
        let mut memory = self.memory();
        (memory.is_faulty, memory.silent_requests) = (false, 0);
    }

    /// Another one takes its place, which has seen nothing yet.
    pub(crate) fn forget(&self) {
        self.memory().seen = None;
    }

    fn answer(&self, body: &str) -> SimResult<WitnessAnswer> {
        let answer = |status, body| Ok(WitnessAnswer { status, body });
        let (request, mut memory) = (AddCheckpoint::parse(body)?, self.memory());
        let checkpoint = self.log.read(&request.note)?;
        match decide_cosign(memory.seen, &request, &checkpoint) {
            Ok(()) => {
                memory.seen = Some((checkpoint.size, checkpoint.root));
                answer(200, self.key.cosign(&request.note, 0)?)
            }
            Err(CosignRefusal::OtherSize { seen }) => answer(409, format!("{seen}\n")),
            Err(CosignRefusal::NotGrown { .. }) => answer(422, String::new()),
            Err(refused) => answer(400, refused.to_string()),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn fate(&mut self) -> Fate {
        if self.silent_requests > 0 {
            self.silent_requests -= 1;
            return Fate::Silent;
        }
        if self.is_faulty && self.dice.happens(SILENT_PERMILLE) {
            self.silent_requests = self.dice.below(SILENT_REQUESTS_MAX);
            return Fate::Silent;
        }
        let is_lost = self.is_faulty && self.dice.happens(LOST_PERMILLE);
        if is_lost { Fate::Lost } else { Fate::Answered }
    }
}

/// A host's way to the witness.
#[derive(Debug)]
pub(crate) struct SimulatedLine(pub(crate) Arc<SimulatedWitness>);

impl WitnessLine for SimulatedLine {
    fn ask<'a>(
        &'a self,
        _: &'a str,
        body: String,
    ) -> BoxFuture<'a, Result<WitnessAnswer, WitnessAway>> {
        Box::pin(async move {
            reach("witness_asked").await;
            let fate = self.0.memory().fate();
            let away = |reason: String| WitnessAway { reason };
            if fate == Fate::Silent {
                return Err(away("nobody answers".to_owned()));
            }
            let answer = self.0.answer(&body).map_err(|error| away(error.to_string()))?;
            reach("witness_answered").await;
            if fate == Fate::Lost { Err(away("connection reset".to_owned())) } else { Ok(answer) }
        })
    }
}
