use notice::Language;
use serde::Serialize;

use super::german;

/// The short texts of all pages in one language. Longer ones stand in the templates, a file for
/// each language.
#[derive(Serialize)]
pub(crate) struct Phrases {
    pub(crate) skip: &'static str,
    pub(crate) languages: &'static str,
    pub(crate) pages: &'static str,
    /// In the header, where a site has no name.
    pub(crate) unnamed: &'static str,
    /// In a sentence, where a site has no name.
    pub(crate) this_site: &'static str,
    /// The same behind words that ask for the dative.
    pub(crate) at_this_site: &'static str,
    pub(crate) home: &'static str,
    pub(crate) check: &'static str,
    pub(crate) confirmed: &'static str,
    pub(crate) unconfirmed: &'static str,
    pub(crate) disputed: &'static str,
    pub(crate) notices: &'static str,
    pub(crate) forgot: &'static str,
    pub(crate) affected: &'static str,
    pub(crate) mailed: &'static str,
    pub(crate) choose: &'static str,
    pub(crate) choose_again: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) dead: &'static str,
    pub(crate) code: &'static str,
    pub(crate) code_hint: &'static str,
    pub(crate) address: &'static str,
    pub(crate) address_hint: &'static str,
    pub(crate) no_such_pair: &'static str,
    pub(crate) check_promise: &'static str,
    pub(crate) check_button: &'static str,
    pub(crate) dispute_button: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_hint: &'static str,
    pub(crate) own_address_hint: &'static str,
    pub(crate) link_button: &'static str,
    pub(crate) answer_button: &'static str,
    pub(crate) again_button: &'static str,
    pub(crate) password: &'static str,
    /// With the fewest characters that it may have.
    #[serde(skip)]
    pub(crate) password_hint: fn(usize) -> String,
    pub(crate) password_again: &'static str,
    pub(crate) password_again_hint: &'static str,
    pub(crate) password_button: &'static str,
    pub(crate) about: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) dated: &'static str,
    pub(crate) status: &'static str,
    pub(crate) reset_required: &'static str,
    pub(crate) reset_link: &'static str,
    pub(crate) reset_done: &'static str,
    pub(crate) exposure_answer: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) uncertain: &'static str,
    #[serde(skip)]
    pub(crate) not_found: Message,
    #[serde(skip)]
    pub(crate) wrong_method: Message,
    #[serde(skip)]
    pub(crate) stranger: Message,
    #[serde(skip)]
    pub(crate) too_many: Message,
    #[serde(skip)]
    pub(crate) unwell: Message,
}

/// A page that says one thing.
#[derive(Serialize)]
pub(crate) struct Message {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

impl Phrases {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &german::PHRASES,
        }
    }
}

const ENGLISH: Phrases = Phrases {
    skip: "Skip to content",
    languages: "Language",
    pages: "Pages",
    unnamed: "Account security",
    this_site: "this site",
    at_this_site: "this site",
    home: "Account security",
    check: "Check a notice",
    confirmed: "This notice is from us",
    unconfirmed: "We could not confirm this notice",
    disputed: "Thank you for telling us",
    notices: "Security notices",
    forgot: "Forgot your password?",
    affected: "Was I affected?",
    mailed: "Look at your e-mail",
    choose: "Choose a new password",
    choose_again: "Please try once more",
    changed: "Your password is changed",
    dead: "This link does not work",
    code: "Notice code",
    code_hint: "16 letters and digits, such as 7KQ4-M2XD-93TP-0V5A. \
                Capital or small, with or without dashes.",
    address: "E-mail address",
    address_hint: "The one that the notice came to.",
    no_such_pair: "We have no notice with this code for this address.",
    check_promise: "What you type is used for this answer only. There is no field for a password \
                    on this page: a page that asks for one is not this page.",
    check_button: "Check this notice",
    dispute_button: "This is not right",
    name: "E-mail address or username",
    name_hint: "What you sign in with.",
    own_address_hint: "The one that your account has.",
    link_button: "Send me a link",
    answer_button: "Send me the answer",
    again_button: "Send it again",
    password: "New password",
    password_hint: |chars_min| {
        format!(
            "At least {chars_min} characters. Three or four words that do not belong together \
             are good."
        )
    },
    password_again: "The same once more",
    password_again_hint: "A slip of the finger would lock you out.",
    password_button: "Set the new password",
    about: "What it is about",
    subject: "Subject",
    dated: "Date",
    status: "Delivery",
    reset_required: "We switched off a password that stands in stolen data, and ask to choose \
                     a new one.",
    reset_link: "Somebody asked for a link to choose a new password.",
    reset_done: "A password was changed.",
    exposure_answer: "Somebody asked whether an account's password stands in stolen data.",
    waiting: "On its way: the mail server has not taken it yet.",
    sent: "Sent. The mail server took it.",
    refused: "Not delivered: the mail server did not take it.",
    uncertain: "Sent, but the mail server did not confirm that it has it.",
    not_found: Message {
        title: "There is no such page",
        text: "The address may have been mistyped, or the page is gone.",
    },
    wrong_method: Message {
        title: "This page cannot be opened like that",
        text: "Please start again with the form.",
    },
    stranger: Message {
        title: "This form did not come from our page",
        text: "Another site sent it in your name, or your browser hides where it came from. \
               Please open our page by yourself and fill in the form there.",
    },
    too_many: Message {
        title: "Too many attempts",
        text: "Too many forms came from your network in a short time. Please wait a minute, \
               then try again.",
    },
    unwell: Message {
        title: "We cannot answer at this moment",
        text: "This is our fault. It says nothing about your notice or your account. Please try \
               again in a few minutes.",
    },
};
