use serde::Serialize;

use crate::{
    frame::Frame,
    look::{Asset, Look},
};

/// What the pages of operators and rehearsals have beyond those for people.
const STYLE: &str = include_str!("../../templates/console/console.css");

/// What surrounds the content of every page for operators, and of a rehearsal's.
#[derive(Serialize)]
pub(crate) struct StaffFrame<'a> {
    #[serde(flatten)]
    frame: Frame<'a>,
    #[serde(flatten)]
    place: StaffPlace,
}

/// Where pages that both have are shown.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct StaffPlace {
    /// The template that they extend.
    pub(crate) layout: &'static str,
    /// The path above those of campaigns.
    pub(crate) campaigns: &'static str,
}

impl<'a> StaffFrame<'a> {
    pub(crate) fn new(look: &'a Look, style: &Asset, place: StaffPlace, title: &'a str) -> Self {
        let brand = look.name.as_ref().map_or("Countersign", |name| name.as_str());
        let styles = vec![look.style.path(), style.path()];
        // Operators read English.
        Self { frame: Frame { lang: "en", title, brand, skip: "Skip to content", styles }, place }
    }
}

/// The style sheet as it is served.
pub(crate) fn style() -> Asset {
    Asset::new("console", "css", "text/css; charset=utf-8", STYLE.into())
}
