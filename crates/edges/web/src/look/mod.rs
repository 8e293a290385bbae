mod colour;
mod logo;

use std::fmt;

use axum::{
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use model::canonical::hex_of;
use notice::{Address, Language, MenuPath, SiteName};
use sha2::{Digest, Sha256};

use logo::LogoKind;

pub use colour::{Accent, AccentError};
pub use logo::{Logo, LogoError};

/// What all pages share. The accent stands in variables that are put before it.
const STYLE: &str = include_str!("../../templates/style.css");

/// Hexadecimal digits of a hash that tell one version of a file from the others.
const HASH_DIGITS: usize = 16;

/// The name changes with the content, so that a copy is right for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What the site is called, and what its people know it by.
#[derive(Debug, Clone)]
pub struct LookOptions {
    /// What the site is called; "this site", if nobody says.
    pub name: Option<SiteName>,
    /// The address that its notices come from.
    pub sender: Option<Address>,
    /// Where on the site one chooses a new password.
    pub reset_path: MenuPath,
    /// The language of people whose browser asks for none that we write.
    pub language: Language,
    /// A colour of its own.
    pub accent: Option<Accent>,
    /// Its logo.
    pub logo: Option<Logo>,
}

/// How the pages look for one site, with the files that they are made of.
#[derive(Debug)]
pub struct Look {
    pub(crate) name: Option<SiteName>,
    pub(crate) sender: Option<Address>,
    pub(crate) reset_path: MenuPath,
    pub(crate) language: Language,
    pub(crate) style: Asset,
    pub(crate) logo: Option<Asset>,
}

impl Look {
    /// Puts the files together. An accent that cannot be read gives way to ours.
    #[must_use]
    pub fn new(options: LookOptions) -> Self {
        let accent = options.accent.filter(|accent| accent.is_legible());
        Self {
            name: options.name,
            sender: options.sender,
            reset_path: options.reset_path,
            language: options.language,
            style: style(accent.unwrap_or(Accent::DEFAULT)),
            logo: options.logo.map(logo),
        }
    }

    /// The file of this name.
    pub(crate) fn asset(&self, name: &str) -> Option<&Asset> {
        let assets = [Some(&self.style), self.logo.as_ref()];
        assets.into_iter().flatten().find(|asset| asset.name == name)
    }
}

/// A file that never changes: its name tells its content.
pub(crate) struct Asset {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: &'static str,
    /// Whether it came from outside the program, so that nothing in it is to run.
    pub(crate) is_foreign: bool,
}

impl Asset {
    /// Where it is served.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }

    pub(crate) fn new(
        stem: &str,
        ending: &str,
        content_type: &'static str,
        bytes: Vec<u8>,
    ) -> Self {
        let hash = hex_of(&Sha256::digest(&bytes));
        let name = format!("{stem}-{}.{ending}", &hash[..HASH_DIGITS]);
        Self { name, bytes, content_type, is_foreign: false }
    }

    /// The file as browsers get it.
    pub(crate) fn answer(&self) -> Response {
        let headers = [(CONTENT_TYPE, self.content_type)];
        let mut answer = (headers, self.bytes.clone()).into_response();
        answer.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
        answer
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn style(accent: Accent) -> Asset {
    let (light, dark) = (accent.light(), accent.dark());
    let style = format!(":root {{ --accent-light: {light}; --accent-dark: {dark}; }}\n{STYLE}");
    Asset::new("style", "css", "text/css; charset=utf-8", style.into_bytes())
}

fn logo(logo: Logo) -> Asset {
    let (ending, content_type) = match logo.kind() {
        LogoKind::Png => ("png", "image/png"),
        LogoKind::Svg => ("svg", "image/svg+xml"),
    };
    Asset { is_foreign: true, ..Asset::new("logo", ending, content_type, logo.into_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_named_by_what_it_says() {
        let (ours, other) = (style(Accent::DEFAULT), style("#7a0019".parse().unwrap()));
        assert_ne!(ours.name, other.name);
        assert_eq!(ours.name, style(Accent::DEFAULT).name);
        assert!(other.bytes.starts_with(b":root { --accent-light: #7a0019;"));
    }
}
