//! Logs as the program writes them, with whatever becomes of people and notices.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

/// What becomes of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountFate {
    Sealed,
    /// Another worker finds out that it is.
    TakenOver,
    /// At the second attempt.
    SealedAgain,
    /// Its owner comes back.
    Reset,
    /// A backup of the site brings the old password back.
    PutBack,
    Skipped,
    /// After the intent.
    Spared,
    Overtaken,
}

/// What becomes of one address and its notice.
#[derive(Debug, Clone)]
pub(super) struct AddressFate {
    accounts: Vec<AccountFate>,
    put_offs: u64,
    ends: Vec<&'static str>,
    is_disputed: bool,
    /// Everything is stopped before it, and goes on in another round.
    is_halted_before: bool,
}

pub(super) fn campaigns() -> impl Strategy<Value = Vec<Vec<AddressFate>>> {
    vec(vec(address(), 1..5), 1..3)
}

fn address() -> impl Strategy<Value = AddressFate> {
    use AccountFate::{Overtaken, PutBack, Reset, Sealed, SealedAgain, Skipped, Spared, TakenOver};
    let account = prop::sample::select(vec![
        Sealed,
        TakenOver,
        SealedAgain,
        Reset,
        PutBack,
        Skipped,
        Spared,
        Overtaken,
    ]);
    let ends: Vec<&[&str]> =
        vec![&["sent"], &["refused"], &["uncertain"], &["uncertain", "uncertain", "sent"]];
    let ends = prop::sample::select(ends);
    (vec(account, 1..4), 0..3_u64, ends, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(accounts, put_offs, ends, is_disputed, is_halted_before)| AddressFate {
            accounts,
            put_offs,
            ends: ends.to_vec(),
            is_disputed,
            is_halted_before,
        },
    )
}

/// The log of some campaigns, one after the other.
pub(super) fn log_of(campaigns: &[Vec<AddressFate>]) -> Vec<Value> {
    let mut scribe = HistoryScribe::default();
    scribe.write("store_made", &json!({"instance": "test", "kind": "site"}));
    for addresses in campaigns {
        scribe.campaign(addresses);
    }
    scribe.request();
    scribe.lines
}

#[derive(Default)]
struct HistoryScribe {
    lines: Vec<Value>,
    campaign: u64,
    round: u64,
    subject: u64,
    swap: u64,
    notice: u64,
    targets: u64,
    addresses: u64,
    /// Who comes back, or is brought back, once the campaign is done.
    later: Vec<(u64, u64, AccountFate)>,
    /// Who was spared at an address without a notice: their values are found after all.
    spared: Option<(u64, u64, u64)>,
}

impl HistoryScribe {
    fn write(&mut self, event: &str, fields: &Value) {
        let mut line = json!({"v": 1, "at": "1970-01-01T00:00:00Z", "event": event});
        for (name, value) in fields.as_object().unwrap() {
            line[name] = value.clone();
        }
        self.lines.push(line);
    }

    /// An entry about the campaign.
    fn tell(&mut self, event: &str, mut fields: Value) {
        fields["campaign"] = json!(self.campaign);
        self.write(event, &fields);
    }

    fn campaign(&mut self, addresses: &[AddressFate]) {
        self.campaign += 1;
        self.round = 0;
        self.targets = addresses.iter().map(|address| address.accounts.len() as u64).sum();
        self.addresses = addresses.len() as u64;
        let name = format!("campaign {}", self.campaign);
        self.tell("campaign_drafted", json!({"name": name, "author": "ana"}));
        self.freeze("draft", "frozen");
        self.go("frozen", "signed", 0);
        self.go("signed", "canary", 0);
        for (number, address) in (0..).zip(addresses) {
            if address.is_halted_before {
                self.halt("canary");
                self.resume();
            }
            self.settle(number, address);
        }
        self.go("canary", "done", 0);
        self.come_back();
        self.find_spared();
        self.tell("statement_made", json!({"sha256": "00"}));
        self.go("done", "closed", 0);
    }

    fn go(&mut self, from: &str, to: &str, raise: u64) {
        self.round += raise;
        self.tell("campaign_moved", json!({"round": self.round, "from": from, "to": to}));
    }

    fn freeze(&mut self, from: &str, to: &str) {
        self.go(from, to, 1);
        let (round, targets, addresses) = (self.round, self.targets, self.addresses);
        let skipped = json!({"gone": 2});
        let plan = json!({"round": round, "plan": "00", "targets": targets,
            "addresses": addresses, "skipped": skipped, "author_signs": true});
        self.tell("campaign_frozen", plan);
        self.tell("campaign_written", json!({"round": round, "operator": "ana"}));
        for operator in ["bob", "cleo"] {
            self.tell("campaign_approved", json!({"round": round, "operator": operator}));
        }
    }

    fn halt(&mut self, from: &str) {
        self.write("kill_switch_moved", &json!({"position": "pulled", "by": "an operator"}));
        self.go(from, "halted", 1);
    }

