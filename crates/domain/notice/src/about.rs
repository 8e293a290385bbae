use crate::{EnhancedStatus, Phase};

model::text_enum! {
    /// What a relay's no is about.
    pub enum About {
        /// The address: there is no such mailbox, or it takes no mail. Said for good, it is final.
        Address = "address",
        /// This attempt: greylisting, or something that may pass. It says nothing of others.
        Attempt = "attempt",
        /// The relay, the network, or us: nobody else will be told either until it is put right.
        Us = "us",
    }
}

impl About {
    /// Reads a reply of 4xx or 5xx. Only what is surely about the address is called so: whoever is
    /// sealed and not told for a fault of ours is told once it is put right.
    #[must_use]
    pub fn reply(phase: Phase, code: u16, status: Option<EnhancedStatus>, text: &str) -> Self {
        // Says that a command was not understood, or that we may not talk, whatever follows.
        if !phase.has_recipient() || matches!(code, 421 | 500..=504 | 521 | 530..=538) {
            return Self::Us;
        }
        let words = text.to_lowercase();
        let is_for_good = code >= 500;
        match status.map(|status| (status.subject(), status.detail())) {
            _ if is_for_good && has_any(&words, &OF_SENDING) => Self::Us,
            Some((1, detail)) => of_address_status(detail, is_for_good, &words),
            // Our mail is too long for it.
            Some((2, 3)) => Self::Us,
            Some((2, _)) => Self::Address,
            Some((7, _)) if !is_for_good => Self::Attempt,
            Some((3..=7, _)) => Self::Us,
            _ if is_for_good => of_permanent_words(phase, code, &words),
            _ => of_temporary_words(code, &words),
        }
    }
}

/// 1.7 and 1.8 are about the sender's address. Some relays say 1.0, or a recipient's detail, of
/// the sender too.
fn of_address_status(detail: u16, is_for_good: bool, words: &str) -> About {
    if matches!(detail, 7 | 8) || has_any(words, &OF_SENDER) {
        return About::Us;
    }
    // A relay that asks the recipient's server first says so while it cannot reach that server.
    if is_for_good { About::Address } else { About::Attempt }
}

fn of_permanent_words(phase: Phase, code: u16, words: &str) -> About {
    let is_plain = matches!(code, 550 | 551 | 553 | 556) && phase == Phase::Recipient;
    let is_of_address = has_any(words, &OF_MAILBOX) || is_plain && !has_any(words, &OF_US);
    if is_of_address { About::Address } else { About::Us }
}

fn of_temporary_words(code: u16, words: &str) -> About {
    if has_any(words, &OF_FULL_MAILBOX) {
        return About::Address;
    }
    if code == 450 || has_any(words, &OF_GREYLIST) { About::Attempt } else { About::Us }
}

fn has_any(words: &str, of: &[&str]) -> bool {
    of.iter().any(|word| words.contains(word))
}

const OF_FULL_MAILBOX: [&str; 4] = ["mailbox full", "mailbox is full", "quota", "inbox is full"];

const OF_GREYLIST: [&str; 2] = ["greylist", "graylist"];

/// What stands in a refusal that no code explains.
const OF_MAILBOX: [&str; 13] = [
    "mailbox name",
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "unknown recipient",
    "recipient unknown",
    "does not exist",
    "mailbox full",
    "mailbox is full",
    "over quota",
    "mailbox disabled",
];

/// Who sends, or from where: whatever else is said, it is not the recipient's fault.
const OF_SENDING: [&str; 22] = [
    "sender",
    "sending",
    "to send",
    "from address",
    "your account",
    "your domain",
    "this host",
    "this account",
    "connections from",
    "mail from you",
    "this server does not",
    "smtp service",
    "quota exceeded for",
    "licen",
    "forward-path",
    "we are closed",
    "rcpthosts",
    "prohibit",
    "system is not",
    "service not available",
    "service unavailable",
    "try another",
];

const OF_SENDER: [&str; 5] =
    ["sender address", "sender rejected", "sender denied", "sender verify", "sender domain"];

