use model::{AccountId, CampaignId, CredentialVersion, LeakId, LeakName, SubjectId, Timestamp};

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO tried (leak, subject, version, tried_at, forms) VALUES {rows}"];
    OF_SUBJECT = ["SELECT leak, version, tried_at, forms FROM tried WHERE subject = $1
        ORDER BY leak"];
    FORMS_IN_LEAK = ["SELECT subject, forms FROM tried WHERE leak = $1 ORDER BY subject"];
    TRIED_BY_LEAK = ["SELECT leak, COUNT(*) FROM tried GROUP BY leak"];
    UNCHECKED_BY_LEAK = ["SELECT leak, COUNT(*) FROM unverified GROUP BY leak"];
    UNVERIFIED = ["SELECT COUNT(*) FROM unverified WHERE subject = $1"];
    ALL_UNVERIFIED = ["SELECT COUNT(DISTINCT subject) FROM unverified"];
    UNVERIFIED_BY_LEAK = ["SELECT leak.name, COUNT(*) FROM unverified
        JOIN leak ON leak.id = unverified.leak GROUP BY leak.name ORDER BY leak.name"];
    UNVERIFIED_IN_CAMPAIGN = ["SELECT COUNT(DISTINCT unverified.subject) FROM unverified
        JOIN campaign_leak ON campaign_leak.leak = unverified.leak
        WHERE campaign_leak.campaign = $1"];
    // Leak by leak, so that the index of leaks and accounts serves.
    WAITING = ["SELECT COUNT(*) FROM leak WHERE state <> 'verified' AND EXISTS (
            SELECT 1 FROM candidate WHERE candidate.leak = leak.id AND candidate.account = $1)"];
}

/// A password that a leak's records are tried on.
#[derive(Debug, Clone)]
pub struct NewTried {
    /// Whose.
    pub subject: SubjectId,
    /// As it is stored; `None` if the account has none.
    pub version: Option<CredentialVersion>,
    /// Keyed hashes of its hash's shape with every form in which they are tried.
    pub forms: Vec<[u8; 32]>,
}

/// That a leak's records about an account were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedAccount {
    /// The leak.
    pub leak: LeakId,
    /// The password that they were tried on, as it was stored then; `None` if the account had none.
    pub version: Option<CredentialVersion>,
    /// When.
    pub tried_at: Timestamp,
    /// Keyed hashes of its hash's shape with every form in which they were tried; none where an earlier
    /// version has tried them.
    pub forms: Vec<[u8; 32]>,
}

struct TriedRow {
    leak: LeakId,
    version: Option<CredentialVersion>,
    tried_at: Timestamp,
    forms: Option<Vec<u8>>,
}

record!(TriedRow { leak, version, tried_at, forms });

impl Tx {
    /// Notes which passwords a leak's records were tried on. The schema refuses an account twice.
    pub fn add_tried<'c>(
        &'c mut self,
        leak: LeakId,
        tried_at: Timestamp,
        accounts: &'c [NewTried],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            self.0
                .insert_all(&ADD, accounts.iter(), |query, NewTried { subject, version, forms }| {
                    let query = query.bind(Cell(leak)).bind(Cell(*subject));
                    let query = query.bind(version.map(Cell)).bind(Cell(tried_at));
                    query.bind(Some(forms.concat()))
                })
                .await?;
            Ok(())
        })
    }

    /// Of how many accounts each leak's records were tried, and how many of them could not be checked.
    pub fn noted_by_leak(&mut self) -> StoreFuture<'_, [Vec<(LeakId, u64)>; 2]> {
        type Counts = Vec<(Cell<LeakId>, Cell<u64>)>;
        let plain = |rows: Counts| {
            rows.into_iter().map(|(Cell(leak), Cell(count))| (leak, count)).collect()
        };
        Box::pin(async move {
            let tried = plain(self.0.run(&TRIED_BY_LEAK).all().await?);
            Ok([tried, plain(self.0.run(&UNCHECKED_BY_LEAK).all().await?)])
        })
    }

    /// Every leak whose records were tried on a password of this account.
    pub fn tried_of(&mut self, subject: SubjectId) -> StoreFuture<'_, Vec<TriedAccount>> {
        let query = self.0.run(&OF_SUBJECT).bind(Cell(subject));
        Box::pin(async move {
            let rows: Vec<TriedRow> = query.all().await?;
            Ok(rows.into_iter().map(TriedAccount::from).collect())
        })
    }

    /// Whose passwords a leak's records were tried on, and the keyed hashes of their forms: none where an
    /// earlier version has tried them.
    pub fn tried_forms(
        &mut self,
        leak: LeakId,
    ) -> StoreFuture<'_, Vec<(SubjectId, Vec<[u8; 32]>)>> {
        let query = self.0.run(&FORMS_IN_LEAK).bind(Cell(leak));
        Box::pin(async move {
            let rows: Vec<(Cell<SubjectId>, Option<Vec<u8>>)> = query.all().await?;
            let of = |(Cell(subject), forms)| (subject, hashes_in(forms));
            Ok(rows.into_iter().map(of).collect())
        })
    }

    /// How many leaks hold records that could not be tried on this account's password.
    pub fn leaks_unverified_for(&mut self, subject: SubjectId) -> StoreFuture<'_, u64> {
        let query = self.0.run(&UNVERIFIED).bind(Cell(subject));
        Box::pin(async move { Ok(Self::count(query).await?) })
    }

    /// How many leaks hold records about this account that have not been tried yet.
    pub fn leaks_waiting_for<'c>(&'c mut self, account: &'c AccountId) -> StoreFuture<'c, u64> {
        let query = self.0.run(&WAITING).bind(Cell(account.clone()));
        Box::pin(async move { Ok(Self::count(query).await?) })
    }

    /// The leaks that hold records which could not be tried, and on how many accounts' passwords.
    pub fn unverified_by_leak(&mut self) -> StoreFuture<'_, Vec<(LeakName, u64)>> {
        let query = self.0.run(&UNVERIFIED_BY_LEAK);
        Box::pin(async move {
            let rows = query.all::<(Cell<LeakName>, Cell<u64>)>().await?.into_iter();
            Ok(rows.map(|(Cell(name), Cell(accounts))| (name, accounts)).collect())
        })
    }

    /// How many accounts stand in a leak of this campaign with records that could not be tried.
    pub fn unverified_in_campaign(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        let query = self.0.run(&UNVERIFIED_IN_CAMPAIGN).bind(Cell(campaign));
        Box::pin(async move { Ok(Self::count(query).await?) })
    }

    /// How many accounts stand in some leak with records that could not be tried.
    pub fn unverified_accounts(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&ALL_UNVERIFIED)).await?) })
    }
}

impl From<TriedRow> for TriedAccount {
    fn from(row: TriedRow) -> Self {
        let TriedRow { leak, version, tried_at, forms } = row;
        Self { leak, version, tried_at, forms: hashes_in(forms) }
    }
}

fn hashes_in(forms: Option<Vec<u8>>) -> Vec<[u8; 32]> {
    forms.map(|forms| forms.as_chunks().0.to_vec()).unwrap_or_default()
}
