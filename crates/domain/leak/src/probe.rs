use crate::{
    forms::Forms,
    index::{FoundAccount, IdentifierIndex},
};

/// What one look-up needs, kept from one to the next.
#[derive(Default)]
pub(crate) struct Probe {
    found: Vec<FoundAccount>,
    forms: Forms,
}

impl Probe {
    /// The accounts that an identifier leads to, ascending, each once, with its best tier. Nothing
    /// is allocated for a common identifier that is nobody's.
    pub(crate) fn find(
        &mut self,
        index: &dyn IdentifierIndex,
        identifier: &[u8],
    ) -> &[FoundAccount] {
        let Self { found, forms } = self;
        found.clear();
        if let Some(forms) = forms.make(identifier) {
            forms.each(|form, roles| index.probe(form, roles, found));
        }
        keep_best(found);
        found
    }

    /// What [`find`](Self::find) has found last.
    pub(crate) fn found(&self) -> &[FoundAccount] {
        &self.found
    }
}

/// [`Tier`](model::Tier)'s order is from best to least.
fn keep_best(found: &mut Vec<FoundAccount>) {
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup_by_key(|found| found.account);
    }
}
