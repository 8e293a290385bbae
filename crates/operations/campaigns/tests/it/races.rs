//! Why a swap that was taken over is judged for good: an attempt and the one after it on PostgreSQL,
//! step by step.

use std::{sync::Arc, time::Duration};

use campaign::SwapEnd;
use campaigns::{
    SwapError,
    saga::{Replacement, Saga, Swapped, carry_out, judge_left, version},
    swap_digest,
};
use directory::{Columns, Directory, EndedSessions, LockedRow, Mapping};
use instance::testing::TestSite;
use ledger::CampaignEvent;
use model::{AccountId, CampaignId, StoredHash};
use sql::{Access, Db, OpenOptions, QueryText};
use store::{NewSwap, Swap, SwapBehalf, SwapLease, Tx, WorkerName};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::sleep,
};

use crate::sealed::campaign;

const OLD: &str = "old hash";
const OURS: &str = "our hash";
const THEIRS: &str = "their hash";

/// Longer than any statement takes that need not wait.
const A_WHILE: Duration = Duration::from_millis(300);

/// One account, which an attempt is about to seal. Its lease is over at once.
struct Race {
    instance: TestSite,
    directory: Arc<dyn Directory>,
    site: Db,
    first: SwapLease,
}

impl Race {
    async fn begin() -> Arc<Self> {
        let [store, site] = [(), ()].map(|()| testkit::postgres().database().url);
        let instance = TestSite::at(&store).await;
        let options = OpenOptions { access: Access::Write, connections_max: 1 };
        let db = Db::open(&site, options).await.unwrap();
        write(&db, "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)").await;
        write(&db, &format!("INSERT INTO users VALUES (1, 'a@b.example', '{OLD}')")).await;
        let columns = Columns { username: None, hash: "hash".into(), ..Mapping::generic().columns };
        let mapping = Mapping { columns, ..Mapping::generic() };
        let directory = directory::open(&site, Some(&site), mapping).await.unwrap();
        let first = intend(&instance).await;
        Arc::new(Self { instance, directory, site: db, first })
    }

    /// The attempt holds the row, with our value in it.
    async fn replaced(&self) -> Box<dyn LockedRow> {
        let mut row = self.directory.lock(&one()).await.unwrap();
        assert!(row.now().is(&hash(OLD)));
        row.replace(&hash(OURS)).await.unwrap();
        row
    }

    /// Asks for leave to commit.
    async fn pass(&self, row: &dyn LockedRow) -> bool {
        let mut tx = self.instance.store().begin().await.unwrap();
        let passed = tx.pass_swap(self.first, row.transaction().as_ref()).await.unwrap();
        tx.commit().await.unwrap();
        passed.is_some()
    }

