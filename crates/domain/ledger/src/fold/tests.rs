use std::{collections::HashSet, ops::Bound, time::Duration};

use model::{LeakId, SwapId, SwapState};

use super::*;
use crate::{CampaignEvent, Entry, LogEvent};

pub(super) const SEVEN: CampaignId = CampaignId(7);
const EIGHT: CampaignId = CampaignId(8);
pub(super) const ANA: SubjectId = SubjectId(12);
pub(super) const BOB: SubjectId = SubjectId(13);
const NOW: Timestamp = Timestamp::from_micros(0);

/// A fold that is fed with events as they are written.
#[derive(Default)]
pub(super) struct Written(pub(super) Fold);

impl Written {
    pub(super) fn then(self, event: impl Into<LogEvent>) -> Self {
        self.then_at(NOW, event)
    }

    fn then_at(mut self, at: Timestamp, event: impl Into<LogEvent>) -> Self {
        let body = Entry::new(at, &event.into()).to_bytes().unwrap();
        self.0.take(FoldEntry::read(&body).unwrap(), &body).unwrap();
        self
    }

    /// Seals one account at an address of its own, and makes its notice due.
    pub(super) fn seal(
        self,
        campaign: CampaignId,
        whom: SubjectId,
        version: u8,
        notice: i64,
    ) -> Self {
        let address = u64::try_from(notice).unwrap();
        self.then(sealing(campaign, whom, version))
            .then(CampaignEvent::AccountSealed { campaign, whom: whom.into(), address })
            .then(CampaignEvent::AddressDone { campaign, address, notice: Some(NoticeId(notice)) })
    }

    fn begin(self, campaign: Option<CampaignId>, notice: i64, attempt: u32) -> Self {
        self.then(NoticeStep::NoticeBegun { campaign, notice: NoticeId(notice), attempt })
    }

    fn end(self, campaign: Option<CampaignId>, notice: i64, state: NoticeState) -> Self {
        let notice = NoticeId(notice);
        self.then(NoticeStep::NoticeEnded { campaign, notice, attempt: 1, state })
    }

    fn check(&self, notice: i64, attempts: u32, whom: &[SubjectId]) -> Result<(), FoldRefusal> {
        self.0.check_begin(SEVEN, NoticeId(notice), attempts, whom).map(drop)
    }
}

fn sealing(campaign: CampaignId, whom: SubjectId, version: u8) -> CampaignEvent {
    CampaignEvent::AccountSealing {
        campaign,
        whom: whom.into(),
        credential_version: CredentialVersion::from_bytes([version; 32]),
        address: None,
        findings: Vec::new(),
        swap: Some(SwapId(i64::from(version))),
        row: Some(row(version)),
    }
}

/// What stays in the row of the swap that takes a password out of use.
fn row(version: u8) -> String {
    format!("{version:02x}").repeat(32)
}

fn refused(notice: i64) -> Result<(), FoldRefusal> {
    Err(FoldRefusal::Notice { notice: NoticeId(notice) })
}

#[test]
fn a_notice_begins_where_it_was_left_and_not_once_it_is_final() {
    let due = Written::default().seal(SEVEN, ANA, 1, 5);
    assert_eq!((due.check(5, 0, &[ANA]), due.check(5, 1, &[ANA])), (Ok(()), refused(5)));
    assert_eq!(due.check(6, 0, &[ANA]), refused(6));
    let begun = due.begin(Some(SEVEN), 5, 1);
    assert_eq!((begun.check(5, 0, &[ANA]), begun.check(5, 1, &[ANA])), (refused(5), refused(5)));
    let put_off = begun.end(Some(SEVEN), 5, NoticeState::Pending);
    assert_eq!((put_off.check(5, 0, &[ANA]), put_off.check(5, 1, &[ANA])), (refused(5), Ok(())));
    let uncertain = put_off.end(Some(SEVEN), 5, NoticeState::Uncertain);
    assert_eq!(uncertain.check(5, 1, &[ANA]), refused(5));
}

