use std::path::{Path, PathBuf};

use authority::{Roster, SignedArming};
use instance::{
    ArmError, ArmingTerms, DisarmedError, Instance, PermissionError, SendingStatus, TakenArming,
    WitnessError, Witnesses, adopt_proposal, arm, check_store_memory, propose_arming,
    sending_status,
};
use ledger::{WitnessPolicy, WitnessPolicyError};
use model::canonical::CanonicalError;
use serde::Serialize;

use super::{CommandContext, CommandFailure, Refused};
use crate::{
    cli::SendingCommand,
    config::Config,
    files,
    output::{Done, Sheet, grouped, visible},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &SendingCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    match command {
        SendingCommand::Propose { output, with, witnesses } => {
            let terms = terms(with, witnesses.as_deref())?;
            ask_witnesses(&instance, terms.witnesses.as_ref()).await?;
            propose(context, &config, &instance, output, terms).await?;
        }
        SendingCommand::Arm { file } => {
            let roster = wiring::roster(&config, &instance).await?;
            let sending_file = sending_file(&config);
            let (signed, witnesses) = (read(file)?, wiring::witnesses());
            let taken = arm(&instance, &signed, &roster, &sending_file, &witnesses).await;
            let taken = taken.map_err(refused)?;
            if let Some(reason) = &taken.former_witnesses_away {
                tracing::warn!("{FORMER_AWAY}: {reason}");
            }
            if taken.proposed_here {
                wiring::remember(&config, &instance).await?;
            }
            context.output.result("countersign.sending_arm/1", &taken, taken_arming)?;
        }
        SendingCommand::Adopt => {
            adopt(context, &config, &instance).await?;
            wiring::remember(&config, &instance).await?;
        }
        SendingCommand::Status => return status(context, &config, &instance).await,
    }
    Ok(Done::Whole)
}

/// What the witnesses of the arming before are asked for.
const FORMER_AWAY: &str = "not all witnesses of the arming before have signed for the log that names \
                           this one. Until they have (`countersign log cosign`), a store that is put \
                           back to before now, on a host that was armed then, is not noticed by them";

fn terms(with: &[PathBuf], witnesses: Option<&Path>) -> Result<ArmingTerms, CommandFailure> {
    Ok(ArmingTerms {
        with: with.iter().map(|file| read(file)).collect::<Result<_, _>>()?,
        witnesses: witnesses.map(policy).transpose()?,
    })
}

fn policy(file: &Path) -> Result<WitnessPolicy, CommandFailure> {
    let text = String::from_utf8_lossy(&files::read(file)?).into_owned();
    Ok(text.parse().map_err(|source| NoPolicy { file: file.to_owned(), source })?)
}

/// Who is signed for as a witness and does not know the log would keep this host from sending.
async fn ask_witnesses(
    instance: &Instance,
    policy: Option<&WitnessPolicy>,
) -> Result<(), CommandFailure> {
    let Some(policy) = policy else { return Ok(()) };
    match wiring::witnesses().sign_by_all(instance, policy).await {
        Ok(silent) => {
            if !silent.is_empty() {
                tracing::warn!("some witnesses do not sign, and enough others do: {silent}");
            }
            Ok(())
        }
        Err(error) if error.is_refusal() => Err(Refused::because(error)),
        Err(error) => Err(UnknownToWitnesses(error).into()),
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "{0}\nEach witness has to know the log by its key, which `countersign log verify` prints, before \
     operators sign for it"
)]
struct UnknownToWitnesses(WitnessError);

#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", file.display())]
struct NoPolicy {
    file: PathBuf,
    source: WitnessPolicyError,
}

#[derive(Serialize)]
struct ArmingProposed {
    file: String,
    sending_file: String,
    digest: String,
    log_entries: u64,
    log_entries_before: Option<u64>,
    log_continues: bool,
    hosts: usize,
    is_witnessed: bool,
}

