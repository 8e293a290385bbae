use serde::Serialize;

/// The short texts of all pages in one language. Longer ones stand in the templates, a file for
/// each language.
#[derive(Serialize)]
pub(crate) struct PagePhrases {
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
    pub(crate) sent_text: &'static str,
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
