//! Plans, operators and their signatures: all real, and made once.

use std::collections::HashMap;

use authority::{Approval, OperatorKey, Roster, RosterDocument, SignedRoster, verify_approvals};
use campaign::{
    AddressGroup, AddressKey, Draft, Place, Plan, Policy, RampStep, Reach, Reason, Renewal, Scope,
    SignedPlan, StoreKind, Target, TargetTree, Targets, TemplateDigest, Threshold,
};
use model::{
    AccountId, CampaignId, CredentialVersion, InstanceId, LeakId, Provenance, Randomness, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_micros(0);
pub(crate) const CAMPAIGN: CampaignId = CampaignId(1);

/// The author and two others.
pub(crate) const OPERATORS: [&str; 3] = ["ana", "bob", "cleo"];
pub(crate) const AUTHOR: usize = 0;

/// Accounts of each address. The last account stands in no leak.
pub(crate) const ADDRESSES: [&[usize]; 3] = [&[0, 1], &[2], &[3]];
pub(crate) const ACCOUNTS: usize = 4;
pub(crate) const INNOCENT: usize = 3;

/// Addresses of two lists, in their order: the right one, and one with somebody innocent.
pub(crate) const LISTS: [[usize; 2]; 2] = [[0, 1], [0, 2]];

/// Freezing, freezing after an edit, and two rounds for each of two halts.
const ROUNDS: u32 = 6;

pub(crate) struct Office {
    pub(crate) roster: Roster,
    keys: Vec<OperatorKey>,
    plans: HashMap<(usize, u32, Scope), Plan>,
    signed: HashMap<(usize, u32, Scope, usize), SignedPlan>,
    groups: HashMap<(usize, u32, Scope, usize), AddressGroup>,
}

impl Office {
    pub(crate) fn open() -> Self {
        let keys: Vec<_> = (1..).zip(OPERATORS).map(|(seed, name)| key(name, seed)).collect();
        let (roster, plans) = (roster(&keys), HashMap::new());
        let (signed, groups) = (HashMap::new(), HashMap::new());
        let mut office = Self { roster, keys, plans, signed, groups };
        for list in 0..LISTS.len() {
            for round in 1..=ROUNDS {
                for scope in [Scope::All, Scope::Begun] {
                    office.prepare(list, round, scope);
                }
            }
        }
        office
    }

    pub(crate) fn plan(&self, list: usize, round: u32, scope: Scope) -> Option<&Plan> {
        self.plans.get(&(list, round, scope))
    }

    /// What the operators in `mask` have signed together, if that is enough.
    pub(crate) fn signed(
        &self,
        list: usize,
        round: u32,
        scope: Scope,
        mask: usize,
    ) -> Option<&SignedPlan> {
        self.signed.get(&(list, round, scope, mask))
    }

    pub(crate) fn group(
        &self,
        list: usize,
        round: u32,
        scope: Scope,
        address: usize,
    ) -> Option<&AddressGroup> {
        self.groups.get(&(list, round, scope, address))
    }

    pub(crate) fn approve(&self, plan: &Plan, operator: usize) -> Option<Approval> {
        Approval::sign(plan, plan.counts().targets, &self.keys[operator], NOW).ok()
    }

    fn prepare(&mut self, list: usize, round: u32, scope: Scope) {
        let targets = targets(list);
        let plan = Plan::freeze(draft(targets.count()), &targets, round, NOW).unwrap();
        let renewal = Renewal {
            author: plan.author().clone(),
            policy: policy(),
            others: None,
            scope,
            is_witnessed: false,
        };
        let plan = plan.renew(renewal, round, NOW).unwrap();
        for mask in 0..1 << OPERATORS.len() {
            let signers = (0..OPERATORS.len()).filter(|operator| mask & (1 << operator) != 0);
            let approvals: Vec<_> = signers.filter_map(|by| self.approve(&plan, by)).collect();
            if let Ok(endorsed) = verify_approvals(&plan, &approvals, &self.roster, NOW) {
                let signed = SignedPlan::from(endorsed);
                self.prove((list, round, scope), &signed, &targets);
                self.signed.insert((list, round, scope, mask), signed);
            }
        }
        self.plans.insert((list, round, scope), plan);
    }

    fn prove(
        &mut self,
        (list, round, scope): (usize, u32, Scope),
        signed: &SignedPlan,
        targets: &Targets,
    ) {
        let tree = TargetTree::new(targets);
        for (place, address) in (0..).zip(LISTS[list]) {
            let all = (0..).zip(targets.iter()).filter(|(_, target)| target.place.address == place);
            let members = all.map(|(at, target)| (target.clone(), tree.prove(at).unwrap()));
            let group = AddressGroup::verify(signed, members.collect()).unwrap();
            self.groups.insert((list, round, scope, address), group);
        }
    }
}

fn roster(keys: &[OperatorKey]) -> Roster {
    let operators = keys.iter().map(OperatorKey::public).collect();
    let document = RosterDocument::founding(instance(), operators, NOW);
    let digest = document.digest();
    let signed = keys.iter().fold(SignedRoster::new(document), SignedRoster::signed_by);
    Roster::founding(&signed, digest, &instance()).unwrap()
}

struct Seed(u8);

impl Randomness for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn key(name: &str, seed: u8) -> OperatorKey {
    OperatorKey::generate(name.parse().unwrap(), &Seed(seed))
}

fn instance() -> InstanceId {
    "model".parse().unwrap()
}

fn targets(list: usize) -> Targets {
    let accounts = LISTS[list].iter().flat_map(|address| {
        let target = |account: &usize| target(*account, *address);
        ADDRESSES[*address].iter().map(target)
    });
    Targets::new(accounts.collect()).unwrap()
}

fn target(account: usize, address: usize) -> Target {
    Target {
        account: AccountId::new(account.to_string()).unwrap(),
        findings: vec![1],
        credential_version: CredentialVersion::from_bytes([0; 32]),
        address: AddressKey::from_bytes([u8::try_from(address).unwrap(); 32]),
        place: Place { address: 0, accounts: 0 },
    }
}

/// One address as the canary, then everybody; no time to wait, as a rehearsal may.
fn policy() -> Policy {
    let halt = Threshold { count: 9, permille: 0 };
    let refused = Threshold { count: 0, permille: 0 };
    Policy {
        canary_addresses: 1,
        canary_soak_seconds: 0,
        ramp: vec![RampStep { reach: Reach::Permille(1000), reapproval: false }],
        step_soak_seconds: 0,
        uncertain: halt,
        refused,
        ..Policy::default()
    }
}

fn draft(targets: u64) -> Draft {
    let reason = Reason {
        leak: LeakId(1),
        name: "leak".parse().unwrap(),
        date: "2016".parse().unwrap(),
        public_name: None,
        provenance: Provenance::Confirmed,
        is_suspect: false,
        targets,
    };
    Draft {
        instance: instance(),
        store: StoreKind::Rehearsal,
        campaign: CAMPAIGN,
        name: "model".parse().unwrap(),
        author: OPERATORS[AUTHOR].parse().unwrap(),
        accounts: 1_000,
        others: None,
        skipped: [].into(),
        reasons: vec![reason],
        policy: policy(),
        templates: [("reset".parse().unwrap(), TemplateDigest::from_bytes([0; 32]))].into(),
        mails: [].into(),
        is_witnessed: false,
    }
}