async fn propose(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
    output: &Path,
    terms: ArmingTerms,
) -> Result<(), CommandFailure> {
    files::refuse_existing(output)?;
    let sending_file = sending_file(config);
    let proposal = propose_arming(instance, &sending_file, terms, &wiring::witnesses()).await;
    let proposal = proposal.map_err(refused)?;
    files::create(output, &proposal.to_bytes())?;
    let log = proposal.document().log();
    let proposed = ArmingProposed {
        file: output.display().to_string(),
        sending_file: sending_file.display().to_string(),
        digest: proposal.document().digest().to_string(),
        log_entries: log.map_or(0, |log| log.now.size),
        log_entries_before: log.and_then(|log| Some(log.before?.size)),
        log_continues: log.is_none_or(|log| log.continues),
        hosts: proposal.document().secrets().count(),
        is_witnessed: proposal.document().witnesses().is_some(),
    };
    Ok(context.output.result("countersign.sending_proposal/1", &proposed, for_people)?)
}

fn for_people(proposed: &ArmingProposed) -> String {
    let ArmingProposed { file, sending_file, digest, log_entries, .. } = proposed;
    let (file, sending_file) = (visible(file), visible(sending_file));
    let (warning, now) = (warning(proposed), grouped(*log_entries));
    format!(
        "{warning}{file} has the digest\n\n{digest}\n\n{sending_file}.proposed was made, for the \
         log of {now} entries. Until the arming is signed\nand taken, all stays as it is.\nTwo \
         operators sign within 4 hours: countersign sign {file} --key KEYFILE\nThen: countersign \
         sending arm {file}\n"
    )
}

fn warning(proposed: &ArmingProposed) -> String {
    if proposed.log_continues {
        return String::new();
    }
    let (now, before) = (proposed.log_entries, proposed.log_entries_before.unwrap_or_default());
    let (now, before) = (grouped(now), grouped(before));
    format!(
        "WARNING: this host has seen {before} entries of the log, and the store holds {now}. It does \
         not go on from\nthere, or nobody can tell that it does: it may be a restored backup. If \
         witnesses are armed, see\nthat they answer, and propose again. Once this is armed, campaigns \
         that were frozen before\nseal nobody any more, and their mails that are not sent yet are never \
         sent.\n\n"
    )
}

fn sending_file(config: &Config) -> PathBuf {
    config.resolve(&config.settings.sending.file)
}

#[derive(Serialize)]
struct Adopted {
    sending_file: String,
    log_entries: u64,
}

async fn adopt(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
) -> Result<(), CommandFailure> {
    let file = sending_file(config);
    let roster = wiring::roster(config, instance).await?;
    let mark = adopt_proposal(instance, &file, &roster).await.map_err(refused)?;
    let adopted = Adopted { sending_file: file.display().to_string(), log_entries: mark.size };
    Ok(context.output.result("countersign.sending_adopt/1", &adopted, |adopted| {
        let (file, entries) = (visible(&adopted.sending_file), grouped(adopted.log_entries));
        format!("this host sends by {file} from now on; it has seen {entries} entries of the log\n")
    })?)
}

fn read(file: &Path) -> Result<SignedArming, CommandFailure> {
    let no_arming = |source| NoArming { file: file.to_owned(), source };
    Ok(SignedArming::parse(&files::read(file)?).map_err(no_arming)?)
}

fn taken_arming(taken: &TakenArming) -> String {
    let shown = armed(&taken.status);
    if taken.proposed_here && taken.status.hosts > 1 {
        return format!("{shown}On the other hosts: countersign sending adopt\n");
    }
    if taken.proposed_here {
        return shown;
    }
    format!("{shown}Another host has proposed this. There: countersign sending adopt\n")
}

fn armed(status: &SendingStatus) -> String {
    let mut sheet = Sheet::default();
    sheet.row("database", &status.database).row("armed by", status.signers.join(", "));
    sheet.row("armed at", status.armed_at).row("until", status.lease_until);
    if status.hosts > 1 {
        sheet.row("hosts", status.hosts);
    }
    for line in &status.witnesses {
        sheet.row("witnesses", line);
    }
    sheet.to_string()
}

