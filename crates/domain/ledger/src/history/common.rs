//! What concerns several campaigns, or none.

use std::collections::{HashMap, HashSet};

use model::CredentialVersion;

use super::{
    line::{HistoryLine, HistoryWhom},
    notices::HistoryNotices,
    rule::{BrokenRules, HistoryRule},
};

/// Whose password, as it was stored.
type HistoryPassword = (HistoryWhom, CredentialVersion);

#[derive(Debug, Default)]
pub(super) struct HistoryCommon {
    pub(super) notices: HistoryNotices,
    /// Whether old entries name accounts of which nobody knows the subjects.
    pub(super) names_accounts: bool,
    is_pulled: bool,
    /// Whether the store was restored, and no operators have signed that they know it.
    awaits_arming: bool,
    /// By which campaign, or by no one's but the person's own, a swap of an account is intended.
    open: HashMap<HistoryWhom, Option<u64>>,
    swaps: HashSet<u64>,
    /// The swaps by which people set a password, and their attempts.
    choices: HashMap<HistoryWhom, (u64, u64)>,
    /// In which leaks passwords were found.
    found: HashMap<HistoryPassword, Vec<u64>>,
    /// By which notice a person was told of a password.
    told: HashMap<HistoryPassword, u64>,
    links: HashSet<u64>,
    /// Keys that came into force.
    keys: HashSet<String>,
}

impl HistoryCommon {
    /// Takes an entry about no campaign.
    pub(super) fn follow(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let number = |field| line.number(field).unwrap_or_default();
        match line.event() {
            "kill_switch_moved" => self.move_kill_switch(line, broken),
            "finding_made" => self.find(line, broken),
            "notice_begun" => self.notices.begin(number("notice"), None, number("attempt"), broken),
            "notice_ended" => {
                if let Some(state) = line.state() {
                    let end = (number("attempt"), state);
                    self.notices.end(number("notice"), None, end, broken);
                }
            }
            "notice_disputed" => self.notices.dispute(number("notice"), None, broken),
            "choice_intended" | "choice_taken" | "choice_ended" => {
                if let Some(whom) = line.whom() {
                    self.choose(whom, line, broken);
                }
            }
            "requested_notice_made" => self.request(number("notice"), broken),
            "password_chosen" => {
                let key = number("link");
                broken.unless(self.links.insert(key), HistoryRule::Links, || {
                    format!("link {key} was used before")
                });
            }
            "key_rotated" => {
                let key = line.text("key").unwrap_or_default();
                broken.unless(self.keys.insert(key.to_owned()), HistoryRule::Keys, || {
                    format!("key {key} was in force before")
                });
            }
            _ => {}
        }
    }

    /// Takes an entry about anything; so many come before it.
    pub(super) fn follow_restoring(
        &mut self,
        line: &HistoryLine,
        before: u64,
        broken: &mut BrokenRules,
    ) {
        let mut needs = |holds, what: &str| {
            broken.unless(holds, HistoryRule::Restored, || what.to_owned());
        };
        match line.event() {
            "store_restored" => {
                let is_so_many = line.number("entries") == Some(before);
                needs(is_so_many, "it tells of another number of entries than come before it");
                self.awaits_arming = true;
            }
            "sending_armed" => {
                let is_known = line.flag("restored");
                needs(is_known || !self.awaits_arming, "its signers did not know of the restore");
                self.awaits_arming &= !is_known;
            }
            "account_sealing" | "notice_begun" => {
                needs(!self.awaits_arming, "nobody has armed the store since it was restored");
            }
            _ => {}
        }
    }

    fn move_kill_switch(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let is_pulled = line.text("position") == Some("pulled");
        broken.unless(is_pulled || self.is_pulled, HistoryRule::KillSwitch, || {
            "nobody had pulled it".to_owned()
        });
        self.is_pulled = is_pulled;
    }

    fn find(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let Some(password) = line.whom().cloned().zip(line.version()) else { return };
        let leak = line.number("leak").unwrap_or_default();
        let leaks = self.found.entry(password).or_default();
        broken.unless(!leaks.contains(&leak), HistoryRule::Evidence, || {
            format!("the finding in leak {leak} was made before")
        });
        leaks.push(leak);
    }

    fn request(&mut self, notice: u64, broken: &mut BrokenRules) {
        broken.unless(self.notices.add(notice, None, None), HistoryRule::Address, || {
            format!("there is a notice {notice} already")
        });
    }

    fn choose(&mut self, whom: &HistoryWhom, line: &HistoryLine, broken: &mut BrokenRules) {
        let number = |field| line.number(field).unwrap_or_default();
        let (swap, attempt) = (number("swap"), number("attempt"));
        let open = self.choices.get(whom).copied();
        let is_next = match line.event() {
            "choice_intended" => {
                self.intend(None, whom, Some(swap), broken);
                self.choices.insert(whom.clone(), (swap, 1));
                return;
            }
            "choice_taken" => {
                self.choices.insert(whom.clone(), (swap, attempt));
                open.is_some_and(|(of, last)| of == swap && attempt == last + 1)
            }
            _ => {
                self.choices.remove(whom);
                self.end(None, whom);
                open.is_some_and(|(of, _)| of == swap)
            }
        };
        broken.unless(is_next, HistoryRule::Intent, || {
            format!("no intent of swap {swap} is open for the account, or that is another attempt")
        });
    }

    /// Nothing is intended or begun while everything is stopped.
    pub(super) fn check_released(&self, broken: &mut BrokenRules) {
        broken.unless(!self.is_pulled, HistoryRule::KillSwitch, || {
            "the kill switch is pulled".to_owned()
        });
    }

    pub(super) fn intend(
        &mut self,
        campaign: Option<u64>,
        whom: &HistoryWhom,
        swap: Option<u64>,
        broken: &mut BrokenRules,
    ) {
        if let Some(by) = self.open.insert(whom.clone(), campaign) {
            broken.unless(false, HistoryRule::OneSwap, || match by {
                Some(by) => format!("campaign {by} has a swap open for the account"),
                None => "the person is setting a password".to_owned(),
            });
        }
        if let Some(swap) = swap {
            broken.unless(self.swaps.insert(swap), HistoryRule::OneSwap, || {
                format!("swap {swap} was intended before")
            });
        }
    }

    pub(super) fn end(&mut self, campaign: Option<u64>, whom: &HistoryWhom) {
        if self.open.get(whom) == Some(&campaign) {
            self.open.remove(whom);
        }
    }

    pub(super) fn check_evidence(
        &self,
        whom: &HistoryWhom,
        version: CredentialVersion,
        broken: &mut BrokenRules,
    ) {
        let is_found = self.found.contains_key(&(whom.clone(), version));
        broken.unless(is_found || self.names_accounts, HistoryRule::Evidence, || {
            "no finding tells of this password".to_owned()
        });
    }

    pub(super) fn tell(
        &mut self,
        notice: u64,
        whom: HistoryWhom,
        version: CredentialVersion,
        broken: &mut BrokenRules,
    ) {
        let by = *self.told.entry((whom, version)).or_insert(notice);
        broken.unless(by == notice, HistoryRule::ToldOnce, || {
            format!("notice {by} has told somebody there of the same password")
        });
    }

    /// Their password works again: they have to be told anew.
    pub(super) fn untell(&mut self, whom: &HistoryWhom, version: CredentialVersion) {
        self.told.remove(&(whom.clone(), version));
    }
}
