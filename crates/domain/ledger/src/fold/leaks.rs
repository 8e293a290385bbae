//! What leaks were registered, and whose passwords stand in them.

use std::collections::HashSet;

use model::{CampaignId, LeakId, RecordRef, SubjectId, Timestamp};

use super::{FindingRow, Fold, FoldRefusal, FoundFold, NotedFold, leak::digest};
use crate::{LeakAdded, Whom};

impl Fold {
    /// Passes a leak that is as it was registered: its names, its date and its files.
    ///
    /// # Errors
    /// [`FoldRefusal::Leak`].
    pub fn check_leak(&self, row: &LeakAdded) -> Result<(), FoldRefusal> {
        let logged = self.leaks.get(&row.leak);
        if logged.is_some_and(|logged| logged.digest == digest(row)) {
            return Ok(());
        }
        Err(FoldRefusal::Leak { leak: row.leak })
    }

    /// The leaks that are registered.
    pub fn leaks(&self) -> impl Iterator<Item = LeakId> {
        self.leaks.keys().copied()
    }

    /// Passes the leaks that the store holds, if none is missing there of those that were registered
    /// before they were read.
    ///
    /// # Errors
    /// [`FoldRefusal::Leak`].
    pub fn check_leaks(&self, before: &[LeakId], rows: &[LeakId]) -> Result<(), FoldRefusal> {
        let mut left = before.iter().filter(|leak| self.leaks.contains_key(leak));
        match left.find(|leak| !rows.contains(leak)) {
            Some(leak) => Err(FoldRefusal::Leak { leak: *leak }),
            None => Ok(()),
        }
    }

    /// Passes the leaks that a campaign is about, as it was drafted.
    ///
    /// # Errors
    /// [`FoldRefusal::Campaign`].
    pub fn check_leaks_of(&self, id: CampaignId, rows: &[LeakId]) -> Result<(), FoldRefusal> {
        let is_so = self.campaign(id).is_some_and(|campaign| campaign.leaks == rows);
        if is_so { Ok(()) } else { Err(FoldRefusal::Campaign { campaign: id }) }
    }

    /// Passes as many findings in a leak as were made.
    ///
    /// # Errors
    /// [`FoldRefusal::Findings`].
    pub fn check_finding_count(&self, leak: LeakId, rows: u64) -> Result<(), FoldRefusal> {
        let logged = self.leaks.get(&leak).map_or(0, |leak| leak.found.len() as u64);
        if rows == logged { Ok(()) } else { Err(FoldRefusal::Findings { leak, rows, logged }) }
    }

    /// Passes the people of whom a leak's findings are, if they are all those of whom findings were made.
    ///
    /// # Errors
    /// [`FoldRefusal::Findings`], or [`FoldRefusal::Finding`] of somebody who is missing.
    pub fn check_findings(&self, leak: LeakId, rows: &[SubjectId]) -> Result<(), FoldRefusal> {
        self.check_finding_count(leak, rows.len() as u64)?;
        let rows: HashSet<_> = rows.iter().copied().collect();
        let found = self.leaks.get(&leak).into_iter().flat_map(|leak| leak.found.keys());
        let mut subjects = found.filter_map(|whom| match whom {
            Whom::Subject(subject) => Some(*subject),
            Whom::Account(_) => None,
        });
        match subjects.find(|subject| !rows.contains(subject)) {
            Some(subject) => Err(FoldRefusal::Finding { leak, subject }),
            None => Ok(()),
        }
    }

    /// Passes a finding's row that is as it was made, for whom it was made.
    ///
    /// # Errors
    /// [`FoldRefusal::Found`].
    pub fn check_finding(&self, leak: LeakId, row: &FindingRow) -> Result<(), FoldRefusal> {
        self.check_found(leak, row.subject, |logged| logged.is_of(row))
    }

    /// Passes the records in which somebody's password stands, in their order.
    ///
    /// # Errors
    /// [`FoldRefusal::Found`].
    pub fn check_records(
        &self,
        leak: LeakId,
        subject: SubjectId,
        rows: &[RecordRef],
    ) -> Result<(), FoldRefusal> {
        self.check_found(leak, subject, |logged| logged.is_in(rows))
    }

