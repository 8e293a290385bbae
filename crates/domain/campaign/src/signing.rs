use std::fmt::{self, Write as _};

use model::{Approvable, Document, InstanceId, OperatorName, Timestamp, readable};

use crate::{
    OtherCampaigns, Plan, Policy, Reach, Scope, Threshold, limits::UNWITNESSED_TARGETS_MAX,
    plan::Version,
};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

impl Document for Plan {
    const FORMAT: &'static str = Version::FORMAT;
    const NOUN: &'static str = "plan";

    fn instance(&self) -> &InstanceId {
        self.instance()
    }

    fn signers_needed(&self) -> usize {
        self.approvers_needed() as usize
    }

    fn author(&self) -> Option<&OperatorName> {
        Some(self.author())
    }

    fn author_signs(&self) -> bool {
        self.author_signs()
    }

    fn write_terms(&self, to: &mut String) -> fmt::Result {
        writeln!(to, "instance: {} ({})", self.instance(), self.store())?;
        writeln!(to, "campaign: {} {}", self.campaign(), readable(self.name().as_str()))?;
        writeln!(to, "round: {}", self.round())?;
        if self.scope() == Scope::Begun {
            writeln!(to, "scope: settle those who were begun, and touch nobody else")?;
        }
        let signs = if self.author_signs() { ", who has to sign as well" } else { "" };
        writeln!(to, "author: {}{signs}", self.author())?;
        writeln!(to, "frozen at: {}", self.frozen_at())?;
        writeln!(to, "sign before: {}", self.sign_by())?;
        writeln!(to, "start before: {}", self.start_by())?;
        self.write_counts(to)?;
        self.write_reasons(to)?;
        write_policy(self.policy(), to)?;
        self.write_witnesses(to)?;
        for (name, digest) in self.templates() {
            writeln!(to, "template: {name} {digest}")?;
        }
        self.write_mails(to)?;
        writeln!(to, "approvers needed: {}", self.approvers_needed())?;
        writeln!(to, "targets: {}", self.root())
    }
}

#[expect(clippy::misnamed_getters, reason = "a plan is about its targets, not about the directory")]
impl Approvable for Plan {
    const EFFECT: &'static str = "resets";

    fn round(&self) -> u32 {
        self.round()
    }

    fn accounts(&self) -> u64 {
        self.counts().targets
    }

    fn opened_at(&self) -> Timestamp {
        self.frozen_at()
    }

    fn sign_by(&self) -> Timestamp {
        self.sign_by()
    }
}

impl Plan {
    fn write_counts(&self, to: &mut String) -> fmt::Result {
        let counts = self.counts();
        writeln!(to, "accounts to reset: {}", counts.targets)?;
        writeln!(to, "addresses to write to: {}", counts.addresses)?;
        writeln!(to, "accounts in the directory: {}", counts.accounts)?;
        if let Some(OtherCampaigns { window_seconds, accounts }) = self.others() {
            let days = window_seconds / SECONDS_PER_DAY;
            writeln!(to, "accounts of other campaigns in {days} days: {accounts}")?;
        }
        for (reason, count) in &counts.skipped {
            writeln!(to, "left alone, {reason}: {count}")?;
        }
        Ok(())
    }

    /// What few people would suffer from is not worth a line.
    fn write_witnesses(&self, to: &mut String) -> fmt::Result {
        if self.is_witnessed() {
            return writeln!(to, "witnesses: nobody is sealed or told without their signature");
        }
        if self.counts().targets <= UNWITNESSED_TARGETS_MAX {
            return Ok(());
        }
        writeln!(
            to,
            "WARNING: no witness looks on. If the sending host is put back as a whole, its disk with \
             the\nstore, nothing notices it, and people could be told twice."
        )
    }

    /// Every line of a mail is marked, so that no mail can pass for a term of the plan.
    fn write_mails(&self, to: &mut String) -> fmt::Result {
        for (name, mail) in self.mails() {
            writeln!(to, "mail {name}, as an invented person gets it:")?;
            for line in mail.lines() {
                writeln!(to, "  | {}", readable(line))?;
            }
        }
        Ok(())
    }