/// Whether this host may send; if not, why not, and what makes it so.
#[derive(Serialize)]
pub(super) struct SendingAnswer {
    pub(super) armed: bool,
    #[serde(flatten)]
    status: Option<SendingStatus>,
    pub(super) reason: Option<String>,
    pub(super) remedy: Option<&'static str>,
}

/// How two operators let a host send.
const HOW_TO_ARM: &str =
    "run `countersign sending propose`, have two operators sign, run `countersign sending arm`";

impl SendingAnswer {
    /// Not being armed is an answer, not a failure; a store that cannot be asked is one.
    pub(super) async fn of(
        config: &Config,
        instance: &Instance,
        roster: &Roster,
    ) -> Result<Self, CommandFailure> {
        let file = sending_file(config);
        match sending_status(instance, &file, roster).await {
            Ok(status) => Ok(Self::witnessed(instance, &file, status).await?),
            Err(DisarmedError::Fault(error)) => Err(error.into()),
            Err(why) => {
                let remedy = why.needs_signatures().then_some(HOW_TO_ARM);
                Ok(Self { remedy, ..Self::no(&why) })
            }
        }
    }

    /// It may, if enough witnesses sign for the log, and the store forgets nothing.
    async fn witnessed(
        instance: &Instance,
        file: &Path,
        status: SendingStatus,
    ) -> Result<Self, CommandFailure> {
        let witnesses = wiring::witnesses();
        witnesses.recall_from(file)?;
        // A host that cannot write down that it is about to send sends nothing.
        if let Err(full) = files::check_writable(file) {
            return Ok(Self { status: Some(status), ..Self::no(&full) });
        }
        match may_send(instance, &witnesses, status.policy.as_ref()).await {
            Ok(()) => Ok(Self { armed: true, status: Some(status), reason: None, remedy: None }),
            Err(PermissionError::Store(error)) => Err(error.into()),
            Err(why) => Ok(Self { status: Some(status), ..Self::no(&why) }),
        }
    }

    /// Whether operators have armed it, and it may not send all the same.
    pub(super) const fn is_held_up(&self) -> bool {
        self.status.is_some() && !self.armed
    }

    /// It may not, and the reason names the way on.
    pub(super) fn no(why: &dyn std::error::Error) -> Self {
        Self { armed: false, status: None, reason: Some(why.to_string()), remedy: None }
    }
}

/// As a worker looks before anything is sealed or sent.
async fn may_send(
    instance: &Instance,
    witnesses: &Witnesses,
    policy: Option<&WitnessPolicy>,
) -> Result<(), PermissionError> {
    if let Some(policy) = policy {
        witnesses.sign(instance, policy).await?;
    }
    check_store_memory(instance, policy.is_some()).await
}

async fn status(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
) -> Result<Done, CommandFailure> {
    let roster = wiring::roster(config, instance).await?;
    let answer = SendingAnswer::of(config, instance, &roster).await?;
    context.output.result("countersign.sending_status/1", &answer, |answer| {
        let status = answer.status.as_ref().filter(|_| answer.armed);
        status.map_or_else(|| disarmed(answer), armed)
    })?;
    Ok(if answer.armed { Done::Whole } else { Done::Refused })
}

fn disarmed(answer: &SendingAnswer) -> String {
    let reason = visible(answer.reason.as_deref().unwrap_or_default());
    let remedy = answer.remedy.map_or_else(String::new, |remedy| format!("{remedy}\n"));
    format!("not armed: {reason}\n{remedy}")
}

fn refused(error: ArmError) -> CommandFailure {
    match error {
        ArmError::Arming(_)
        | ArmError::Restored
        | ArmError::OtherDatabase { .. }
        | ArmError::OtherInstance { .. }
        | ArmError::OtherLog(_)
        | ArmError::OtherProposal { .. }
        | ArmError::SeenMore { .. } => Refused::because(error),
        other => other.into(),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}: this is no arming of Countersign: {source}", file.display())]
struct NoArming {
    file: PathBuf,
    source: CanonicalError,
}
