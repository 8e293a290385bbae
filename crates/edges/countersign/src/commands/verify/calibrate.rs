//! Which form a site's hashes have, proved on an account whose password somebody knows.

use std::collections::{BTreeMap, BTreeSet};

use directory::Directory;
use exposure::keep_proof;
use model::{Account, AccountId, HashFormat, Secret, StoredHash, Unverified, Verdict};
use password::{FormId, HashForms, HashHead, HashShape, TriedHash, Verifier};
use serde::Serialize;

use super::{super::CommandFailure, forms_line::write_forms};
use crate::{
    commands::context::CommandContext,
    config::Config,
    output::{Done, Sheet},
    terminal::{ControllingTerminal, TerminalError},
    wiring,
};

const EXPLAINED: &str = "\
    Use an account that your site itself has made for this, as anybody signs up, and nobody's own:\n\
    whoever types their own password here has typed it somewhere else than at the sign-in.\n\
    It needs letters beyond ASCII, capitals, & and ', which sites change each in their way, such as\n\
    Grün&Blau 'Sieben' ½\n\n";

/// What came of it.
#[derive(Serialize)]
struct Calibration {
    shape: HashShape,
    /// The form that is proved; none if it is not.
    proved: Option<HashFormat>,
    /// Whether it was written to the configuration just now.
    is_written: bool,
    /// Lines of forms that were tried before without a name, and are tried on: written down beside it.
    kept: Vec<String>,
    /// Every form in which the password is the account's, with its description.
    fitting: BTreeMap<HashFormat, String>,
    /// Forms that could not be tried, by the columns beside the hash that they need.
    lacking: BTreeMap<String, BTreeSet<HashFormat>>,
    reason: Option<Unverified>,
}

pub(super) async fn run(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let (instance, directory) =
        (wiring::instance(&config).await?, wiring::directory(&config).await?);
    let known = KnownPassword::ask(&*directory).await?;
    let mut calibration = known.fitting(&config)?;
    if let Some(form) = calibration.the_only_form() {
        let verifier = wiring::verifier(&config)?;
        let mut tried = known.tried(&verifier);
        let unnamed = verifier.unnamed_forms(&known.hash);
        if !is_in_force(&tried, &unnamed) {
            calibration.kept = calibration.kept_beside(form, &unnamed);
            write_forms(&config, form, &calibration.kept)?;
            calibration.is_written = true;
            tried = known.tried(&*wiring::verifier(&context.config()?)?);
        }
        if let Some((format, form)) = proved(&tried) {
            keep_proof(&instance, &known.hash, form).await?;
            calibration.proved = Some(format);
        }
    }
    let done = calibration.done();
    context.output.result("countersign.verify_calibrate/1", &calibration, for_people)?;
    Ok(done)
}

/// Whether hashes of this kind are read so, and one that does not match is taken for another password. What
/// is only guessed of a hash that tells nothing is doubted.
fn is_in_force(tried: &TriedHash, unnamed: &[HashFormat]) -> bool {
    let is_told = |form: &HashFormat| is_told_by_its_text(form.as_str()) || !unnamed.contains(form);
    matches!(tried.verdict, Verdict::Match { .. }) && tried.format.as_ref().is_some_and(is_told)
}

fn proved(tried: &TriedHash) -> Option<(HashFormat, FormId)> {
    match tried.verdict {
        Verdict::Match { .. } => tried.format.zip(tried.forms.first().copied()),
        Verdict::NoMatch | Verdict::Unverified(_) => None,
    }
}

/// A stored hash, and what its password is said to be. It is wiped when it is dropped.
struct KnownPassword {
    hash: StoredHash,
    secret: Secret,
}

impl KnownPassword {
    async fn ask(directory: &dyn Directory) -> Result<Self, CommandFailure> {
        let terminal = ControllingTerminal::open()?;
        terminal.show(EXPLAINED)?;
        let typed = terminal.ask("Account (id, user name or e-mail address): ")?;
        let account = account(directory, &typed).await?;
        let credential = account.credential.ok_or_else(|| NotKnown::no_password(&typed))?;
        let secret = asked_password(&terminal)?;
        Ok(Self { hash: credential.hash().clone(), secret })
    }

    fn tried(&self, verifier: &Verifier) -> TriedHash {
        verifier.verify(&self.hash, std::slice::from_ref(&self.secret))
    }

    /// Tries every form that there is and that the hash has the shape of.
    fn fitting(&self, config: &Config) -> Result<Calibration, CommandFailure> {
        let every = wiring::verifier_of(config, wiring::every_form(config)?);
        let explained = every.explain(&self.hash, &self.secret);
        let reason = explained.as_ref().err().copied();
        let fitting = explained.unwrap_or_default().into_iter();
        let fitting = fitting.filter(|form| form.is_match == Ok(true));
        // Several names of the same steps are one form.
        let mut by_steps = BTreeMap::new();
        for form in fitting {
            let steps = steps_of(form.format, &form.description).to_owned();
            by_steps.entry(steps).or_insert((form.format, form.description));
        }
        let lacking = every.lacking_forms(&self.hash).into_iter();
        let lacking = lacking.map(|(names, forms)| (names.join(", "), forms));
        Ok(Calibration {
            shape: HashHead::of(&self.hash).shape(),
            proved: None,
            is_written: false,
            kept: Vec::new(),
            fitting: by_steps.into_values().collect(),
            lacking: lacking.collect(),
            reason,
        })
    }
}

fn asked_password(terminal: &ControllingTerminal) -> Result<Secret, TerminalError> {
    let password = terminal.ask_passphrase("Its password: ")?;
    Ok(Secret::from(password.as_bytes()))
}

