//! What is written in English.

use super::phrases::{Message, PagePhrases};

pub(super) const PHRASES: PagePhrases = PagePhrases {
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
    sent_text: "What we wrote",
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
