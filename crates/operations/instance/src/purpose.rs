//! What data keys are for: a wrapped one is unwrapped only for its own purpose, so that no row's can
//! be put into another table's.

use model::SubjectId;
use store::{DataKeyPlace, WrappedKey};

/// A leak's candidates, and copies of standard input.
pub const SPOOL: &str = "spool";

/// The secret of one finding.
pub const FINDING: &str = "finding";

/// What is kept of a sealing.
pub const RESET_LINE: &str = "reset line";

/// What a notice said.
pub const NOTICE_TEXT: &str = "notice text";

/// What somebody typed who asks for a mail.
pub const MAIL_REQUEST: &str = "mail request";

/// A letter that no campaign sends.
pub const LETTER: &str = "requested notice";

/// A subject's own key: it can be moved to no other.
pub(crate) fn of_subject(id: SubjectId) -> String {
    format!("subject {id}")
}

/// The purpose of the data key of a row.
pub(crate) fn of_row(place: DataKeyPlace, row: &WrappedKey) -> String {
    match place {
        DataKeyPlace::Leak => SPOOL.to_owned(),
        DataKeyPlace::Finding => FINDING.to_owned(),
        DataKeyPlace::Subject => of_subject(SubjectId(row.first)),
        DataKeyPlace::ResetLine => RESET_LINE.to_owned(),
        DataKeyPlace::NoticeText => NOTICE_TEXT.to_owned(),
        DataKeyPlace::MailRequest => MAIL_REQUEST.to_owned(),
        DataKeyPlace::Letter => LETTER.to_owned(),
    }
}
