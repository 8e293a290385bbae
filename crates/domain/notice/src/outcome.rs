use std::time::Duration;

use crate::{
    About, Address, Phase, Reply,
    redact::{redacted, without_addresses},
};

/// What became of one attempt to deliver one message: as much as can be known, and no more. No text
/// in it holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The other side has taken it over.
    Accepted {
        /// What it said, with the id that its log has, usually.
        reply: String,
    },
    /// The other side has said no. It has not taken the message.
    Refused {
        /// The three digits.
        code: u16,
        /// What it said.
        reply: String,
        /// Whether it says that another attempt is of no use (5xx).
        permanent: bool,
        /// To which command.
        phase: Phase,
        /// What it is about.
        about: About,
    },
    /// The message was never complete on the other side: it cannot have been taken.
    FailedBeforeDot {
        /// What went wrong.
        reason: Failure,
    },
    /// The end of the message may have arrived, its reply did not. Nobody here can tell.
    LostAfterDot {
        /// What went wrong.
        reason: Failure,
    },
}

impl DeliveryOutcome {
    /// A reply of 4xx or 5xx to a message for this recipient.
    pub(crate) fn refused(phase: Phase, reply: &Reply, recipient: &Address) -> Self {
        let (code, text) = (reply.code(), reply.text());
        let about = About::reply(phase, code, reply.status(), &without_addresses(&text));
        let (permanent, reply) = (reply.is_permanent(), redacted(&text, recipient));
        Self::Refused { code, reply, permanent, phase, about }
    }
}

/// Why there is no answer. No text in it holds a password or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The connection could not be made, or broke.
    #[error("{phase}: {reason}")]
    Broken {
        /// How far we were.
        phase: Phase,
        /// As the system puts it.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("{phase}: no answer within {limit:?}")]
    Silence {
        /// How far we were.
        phase: Phase,
        /// How long we waited.
        limit: Duration,
    },
    /// Not SMTP, or out of step with us.
    #[error("{phase}: the relay does not speak SMTP as it should: {reason}")]
    Garbled {
        /// How far we were.
        phase: Phase,
        /// What was wrong with its reply.
        reason: String,
    },
    /// It said no before it heard of the message.
    #[error("{phase}: the relay refused with {code} {reply}")]
    TurnedAway {
        /// How far we were.
        phase: Phase,
        /// The three digits.
        code: u16,
        /// What it said; for AUTH its status alone, since a relay may repeat what it was sent.
        reply: String,
    },
    /// It lacks what this message or our settings need.
    #[error("{phase}: the relay does not offer {what}")]
    NotOffered {
        /// How far we were.
        phase: Phase,
        /// The keyword.
        what: &'static str,
    },
    /// We may mail to this host only, and this is another.
    #[error("{phase}: the relay is not on this host")]
    NotLoopback {
        /// How far we were.
        phase: Phase,
    },
}

impl Failure {
    /// Without any address in what the relay said.
    pub(crate) fn without_addresses(self, recipient: &Address) -> Self {
        match self {
            Self::Garbled { phase, reason } => {
                Self::Garbled { phase, reason: redacted(&reason, recipient) }
            }
            Self::TurnedAway { phase, code, reply } => {
                Self::TurnedAway { phase, code, reply: redacted(&reply, recipient) }
            }
            other => other,
        }
    }

    /// How far the delivery had come.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Broken { phase, .. }
            | Self::Silence { phase, .. }
            | Self::Garbled { phase, .. }
            | Self::TurnedAway { phase, .. }
            | Self::NotOffered { phase, .. }
            | Self::NotLoopback { phase } => *phase,
        }
    }

    /// The reply's three digits, if it was a reply.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::TurnedAway { code, .. } => Some(*code),
            _ => None,
        }
    }
}
