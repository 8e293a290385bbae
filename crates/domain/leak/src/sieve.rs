use memchr::memchr;
use model::{RejectReason, RejectSample, Secret, Tally, address::unquoted};

use crate::{
    ahead::Ahead,
    hit::{Hit, LinePlace},
    index::IdentifierIndex,
    lines::{Content, LineReader, RawLine},
    probe::Probe,
    record::{Split, splits},
    reject::RejectSamples,
};

/// Tells the lines that name one of our accounts from all others, and counts every one of them.
pub(crate) struct Sieve<'a> {
    index: &'a dyn IdentifierIndex,
    tally: Tally,
    samples: RejectSamples,
    complete: bool,
    ahead: Ahead,
    probe: Probe,
    /// Those that nobody has taken yet.
    hits: Vec<Hit>,
}

impl<'a> Sieve<'a> {
    pub(crate) fn new(index: &'a dyn IdentifierIndex) -> Self {
        Self {
            index,
            tally: Tally::default(),
            samples: RejectSamples::default(),
            complete: true,
            ahead: Ahead::default(),
            probe: Probe::default(),
            hits: Vec::new(),
        }
    }

    /// Counts the lines of others that stand before the next one to be read with care.
    pub(crate) fn pass_over_strangers(&mut self, lines: &mut LineReader<'_>) {
        loop {
            if self.ahead.is_empty() {
                self.ahead.look(lines.ahead(), lines.line_bytes_max(), self.index);
            }
            let (count, bytes) = self.ahead.strangers();
            self.tally.lines += count as u64;
            self.tally.misses += count as u64;
            lines.pass_over(bytes);
            if self.ahead.suspect() || count == 0 {
                return;
            }
        }
    }

    /// Reads one line with care.
    pub(crate) fn take(&mut self, line: RawLine<'_>) {
        self.tally.lines += 1;
        let line = line.without_mark();
        match self.judge(&line) {
            LineOutcome::Hit => self.tally.hits += 1,
            LineOutcome::Miss => self.tally.misses += 1,
            LineOutcome::Blank => self.tally.blank += 1,
            LineOutcome::Reject(reason) => self.reject(reason, &line),
        }
    }

    /// How many hits nobody has taken yet.
    pub(crate) const fn hit_count(&self) -> usize {
        self.hits.len()
    }

    /// Those hits.
    pub(crate) fn take_hits(&mut self) -> Vec<Hit> {
        std::mem::take(&mut self.hits)
    }

    /// What became of all lines, the first rejects of each reason, and whether the input was read
    /// to its end.
    pub(crate) fn into_counts(self) -> (Tally, Vec<RejectSample>, bool) {
        (self.tally, self.samples.into_vec(), self.complete)
    }

    fn judge(&mut self, line: &RawLine<'_>) -> LineOutcome {
        match line.content {
            Content::Text(text) if line.may_hold_nul && memchr(0, text).is_some() => {
                LineOutcome::Reject(RejectReason::Nul)
            }
            Content::Text(text) => self.judge_text(without_return(text), line.offset),
            Content::Overlong => LineOutcome::Reject(RejectReason::Overlong),
            Content::Broken => {
                self.complete = false;
                LineOutcome::Reject(RejectReason::TruncatedMember)
            }
        }
    }

    fn judge_text(&mut self, text: &[u8], offset: u64) -> LineOutcome {
        if text.trim_ascii_start().is_empty() {
            return LineOutcome::Blank;
        }
        let mut ways = splits(text);
        let Some(first) = ways.next() else {
            return LineOutcome::Reject(RejectReason::NoDelimiter);
        };
        let place = LinePlace { line: self.tally.lines, offset, length: text.len() };
        let earlier = self.hits.len();
        let mut found = self.try_split(&first, place, earlier);
        for split in ways {
            found |= self.try_split(&split, place, earlier);
        }
        if self.hits.len() > earlier { LineOutcome::Hit } else { judge_stranger(&first, found) }
    }

    /// Adds the hits that one way to read the line gives; whether it names an account. The line's
    /// hits stand behind the `earlier` ones of other lines.
    fn try_split(&mut self, split: &Split<'_>, place: LinePlace, earlier: usize) -> bool {
        if self.probe.find(self.index, split.identifier).is_empty() {
            return false;
        }
        let secrets = split.secrets();
        if !secrets.is_empty() {
            self.add(place, &secrets, earlier);
        }
        true
    }

    /// Adds a hit for each account just found, or to the one that an earlier split gave it.
    fn add(&mut self, place: LinePlace, secrets: &[Secret], earlier: usize) {
        let by_now = self.hits.len();
        for found in self.probe.found() {
            let account = self.index.account_id(found.account);
            let known = &mut self.hits[earlier..by_now];
            match known.iter_mut().find(|known| known.account == account) {
                Some(known) => known.join(found.tier, secrets),
                None => self.hits.push(place.hit(account, found.tier, secrets.to_vec())),
            }
        }
    }

    fn reject(&mut self, reason: RejectReason, line: &RawLine<'_>) {
        self.tally.rejects.add(reason, 1);
        self.samples.add(RejectSample {
            reason,
            line: self.tally.lines,
            offset: line.offset,
            length: line.length,
        });
    }
}

enum LineOutcome {
    Hit,
    Miss,
    Blank,
    Reject(RejectReason),
}

/// What a line without a hit is. Its first split decides, as that is how most would read it,
/// unless another one names an account of ours and then breaks off.
fn judge_stranger(first: &Split<'_>, named: bool) -> LineOutcome {
    let fault = unreadable(first.identifier);
    let without = named || first.is_without_secret();
    match fault.or(without.then_some(RejectReason::NoSecret)) {
        Some(reason) => LineOutcome::Reject(reason),
        None => LineOutcome::Miss,
    }
}

/// What is wrong with an identifier.
fn unreadable(identifier: &[u8]) -> Option<RejectReason> {
    if identifier.first().is_some_and(u8::is_ascii_alphanumeric) && identifier.is_ascii() {
        return None;
    }
    let Ok(identifier) = str::from_utf8(identifier) else {
        return Some(RejectReason::Encoding);
    };
    // What a converter puts where it could not read the text either.
    if identifier.contains(char::REPLACEMENT_CHARACTER) {
        return Some(RejectReason::Encoding);
    }
    unquoted(identifier).is_empty().then_some(RejectReason::NoIdentifier)
}

impl RawLine<'_> {
    /// The first line of a text may begin with a byte order mark, which is no part of it.
    fn without_mark(mut self) -> Self {
        if self.offset == 0
            && let Content::Text(text) = self.content
            && let Some(bare) = text.strip_prefix(b"\xef\xbb\xbf")
        {
            self.offset = 3;
            self.length -= 3;
            self.content = Content::Text(bare);
        }
        self
    }
}

fn without_return(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}