#[test]
fn only_an_attempt_that_has_begun_is_under_way() {
    let due = Written::default().seal(SEVEN, ANA, 1, 5);
    let under_way =
        |fold: &Written, attempt| fold.0.check_under_way(Some(SEVEN), NoticeId(5), attempt);
    assert_eq!((under_way(&due, 0), under_way(&due, 1)), (refused(5), refused(5)));
    let begun = due.begin(Some(SEVEN), 5, 1);
    assert_eq!((under_way(&begun, 1), under_way(&begun, 2)), (Ok(()), refused(5)));
    let sent = begun.end(Some(SEVEN), 5, NoticeState::Sent);
    assert_eq!(under_way(&sent, 1), refused(5));
}

#[test]
fn whom_others_have_sealed_lately_is_known_without_rows() {
    let sealed =
        Written::default().seal(EIGHT, ANA, 1, 4).seal(EIGHT, BOB, 2, 5).seal(SEVEN, ANA, 3, 6);
    assert_eq!(sealed.0.touched_by_others(SEVEN, NOW), 2);
    assert_eq!(sealed.0.touched_by_others(EIGHT, NOW), 1);
    assert_eq!(sealed.0.touched_by_others(CampaignId(9), NOW), 2);
    assert_eq!(sealed.0.touched_by_others(SEVEN, NOW.after(Duration::from_secs(1))), 0);
}

#[test]
fn a_notice_is_to_those_who_were_sealed_at_its_address() {
    let due = Written::default().seal(SEVEN, ANA, 1, 5).seal(SEVEN, BOB, 1, 6);
    let notice = NoticeId(5);
    assert_eq!(due.check(5, 0, &[ANA, BOB]), Err(FoldRefusal::Lines { notice }));
    let of_another = due.0.check_begin(EIGHT, notice, 0, &[ANA]);
    assert_eq!(of_another.map(drop), refused(5));
}

#[test]
fn nobody_is_told_of_one_password_by_two_notices() {
    let earlier = Written::default().seal(EIGHT, ANA, 1, 4);
    let untold = earlier.seal(SEVEN, ANA, 1, 5);
    assert_eq!(untold.check(5, 0, &[ANA]), Ok(()), "the other one never began");
    let told = untold.begin(Some(EIGHT), 4, 1);
    let (notice, earlier) = (NoticeId(5), NoticeId(4));
    assert_eq!(told.check(5, 0, &[ANA]), Err(FoldRefusal::Told { notice, earlier }));
    let another = told.seal(SEVEN, ANA, 2, 6);
    assert_eq!(another.check(6, 0, &[ANA]), Ok(()), "a password that she chose since");
}

#[test]
fn whoever_is_sealed_anew_is_told_anew() {
    let put_back =
        |campaign| CampaignEvent::AccountPutBack { campaign, whom: ANA.into(), swap: SwapId(1) };
    let told = Written::default().seal(EIGHT, ANA, 1, 4).begin(Some(EIGHT), 4, 1);
    let anew = told.then(put_back(EIGHT)).seal(SEVEN, ANA, 1, 5);
    assert_eq!(anew.check(5, 0, &[ANA]), Ok(()));
    let twice = anew.begin(Some(SEVEN), 5, 1).seal(EIGHT, ANA, 1, 6);
    let third = twice.0.check_begin(EIGHT, NoticeId(6), 0, &[ANA]);
    assert!(matches!(third, Err(FoldRefusal::Told { .. })), "{third:?}");

    let untold = Written::default().seal(EIGHT, ANA, 1, 4).then(put_back(EIGHT));
    assert_eq!(untold.0.check_begin(EIGHT, NoticeId(4), 0, &[ANA]), Ok(NOW), "with its date");
    let anew = untold.begin(Some(EIGHT), 4, 1).seal(SEVEN, ANA, 1, 5);
    assert_eq!(anew.check(5, 0, &[ANA]), Ok(()), "what she was told is over");
}

#[test]
fn letters_to_somebody_are_counted_for_a_day() {
    let made = |kind| RecoveryEvent::RequestedNoticeMade {
        notice: NoticeId(9),
        kind,
        whom: ANA.into(),
        row: None,
    };
    let hour = Duration::from_hours(1);
    let mut log = Written::default();
    for (kind, hours) in [
        (NoticeKind::ResetLink, 0),
        (NoticeKind::ResetDone, 1),
        (NoticeKind::ExposureAnswer, 20),
        (NoticeKind::ResetLink, 30),
    ] {
        log = log.then_at(NOW.after(hour * hours), LogEvent::from(made(kind)));
    }
    let since = |whom, hours| log.0.letters_since(whom, NOW.after(hour * hours));
    assert_eq!((since(ANA, 7), since(ANA, 20), since(ANA, 30)), (2, 1, 0));
    assert_eq!((since(BOB, 0), since(ANA, 0)), (0, 2), "the first is forgotten");
}

