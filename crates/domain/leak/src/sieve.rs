use memchr::memchr;
use model::{RejectReason, RejectSample, Secret, Tally, address::unquoted};

use crate::{
    ahead::Ahead,
    delimiters::first_split,
    hit::{Hit, LinePlace},
    index::FoundAccount,
    index::IdentifierIndex,
    lines::{Content, LineReader, RawLine},
    probe::Probe,
    reading::{Mention, addresses, candidates, decoded_lines, mentions},
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
        let place = LinePlace { line: self.tally.lines, offset, length: text.len() };
        let earlier = self.hits.len();
        let is_named = self.try_all(text, place, earlier);
        if self.hits.len() > earlier { LineOutcome::Hit } else { judge_stranger(text, is_named) }
    }

    /// Adds the hits of whatever in a line may be somebody's identifier; whether one of ours is. The line's
    /// hits stand behind the `earlier` ones of other lines.
    fn try_all(&mut self, text: &[u8], place: LinePlace, earlier: usize) -> bool {
        let mut is_named = false;
        for mention in mentions(text) {
            if self.is_found(&text[mention.place.clone()]) {
                let secrets = candidates(text, &mention.place).secrets;
                self.add(place, &mention, &secrets, earlier);
                is_named = true;
            }
        }
        for decoded in decoded_lines(text) {
            for mention in addresses(&decoded.text) {
                if self.is_found(&decoded.text[mention.place.clone()]) {
                    let mut secrets = candidates(&decoded.text, &mention.place).secrets;
                    // The password may hold what only looks as if it were coded.
                    let written = decoded.written_at(&mention.place);
                    secrets.extend(candidates(text, &written).secrets);
                    self.add(place, &mention, &secrets, earlier);
                    is_named = true;
                }
            }
        }
        is_named
    }

    fn is_found(&mut self, identifier: &[u8]) -> bool {
        !self.probe.find(self.index, identifier).is_empty()
    }

    /// Adds a hit for each account just found, or to the one that the line has given it.
    fn add(&mut self, place: LinePlace, mention: &Mention, secrets: &[Secret], earlier: usize) {
        if secrets.is_empty() {
            return;
        }
        let by_now = self.hits.len();
        for FoundAccount { account, tier } in self.probe.found().iter().copied() {
            let (account, tier) = (self.index.account_id(account), mention.tier(tier));
            let known = &mut self.hits[earlier..by_now];
            if let Some(known) = known.iter_mut().find(|known| known.account == account) {
                known.join(tier, secrets);
                continue;
            }
            let mut hit = place.hit(account, tier);
            hit.join(tier, secrets);
            self.hits.push(hit);
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

/// What a line without a hit is: a record of somebody else, if it can be read as one.
fn judge_stranger(text: &[u8], is_named: bool) -> LineOutcome {
    let address = addresses(text).next().map(|mention| mention.place);
    let (identifier, is_without_secret) = match (address, first_split(text)) {
        (Some(place), _) => {
            let is_without = is_named || candidates(text, &place).secrets.is_empty();
            (&text[place], is_without)
        }
        (None, Some((identifier, rest))) => (identifier, is_named || rest.is_empty()),
        (None, None) => return LineOutcome::Reject(RejectReason::NoDelimiter),
    };
    let without = is_without_secret.then_some(RejectReason::NoSecret);
    match unreadable(identifier).or(without) {
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