/// The one account that somebody means.
async fn account(directory: &dyn Directory, typed: &str) -> Result<Account, CommandFailure> {
    let mut found = match AccountId::new(typed) {
        Ok(id) => directory.by_ids(&[id]).await?,
        Err(_) => Vec::new(),
    };
    if found.is_empty() {
        found = directory.by_names(&[typed.to_owned(), typed.to_lowercase()]).await?;
    }
    match (found.pop(), found.is_empty()) {
        (Some(account), true) => Ok(account),
        (Some(_), false) => Err(NotKnown::Several { typed: typed.to_owned() }.into()),
        (None, _) => Err(NotKnown::Nobody { typed: typed.to_owned() }.into()),
    }
}

impl Calibration {
    /// The only one that fits. Of several, nobody knows which is the site's: of another password they would
    /// not give the same.
    fn the_only_form(&self) -> Option<HashFormat> {
        let mut fitting = self.fitting.keys();
        fitting.next().filter(|_| self.fitting.len() == 1).copied()
    }

    /// What has to be named as well, so that it is tried on: other accounts may have these forms, and nobody
    /// would find them.
    fn kept_beside(&self, form: HashFormat, unnamed: &[HashFormat]) -> Vec<String> {
        let description = self.fitting.get(&form).map_or("", String::as_str);
        let last = description.rsplit(['|', ' ']).next().unwrap_or_default();
        if !unnamed.is_empty() && OF_SEVERAL_SHAPES.contains(&last) {
            return vec![PLAIN.to_owned()];
        }
        unnamed.iter().filter(|name| **name != form).map(ToString::to_string).collect()
    }

    const fn done(&self) -> Done {
        match (self.proved, self.reason) {
            (Some(_), _) => Done::Whole,
            (None, Some(_)) => Done::Partial,
            (None, None) => Done::Refused,
        }
    }
}

/// Last steps that read hashes of other shapes than this one, too.
const OF_SEVERAL_SHAPES: &[&str] = &["stored", "crypt"];

/// Whatever tells by itself what it is.
const PLAIN: &str = "plain: <hash> := stored";

fn is_told_by_its_text(form: &str) -> bool {
    HashForms::lines().any(|(name, _, is_told)| is_told && name == form)
}

/// What a description does to a password; nothing where that is compared as it stands. A blank at either end
/// of a password is hardly anybody's, and whoever types one here may not mean it.
fn steps_of(form: HashFormat, description: &str) -> &str {
    let steps = description.split_once(":=").map_or(description, |(_, steps)| steps).trim();
    let steps = steps.trim_start_matches("trim|");
    let is_bare = !steps.contains(['|', '(']) || is_told_by_its_text(form.as_str());
    if is_bare { "" } else { steps }
}

fn for_people(calibration: &Calibration) -> String {
    let mut sheet = Sheet::default();
    sheet.row("hash", &calibration.shape);
    if let Some(form) = calibration.proved {
        let written = if calibration.is_written { ", which the configuration has now" } else { "" };
        sheet.row("proved", format!("the form {form}{written}"));
    }
    for line in &calibration.kept {
        sheet.row("tried on", format!("{line}, which the configuration has now as well"));
    }
    for (form, description) in &calibration.fitting {
        sheet.row(format!("fits {form}"), description);
    }
    let advice = match (calibration.proved, calibration.fitting.len(), calibration.reason) {
        (Some(_), ..) => return sheet.to_string(),
        (None, 0, Some(_)) => NOT_TRIED,
        (None, 0, None) => NONE_FITS,
        (None, ..) => SEVERAL_FIT,
    };
    if let Some(reason) = calibration.reason {
        sheet.row("not tried", reason);
    }
    if calibration.fitting.is_empty() {
        add_lacking(&mut sheet, &calibration.lacking);
    }
    sheet.row("what to do", advice);
    sheet.to_string()
}

/// Many a hash tells nothing without the salt that stands in a column of its own.
fn add_lacking(sheet: &mut Sheet, lacking: &BTreeMap<String, BTreeSet<HashFormat>>) {
    for (names, forms) in lacking {
        let forms: Vec<_> = forms.iter().map(HashFormat::as_str).collect();
        sheet.row(format!("without {names}"), format!("not tried: {}", forms.join(", ")));
    }
    if !lacking.is_empty() {
        sheet.row(
            "their columns",
            "name them in `directory.hash.columns`, and repeat this: `salt = \"COLUMN\"`",
        );
    }
}

const NOT_TRIED: &str = "docs/hashes.md says what this verdict means";
const NONE_FITS: &str = "type the password again; if it is right, no form that is known is yours: \
     docs/hashes.md says how to describe one";
const SEVERAL_FIT: &str = "nothing is proved, since these give the same of this password, and not of every \
     other: choose one on the site with letters beyond ASCII, capitals, & and ', such as Grün&Blau 'Sieben' ½, \
     and repeat it; or write the one that you know to be yours in `directory.hash.forms`";

/// Why there is nothing to try.
#[derive(Debug, thiserror::Error)]
enum NotKnown {
    #[error("the site has no account `{}`: type its id, user name or address", typed.escape_debug())]
    Nobody { typed: String },
    #[error("several accounts are called `{}`: type the id of one", typed.escape_debug())]
    Several { typed: String },
    #[error("the account `{}` has no password: choose one for it on the site", typed.escape_debug())]
    NoPassword { typed: String },
}

impl NotKnown {
    fn no_password(typed: &str) -> Self {
        Self::NoPassword { typed: typed.to_owned() }
    }
}