#[test]
fn a_requested_notice_begins_as_often_as_it_is_put_off() {
    let made = RecoveryEvent::RequestedNoticeMade {
        notice: NoticeId(9),
        kind: NoticeKind::ResetLink,
        whom: ANA.into(),
        row: Some("aa".to_owned()),
    };
    let check_row = |log: &Written, attempts, row| {
        log.0.check_requested(NoticeId(9), attempts, row).map(|made_at| assert_eq!(made_at, NOW))
    };
    let check = |log: &Written, attempts| check_row(log, attempts, "aa");
    let none = Written::default();
    assert_eq!(check(&none, 0), refused(9));
    let due = none.then(LogEvent::from(made));
    assert_eq!(check(&due, 0), Ok(()));
    assert_eq!(check_row(&due, 0, "bb"), refused(9), "another letter");
    let put_off = due.begin(None, 9, 1).end(None, 9, NoticeState::Pending);
    assert_eq!((check(&put_off, 0), check(&put_off, 1)), (refused(9), Ok(())));
    let sent = put_off.end(None, 9, NoticeState::Sent);
    assert_eq!((check(&sent, 0), check(&sent, 1)), (refused(9), refused(9)));
}

#[test]
fn a_notice_keeps_the_date_at_which_it_was_written() {
    let hour = |hours| NOW.after(Duration::from_hours(hours));
    let due = Written::default().seal(SEVEN, ANA, 1, 5);
    let notice = NoticeId(5);
    let begun = NoticeStep::NoticeBegun { campaign: Some(SEVEN), notice, attempt: 1 };
    let begun = due.then_at(hour(2), begun);
    let dates = |log: &Written| {
        let fold = log.0.notice(Some(SEVEN), notice).unwrap();
        (fold.state, fold.made_at, fold.moved_at)
    };
    assert_eq!(dates(&begun), (NoticeState::Inflight, NOW, hour(2)));
    let state = NoticeState::Sent;
    let sent = NoticeStep::NoticeEnded { campaign: Some(SEVEN), notice, attempt: 1, state };
    assert_eq!(dates(&begun.then_at(hour(3), sent)), (state, NOW, hour(3)));
}

#[test]
fn a_link_that_was_used_is_used_up_and_so_are_earlier_ones() {
    let chosen = |link| RecoveryEvent::PasswordChosen { whom: ANA.into(), link };
    let log = Written::default().then(LogEvent::from(chosen(5))).then(LogEvent::from(chosen(3)));
    let unused = |whom, link| log.0.is_link_unused(whom, link);
    assert_eq!((unused(ANA, 4), unused(ANA, 5), unused(ANA, 6)), (false, false, true));
    assert!(unused(BOB, 5));
}

fn swap(state: SwapState, attempt: u32) -> SwapRow {
    let (id, campaign, digest) = (SwapId(1), Some(SEVEN), row(1));
    SwapRow { id, subject: ANA, campaign, state, attempt, digest }
}