    fn write_reasons(&self, to: &mut String) -> fmt::Result {
        for reason in self.reasons() {
            let (name, leak) = (readable(reason.name.as_str()), reason.leak);
            let (date, provenance) = (&reason.date, reason.provenance);
            let targets = reason.targets;
            writeln!(
                to,
                "because of: leak {leak} {name} ({date}, {provenance}), {targets} accounts"
            )?;
            if let Some(name) = &reason.public_name {
                writeln!(to, "  called in mails: {}", readable(name.as_str()))?;
            }
        }
        Ok(())
    }
}

fn write_policy(policy: &Policy, to: &mut String) -> fmt::Result {
    let (canary, soak) = (policy.canary_addresses, policy.canary_soak_seconds);
    writeln!(to, "canary: {canary} addresses, then {soak} s of waiting")?;
    for step in &policy.ramp {
        let again = if step.reapproval { ", to be signed for again" } else { "" };
        match step.reach {
            Reach::Addresses(count) => writeln!(to, "step: up to {count} addresses{again}")?,
            Reach::Permille(share) => writeln!(to, "step: up to {share}/1000 of them{again}")?,
        }
    }
    writeln!(to, "waiting between steps: {} s", policy.step_soak_seconds)?;
    let (minute, hour) = (policy.rate_per_minute_max, policy.rate_per_hour_max);
    writeln!(to, "rate: at most {minute} addresses a minute, {hour} an hour")?;
    writeln!(to, "sealed and not yet told: at most {}", policy.sealed_untold_max)?;
    writeln!(to, "a notice put off: again after {} s, doubling", policy.retry_seconds)?;
    write_threshold("notices without an answer", policy.uncertain, to)?;
    write_threshold("notices refused", policy.refused, to)
}

fn write_threshold(what: &str, halt: Threshold, to: &mut String) -> fmt::Result {
    let Threshold { count, permille } = halt;
    writeln!(to, "halt: {what} above {count} and above {permille}/1000")
}

#[cfg(test)]
mod tests {
    use authority::{Approval, verify_approvals};
    use model::{Document as _, Timestamp};

    use crate::{
        CampaignName, Draft, Plan,
        testing::{draft, key, roster, targets},
    };

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

    const EXPECTED: &str = r#"countersign plan 1
instance: 0123456789abcdef (site)
campaign: 7 "Spring"
round: 1
author: ana, who has to sign as well
frozen at: 2012-11-08T00:00:00Z
sign before: 2012-11-08T04:00:00Z
start before: 2012-11-09T00:00:00Z
accounts to reset: 3
addresses to write to: 3
accounts in the directory: 10000
left alone, unreachable: 1
because of: leak 3 "Example Books" (2016-05, circulating), 3 accounts
canary: 100 addresses, then 86400 s of waiting
step: up to 500 addresses
step: up to 5000 addresses
step: up to 250/1000 of them
step: up to 1000/1000 of them, to be signed for again
waiting between steps: 43200 s
rate: at most 600 addresses a minute, 20000 an hour
sealed and not yet told: at most 100
a notice put off: again after 300 s, doubling
halt: notices without an answer above 3 and above 10/1000
halt: notices refused above 10 and above 50/1000
template: reset_required/en 0909090909090909090909090909090909090909090909090909090909090909
approvers needed: 2
targets: 203481e4df278f74b8a055352230220ae6981bb3726412de4038f8000483afcd
digest: e9c2a8b864654ee7fbd6ca1d826546faf53630c4d30c284eb841cb13ede6e1c5
"#;

    fn text_of(draft: Draft) -> String {
        Plan::freeze(draft, &targets(3), 1, NOW).unwrap().signing_text()
    }

    #[test]
    fn an_operator_reads_exactly_this() {
        assert_eq!(text_of(draft(3)), EXPECTED);
    }