    fn check_found(
        &self,
        leak: LeakId,
        subject: SubjectId,
        is_so: impl Fn(&FoundFold) -> bool,
    ) -> Result<(), FoldRefusal> {
        let leak_fold = self.leaks.get(&leak);
        let is_as_made = leak_fold.is_some_and(|of| match of.found.get(&Whom::Subject(subject)) {
            Some(found) => is_so(found),
            // An entry of version 0.1.0 names an account whom nobody can name by a number any more.
            None => of.found.keys().any(|whom| matches!(whom, Whom::Account(_))),
        });
        if is_as_made { Ok(()) } else { Err(FoldRefusal::Found { leak, subject }) }
    }

    /// When the accounts were read last to be looked for in a leak that is verified; `None` if there is no
    /// such leak.
    #[must_use]
    pub fn looked_through_at(&self) -> Option<Timestamp> {
        let verified = self.leaks.values().filter(|leak| leak.verified_at.is_some());
        verified.filter_map(|leak| leak.looked_at).max()
    }

    /// When the records of a leak can have been tried: after the accounts were read, and before all were
    /// verified.
    #[must_use]
    pub fn tried_between(&self, leak: LeakId) -> Option<(Timestamp, Timestamp)> {
        let leak = self.leaks.get(&leak)?;
        Some((leak.looked_at?, leak.verified_at?))
    }

    /// What is noted of the accounts that each leak names.
    #[must_use]
    pub fn noted(&self) -> Vec<(LeakId, NotedFold)> {
        self.leaks.iter().map(|(leak, fold)| (*leak, fold.noted)).collect()
    }

    /// How many people's passwords were found in each leak.
    #[must_use]
    pub fn finding_counts(&self) -> Vec<(LeakId, u64)> {
        self.leaks.iter().map(|(leak, fold)| (*leak, fold.found.len() as u64)).collect()
    }

    /// Passes the people against whom findings of a leak are open, if nobody's is missing there whom no
    /// campaign has taken up yet.
    ///
    /// # Errors
    /// [`FoldRefusal::Finding`].
    pub fn check_open_findings(
        &self,
        leak: LeakId,
        open: &HashSet<SubjectId>,
    ) -> Result<(), FoldRefusal> {
        let found = self.leaks.get(&leak).into_iter().flat_map(|leak| leak.found.keys());
        let is_open =
            |whom: &Whom| matches!(whom, Whom::Subject(subject) if open.contains(subject));
        let mut hidden = found.filter(|whom| !is_open(whom) && !self.is_perhaps_closed(whom));
        hidden.next().map_or(Ok(()), |whom| Err(FoldRefusal::finding(leak, whom)))
    }

    /// The leaks in which a person's password was found.
    #[must_use]
    pub fn found_in(&self, subject: SubjectId) -> Vec<LeakId> {
        let whom = Whom::Subject(subject);
        let found = self.leaks.iter().filter(|(_, fold)| fold.found.contains_key(&whom));
        found.map(|(leak, _)| *leak).collect()
    }