#[test]
fn an_open_swap_is_as_it_was_left() {
    use SwapState::{Done, Intended, Undone};
    let check = |log: &Written, row: &SwapRow| log.0.check_swap(row);
    let refused = Err(FoldRefusal::Swap { swap: SwapId(1) });
    let none = Written::default();
    assert_eq!(check(&none, &swap(Intended, 1)), refused);
    let open = none.then(sealing(SEVEN, ANA, 1));
    assert_eq!(check(&open, &swap(Intended, 1)), Ok(()));
    let of_bob = SwapRow { subject: BOB, ..swap(Intended, 1) };
    let of_eight = SwapRow { campaign: Some(EIGHT), ..swap(Intended, 1) };
    let of_another = SwapRow { digest: row(2), ..swap(Intended, 1) };
    let earlier = SwapRow { id: SwapId(2), ..swap(Intended, 1) };
    for row in [swap(Intended, 2), swap(Done, 1), of_bob, of_eight, of_another] {
        assert_eq!(check(&open, &row), refused, "{row:?}");
    }
    assert_eq!(check(&open, &earlier), Err(FoldRefusal::Swap { swap: SwapId(2) }));
    let (campaign, whom, swap_id) = (SEVEN, ANA.into(), SwapId(1));
    let taken = CampaignEvent::SealingTaken { campaign, whom, swap: swap_id, attempt: 2 };
    let taken = open.then(taken);
    assert_eq!(
        (check(&taken, &swap(Intended, 1)), check(&taken, &swap(Intended, 2))),
        (refused, Ok(()))
    );
    let whom = ANA.into();
    let undone = taken.then(CampaignEvent::SealingUndone { campaign, whom, swap: swap_id });
    assert_eq!(check(&undone, &swap(Undone, 2)), Ok(()));
    for state in [Intended, Done] {
        assert_eq!(check(&undone, &swap(state, 2)), refused, "{state}");
    }
    let of_another = SwapRow { digest: row(2), ..swap(Undone, 2) };
    assert_eq!(check(&undone, &of_another), refused);
}

#[test]
fn a_swap_that_was_given_up_may_be_found_to_stand() {
    let (campaign, whom) = (SEVEN, ANA.into());
    let undone = CampaignEvent::SealingUndone { campaign, whom, swap: SwapId(1) };
    let found = LogEvent::ValueFound { whom: ANA.into(), swap: SwapId(1) };
    let log = Written::default().then(sealing(SEVEN, ANA, 1)).then(undone).then(found);
    assert_eq!(log.0.check_swap(&swap(SwapState::Done, 1)), Ok(()));
    assert!(log.0.check_swap(&swap(SwapState::Undone, 1)).is_err());
}

#[test]
fn a_swap_whose_row_is_gone_is_missed() {
    let everywhere = (Bound::Unbounded, Bound::Unbounded);
    let missed = |log: &Written, rows: &[i64]| {
        let rows = rows.iter().map(|id| SwapId(*id)).collect();
        log.0.check_no_swap_missing(everywhere, &rows).is_err()
    };
    let log = Written::default().seal(SEVEN, ANA, 1, 5).then(sealing(SEVEN, BOB, 2));
    assert_eq!(log.0.open_swaps().collect::<Vec<_>>(), [(SwapId(2), Some(SEVEN))]);
    assert_eq!(
        (missed(&log, &[1, 2]), missed(&log, &[1]), missed(&log, &[2])),
        (false, true, true)
    );
    let after = (Bound::Excluded(SwapId(1)), Bound::Unbounded);
    assert_eq!(log.0.check_no_swap_missing(after, &HashSet::from([SwapId(2)])), Ok(()));
    assert_eq!(log.0.check_no_swap(ANA), Ok(()));
    assert_eq!(log.0.check_no_swap(BOB), Err(FoldRefusal::NoSwap { swap: SwapId(2) }));
}

#[test]
fn a_campaign_ends_once_everybody_is_settled() {
    let settled = |log: &Written| log.0.check_settled(SEVEN);
    let open = Written::default().then(sealing(SEVEN, ANA, 1));
    assert_eq!(settled(&open), Err(FoldRefusal::Swap { swap: SwapId(1) }));
    assert_eq!(open.0.check_untouched(SEVEN, ANA), Err(FoldRefusal::NoSwap { swap: SwapId(1) }));
    assert_eq!(
        (open.0.check_untouched(EIGHT, ANA), open.0.check_untouched(SEVEN, BOB)),
        (Ok(()), Ok(()))
    );
    let (campaign, whom, address, notice) = (SEVEN, ANA.into(), 5, NoticeId(5));
    let sealed = open.then(CampaignEvent::AccountSealed { campaign, whom, address });
    assert_eq!(settled(&sealed), Err(FoldRefusal::Address { campaign, address }));
    assert_eq!(sealed.0.check_untouched(SEVEN, ANA), Err(FoldRefusal::Accounts { campaign }));
    let due = sealed.then(CampaignEvent::AddressDone { campaign, address, notice: Some(notice) });
    assert_eq!(settled(&due), Err(FoldRefusal::Notice { notice }));
    let sent = due.begin(Some(SEVEN), 5, 1).end(Some(SEVEN), 5, NoticeState::Sent);
    assert_eq!((settled(&sent), sent.0.check_settled(EIGHT)), (Ok(()), Ok(())));
}

