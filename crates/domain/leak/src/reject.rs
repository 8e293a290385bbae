use model::RejectSample;

use crate::limits::REJECT_SAMPLES_MAX;

/// The first few rejects of each reason, so that one flood does not hide the others.
#[derive(Default)]
pub(crate) struct RejectSamples(Vec<RejectSample>);

impl RejectSamples {
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