    /// Whether a campaign may have closed what was found of somebody: it has taken them up, or it is over
    /// and did not take everybody up.
    fn is_perhaps_closed(&self, whom: &Whom) -> bool {
        self.campaigns.values().any(|campaign| {
            let is_short = campaign.accounts.len() as u64 != campaign.targets;
            campaign.accounts.contains_key(whom) || (campaign.is_destroyed && is_short)
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{CredentialVersion, Provenance, Tier};

    use super::*;
    use crate::{
        CampaignEvent, FileAdded, LogEvent,
        fold::tests::{ANA, BOB, SEVEN, Written},
    };

    #[test]
    fn a_leak_is_as_it_was_registered() {
        let leak = |name: &str, path: &str| LeakAdded {
            leak: LeakId(1),
            name: name.parse().unwrap(),
            public_name: None,
            date: "2016-05".parse().unwrap(),
            provenance: Provenance::Circulating,
            files: vec![FileAdded { path: path.to_owned(), sha256: "aa".to_owned(), bytes: 1 }],
        };
        let refused = Err(FoldRefusal::Leak { leak: LeakId(1) });
        let added = leak("Bookshop", "books.txt");
        let check = |log: &Written, row: &LeakAdded| log.0.check_leak(row);
        assert_eq!(check(&Written::default(), &added), refused);
        let log = Written::default().then(LogEvent::LeakAdded(added.clone()));
        assert_eq!(check(&log, &added), Ok(()));
        assert_eq!(check(&log, &leak("Another shop", "books.txt")), refused);
        assert_eq!(check(&log, &leak("Bookshop", "other.txt")), refused);
        let known = [LeakId(1)];
        assert_eq!(log.0.leaks().collect::<Vec<_>>(), known);
        assert_eq!(
            (log.0.check_leaks(&known, &known), log.0.check_leaks(&known, &[])),
            (Ok(()), refused)
        );
        let removed = LogEvent::LeakRemoved { leak: LeakId(1), name: added.name.clone() };
        let gone = log.then(removed);
        assert_eq!((gone.0.check_leaks(&known, &[]), check(&gone, &added)), (Ok(()), refused));
    }

    #[test]
    fn no_finding_is_hidden() {
        let leak = LeakId(1);
        let found = |whom: SubjectId| LogEvent::FindingMade {
            leak,
            whom: whom.into(),
            credential_version: CredentialVersion::from_bytes([1; 32]),
            hash_format: "bcrypt".parse().unwrap(),
            tier: Tier::Exact,
            records: Vec::new(),
        };
        let log = Written::default().then(found(ANA)).then(found(BOB));
        let refused = |subject| Err(FoldRefusal::Finding { leak, subject });
        let open = |log: &Written, open: &[SubjectId]| {
            log.0.check_open_findings(leak, &open.iter().copied().collect())
        };
        assert_eq!((open(&log, &[ANA, BOB]), open(&log, &[BOB])), (Ok(()), refused(ANA)));
        assert_eq!((log.0.found_in(ANA), Written::default().0.found_in(ANA)), (vec![leak], vec![]));
        let miscounted = FoldRefusal::Findings { leak, rows: 1, logged: 2 };
        assert_eq!(log.0.check_finding_count(leak, 2), Ok(()));
        assert_eq!(log.0.check_finding_count(leak, 1), Err(miscounted));
        assert_eq!(log.0.check_findings(leak, &[BOB, ANA]), Ok(()));
        assert_eq!(log.0.check_findings(leak, &[BOB, BOB]), refused(ANA));
        let row = |subject, version| FindingRow {
            subject,
            version: CredentialVersion::from_bytes([version; 32]),
            hash_format: "bcrypt".parse().unwrap(),
            tier: Tier::Exact,
        };
        let otherwise = Err(FoldRefusal::Found { leak, subject: ANA });
        assert_eq!(log.0.check_finding(leak, &row(ANA, 1)), Ok(()));
        assert_eq!(log.0.check_finding(leak, &row(ANA, 2)), otherwise);
        assert_eq!(
            log.0.check_finding(leak, &FindingRow { tier: Tier::Lead, ..row(ANA, 1) }),
            otherwise
        );
        let record = RecordRef { file: "a".to_owned(), member: None, line: 1, offset: 0 };
        assert_eq!(log.0.check_records(leak, ANA, &[]), Ok(()));
        assert_eq!(log.0.check_records(leak, ANA, &[record]), otherwise);
        let taken_up = log.seal(SEVEN, ANA, 1, 5);
        assert_eq!((open(&taken_up, &[BOB]), open(&taken_up, &[ANA])), (Ok(()), refused(BOB)));
    }

    #[test]
    fn a_campaign_is_about_the_leaks_that_it_was_drafted_with() {
        let drafted = CampaignEvent::CampaignDrafted {
            campaign: SEVEN,
            name: "June".to_owned(),
            author: "ana".to_owned(),
            leaks: vec![LeakId(1), LeakId(2)],
            machine: None,
        };
        let log = Written::default().then(drafted);
        let refused = Err(FoldRefusal::Campaign { campaign: SEVEN });
        assert_eq!(log.0.check_leaks_of(SEVEN, &[LeakId(1), LeakId(2)]), Ok(()));
        assert_eq!(log.0.check_leaks_of(SEVEN, &[LeakId(1)]), refused);
    }
}