#[test]
fn an_address_that_is_done_is_taken_up_by_nobody() {
    let written = Written::default().seal(SEVEN, ANA, 1, 5);
    let done = FoldRefusal::Address { campaign: SEVEN, address: 5 };
    assert_eq!(written.0.check_address(SEVEN, 5), Err(done));
    assert_eq!(written.0.check_address(SEVEN, 6), Ok(()));
    assert_eq!(written.0.check_address(EIGHT, 5), Ok(()));
}

#[test]
fn how_far_a_campaign_is_follows_its_notices() {
    let progress = |written: &Written| {
        let fold = written.0.campaign(SEVEN).unwrap();
        (fold.settled.without_gap(), fold.notice_counts.clone())
    };
    let due = Written::default().seal(SEVEN, ANA, 1, 0).seal(SEVEN, BOB, 1, 1);
    assert_eq!(progress(&due), (0, BTreeMap::from([(NoticeState::Pending, 2)])));
    let sent = due.begin(Some(SEVEN), 0, 1).end(Some(SEVEN), 0, NoticeState::Sent);
    let counts = BTreeMap::from([(NoticeState::Pending, 1), (NoticeState::Sent, 1)]);
    assert_eq!(progress(&sent), (1, counts));
    let refused = sent.end(Some(SEVEN), 1, NoticeState::Refused);
    let untold =
        refused.then(CampaignEvent::AddressDone { campaign: SEVEN, address: 2, notice: None });
    let counts = BTreeMap::from([(NoticeState::Refused, 1), (NoticeState::Sent, 1)]);
    assert_eq!(progress(&untold), (3, counts));
}

#[test]
fn a_password_that_is_out_of_use_is_out_of_use_by_some_row() {
    let sealed = Written::default().seal(SEVEN, ANA, 1, 5);
    let missing = FoldRefusal::ResetLine { campaign: SEVEN, subject: ANA };
    assert_eq!(sealed.0.check_resets(ANA, &[]), Err(missing));
    assert_eq!(sealed.0.check_resets(ANA, &[EIGHT]), Err(missing));
    assert_eq!(sealed.0.check_resets(ANA, &[SEVEN]), Ok(()));
    assert_eq!(sealed.0.check_resets(BOB, &[]), Ok(()));
    let (whom, swap) = (ANA.into(), SwapId(1));
    let put_back = CampaignEvent::AccountPutBack { campaign: SEVEN, whom, swap };
    assert_eq!(sealed.then(put_back).0.check_resets(ANA, &[]), Ok(()));
}

#[test]
fn what_a_person_sets_is_a_swap_like_any_other() {
    let (swap_id, row) = (SwapId(1), row(1));
    let intended = RecoveryEvent::ChoiceIntended { whom: ANA.into(), swap: swap_id, row };
    let taken = RecoveryEvent::ChoiceTaken { whom: ANA.into(), swap: swap_id, attempt: 2 };
    let end = SwapState::Done;
    let ended = RecoveryEvent::ChoiceEnded { whom: ANA.into(), swap: swap_id, end };
    let of_person = |state, attempt| SwapRow { campaign: None, ..swap(state, attempt) };
    let log = Written::default().then(LogEvent::from(intended)).then(LogEvent::from(taken));
    assert_eq!(log.0.check_swap(&of_person(SwapState::Intended, 2)), Ok(()));
    assert!(log.0.check_swap(&swap(SwapState::Intended, 2)).is_err(), "no campaign's");
    // A campaign leaves the account alone meanwhile: that is no end of this swap.
    let (campaign, reason) = (SEVEN, model::SkipReason::Changed);
    let log = log.then(CampaignEvent::AccountSkipped { campaign, whom: ANA.into(), reason });
    assert_eq!(log.0.check_swap(&of_person(SwapState::Intended, 2)), Ok(()));
    let log = log.then(LogEvent::from(ended));
    assert_eq!(log.0.check_swap(&of_person(SwapState::Done, 2)), Ok(()));
    assert!(log.0.knows_swap(swap_id) && !log.0.knows_swap(SwapId(2)));
}

