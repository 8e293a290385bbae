use std::{fmt, str::FromStr};

use url::{Host, Url};

use crate::limits::URL_BYTES_MAX;

/// Where the site's pages for people are, from its configuration and never from a request (OWASP,
/// Forgot Password): whoever asks for a link must not choose where it leads.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Without a slash at the end.
    text: String,
    host: String,
    loopback: bool,
}

impl BaseUrl {
    /// The link to a page below it. The last part of the path is a token.
    ///
    /// # Errors
    /// [`ResetUrlError`] if the path holds more than letters, digits, `-`, `_` and slashes.
    pub fn reset(&self, path: &str) -> Result<ResetUrl, ResetUrlError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !path.split('/').all(|part| !part.is_empty() && part.chars().all(plain)) {
            return Err(ResetUrlError::Path);
        }
        let text = format!("{}/{path}", self.text);
        if text.len() > URL_BYTES_MAX {
            return Err(ResetUrlError::TooLong { found: text.len() });
        }
        Ok(ResetUrl { text, base: self.clone() })
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| BaseUrlError::NoUrl(error.to_string()))?;
        let loopback = url.host().is_some_and(|host| is_loopback(&host));
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(BaseUrlError::NotHttps),
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(number) if loopback => number.to_string(),
            _ => return Err(BaseUrlError::Number),
        };
        let whole = url.username().is_empty() && url.password().is_none();
        if !whole || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Parts);
        }
        let text = url.as_str().trim_end_matches('/');
        match text.chars().find(|c| !is_plain(*c)) {
            Some(found) => Err(BaseUrlError::Character { found }),
            None => Ok(Self { text: text.to_owned(), host, loopback }),
        }
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.text)
    }
}

/// Why links cannot lead to an address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// No URL at all.
    #[error("this is no URL ({0}): write https:// and the site's name")]
    NoUrl(String),
    /// Others could read the token on its way.
    #[error("links begin with https://; http:// is for this host alone (localhost)")]
    NotHttps,
    /// Mail filters take it for a forgery, and people cannot tell whose it is.
    #[error("links lead to a host by its name, not by its number")]
    Number,
    /// Something before the host or behind the path.
    #[error("a base URL has no user name, query or fragment: leave it out")]
    Parts,
    /// It would have to be escaped somewhere.
    #[error("a base URL holds letters, digits and - . _ ~ alone, not `{}`", found.escape_debug())]
    Character {
        /// The character found.
        found: char,
    },
}

/// The one link that a notice may hold. It holds nothing that HTML would have to escape.
#[derive(Clone, PartialEq, Eq)]
pub struct ResetUrl {
    text: String,
    base: BaseUrl,
}

impl ResetUrl {
    /// All of it, token included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn host(&self) -> &str {
        &self.base.host
    }

    /// Whether it leads to the host that it is opened on, as in a rehearsal.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.base.loopback
    }
}

/// The token is a secret until its owner has used it, so logs do not get it.
impl fmt::Debug for ResetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResetUrl({}/..)", self.base.text)
    }
}

/// Why no link can be made. It does not repeat the path, which holds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResetUrlError {
    /// Could lead elsewhere, or would have to be escaped.
    #[error("a link's path has letters, digits, - and _ between single slashes")]
    Path,
    /// Mail programs break long links.
    #[error("the link has {found} bytes, at most {URL_BYTES_MAX} are sent: shorten the base URL")]
    TooLong {
        /// Its bytes.
        found: usize,
    },
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(number) => number.is_loopback(),
        Host::Ipv6(number) => number.is_loopback(),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '_' | '~' | '[' | ']')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn link(base: &str, expected: &str) {
        let base = base.parse::<BaseUrl>().unwrap();
        assert_eq!(base.reset("reset/a-_Z09").unwrap().as_str(), expected);
    }

    #[track_caller]
    fn refused(base: &str, message: &str) {
        assert_eq!(base.parse::<BaseUrl>().unwrap_err().to_string(), message);
    }

    #[test]
    fn links_lead_to_the_site() {
        link("https://example.org", "https://example.org/reset/a-_Z09");
        link("https://Example.org:8443/help/", "https://example.org:8443/help/reset/a-_Z09");
        link("https://b\u{fc}cher.example", "https://xn--bcher-kva.example/reset/a-_Z09");
        link("http://localhost:8080", "http://localhost:8080/reset/a-_Z09");
        link("http://127.0.0.1:8080/", "http://127.0.0.1:8080/reset/a-_Z09");
        link("http://[::1]", "http://[::1]/reset/a-_Z09");
    }

    #[test]
    fn links_lead_nowhere_else() {
        let not_https = "links begin with https://; http:// is for this host alone (localhost)";
        refused("http://example.org", not_https);
        refused("http://localhost.example.org", not_https);
        refused("javascript:alert(1)", not_https);
        refused("https://192.0.2.1", "links lead to a host by its name, not by its number");
        let parts = "a base URL has no user name, query or fragment: leave it out";
        refused("https://example.org@evil.example", parts);
        refused("https://example.org/?next=", parts);
        refused("https://example.org/#", parts);
        let character = "a base URL holds letters, digits and - . _ ~ alone, not `%`";
        refused("https://example.org/\"", character);
        assert!("example.org".parse::<BaseUrl>().is_err());
    }

    #[test]
    fn a_path_stays_below_its_base() {
        let base = "https://example.org".parse::<BaseUrl>().unwrap();
        for path in ["", "/x", "x/", "a//b", "..", "a?b", "a b", "a\r\nb", "\u{e9}", "@x"] {
            assert_eq!(base.reset(path), Err(ResetUrlError::Path), "{path}");
        }
        let long = "x".repeat(URL_BYTES_MAX);
        assert!(matches!(base.reset(&long), Err(ResetUrlError::TooLong { .. })));
        let link = base.reset("reset/secret").unwrap();
        assert_eq!(format!("{link:?}"), "ResetUrl(https://example.org/..)");
    }

    proptest! {
        #[test]
        fn a_link_never_needs_escaping(base in "https?://[a-z.@:%\"<> ?#/]{0,20}|\\PC*", path in "\\PC{0,9}") {
            let link = base.parse::<BaseUrl>().map(|base| base.reset(&path));
            if let Ok(Ok(link)) = link {
                prop_assert!(link.as_str().chars().all(is_plain));
            }
        }
    }
}