const OF_US: [&str; 34] = [
    "relay",
    "authenticat",
    "not permitted",
    "not allowed",
    "not authorized",
    "not authorised",
    "unauthorized",
    "access denied",
    "policy",
    "blocked",
    "block list",
    "blocklist",
    "black list",
    "blacklist",
    "listed",
    "spam",
    "reputation",
    "rbl",
    "client host",
    "your ip",
    "ip address",
    "helo",
    "ehlo",
    "hostname",
    "reverse dns",
    "rdns",
    "ptr record",
    "spf",
    "dkim",
    "dmarc",
    "tls",
    "rate limit",
    "too many",
    "banned",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phase: Phase, reply: &str, expected: About) {
        let (code, text) = reply.split_once(' ').unwrap();
        let code = code.parse().unwrap();
        let found = About::reply(phase, code, EnhancedStatus::of(code, text), text);
        assert_eq!(found, expected, "{phase}: {reply}");
    }

    #[test]
    fn what_is_said_of_a_mailbox_is_about_the_address() {
        for reply in [
            "550 5.1.1 <address>: Recipient address rejected: User unknown",
            "550 5.1.1 The email account that you tried to reach does not exist",
            "550 5.1.0 Address rejected",
            "550 5.1.2 Bad destination system address",
            "550 5.1.3 Bad syntax",
            "551 5.1.6 has moved",
            "556 5.1.10 takes no mail",
            "550 5.2.1 mailbox disabled",
            "552 5.2.2 mailbox full",
            "452 4.2.2 The email account is over quota",
            "450 4.2.1 receives mail at too high a rate",
            "550 Requested action not taken: mailbox unavailable",
            "550 nobody here",
            "551 User not local",
            "553 Requested action not taken: mailbox name not allowed",
            "554 delivery error: no such user",
            "552 over quota",
            "452 mailbox full",
            "556 Domain does not accept mail",
        ] {
            check(Phase::Recipient, reply, About::Address);
        }
        check(Phase::EndOfData, "552 5.2.2 mailbox full", About::Address);
        check(Phase::Data, "550 5.1.1 no such user", About::Address);
    }

    #[test]
    fn what_is_said_of_us_is_never_about_the_address() {
        for reply in [
            "421 4.3.2 closing",
            "421 4.7.0 too many connections",
            "451 4.3.0 Temporary lookup failure",
            "451 4.3.5 Server configuration error",
            "451 4.4.3 no answer from the name server",
            "451 Temporary local problem - please try later",
            "452 4.3.1 Insufficient system storage",
            "452 4.5.3 too many recipients",
            "452 insufficient system storage",
            "500 5.5.1 what?",
            "501 5.5.4 syntax",
            "503 5.5.1 nested MAIL",
            "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
            "521 takes no mail",
            "530 5.7.0 Authentication required",
            "530 5.1.1 whatever else it says",
            "534 5.7.9 mechanism too weak",
            "535 5.7.8 no",
            "538 5.7.11 encryption required",
            "550 5.7.1 Sender address rejected: not owned by user",
            "550 5.1.8 Sender address rejected: Domain not found",
            "450 4.1.8 Sender address rejected: Domain not found",
            "553 5.1.7 bad sender",
            "550 5.1.0 Sender address rejected: User unknown in virtual mailbox table",
            "550 5.3.0 system",
            "550 5.4.1 Recipient address rejected: Access denied",
            "552 5.3.4 too big",
            "554 5.6.7 not ASCII",
            "554 5.7.1 <address>: Relay access denied",
            "550 relay not permitted",
            "550 relaying denied",
            "553 sorry, that domain isn't in my list of allowed rcpthosts; relaying denied",
            "554 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "550 Your message was rejected for its reputation",
            "550 SPF check failed",
            "550 authentication required",
            "550 the sender domain does not exist",
            "554 transaction failed",
        ] {
            check(Phase::Recipient, reply, About::Us);
        }
        for phase in [Phase::Greeting, Phase::Hello, Phase::Tls, Phase::Authenticate, Phase::Mail] {
            check(phase, "550 5.1.1 user unknown", About::Us);
        }
        for reply in [
            "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            "550 Administrative prohibition",
            "550 Daily sending quota exceeded",
            "550 Quota exceeded for sender",
            "550 5.2.2 The email account that you tried to use to send is over quota",
            "550 5.2.0 sender mailbox over quota, cannot send",
            "550 Your account has been suspended",
            "550 Account disabled for sending",
            "550 SMTP service disabled for this account",
            "553 From address not verified",
            "550 5.1.1 Sender unknown",
            "550 invalid sender mailbox",
            "550 User unknown in sender table",
            "550 No such local user: security@lantern.example (sender)",
            "550 This server does not accept mail from you",
            "550 Connections from this host are not accepted",
            "550 5.0.0 We are closed",
            "551 User not local; please try <forward-path>",
            "550 License limit reached: mailbox licences",
            "552 5.2.3 Message size exceeds limit",
        ] {
            for phase in [Phase::Recipient, Phase::EndOfData] {
                check(phase, reply, About::Us);
            }
        }
        check(Phase::EndOfData, "550 5.7.1 not wanted", About::Us);
        check(Phase::EndOfData, "550 not wanted", About::Us);
        check(Phase::EndOfData, "451 4.3.0 not now", About::Us);
        check(Phase::Data, "550 5.7.1 keep it", About::Us);
    }

    #[test]
    fn greylisting_is_about_one_attempt() {
        for phase in [Phase::Recipient, Phase::EndOfData] {
            for reply in [
                "451 4.7.1 Try again later",
                "450 4.7.1 <address>: Recipient address rejected: Greylisted",
                "450 4.7.0 not yet",
                "451 Greylisted, please come back",
                "451 4.7.1 This sender is greylisted, service unavailable",
                "450 busy",
                "450 4.1.1 unverified address: connect to the mail server: timed out",
            ] {
                check(phase, reply, About::Attempt);
            }
        }
        check(Phase::Recipient, "450 4.2.0 <address>: Greylisted", About::Address);
        check(Phase::Mail, "451 4.7.1 Try again later", About::Us);
    }
}
