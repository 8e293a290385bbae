use std::{io, path::PathBuf};

use super::mailbox::Mailbox;
use crate::{
    console::frame::{StaffFrame, StaffPlace, style},
    in_process::InProcess,
    look::{Asset, Look},
};

const PLACE: StaffPlace =
    StaffPlace { layout: "rehearsal/frame.html", campaigns: "/rehearsal/campaign" };

/// The mailbox and the campaigns of a rehearsal, with the pages that show them.
#[derive(Debug)]
pub struct RehearsalConsole {
    pub(super) operations: InProcess,
    pub(super) mailbox: Mailbox,
    pub(super) style: Asset,
}

impl RehearsalConsole {
    /// Shows the mails in this maildir, and what these operations tell of campaigns.
    #[must_use]
    pub fn new(operations: InProcess, mailbox: PathBuf) -> Self {
        Self { operations, mailbox: Mailbox::new(mailbox), style: style() }
    }

    pub(super) fn frame<'a>(&self, look: &'a Look, title: &'a str) -> StaffFrame<'a> {
        StaffFrame::new(look, &self.style, PLACE, title)
    }
}

/// Reads files where nobody waits for them.
pub(super) async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}