#[test]
fn only_the_entry_that_intended_a_swap_tells_why() {
    let intent =
        |version| Entry::new(NOW, &sealing(SEVEN, ANA, version).into()).to_bytes().unwrap();
    let log = Written::default().seal(SEVEN, ANA, 1, 5);
    assert!(log.0.is_intent(SwapId(1), &intent(1)));
    assert!(!log.0.is_intent(SwapId(1), &intent(2)) && !log.0.is_intent(SwapId(2), &intent(1)));
}

#[test]
fn an_intent_of_before_names_no_swap() {
    let whom: Whom = ANA.into();
    let intent = CampaignEvent::AccountSealing {
        campaign: SEVEN,
        whom: whom.clone(),
        credential_version: CredentialVersion::from_bytes([1; 32]),
        address: None,
        findings: Vec::new(),
        swap: None,
        row: None,
    };
    let log = Written::default().then(intent);
    let check = |log: &Written, state| log.0.check_swap(&swap(state, 1)).is_ok();
    assert!(check(&log, SwapState::Intended) && !check(&log, SwapState::Done));
    let log = log.then(CampaignEvent::AccountSealed { campaign: SEVEN, whom, address: 1 });
    assert!(check(&log, SwapState::Done) && !check(&log, SwapState::Intended));
    assert!(log.0.check_swap(&SwapRow { subject: BOB, ..swap(SwapState::Done, 1) }).is_err());
}

#[test]
fn a_campaign_stands_where_it_moved_to() {
    let standing = |round, state: &str, machine: Option<&str>| CampaignStanding {
        name: "Spring".to_owned(),
        author: "ana".to_owned(),
        round,
        state: state.to_owned(),
        machine: machine.map(ToOwned::to_owned),
    };
    let drafted = CampaignEvent::CampaignDrafted {
        campaign: SEVEN,
        name: "Spring".to_owned(),
        author: "ana".to_owned(),
        leaks: vec![LeakId(1)],
        machine: Some("aa".to_owned()),
    };
    let moved = |machine: Option<&str>| CampaignEvent::CampaignMoved {
        campaign: SEVEN,
        round: 1,
        from: "draft".to_owned(),
        to: "frozen".to_owned(),
        reason: None,
        machine: machine.map(ToOwned::to_owned),
    };
    let check = |log: &Written, row: CampaignStanding| log.0.check_campaign(SEVEN, &row).is_ok();
    let log = Written::default();
    assert!(!check(&log, standing(0, "draft", Some("aa"))));
    let log = log.then(drafted);
    assert!(check(&log, standing(0, "draft", Some("aa"))));
    let log = log.then(moved(Some("bb")));
    assert!(check(&log, standing(1, "frozen", Some("bb"))));
    for row in [
        standing(0, "draft", Some("aa")),
        standing(1, "frozen", Some("aa")),
        standing(1, "signed", Some("bb")),
        standing(2, "frozen", Some("bb")),
        standing(1, "frozen", None),
        CampaignStanding { name: "Autumn".to_owned(), ..standing(1, "frozen", Some("bb")) },
        CampaignStanding { author: "bob".to_owned(), ..standing(1, "frozen", Some("bb")) },
    ] {
        assert!(!check(&log, row.clone()), "{row:?}");
    }
    let author = "bob".to_owned();
    let handed_over = CampaignEvent::CampaignHandedOver { campaign: SEVEN, author: author.clone() };
    let log = log.then(handed_over);
    assert!(check(&log, CampaignStanding { author, ..standing(1, "frozen", Some("bb")) }));
    let before = log.then(moved(None));
    let row = CampaignStanding { author: "bob".to_owned(), ..standing(1, "frozen", Some("cc")) };
    assert!(check(&before, row), "an entry of before");
}

