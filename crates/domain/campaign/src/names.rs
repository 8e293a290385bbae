//! What operators call campaigns and templates. Each name is checked when it is made.

use model::{checked_name, is_word};

use crate::limits::{CAMPAIGN_NAME_BYTES_MAX, TEMPLATE_NAME_BYTES_MAX};

checked_name! {
    /// What a campaign is called by operators. Recipients never see it.
    pub struct CampaignName;
    "a campaign's name", CAMPAIGN_NAME_BYTES_MAX, is_printable,
    "anything but control characters"
}

checked_name! {
    /// Which template of which language, as in `reset_required/en`.
    pub struct TemplateName;
    "a template's name", TEMPLATE_NAME_BYTES_MAX, is_path,
    "lower-case letters, digits and - . _ /"
}

fn is_path(char: char) -> bool {
    is_word(char) || char == '/'
}

fn is_printable(char: char) -> bool {
    !char.is_control()
}
