use authority::{OperatorPublic, Roster, RosterDigest, RosterError, SignedRoster};
use futures_util::future::BoxFuture;
use ledger::{Fold, FoldRefusal, LogEvent};
use model::{NameError, canonical::CanonicalError};
use store::Tx;

use crate::{Instance, InstanceFault};

/// Takes a signed roster document: the founding one if the store has none, else a change.
///
/// # Errors
/// [`RosterStateError`] says why it is not taken.
pub fn accept_roster<'a>(
    instance: &'a Instance,
    signed: &'a SignedRoster,
    expected_founding: RosterDigest,
) -> BoxFuture<'a, Result<Roster, RosterStateError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let kept = KeptRoster::read(&mut tx, instance, expected_founding).await?;
        let documents = kept.documents;
        let log = instance.proved(&mut tx).await?;
        let roster = match kept.checked(&log)? {
            None => Roster::founding(signed, expected_founding, &instance.signing_id()?)?,
            Some(roster) => roster.changed(signed)?,
        };
        drop(log);
        tx.add_roster_document(documents, &signed.to_bytes()).await?;
        instance.record(&mut tx, &[event(signed, &roster, documents == 0)]).await?;
        tx.commit().await?;
        Ok(roster)
    })
}

/// Who may sign today, verified from the first document on.
///
/// # Errors
/// [`RosterStateError::None`] if nobody may yet, else the first document that does not hold.
pub fn roster(
    instance: &Instance,
    expected_founding: RosterDigest,
) -> BoxFuture<'_, Result<Roster, RosterStateError>> {
    Box::pin(async move {
        roster_in(&mut instance.store().read().await?, instance, expected_founding).await
    })
}

/// As [`roster`], in the caller's transaction.
///
/// # Errors
/// As [`roster`].
pub fn roster_in<'a>(
    tx: &'a mut Tx,
    instance: &'a Instance,
    expected_founding: RosterDigest,
) -> BoxFuture<'a, Result<Roster, RosterStateError>> {
    Box::pin(async move {
        let kept = KeptRoster::read(tx, instance, expected_founding).await?;
        let log = instance.proved(tx).await?;
        kept.checked(&log)?.ok_or(RosterStateError::None)
    })
}

/// The roster documents of the store, verified one by the other, and not yet held against the log.
pub(crate) struct KeptRoster {
    documents: u64,
    newest: Option<RosterDigest>,
    verified: Result<Option<Roster>, RosterStateError>,
}

impl KeptRoster {
    pub(crate) async fn read(
        tx: &mut Tx,
        instance: &Instance,
        expected_founding: RosterDigest,
    ) -> Result<Self, RosterStateError> {
        let bodies = tx.roster_documents().await?;
        let parsed = bodies.iter().map(|body| SignedRoster::parse(body));
        let documents = parsed.collect::<Result<Vec<_>, _>>().map_err(RosterStateError::Stored)?;
        Ok(Self {
            documents: documents.len() as u64,
            newest: documents.last().map(|signed| signed.document().digest()),
            verified: verified(instance, &documents, expected_founding),
        })
    }

    /// Who may sign by it, if anybody may, whatever the log says.
    pub(crate) fn unchecked(&self) -> Option<&Roster> {
        self.verified.as_ref().ok()?.as_ref()
    }

    /// Who may sign, if the newest document is the one that the log knows: who was removed comes back
    /// by no row's absence. `None` if nobody may yet.
    pub(crate) fn checked(self, log: &Fold) -> Result<Option<Roster>, RosterStateError> {
        log.check_roster(self.newest.map(|digest| digest.to_string()).as_deref())?;
        self.verified
    }
}

fn verified(
    instance: &Instance,
    documents: &[SignedRoster],
    expected: RosterDigest,
) -> Result<Option<Roster>, RosterStateError> {
    let Some((founding, changes)) = documents.split_first() else { return Ok(None) };
    match Roster::verify_chain(founding, changes, expected, &instance.signing_id()?) {
        // The configuration may be the one that is wrong.
        Err(error @ RosterError::OtherDigest { .. }) => Err(error.into()),
        verified => verified.map(Some).map_err(RosterStateError::Kept),
    }
}