#[test]
fn what_was_said_in_public_is_dated_by_the_first_word() {
    let said =
        |sha256: &str| CampaignEvent::StatementMade { campaign: SEVEN, sha256: sha256.to_owned() };
    let log = Written::default().then(said("aa")).then(said("bb"));
    let statement = StatementFold { sha256: "bb".to_owned(), first_at: NOW, at: NOW };
    assert_eq!(log.0.statements().collect::<Vec<_>>(), [(SEVEN, &statement)]);
}

#[test]
fn a_kill_switch_and_a_roster_are_as_they_were_moved_last() {
    let (pulled, released) = (KillSwitch::Pulled, KillSwitch::Released);
    let log = Written::default();
    assert_eq!(log.0.check_kill_switch(released), Ok(()));
    assert!(log.0.check_kill_switch(pulled).is_err());
    assert_eq!(log.0.check_roster(None), Ok(()));
    assert_eq!(log.0.check_roster(Some("aa")), Err(FoldRefusal::Roster));
    let moved = CampaignEvent::KillSwitchMoved { position: pulled, by: "ana".to_owned() };
    let founded = LogEvent::RosterFounded { digest: "aa".to_owned(), operators: Vec::new() };
    let changed = LogEvent::RosterChanged { digest: "bb".to_owned(), change: String::new() };
    let log = log.then(moved).then(founded).then(changed);
    assert_eq!((log.0.check_kill_switch(pulled), log.0.check_roster(Some("bb"))), (Ok(()), Ok(())));
    assert!(log.0.check_kill_switch(released).is_err());
    assert!(log.0.check_roster(Some("aa")).is_err() && log.0.check_roster(None).is_err());
}

#[test]
fn sending_is_permitted_by_the_newest_document() {
    let armed = |digest| armed(digest, false);
    let log = Written::default();
    assert_eq!(log.0.check_arming("aa"), Err(FoldRefusal::Arming));
    let log = log.then(armed("aa")).then(armed("bb"));
    assert_eq!(log.0.check_arming("bb"), Ok(()));
    assert_eq!(log.0.check_arming("aa"), Err(FoldRefusal::Arming));
    let before = br#"{"v":1,"at":"1970-01-01T00:00:00Z","event":"sending_armed","database":"x"}"#;
    let before = FoldEntry::read(before).unwrap();
    let used_at = Timestamp::from_micros(0);
    assert_eq!(before, FoldEntry::Armed(ArmedFold { digest: None, is_restored: false, used_at }));
}

fn armed(digest: &str, is_restored: bool) -> LogEvent {
    let (database, signers) = ("sqlite".to_owned(), vec!["ana".to_owned()]);
    LogEvent::SendingArmed { database, signers, digest: digest.to_owned(), is_restored }
}

/// The backup was made a second after the log began.
fn restored() -> LogEvent {
    let backup_at = Timestamp::from_micros(1_000_000);
    LogEvent::StoreRestored { entries: 9, root: "00".into(), backup_at, requests_dropped: 0 }
}

#[test]
fn a_restored_store_is_armed_by_nobody_who_does_not_know_it() {
    let log = Written::default().then(armed("aa", false)).seal(SEVEN, ANA, 1, 1).then(restored());
    assert_eq!(log.0.restored_from(), Some(Timestamp::from_micros(1_000_000)));
    assert_eq!(log.0.check_arming("aa"), Err(FoldRefusal::Arming));
    assert!(log.0.is_perhaps_sent(Some(SEVEN), NoticeId(1)) && log.0.is_uncompared());
    let unknowing = log.then(armed("bb", false));
    assert_eq!(unknowing.0.check_arming("bb"), Err(FoldRefusal::Arming));
    let knowing = unknowing.then(armed("cc", true));
    assert_eq!((knowing.0.check_arming("cc"), knowing.0.restored_from()), (Ok(()), None));
    assert_eq!(knowing.then(armed("dd", false)).0.check_arming("dd"), Ok(()));
}

fn compared(unrecorded: u64, whole: bool) -> LogEvent {
    let found = [(Discrepancy::Unrecorded, unrecorded)].into();
    LogEvent::TableReconciled { result: Reconciled { found, ..Reconciled::default() }, whole }
}

