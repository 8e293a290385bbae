use serde::Serialize;

/// What surrounds the content of every page, whoever it is for: what `frame.html` names.
#[derive(Serialize)]
pub(crate) struct Frame<'a> {
    /// The language of the page.
    pub(crate) lang: &'static str,
    pub(crate) title: &'a str,
    /// The site's name, or what stands in its place.
    pub(crate) brand: &'a str,
    /// The label of the link to the content, for those who hear a page.
    pub(crate) skip: &'static str,
    /// Paths of style sheets.
    pub(crate) styles: Vec<String>,
}
