//! A relay that lies, and keeps a record of what it took.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use failpoint::reach;
use futures_util::future::BoxFuture;
use notice::{
    About, Address, Composed, DeliveryOutcome, EnhancedStatus, Failure, Greeting, Phase, Transport,
};

use crate::{
    dice::Dice,
    faults::{Fault, Faults},
};

/// What the relay does in thousandths of the mails, each if its fault is in the run.
const PUT_OFF_PERMILLE: u64 = 120;
const BROKEN_PERMILLE: u64 = 80;
const LOST_PERMILLE: u64 = 150;
const REFUSES_US_PERMILLE: u64 = 150;

/// One relay for all hosts.
#[derive(Debug)]
pub(crate) struct Server(Mutex<Record>);

#[derive(Debug)]
struct Record {
    dice: Dice,
    faults: Faults,
    is_honest: bool,
    dead: BTreeSet<String>,
    begun: Vec<String>,
    taken: BTreeSet<String>,
    told_twice: Option<String>,
    refused: BTreeSet<String>,
}

/// What is to become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fortune {
    Taken,
    PutOff,
    Broken,
    RefusesAddress,
    RefusesUs,
    LostTaken,
    LostNotTaken,
}

impl Server {
    pub(crate) fn new(seed: u64, faults: Faults, dead: BTreeSet<String>) -> Self {
        Self(Mutex::new(Record {
            dice: Dice::new(seed),
            faults,
            is_honest: false,
            dead,
            begun: Vec::new(),
            taken: BTreeSet::new(),
            told_twice: None,
            refused: BTreeSet::new(),
        }))
    }

    /// From now on it takes every mail to an address that exists.
    pub(crate) fn be_honest(&self) {
        self.record().is_honest = true;
    }

    /// Mails begun so far.
    pub(crate) fn begun(&self) -> usize {
        self.record().begun.len()
    }

    /// The recipients of the mails that it took.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        self.record().taken.clone()
    }

    /// Somebody of whom it took two mails.
    pub(crate) fn told_twice(&self) -> Option<String> {
        self.record().told_twice.clone()
    }

    /// The recipients that it refused for good, as addresses.
    pub(crate) fn refused(&self) -> BTreeSet<String> {
        self.record().refused.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn fortune(&mut self, recipient: &str) -> Fortune {
        if self.dead.contains(recipient) && self.faults.has(Fault::Relay) {
            return Fortune::RefusesAddress;
        }
        if self.is_honest {
            return Fortune::Taken;
        }
        let may = |fault| self.faults.has(fault);
        let chances = [
            (may(Fault::Relay), PUT_OFF_PERMILLE, Fortune::PutOff),
            (may(Fault::Relay), BROKEN_PERMILLE, Fortune::Broken),
            (may(Fault::LostMail), LOST_PERMILLE, Fortune::LostTaken),
            (may(Fault::LostMail), LOST_PERMILLE, Fortune::LostNotTaken),
            (may(Fault::RelayRefusesUs), REFUSES_US_PERMILLE, Fortune::RefusesUs),
        ];
        let dice = &mut self.dice;
        let met = chances.into_iter().find(|(may, permille, _)| *may && dice.happens(*permille));
        met.map_or(Fortune::Taken, |(_, _, fortune)| fortune)
    }
}

/// A host's way to the relay.
#[derive(Debug)]
pub(crate) struct SimulatedRelay(pub(crate) Arc<Server>);

impl Transport for SimulatedRelay {
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        Box::pin(async move {
            let recipient = message.recipient().as_str().to_owned();
            reach("smtp_begin").await;
            let fortune = {
                let mut record = self.0.record();
                record.begun.push(recipient.clone());
                record.fortune(&recipient)
            };
            reach("smtp_data").await;
            match fortune {
                Fortune::PutOff => return refused(451, "4.7.1 greylisted", Phase::Recipient),
                Fortune::Broken => {
                    return DeliveryOutcome::FailedBeforeDot { reason: broken(Phase::Data) };
                }
                Fortune::RefusesAddress => {
                    self.0.record().refused.insert(recipient);
                    return refused(550, "5.1.1 no such user", Phase::Recipient);
                }
                Fortune::RefusesUs => return refused(554, "5.7.1 relay denied", Phase::Mail),
                Fortune::Taken | Fortune::LostTaken => {
                    let mut record = self.0.record();
                    if !record.taken.insert(recipient.clone()) {
                        record.told_twice = Some(recipient);
                    }
                }
                Fortune::LostNotTaken => {}
            }
            reach("smtp_dot").await;
            match fortune {
                Fortune::Taken => DeliveryOutcome::Accepted { reply: "2.0.0 queued".to_owned() },
                _ => DeliveryOutcome::LostAfterDot { reason: broken(Phase::EndOfData) },
            }
        })
    }

    fn greet<'a>(
        &'a self,
        _: &'a Address,
        _: &'a Address,
    ) -> BoxFuture<'a, Result<Option<Greeting>, Failure>> {
        Box::pin(async { Ok(None) })
    }

    fn takes_international(&self) -> BoxFuture<'_, Option<bool>> {
        Box::pin(async { Some(true) })
    }
}

fn refused(code: u16, reply: &str, phase: Phase) -> DeliveryOutcome {
    let about = About::reply(phase, code, EnhancedStatus::of(code, reply), reply);
    let (permanent, reply) = (code >= 500, reply.to_owned());
    DeliveryOutcome::Refused { code, reply, permanent, phase, about }
}

fn broken(phase: Phase) -> Failure {
    Failure::Broken { phase, reason: "connection reset".to_owned() }
}