fn event(signed: &SignedRoster, roster: &Roster, founding: bool) -> LogEvent {
    let digest = signed.document().digest().to_string();
    if founding {
        let names = roster.operators().iter().map(OperatorPublic::name);
        return LogEvent::RosterFounded {
            digest,
            operators: names.map(ToString::to_string).collect(),
        };
    }
    LogEvent::RosterChanged { digest, change: signed.document().change().to_string() }
}

/// Why there is no roster, or why it is not changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterStateError {
    /// Nobody may sign.
    #[error(
        "there is no roster yet: `countersign operator init` proposes one, \
         and `countersign operator accept` takes it when it is signed"
    )]
    None,
    /// The document, or the chain that it continues, does not hold.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// Each document was verified before it was kept.
    #[error(
        "the store's roster documents do not follow one from the other ({0}): somebody else has written to \
         the store. Put the table `roster_document` back as a backup of the store has it"
    )]
    Kept(#[source] RosterError),
    /// What the store holds is none of ours.
    #[error("a stored roster document is damaged: {0}")]
    Stored(#[source] CanonicalError),
    /// The documents are not those of the audit log.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
    /// The store's instance cannot stand in a document.
    #[error(transparent)]
    Instance(#[from] NameError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl RosterStateError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Row(_) | Self::Kept(_) | Self::Stored(_) => true,
            Self::Fault(fault) => fault.is_refusal(),
            Self::None | Self::Roster(_) | Self::Instance(_) => false,
        }
    }
}

crate::from_faults!(RosterStateError);

#[cfg(test)]
mod tests {
    use authority::RosterChange;

    use super::*;
    use crate::testing::{TestSite, founding, key};

    const OTHER: RosterDigest = RosterDigest::from_bytes([0; 32]);

    #[tokio::test]
    async fn a_roster_is_founded_changed_and_logged() {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let expected = first.document().digest();
        assert!(matches!(roster(&site, expected).await, Err(RosterStateError::None)));
        let founded = accept_roster(&site, &first, expected).await.unwrap();
        assert_eq!(founded, roster(&site, expected).await.unwrap());

        let add = RosterChange::Add { operator: key("dan").public() };
        let change = SignedRoster::new(founded.propose(add, site.clock().now()));
        let change = change.signed_by(&key("ana"));
        let few = accept_roster(&site, &change, expected).await.unwrap_err().to_string();
        assert_eq!(few, "1 operators have signed, 2 are needed: missing are any of bob, cleo");
        let change = change.signed_by(&key("bob"));
        accept_roster(&site, &change, expected).await.unwrap();
        assert_eq!(roster(&site, expected).await.unwrap().operators().len(), 4);

        let log = site.log().await;
        assert!(log.contains(r#""event":"roster_founded""#), "{log}");
        assert!(log.contains(r#""change":"add: countersign-operator-1 dan"#), "{log}");
    }

    #[tokio::test]
    async fn nothing_is_taken_twice() {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let expected = first.document().digest();
        accept_roster(&site, &first, expected).await.unwrap();
        let again = accept_roster(&site, &first, expected).await;
        assert!(matches!(again, Err(RosterStateError::Roster(RosterError::OtherPrevious { .. }))));
    }

    #[tokio::test]
    async fn only_the_configured_roster_counts() {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let other = accept_roster(&site, &first, OTHER).await;
        assert!(matches!(other, Err(RosterStateError::Roster(RosterError::OtherDigest { .. }))));
        accept_roster(&site, &first, first.document().digest()).await.unwrap();
        let other = roster(&site, OTHER).await;
        assert!(matches!(other, Err(RosterStateError::Roster(RosterError::OtherDigest { .. }))));
    }
}