    fn resume(&mut self) {
        self.freeze("halted", "halted");
        self.write("kill_switch_moved", &json!({"position": "released", "by": "campaign"}));
        self.go("halted", "canary", 0);
    }

    fn settle(&mut self, number: u64, address: &AddressFate) {
        let mut is_sealed = false;
        for fate in &address.accounts {
            self.subject += 1;
            is_sealed |= self.account(number, *fate);
        }
        if is_sealed {
            self.tell_address(number, address);
        } else {
            self.tell("address_done", json!({"address": number}));
        }
    }

    /// Whether it is sealed in the end.
    fn account(&mut self, address: u64, fate: AccountFate) -> bool {
        let whom = self.subject;
        self.write(
            "finding_made",
            &json!({"leak": 1, "subject": whom,
            "credential_version": version(whom)}),
        );
        match fate {
            AccountFate::Skipped => {
                self.tell("account_skipped", json!({"subject": whom, "reason": "changed"}));
                return false;
            }
            AccountFate::Spared => {
                let swap = self.intend(whom);
                self.tell("account_skipped", json!({"subject": whom, "reason": "unwritable"}));
                self.spared = Some((address, whom, swap));
                return false;
            }
            AccountFate::Overtaken => {
                let swap = self.intend(whom);
                self.tell("account_overtaken", json!({"subject": whom, "swap": swap}));
                return false;
            }
            _ => {}
        }
        let mut swap = self.intend(whom);
        if fate == AccountFate::TakenOver {
            let taken = json!({"subject": whom, "swap": swap, "attempt": 2});
            self.tell("sealing_taken", taken);
        }
        if fate == AccountFate::SealedAgain {
            self.tell("sealing_undone", json!({"subject": whom, "swap": swap}));
            swap = self.intend(whom);
        }
        self.tell("account_sealed", json!({"subject": whom, "address": address}));
        self.later.push((whom, swap, fate));
        true
    }

    fn intend(&mut self, whom: u64) -> u64 {
        self.swap += 1;
        let swap = self.swap;
        self.tell(
            "account_sealing",
            json!({"subject": whom, "swap": swap,
            "credential_version": version(whom), "findings": [whom]}),
        );
        swap
    }

    fn tell_address(&mut self, number: u64, address: &AddressFate) {
        // Whoever is spared there is told, if of somebody else: no value of theirs is looked for.
        self.spared = self.spared.filter(|(spared, ..)| *spared != number);
        self.notice += 1;
        let notice = self.notice;
        self.tell("address_done", json!({"address": number, "notice": notice}));
        let mut attempts = vec![vec!["pending"]; usize::try_from(address.put_offs).unwrap()];
        attempts.push(address.ends.clone());
        for (attempt, ends) in (1..).zip(attempts) {
            self.tell("notice_begun", json!({"notice": notice, "attempt": attempt}));
            for state in ends {
                let ended = json!({"notice": notice, "attempt": attempt, "state": state});
                self.tell("notice_ended", ended);
            }
        }
        if address.is_disputed {
            self.tell("notice_disputed", json!({"notice": notice}));
        }
    }

    fn come_back(&mut self) {
        for (whom, swap, fate) in std::mem::take(&mut self.later) {
            match fate {
                AccountFate::Reset => {
                    self.write("password_chosen", &json!({"subject": whom, "link": whom}));
                    self.tell("account_reset", json!({"subject": whom, "password": "another"}));
                }
                AccountFate::PutBack => {
                    self.tell("account_put_back", json!({"subject": whom, "swap": swap}));
                }
                _ => {}
            }
        }
    }

    /// The campaign goes on for one whose value stands in the site's table all the same.
    fn find_spared(&mut self) {
        let Some((address, whom, swap)) = self.spared.take() else { return };
        let found = json!({"subject": whom, "address": address, "swap": swap,
            "skipped": "unwritable", "reopened": true});
        self.tell("account_found_sealed", found);
        self.halt("done");
        self.resume();
        let told = AddressFate {
            accounts: Vec::new(),
            put_offs: 1,
            ends: vec!["sent"],
            is_disputed: false,
            is_halted_before: false,
        };
        self.tell_address(address, &told);
        self.go("canary", "done", 0);
    }

    /// A mail that somebody asks for.
    fn request(&mut self) {
        let notice = self.notice + 1;
        let made = json!({"notice": notice, "kind": "reset_link", "subject": 1, "row": "00"});
        self.write("requested_notice_made", &made);
        self.write("notice_begun", &json!({"notice": notice, "attempt": 1}));
        let ended = json!({"notice": notice, "attempt": 1, "state": "sent"});
        self.write("notice_ended", &ended);
        self.write("store_seen", &json!({"by": "nobody"}));
    }
}

fn version(whom: u64) -> String {
    format!("{whom:064x}")
}
