//! What became of notices.

use std::collections::HashMap;

use model::NoticeState;

use super::rule::{BrokenRules, HistoryRule};

/// All notices of a log, by their number.
#[derive(Debug, Default)]
pub(super) struct HistoryNotices(HashMap<u64, HistoryNotice>);

#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryNotice {
    /// `None` where its recipient asked for it.
    pub(super) campaign: Option<u64>,
    /// `None` where its recipient asked for it, and where no entry makes it due.
    pub(super) address: Option<u64>,
    pub(super) state: NoticeState,
    attempt: u64,
    is_disputed: bool,
}

impl HistoryNotices {
    /// A notice is due; `false` if there is one of this number.
    pub(super) fn add(&mut self, id: u64, campaign: Option<u64>, address: Option<u64>) -> bool {
        self.0.insert(id, HistoryNotice::due(campaign, address)).is_none()
    }

    pub(super) fn get(&self, id: u64) -> Option<&HistoryNotice> {
        self.0.get(&id)
    }

    /// Whether nothing more is done about it.
    pub(super) fn is_final(&self, id: u64) -> bool {
        self.get(id).is_some_and(|notice| notice.state.is_final())
    }

    pub(super) fn of_campaign(&self, campaign: u64) -> impl Iterator<Item = &HistoryNotice> {
        self.0.values().filter(move |notice| notice.campaign == Some(campaign))
    }

    pub(super) fn begin(
        &mut self,
        id: u64,
        campaign: Option<u64>,
        attempt: u64,
        broken: &mut BrokenRules,
    ) {
        let is_due = self.is(id, campaign, |notice| {
            notice.state == NoticeState::Pending && attempt == notice.attempt + 1
        });
        broken.unless(is_due, HistoryRule::Attempts, || {
            format!("attempt {attempt} of notice {id} is not due")
        });
        let notice = self.entry(id, campaign);
        (notice.state, notice.attempt) = (NoticeState::Inflight, attempt);
    }

    pub(super) fn end(
        &mut self,
        id: u64,
        campaign: Option<u64>,
        (attempt, state): (u64, NoticeState),
        broken: &mut BrokenRules,
    ) {
        let may_end =
            self.is(id, campaign, |notice| attempt == notice.attempt && notice.ends_as(state));
        broken.unless(may_end, HistoryRule::Ended, || {
            format!("attempt {attempt} of notice {id} cannot end as {state} now")
        });
        let notice = self.entry(id, campaign);
        (notice.state, notice.attempt) = (state, attempt);
    }

    pub(super) fn dispute(&mut self, id: u64, campaign: Option<u64>, broken: &mut BrokenRules) {
        let is_first = self.is(id, campaign, |notice| notice.attempt > 0 && !notice.is_disputed);
        broken.unless(is_first, HistoryRule::Disputed, || {
            format!("notice {id} was not begun, or is disputed already")
        });
        self.entry(id, campaign).is_disputed = true;
    }

    fn is(&self, id: u64, campaign: Option<u64>, so: impl Fn(&HistoryNotice) -> bool) -> bool {
        self.get(id).is_some_and(|notice| notice.campaign == campaign && so(notice))
    }

    fn entry(&mut self, id: u64, campaign: Option<u64>) -> &mut HistoryNotice {
        self.0.entry(id).or_insert_with(|| HistoryNotice::due(campaign, None))
    }
}

impl HistoryNotice {
    const fn due(campaign: Option<u64>, address: Option<u64>) -> Self {
        let state = NoticeState::Pending;
        Self { campaign, address, state, attempt: 0, is_disputed: false }
    }

    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.state, NoticeState::Refused)
    }

    const fn ends_as(&self, state: NoticeState) -> bool {
        match self.state {
            NoticeState::Inflight => !matches!(state, NoticeState::Inflight),
            NoticeState::Uncertain => state.is_final(),
            _ => false,
        }
    }
}