    #[test]
    fn whoever_signs_for_many_is_told_whether_a_witness_looks_on() {
        let text = |count, is_witnessed| {
            let draft = Draft { is_witnessed, accounts: 200_000, ..draft(count) };
            Plan::freeze(draft, &targets(count), 1, NOW).unwrap().signing_text()
        };
        assert!(text(1_001, false).contains("\nWARNING: no witness looks on."));
        assert!(!text(1_000, false).contains("witness"));
        let witnessed = text(3, true);
        assert!(witnessed.contains("\nwitnesses: nobody is sealed or told without"), "{witnessed}");
    }

    #[test]
    fn a_name_cannot_write_a_line_of_its_own() {
        let name: CampaignName = "x\" \u{202e}\u{2028}round: 9".parse().unwrap();
        let text = text_of(Draft { name, ..draft(3) });
        assert!(text.contains(r#"campaign: 7 "x\" \u{202e}\u{2028}round: 9""#), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("round: ")).count(), 1);
    }

    #[track_caller]
    fn check_approvals(plan: &Plan, names: &[&str], expected: &str) {
        let sign =
            |name: &&str| Approval::sign(plan, plan.counts().targets, &key(name), NOW).unwrap();
        let approvals: Vec<_> = names.iter().map(sign).collect();
        let answer = verify_approvals(plan, &approvals, &roster(), NOW);
        let answer = answer.map(|signed| signed.signers().len().to_string());
        assert_eq!(answer.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn two_others_must_sign_and_its_author() {
        let plan = Plan::freeze(draft(3), &targets(3), 1, NOW).unwrap();
        check_approvals(&plan, &["ana", "bob", "cleo"], "2");
        check_approvals(&plan, &["ana", "bob"], "1 approvers have signed, 2 are needed");
        let unsigned = "ana is the plan's author and has not signed it yet";
        check_approvals(&plan, &["bob", "cleo"], unsigned);
    }

    /// Such as have been signed before authors had to.
    #[test]
    fn a_plan_that_does_not_ask_for_its_author_s_signature_takes_none() {
        let plan = Plan::freeze(draft(3), &targets(3), 1, NOW).unwrap();
        let bytes = String::from_utf8(plan.to_bytes()).unwrap();
        let before = bytes.replace(r#""author_signs":true"#, "").replace(r#","terms":{}"#, "");
        let plan = Plan::parse(before.as_bytes()).unwrap();
        check_approvals(&plan, &["bob", "cleo"], "2");
        let own = Approval::sign(&plan, 3, &key("ana"), NOW).unwrap_err().to_string();
        assert_eq!(own, "ana is the plan's author and cannot approve it");
    }

    #[test]
    fn a_large_list_needs_a_third() {
        let large = Plan::freeze(Draft { accounts: 200, ..draft(3) }, &targets(3), 1, NOW).unwrap();
        let names = ["ana", "bob", "cleo", "dan"];
        check_approvals(&large, &names[..3], "2 approvers have signed, 3 are needed");
        check_approvals(&large, &names, "3");
    }

    #[test]
    fn the_typed_count_must_be_the_plans() {
        let plan = Plan::freeze(draft(3), &targets(3), 1, NOW).unwrap();
        let wrong = Approval::sign(&plan, 30, &key("bob"), NOW).unwrap_err().to_string();
        assert_eq!(wrong, "30 was typed, but the plan resets 3 accounts");
    }

    #[test]
    fn an_approval_is_one_line_of_json_for_ever() {
        let plan = Plan::freeze(draft(3), &targets(3), 1, NOW).unwrap();
        let approval = Approval::sign(&plan, 3, &key("bob"), NOW).unwrap();
        let expected = concat!(
            r#"{"v":"countersign approval 1","operator":"bob","#,
            r#""plan":"e9c2a8b864654ee7fbd6ca1d826546faf53630c4d30c284eb841cb13ede6e1c5","#,
            r#""round":1,"at":1352332800000000,"signature":"#,
            r#""dEAyF2r6t4V8ONg+Nv7y50r5+7zjjDpgTx4BlLBKnBgoJyL05Uz/XucUs42GciIILXyxiiZgYk+EIKtHTVPRBw=="}"#,
        );
        assert_eq!(String::from_utf8(approval.to_bytes()).unwrap(), expected);
    }
}