#[test]
fn values_that_nothing_tells_of_are_explained_by_lost_steps_alone() {
    let log = Written::default().then(armed("aa", false)).then(compared(3, true));
    assert_eq!(log.0.unrecorded_explained(), 0);
    let log = log.then(armed("bb", true));
    assert_eq!(log.0.unrecorded_explained(), u64::MAX);
    let log = log.then(compared(3, false));
    assert!(log.0.is_uncompared());
    let log = log.then(compared(5, true));
    assert_eq!((log.0.is_uncompared(), log.0.unrecorded_explained()), (false, 5));
    let log = log.then(compared(4, true)).then(compared(6, true));
    assert_eq!(log.0.unrecorded_explained(), 4);
    let (key, verifier) = (KeyId::from_bytes([7; 8]), String::new());
    let log = log.then(LogEvent::KeyRotated { key, verifier });
    assert!(log.0.is_uncompared(), "by the key that comes next more may be recognised");
}

#[test]
fn what_was_found_last_is_known() {
    assert_eq!(Written::default().0.last_reconciled(), None);
    let log = Written::default().then(compared(3, true)).then(compared(2, false));
    let (at, result) = log.0.last_reconciled().unwrap();
    assert_eq!((*at, result.found(Discrepancy::Unrecorded)), (NOW, 2));
}

#[test]
fn an_address_is_begun_with_the_first_of_its_accounts() {
    let mut log = Written::default();
    for (whom, version, number) in [(ANA, 1, 5), (BOB, 2, 5), (ANA, 3, 6)] {
        let mut intent = sealing(SEVEN, whom, version);
        if let CampaignEvent::AccountSealing { address, .. } = &mut intent {
            *address = Some(number);
        }
        log = log.then(intent);
    }
    assert_eq!(log.0.campaign(SEVEN).unwrap().pace.begun_since(NOW.begin_of(MINUTE)), 2);
}

#[test]
fn the_last_backup_is_known() {
    let made = LogEvent::BackupMade { entries: 0, root: "00".into() };
    assert_eq!(Written::default().0.last_backup(), None);
    assert_eq!(Written::default().then(made).0.last_backup(), Some(NOW));
}

#[test]
fn its_root_is_the_logs() {
    let log = Written::default().seal(SEVEN, ANA, 1, 5);
    let mut tree = Tree::default();
    for event in [
        sealing(SEVEN, ANA, 1),
        CampaignEvent::AccountSealed { campaign: SEVEN, whom: ANA.into(), address: 5 },
        CampaignEvent::AddressDone { campaign: SEVEN, address: 5, notice: Some(NoticeId(5)) },
    ] {
        tree.push(&Entry::new(NOW, &event.into()).to_bytes().unwrap()).unwrap();
    }
    assert_eq!((log.0.size(), log.0.root().unwrap()), (3, tree.root().unwrap()));
}

#[test]
fn what_a_campaign_does_and_this_version_does_not_know_is_an_error() {
    let sung = br#"{"v":1,"at":"1970-01-01T00:00:00Z","event":"campaign_sung","campaign":7}"#;
    assert!(FoldEntry::read(sung).is_err());
    let imported =
        br#"{"v":1,"at":"1970-01-01T00:00:00Z","event":"accounts_imported","accounts":3}"#;
    assert_eq!(FoldEntry::read(imported).unwrap(), FoldEntry::Other);
}

#[test]
fn a_fold_goes_on_where_a_snapshot_was_made() {
    let begun = || Written::default().seal(SEVEN, ANA, 1, 5).begin(Some(SEVEN), 5, 1);
    let ended = |log: Written| log.end(Some(SEVEN), 5, NoticeState::Sent).seal(EIGHT, ANA, 1, 6);
    let snapshot = begun().0.snapshot().unwrap();
    let resumed = Written(Fold::resume(&snapshot, begun().0.tree).unwrap());
    let (resumed, whole) = (ended(resumed).0, ended(begun()).0);
    assert_eq!((&resumed.campaigns, &resumed.swaps), (&whole.campaigns, &whole.swaps));
    assert_eq!((resumed.told, resumed.tree.root()), (whole.told, whole.tree.root()));
    let of_another_form = [&[SNAPSHOT_FORM + 1], &snapshot[1..]].concat();
    assert!(Fold::resume(&of_another_form, Tree::default()).is_none());
    assert!(Fold::resume(&snapshot[..9], Tree::default()).is_none());
}
