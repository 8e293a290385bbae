use model::RejectReason;

use crate::limits::REJECT_SAMPLES_MAX;

/// Where a line stands that could not be read as a record. Never what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectSample {
    /// Why.
    pub reason: RejectReason,
    /// Line number, from 1, within the piece.
    pub line: u64,
    /// Bytes from the start of the (decompressed) text to the start of the line.
    pub offset: u64,
    /// Bytes of the line, its end not counted.
    pub length: u64,
}

/// The first few rejects of each reason, so that one flood does not hide the others.
#[derive(Default)]
pub(crate) struct Samples(Vec<RejectSample>);

impl Samples {
    pub(crate) fn add(&mut self, sample: RejectSample) {
        let same = self.0.iter().filter(|other| other.reason == sample.reason);
        if same.count() < REJECT_SAMPLES_MAX {
            self.0.push(sample);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<RejectSample> {
        self.0
    }
}