    /// Another attempt begins.
    async fn take_over(&self) -> Swap {
        let mut tx = self.instance.store().begin().await.unwrap();
        let taken = tx.take_swap(self.first.id, &name(2), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        taken.unwrap()
    }

    async fn judge(&self, taken: &Swap) -> Result<SwapEnd, SwapError> {
        judge_left(self.instance.keys(), &*self.directory, &one(), taken, false).await
    }

    /// Takes the swap over and judges it; for as long as the row is held, that waits.
    async fn judge_beside(self: &Arc<Self>) -> JoinHandle<SwapEnd> {
        let taken = self.take_over().await;
        let race = Arc::clone(self);
        let judge = tokio::spawn(async move { race.judge(&taken).await.unwrap() });
        sleep(A_WHILE).await;
        assert!(!judge.is_finished(), "it judged a row that somebody holds");
        judge
    }

    /// The owner changes what is there.
    async fn own(&self, text: &str) {
        write(&self.site, text).await;
    }

    async fn holds(&self, expected: &str) -> bool {
        self.directory.look(&one()).await.unwrap().is(&hash(expected))
    }
}

async fn intend(instance: &TestSite) -> SwapLease {
    let campaign = CampaignId(campaign(instance).await);
    let mut tx = instance.store().begin().await.unwrap();
    let named = instance.name_accounts(&mut tx, &[one()]).await.unwrap();
    let new = NewSwap {
        subject: named[&one()],
        behalf: SwapBehalf::Seal { campaign, round: 1 },
        expected: version(instance.keys(), &hash(OLD)),
        made: version(instance.keys(), &hash(OURS)),
    };
    let held = tx.intend_swap(&new, &name(1), Duration::ZERO).await.unwrap().unwrap();
    let intended = CampaignEvent::AccountSealing {
        campaign,
        whom: new.subject.into(),
        credential_version: new.expected,
        address: None,
        findings: Vec::new(),
        swap: Some(held.id),
        row: Some(swap_digest(&new)),
    };
    instance.record(&mut tx, &[intended.into()]).await.unwrap();
    tx.commit().await.unwrap();
    held
}

async fn write(db: &Db, text: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.run(&QueryText::composed(text.to_owned())).execute().await.unwrap();
    tx.commit().await.unwrap();
}

fn one() -> AccountId {
    AccountId::new("1").unwrap()
}

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

fn name(number: u8) -> WorkerName {
    WorkerName::from_random([number; 16])
}

fn choice() -> String {
    format!("UPDATE users SET hash = '{THEIRS}' WHERE id = 1")
}

/// The saga itself, for one account. It stands still while the row is locked, until it may go on.
struct StandingStill {
    replacement: Option<Replacement>,
    locked: mpsc::Sender<()>,
    go_on: Arc<Notify>,
}

impl Saga for StandingStill {
    const MOMENTS: [&'static str; 3] = ["", "", ""];
    type Done = Swapped;
    type Error = SwapError;

    async fn intend(&mut self) -> Result<Vec<Replacement>, SwapError> {
        Ok(self.replacement.take().into_iter().collect())
    }

    async fn may_pass(&self, _: &mut Tx) -> Result<bool, SwapError> {
        self.locked.send(()).await.unwrap();
        self.go_on.notified().await;
        Ok(true)
    }

    async fn settle(self, swapped: Swapped, _: EndedSessions) -> Result<Swapped, SwapError> {
        Ok(swapped)
    }
}

/// The first attempt, carried out as in production up to where it asks for leave to commit.
async fn standing_still(race: &Arc<Race>) -> (JoinHandle<Option<SwapEnd>>, Arc<Notify>) {
    let (locked, mut is_locked) = mpsc::channel(1);
    let go_on = Arc::new(Notify::new());
    let replacement =
        Replacement { held: race.first, account: one(), old: hash(OLD), new: hash(OURS) };
    let saga = StandingStill { replacement: Some(replacement), locked, go_on: Arc::clone(&go_on) };
    let race = Arc::clone(race);
    let attempt = tokio::spawn(async move {
        let swapped = carry_out(&race.instance, &*race.directory, saga).await.unwrap();
        swapped.into_values().next().unwrap().ok()
    });
    is_locked.recv().await.unwrap();
    (attempt, go_on)
}

#[tokio::test]
async fn an_attempt_that_stood_still_while_it_was_taken_over_takes_its_change_back() {
    let race = Race::begin().await;
    let (attempt, go_on) = standing_still(&race).await;
    let judge = race.judge_beside().await;
    go_on.notify_one();
    assert_eq!(attempt.await.unwrap(), Some(SwapEnd::Untouched));
    assert_eq!(judge.await.unwrap(), SwapEnd::Untouched);
    assert!(race.holds(OLD).await);
}

#[tokio::test]
async fn an_attempt_that_nobody_took_over_is_done() {
    let race = Race::begin().await;
    let (attempt, go_on) = standing_still(&race).await;
    go_on.notify_one();
    assert_eq!(attempt.await.unwrap(), Some(SwapEnd::Done));
    assert!(race.holds(OURS).await);
    let taken = race.take_over().await;
    assert_eq!(race.judge(&taken).await.unwrap(), SwapEnd::Done);
}

#[tokio::test]
async fn whoever_passed_before_the_take_over_is_waited_for() {
    for (is_done, expected) in [(true, SwapEnd::Done), (false, SwapEnd::Untouched)] {
        let race = Race::begin().await;
        let row = race.replaced().await;
        assert!(race.pass(&*row).await);
        let judge = race.judge_beside().await;
        if is_done {
            row.commit().await.unwrap();
        } else {
            row.roll_back().await.unwrap();
        }
        assert_eq!(judge.await.unwrap(), expected);
        assert_eq!(race.holds(OURS).await, is_done);
    }
}

#[tokio::test]
async fn whoever_was_taken_over_before_it_passed_is_not_let_through() {
    let race = Race::begin().await;
    let row = race.replaced().await;
    let judge = race.judge_beside().await;
    assert!(!race.pass(&*row).await);
    row.roll_back().await.unwrap();
    assert_eq!(judge.await.unwrap(), SwapEnd::Untouched);
}

#[tokio::test]
async fn whoever_sleeps_with_the_row_in_hand_is_cut_off() {
    let race = Race::begin().await;
    let row = race.replaced().await;
    assert!(race.pass(&*row).await);
    let taken = race.take_over().await;
    let mut judged = race.judge(&taken).await;
    let mut waited = 1;
    while judged.is_err() {
        assert!(waited < 5, "nobody cuts it off: {judged:?}");
        judged = race.judge(&taken).await;
        waited += 1;
    }
    assert!(waited > 1, "the row was not held");
    assert_eq!(judged.unwrap(), SwapEnd::Untouched);
    assert!(row.commit().await.is_err(), "it is too late");
    assert!(race.holds(OLD).await);
}

/// There are no more connections than these two need one after the other.
#[tokio::test]
async fn two_who_judge_at_once_do_not_wait_for_each_other() {
    let race = Race::begin().await;
    let row = race.replaced().await;
    assert!(race.pass(&*row).await);
    row.commit().await.unwrap();
    let taken = race.take_over().await;
    let both = tokio::join!(race.judge(&taken), race.judge(&taken));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (SwapEnd::Done, SwapEnd::Done));
}

#[tokio::test]
async fn what_became_of_an_attempt_is_known_after_the_owner_wrote_over_it() {
    for text in [choice(), "DELETE FROM users".to_owned(), "UPDATE users SET hash = ''".to_owned()]
    {
        let race = Race::begin().await;
        let row = race.replaced().await;
        assert!(race.pass(&*row).await);
        row.commit().await.unwrap();
        race.own(&text).await;
        let taken = race.take_over().await;
        assert_eq!(race.judge(&taken).await.unwrap(), SwapEnd::Done, "{text}");

        let race = Race::begin().await;
        let row = race.replaced().await;
        assert!(race.pass(&*row).await);
        drop(row);
        race.own(&text).await;
        let taken = race.take_over().await;
        let end = race.judge(&taken).await.unwrap();
        assert_eq!(end, SwapEnd::Untouched, "{text}");
    }
}

#[tokio::test]
async fn an_owner_who_waited_for_our_change_has_the_last_word() {
    let race = Race::begin().await;
    let row = race.replaced().await;
    assert!(race.pass(&*row).await);
    let owner = tokio::spawn({
        let race = Arc::clone(&race);
        async move { race.own(&choice()).await }
    });
    sleep(A_WHILE).await;
    assert!(!owner.is_finished());
    row.commit().await.unwrap();
    owner.await.unwrap();
    let taken = race.take_over().await;
    assert_eq!(race.judge(&taken).await.unwrap(), SwapEnd::Done, "it was sealed for a moment");
    assert!(race.holds(THEIRS).await);
}

#[tokio::test]
async fn an_owner_who_was_quicker_was_never_sealed() {
    let race = Race::begin().await;
    race.own(&choice()).await;
    let taken = race.take_over().await;
    let end = race.judge(&taken).await.unwrap();
    assert_eq!(end, SwapEnd::Untouched);
    assert!(race.holds(THEIRS).await);
}

#[tokio::test]
async fn another_attempt_of_the_same_swap_knows_of_the_first() {
    let race = Race::begin().await;
    let row = race.replaced().await;
    assert!(race.pass(&*row).await);
    row.commit().await.unwrap();
    race.take_over().await;
    race.own(&choice()).await;
    let third = race.take_over().await;
    assert_eq!((third.attempt, third.passed), (3, Some(1)));
    assert_eq!(race.judge(&third).await.unwrap(), SwapEnd::Done);
}
